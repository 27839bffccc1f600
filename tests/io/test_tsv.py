import multiprocessing
import os
import pickle
import struct
import zlib

import numpy as np
import pytest

from refpix.errors import IndexStaleError, RowError
from refpix.io import atomic, tsv
from refpix.io.tsv import TsvFile, write_tsv
from refpix.io.tsv_index_file import index_path


@pytest.fixture
def make(tmp_path):
    def make(content, **options):
        path = tmp_path / "a.tsv"
        path.write_bytes(content)
        return TsvFile(path, **options)

    return make


def texts(file, rows, columns=None):
    return [[file.text(span) for span in row] for row in file.fields(rows, columns)]


def all_texts(path):
    file = TsvFile(path, index="memory")
    return texts(file, range(len(file)))


def test_random_access(make):
    file = make("id\tcaption\n1\tçà\n2\t\r\n".encode())
    assert len(file) == 3
    assert file.offsets.tolist() == [0, 11, 18, 22]
    assert file.row_spans([2, 0]).tolist() == [[18, 22], [0, 11]]
    assert texts(file, [2, 1, 1, -3]) == [["2", ""], ["1", "çà"], ["1", "çà"], ["id", "caption"]]
    assert texts(file, np.array([1]), [-1, 0]) == [["çà", "1"]]
    assert file.fields([], [0]).shape == (0, 1, 2)
    assert not file.values.flags.writeable
    for row in (3, -4):
        with pytest.raises(IndexError, match=f"no row {row}, there are 3"):
            file.fields([row])


# Malformed and odd files, by the classes that published readers meet.

HEAD = b"a\t1\tx\t0.5\n"


def test_empty(make):
    file = make(b"")
    assert len(file) == 0
    assert file.column_count() == 0
    assert file.fields([]).shape == (0, 0, 2)
    with pytest.raises(IndexError):
        file.row_spans([0])


def test_one_row_without_newline(make):
    file = make(b"a\t1\tc\t2.5")
    assert texts(file, [0]) == [["a", "1", "c", "2.5"]]


def test_byte_order_mark_stays(make):
    assert texts(make(b"\xef\xbb\xbf" + HEAD), [0], [0]) == [["\ufeffa"]]


def test_nul_is_a_character(make):
    assert texts(make(HEAD + b"a\0b\t1\tc\0\t2\n"), [1]) == [["a\0b", "1", "c\0", "2"]]


@pytest.mark.parametrize("last", [b"\r\n", b""])
def test_crlf_and_mixed_ends(make, last):
    file = make(b"a\tb\r\nc\td\ne\tf" + last)
    assert texts(file, [0, 1, 2]) == [["a", "b"], ["c", "d"], ["e", "f"]]


def test_blanks_and_empty_last_columns_stay(make):
    assert texts(make(b"a\t 0 \t \nb\t\t\n"), [0, 1]) == [["a", " 0 ", " "], ["b", "", ""]]


def test_more_columns_than_the_first_row(make):
    assert texts(make(b"a\tb\nc\td\te\t\n"), [1]) == [["c", "d"]]


def test_separators_that_are_none(make):
    field = "é\u2028line\u2029sep\x85nel\x0bvt\x0cff\x1cfs"
    assert texts(make(f"a\t{field}\n".encode()), [0]) == [["a", field]]


@pytest.mark.parametrize(
    ("rows", "bad", "offset", "reason"),
    [
        ([HEAD, b"short\n", HEAD], 1, 15, "too few columns"),
        ([HEAD, b"\n", HEAD], 1, 10, "too few columns"),
        ([b"first bad\n", HEAD], 0, 9, "too few columns"),
        ([HEAD, b"a\t1\tca\rp\t2\n", HEAD], 1, 16, "carriage return"),
        ([HEAD, b"a\t1\tx\t4.5\r\r\n", HEAD], 1, 19, "carriage return"),
        ([HEAD, HEAD, b"a\t1"], 2, 23, "too few columns"),  # the file ends within a row
    ],
)
def test_malformed_rows_name_file_row_and_byte(make, rows, bad, offset, reason):
    file = make(b"".join(rows))
    with pytest.raises(RowError, match=reason) as error:
        file.fields([bad if bad >= 0 else 0, 0][::-1] if bad else [bad], [0, 1, 2, 3])
    assert (error.value.file, error.value.row) == (str(file.path), bad)
    assert error.value.offset == offset


def test_carriage_returns_on_request(make):
    assert texts(make(b"a\tb\rc\n", allow_cr=True), [0]) == [["a", "b\rc"]]


def test_invalid_utf8_names_the_byte(make):
    file = make(HEAD + b"id\xff\xfe\t1\tx\t2\n")
    spans = file.fields([1])[0]
    assert file.text(spans[1]) == "1"
    with pytest.raises(RowError, match="invalid UTF-8") as error:
        file.text(spans[0])
    assert (error.value.row, error.value.offset) == (1, 12)


