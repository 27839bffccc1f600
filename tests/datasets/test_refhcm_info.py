import os

import pytest

from refpix.datasets import sample_path
from refpix.datasets.refhcm_info import describe


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "anything.tsv"
    path.write_bytes(sample_path("rkpt").read_bytes())
    return path


def test_a_file_at_a_glance(file):
    info = describe(file)
    assert (info.rows, info.columns, info.task) == (8, 6, "rkpt")
    assert info.bytes == file.stat().st_size
    assert info.problem is None
    lines = file.read_bytes().splitlines(keepends=True)
    assert info.longest_row == max(map(len, lines))
    fields = lines[0].rstrip(b"\n").split(b"\t")
    assert [field.bytes for field in info.first_row] == [len(field) for field in fields]
    assert [f.name for f in info.first_row[:4]] == ["id", "image_id", "text", "box"]
    assert info.first_row[2].text == fields[2].decode()
    assert fields[5].decode().startswith(info.first_row[5].text)


def test_what_became_of_the_index(file):
    assert describe(file, index="memory").index == "not written"
    assert not (file.parent / "anything.tsv.refpix-index").exists()
    assert describe(file).index == "written"
    assert describe(file).index == "used"
    with open(file, "ab") as out:
        out.write(b"one\tmore\n")
    os.utime(file, ns=(1, 1))
    assert describe(file).index == "rewritten"
    assert describe(file).rows == 9


def test_odd_files(tmp_path):
    path = tmp_path / "odd.tsv"
    for content, rows, columns, task in (
        (b"", 0, 0, None),
        (b"\n", 1, 1, None),
        (b"a\tb\xff\n", 1, 2, None),
    ):
        path.write_bytes(content)
        info = describe(path, index="memory")
        assert (info.rows, info.columns, info.task) == (rows, columns, task)
    assert info.first_row[1].text == "b\ufffd"
    path.write_bytes(b"a\rb\tc\n")
    assert "carriage return" in describe(path, index="memory").problem
    with pytest.raises(IsADirectoryError, match="folder"):
        describe(tmp_path)
    with pytest.raises(FileNotFoundError):
        describe(tmp_path / "none.tsv")
