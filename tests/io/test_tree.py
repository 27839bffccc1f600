import io
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refpix.io.npy import decode_npy
from refpix.io.tree import FolderTree, ZipTree, open_tree, safe_name


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "annos/imgs/train").mkdir(parents=True)
    (tmp_path / "annos/imgs/train/a.jpg").write_bytes(b"picture")
    (tmp_path / "secret").write_bytes(b"secret")
    return tmp_path / "annos"


@pytest.fixture(params=[zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def archive(folder, request):
    path = folder.parent / "annos.zip"
    with zipfile.ZipFile(path, "w", request.param) as file:
        file.write(folder / "imgs/train/a.jpg", "annos/imgs/train/a.jpg")
    return path


def test_folder_and_archive_read_alike(folder, archive):
    for tree in (open_tree(folder, "imgs"), open_tree(archive, "imgs")):
        assert tree.read("imgs/train/a.jpg") == b"picture"
        assert tree.read("imgs//./train/a.jpg") == b"picture"
        assert "imgs/train/a.jpg" in tree
        assert "imgs/train/b.jpg" not in tree
        with pytest.raises(FileNotFoundError):
            tree.read("imgs/train/b.jpg")
        again = pickle.loads(pickle.dumps(tree))
        assert again.read("imgs/train/a.jpg") == b"picture"


@pytest.mark.parametrize("name", ["", "/imgs/a", "../secret", "imgs/../../secret", "a\0"])
def test_names_stay_inside(folder, archive, name):
    for tree in (FolderTree(folder), ZipTree(archive)):
        with pytest.raises(ValueError, match="file name"):
            tree.read(name)


@given(st.text(alphabet="a./\0", max_size=12))
def test_safe_names_never_climb(name):
    try:
        safe = safe_name(name)
    except ValueError:
        return
    assert not safe.startswith("/")
    assert ".." not in safe.split("/")


def test_what_is_no_tree(folder, archive):
    with pytest.raises(FileNotFoundError, match="no folder 'gts'"):
        open_tree(folder, "gts")
    with pytest.raises(FileNotFoundError, match="holds no folder 'gts'"):
        open_tree(archive, "gts")
    with pytest.raises(FileNotFoundError, match="no such folder"):
        open_tree(folder / "x", "imgs")
    with pytest.raises(FileNotFoundError, match="neither"):
        open_tree(folder.parent / "secret", "imgs")


def test_archive_reopens_after_close(archive):
    tree = open_tree(archive, "imgs")
    tree.close()
    assert tree.read("imgs/train/a.jpg") == b"picture"


def saved(array, **options):
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("dtype", ["u1", "<i4", ">i2", "?", "<f4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_equals_load(dtype, order):
    array = np.asarray(np.arange(12).reshape(3, 4) % 2, dtype=dtype, order=order)
    got = decode_npy(saved(array))
    assert got.dtype == array.dtype
    assert np.array_equal(got, array)


@settings(deadline=None)
@given(st.integers(0, 200), st.binary(max_size=6))
def test_damaged_npy_is_a_value_error(at, patch):
    whole = saved(np.arange(40, dtype=np.int32).reshape(5, 8))
    damaged = whole[:at] + patch + whole[at + len(patch) :]
    try:
        array = decode_npy(damaged)
    except ValueError:
        return
    assert array.nbytes <= len(damaged)