GOLDEN_ROWS = {
    "allbad": 3, "bad_utf8": 7, "badint": 7, "badrows": 9, "badstart": 9, "basic": 11,
    "blank_lines": 14, "bom": 4, "cr_cr_lf": 11, "crlf": 11, "crlf_noeol": 11, "empty": 0,
    "extra_cols": 11, "lone_cr": 11, "mixed_eol": 11, "noeol": 11, "nul": 3, "one": 1,
    "trailing_tab_space": 11, "utf8": 7,
}  # fmt: skip


def test_golden_files(golden):
    """Every file: its rows in number and, row by row, either what Python splits or an error."""
    paths = sorted((golden / "filedataset").glob("*.tsv"))
    assert {path.stem for path in paths} == GOLDEN_ROWS.keys()
    for path in paths:
        file = TsvFile(path, index="memory")
        lines = path.read_bytes().split(b"\n")
        lines = lines[:-1] if lines[-1] == b"" else lines
        assert len(file) == len(lines), path.stem
        wanted = range(min(file.column_count(), 4))
        for row, line in enumerate(lines):
            parts = line.removesuffix(b"\r").split(b"\t")
            if len(parts) < len(wanted) or b"\r" in b"".join(parts):
                with pytest.raises(RowError):
                    file.fields([row], wanted)
                continue
            spans = file.fields([row], wanted)[0]
            assert [file.values[a:b].tobytes() for a, b in spans] == parts[: len(wanted)]


# The index and its side file.


def test_the_side_file_is_read_back(make, monkeypatch):
    file = make(HEAD * 5)
    assert index_path(file.path).stat().st_size == 64 + 8 * 6
    monkeypatch.setattr(TsvFile, "_index", None)
    again = TsvFile(file.path)
    assert again.offsets.tolist() == file.offsets.tolist()


def test_memory_leaves_no_file(make):
    file = make(HEAD, index="memory")
    assert not index_path(file.path).exists()


