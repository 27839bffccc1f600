import os

import pytest
from tests.full_disk import full_disk
from tests.io.zip_disks import some_files, write_split
from tests.killed import kill_at_random_moments

from refpix.errors import ArchiveError
from refpix.io.unpack import unpack


def tree(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("workers", [1, 3])
def test_unpacks_resumes_and_mends(tmp_path, workers):
    files = some_files()
    write_split(tmp_path / "X.zip", files, 3000)
    done = unpack(tmp_path / "X.zip", tmp_path / "out", workers=workers)
    assert (done.written, done.skipped, done.failures) == (len(files), 0, [])
    assert done.nbytes == sum(map(len, files.values()))
    assert tree(tmp_path / "out") == files
    victims = sorted(files)[2:4]
    (tmp_path / "out" / victims[0]).unlink()
    changed = tmp_path / "out" / victims[1]
    changed.write_bytes(bytes(len(files[victims[1]])))  # of the right size
    done = unpack(tmp_path / "X.zip", tmp_path / "out", workers=workers)
    assert (done.written, done.skipped) == (2, len(files) - 2)
    assert tree(tmp_path / "out") == files


def test_members_by_pattern(tmp_path):
    files = some_files()
    write_split(tmp_path / "X.zip", files, 3000)
    unpack(tmp_path / "X.zip", tmp_path / "out", members="*/images/*")
    assert tree(tmp_path / "out") == {n: c for n, c in files.items() if "/images/" in n}
    with pytest.raises(ValueError, match="no member matches"):
        unpack(tmp_path / "X.zip", tmp_path / "none", members="x*")


@pytest.mark.parametrize("name", ["../a", "/a", "b/../../a", "..\\a", "C:\\a", "c:a", "a\0b"])
def test_names_that_leave_the_folder_are_refused(tmp_path, name):
    write_split(tmp_path / "X.zip", {"good": b"1", name: b"2"}, 50)
    with pytest.raises(ArchiveError, match="refused") as caught:
        unpack(tmp_path / "X.zip", tmp_path / "deep" / "out")
    assert caught.value.member == name
    assert not (tmp_path / "deep").exists()


@pytest.mark.parametrize("mode", [0o120777, 0o020644, 0o010644])
def test_links_and_devices_are_refused(tmp_path, mode):
    write_split(tmp_path / "X.zip", {"a": b"1", "b": b"/etc"}, 50, modes={"b": mode})
    with pytest.raises(ArchiveError, match="refused") as caught:
        unpack(tmp_path / "X.zip", tmp_path / "out")
    assert caught.value.member == "b"
    assert not (tmp_path / "out").exists()


def test_members_that_cannot_both_be_files(tmp_path):
    write_split(tmp_path / "X.zip", {"a": b"1", "a/b": b"2"}, 50)
    with pytest.raises(ArchiveError, match="which is a file"):
        unpack(tmp_path / "X.zip", tmp_path / "out")
    write_split(tmp_path / "X.zip", {"a/b": b"1", "a//b": b"2"}, 50)
    with pytest.raises(ArchiveError, match="the same file as"):
        unpack(tmp_path / "X.zip", tmp_path / "out")


def test_a_damaged_member_leaves_nothing_and_the_rest_is_there(tmp_path):
    files = {f"m{i}": bytes([65 + i]) * 900 for i in range(4)}
    parts = write_split(tmp_path / "X.zip", files, 1 << 20, stored=lambda _: True)
    parts[0].write_bytes(parts[0].read_bytes().replace(b"B" * 900, b"B" * 899 + b"C"))
    done = unpack(tmp_path / "X.zip", tmp_path / "out")
    assert [error.member for error in done.failures] == ["m1"]
    assert tree(tmp_path / "out") == {n: c for n, c in files.items() if n != "m1"}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_names_the_file_and_leaves_none_half_written(tmp_path, workers):
    files = {"a": b"1" * 100, "b": bytes(20_000), "c": b"2" * 100}
    write_split(tmp_path / "X.zip", files, 1 << 20)
    with full_disk(6000), pytest.raises(OSError, match="b") as caught:
        unpack(tmp_path / "X.zip", tmp_path / "out", workers=workers)
    assert caught.value.filename == str(tmp_path / "out/b")
    left = tree(tmp_path / "out")
    assert "b" not in left
    assert {name: files[name] for name in left} == left
    unpack(tmp_path / "X.zip", tmp_path / "out")
    assert tree(tmp_path / "out") == files


KILLED = """
import sys
from refpix.io.unpack import unpack
archive, out, workers = sys.argv[1:]
print("started", flush=True)
unpack(archive, out, workers=int(workers))
"""


@pytest.mark.parametrize("workers", [1, 3])
def test_killed_at_random_moments_and_begun_again(tmp_path, workers):
    files = some_files(count=300, largest=60_000)
    write_split(tmp_path / "X.zip", files, 500_000)
    out = tmp_path / "out"
    kills = kill_at_random_moments(
        KILLED, tmp_path / "X.zip", out, workers, times=4, within=0.12, seed=workers
    )
    for _ in kills:
        there = {name: content for name, content in tree(out).items() if ".partial" not in name}
        assert there == {name: files[name] for name in there}  # what is in place is whole
    again = unpack(tmp_path / "X.zip", out, workers=workers)
    assert tree(out) == files
    assert again.written + again.skipped == len(files)


def stopped_after(count):
    """Renaming that dies after some members, as a kill would."""
    done = []

    def dying(source, target):
        done.append(target)
        if len(done) > count:
            raise KeyboardInterrupt
        replace(source, target)

    replace = os.replace
    return dying


@pytest.mark.parametrize("count", [0, 1, 7])
def test_stopped_between_members(tmp_path, count, monkeypatch):
    files = some_files()
    write_split(tmp_path / "X.zip", files, 3000)
    with monkeypatch.context() as patch:
        patch.setattr("refpix.io.unpack.os.replace", stopped_after(count))
        with pytest.raises(KeyboardInterrupt):
            unpack(tmp_path / "X.zip", tmp_path / "out")
    assert len(tree(tmp_path / "out")) == count
    assert unpack(tmp_path / "X.zip", tmp_path / "out").skipped == count
    assert tree(tmp_path / "out") == files


def test_a_folder_that_is_a_file(tmp_path):
    write_split(tmp_path / "X.zip", {"a/b": b"1"}, 100)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a").write_bytes(b"in the way")
    with pytest.raises(OSError, match="a/b") as caught:
        unpack(tmp_path / "X.zip", tmp_path / "out")
    assert caught.value.filename == str(tmp_path / "out/a/b")