def damage_byte(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("at", [0, 8, 12, 16, 24, 32, 40, 56, 60, 64, 100])
def test_a_damaged_side_file_is_rebuilt(make, at):
    file = make(HEAD * 5)
    good = index_path(file.path).read_bytes()
    damage_byte(index_path(file.path), at)
    assert TsvFile(file.path).offsets.tolist() == file.offsets.tolist()
    assert index_path(file.path).read_bytes() == good


@pytest.mark.parametrize("size", [0, 10, 63, 64, 70, 111])
def test_a_cut_side_file_is_rebuilt(make, size):
    file = make(HEAD * 5)
    good = index_path(file.path).read_bytes()
    index_path(file.path).write_bytes(good[:size])
    assert TsvFile(file.path).offsets.tolist() == file.offsets.tolist()
    assert index_path(file.path).read_bytes() == good


def test_an_unpickled_index_is_never_read(make):
    """The published side file is a pickle; ours must not be one, whatever it holds."""
    file = make(HEAD * 2)
    index_path(file.path).write_bytes(pickle.dumps((2, [0, 10])))
    assert len(TsvFile(file.path)) == 2


def test_another_version_is_rebuilt(make):
    file = make(HEAD * 2)
    data = bytearray(index_path(file.path).read_bytes())
    struct.pack_into("<I", data, 8, 2)
    struct.pack_into("<I", data, 60, zlib.crc32(data[:60]))
    index_path(file.path).write_bytes(data)
    assert len(TsvFile(file.path)) == 2
    assert struct.unpack_from("<I", index_path(file.path).read_bytes(), 8) == (1,)


def test_a_changed_file_is_indexed_anew(make):
    file = make(HEAD * 2)
    file.path.write_bytes(HEAD * 3)
    assert len(TsvFile(file.path)) == 3
    # same size and forged time: the samples tell
    stat = file.path.stat()
    file.path.write_bytes(b"a\t1\tx\n".ljust(10, b"y") * 2 + HEAD)
    os.utime(file.path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert len(TsvFile(file.path)) == file.path.read_bytes().count(b"\n")


def test_a_folder_that_takes_no_file(make, monkeypatch):
    def refuse(**_):
        raise PermissionError("read-only")

    monkeypatch.setattr(atomic.tempfile, "mkstemp", refuse)
    file = make(HEAD * 2)
    assert len(file) == 2
    assert not index_path(file.path).exists()
    assert pickle.loads(pickle.dumps(file)).offsets.tolist() == [0, 10, 20]


def test_rebuild(make):
    file = make(HEAD * 2)
    index_path(file.path).unlink()
    TsvFile(file.path, index="rebuild")
    assert index_path(file.path).exists()
    with pytest.raises(ValueError, match="index"):
        TsvFile(file.path, index="always")


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        TsvFile(tmp_path / "none.tsv")


def test_slices_join(make, monkeypatch, capsys):
    content = b"".join(b"x" * (i % 7) + b"\n" for i in range(100)) + b"tail"
    whole = make(content, index="memory").offsets
    for size in (1, 2, 3, 10, 64):
        monkeypatch.setattr(tsv, "_SLICE_BYTES", size)
        assert make(content, index="memory", progress=True).offsets.tolist() == whole.tolist()
    assert "indexing a.tsv" in capsys.readouterr().err


# A file that changes while it is open.


@pytest.mark.parametrize("content", [HEAD * 3, HEAD + b"a\t1", HEAD])
def test_changes_on_disk_are_detected(make, content):
    """Grown, cut within a row, cut: found before the mapping is touched."""
    file = make(HEAD * 2)
    file.fields([1])
    os.truncate(file.path, len(content))
    with pytest.raises(IndexStaleError, match="changed after it was indexed"):
        file.fields([1])
    with pytest.raises(IndexStaleError):
        file.row_spans([0])
    with pytest.raises(IndexStaleError):
        file.check_unchanged()


def test_replaced_and_removed_files_are_detected(make, tmp_path):
    file = make(HEAD * 2)
    (tmp_path / "other").write_bytes(HEAD * 4)
    os.replace(tmp_path / "other", file.path)
    with pytest.raises(IndexStaleError):
        file.fields([0])
    file.path.unlink()
    with pytest.raises(IndexStaleError, match="gone"):
        file.fields([0])


def test_rows_that_moved_under_a_forged_time_are_detected(make):
    file = make(HEAD * 2)
    stat = file.path.stat()
    with open(file.path, "r+b") as opened:
        opened.write(b"a\t1\tx\t0.55")
    os.utime(file.path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(IndexStaleError, match="not where"):
        file.fields([0])


# Other processes.


@pytest.mark.parametrize("index", ["auto", "memory"])
def test_pickles_without_mapping(make, index):
    file = make(HEAD * 1000 + b"z\t9\n", index=index)
    data = pickle.dumps(file)
    assert (len(data) > 5000) == (index == "memory")
    copy = pickle.loads(data)
    assert copy._values is None
    assert texts(copy, [-1], [1, 0]) == [["9", "z"]]
    file.path.write_bytes(HEAD)
    with pytest.raises(IndexStaleError):
        pickle.loads(data).fields([0])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # fork of a process with threads
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_children_read(make, method):
    file = make(HEAD * 3, num_threads=2)
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        found = pool.starmap_async(TsvFile.fields, [(file, [1])] * 4).get(60)
    assert [spans.tolist() for spans in found] == [file.fields([1]).tolist()] * 4


# Sizes beyond 32 bits.


@pytest.mark.slow
def test_a_field_of_more_than_2_gib(tmp_path):
    """Sparse on disk: 2 GiB of NUL between two tabs."""
    path = tmp_path / "large.tsv"
    size = (2 << 30) + 5
    with open(path, "wb") as file:
        file.write(b"a\tb\n1\t")
        file.seek(size, os.SEEK_CUR)
        file.write(b"\tend\nlast\tx\n")
    file = TsvFile(path, num_threads=2)
    assert file.offsets.tolist() == [0, 4, 6 + size + 5, 6 + size + 12]
    (spans,) = file.fields([1], [0, 1, 2])
    assert (spans[:, 1] - spans[:, 0]).tolist() == [1, size, 3]
    assert file.text(spans[2]) == "end"
    assert texts(file, [-1]) == [["last", "x"]]
    with pytest.raises(RowError) as error:
        file.fields([2], [2])
    assert error.value.offset == 6 + size + 5 + 6


# Writing.


def test_write_reads_back(tmp_path):
    path = tmp_path / "w.tsv"
    rows = [["a", b"raw"], ["ç", ""], [" ", "\0"]]
    assert write_tsv(path, iter(rows)) == 3
    assert all_texts(path) == [["a", "raw"], ["ç", ""], [" ", "\0"]]
    assert path.stat().st_mode & 0o777 == 0o644
    assert write_tsv(path, []) == 0
    assert path.read_bytes() == b""


@pytest.mark.parametrize("bad", ["x\ty", "x\ny", b"x\ry"])
def test_separators_in_fields_are_refused(tmp_path, bad):
    path = tmp_path / "w.tsv"
    path.write_bytes(b"before\n")
    with pytest.raises(RowError, match="may not hold") as error:
        write_tsv(path, [["good", "row"], ["a", bad]])
    assert (error.value.row, error.value.offset) == (1, 12)
    with pytest.raises(RowError, match="at least one"):
        write_tsv(path, [[]])
    assert path.read_bytes() == b"before\n"
    assert os.listdir(tmp_path) == ["w.tsv"]


def test_a_failing_source_leaves_nothing(tmp_path):
    def rows():
        yield ["a"]
        raise KeyError("source")

    with pytest.raises(KeyError):
        write_tsv(tmp_path / "w.tsv", rows())
    assert os.listdir(tmp_path) == []
