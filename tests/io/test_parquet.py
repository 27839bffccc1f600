import multiprocessing
import pickle
import sys

import pytest

from refpix.errors import MissingExtraError
from refpix.io.parquet import ParquetRows, find_shards

pa = pytest.importorskip("pyarrow")
from pyarrow import parquet  # noqa: E402


def write(path, first, count, group_size=4):
    numbers = list(range(first, first + count))
    table = pa.table({"n": numbers, "data": [bytes([n]) * 1000 for n in numbers]})
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path, row_group_size=group_size)


@pytest.fixture
def shards(tmp_path):
    write(tmp_path / "data" / "a-00000.parquet", 0, 10)
    write(tmp_path / "data" / "a-00001.parquet", 10, 0)
    write(tmp_path / "data" / "a-00002.parquet", 10, 7)
    write(tmp_path / "data" / ".hidden.parquet", 90, 7)
    return tmp_path


def test_shards_are_one_table(shards):
    rows = ParquetRows(shards)
    assert len(rows) == 17
    order = [16, 0, 9, 10, 3, 3]
    assert [row["n"] for row in rows.rows(order, ["n"])] == order
    assert rows.rows([12], ["data"]) == [{"data": bytes([12]) * 1000}]
    assert [row["n"] for row in rows.scan(["n"])] == list(range(17))
    assert rows.where(11) == (str(shards / "data" / "a-00002.parquet"), 1)
    for row in (17, -1):
        with pytest.raises(IndexError, match=f"no row {row}"):
            rows.rows([row], ["n"])


def test_row_groups_are_read_once_and_few_are_kept(shards, monkeypatch):
    read = []
    original = ParquetRows._read
    monkeypatch.setattr(ParquetRows, "_read", lambda *a: read.append(a[1:3]) or original(*a))
    rows = ParquetRows(shards, cache_bytes=1)
    for row in range(17):
        rows.rows([row], ["n"])
    assert read == [(0, 0), (0, 1), (0, 2), (2, 0), (2, 1)]
    rows.rows([0], ["n"])
    assert (len(rows._cache), len(read)) == (1, 6)
    rows.cache_bytes = 1 << 20
    for row in (0, 16, 1, 15):
        rows.rows([row], ["n"])
    assert len(read) == 7


def test_pickles_hold_no_handles(shards):
    rows = ParquetRows(shards)
    rows.rows([0], ["data"])
    state = pickle.dumps(rows)
    assert len(state) < 1000
    assert pickle.loads(state).rows([5], ["n"]) == [{"n": 5}]


def first_number(rows, row):
    return rows.rows([row], ["n"])[0]["n"]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_other_processes(shards, method):
    rows = ParquetRows(shards)
    rows.rows([0], ["n"])
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.starmap(first_number, [(rows, i) for i in range(17)]) == list(range(17))


def test_forked_processes_open_files_anew(shards, monkeypatch):
    rows = ParquetRows(shards)
    file = rows._file(0)
    assert rows._file(0) is file
    monkeypatch.setattr(rows, "_pid", -1)
    assert rows._file(0) is not file


def test_what_is_no_parquet(tmp_path, shards):
    with pytest.raises(FileNotFoundError, match="none"):
        find_shards(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"no \.parquet"):
        ParquetRows(tmp_path / "empty")
    whole = (shards / "data" / "a-00000.parquet").read_bytes()
    cut = tmp_path / "cut.parquet"
    for content in (b"", b"PAR1", b"text\n" * 100, whole[:-5], whole[: len(whole) // 2]):
        cut.write_bytes(content)
        with pytest.raises(ValueError, match=r"cut\.parquet: no parquet file, or one that was cut"):
            ParquetRows(cut)


def test_damage_inside(tmp_path, shards):
    whole = bytearray((shards / "data" / "a-00000.parquet").read_bytes())
    whole[4:400] = b"\xff" * 396
    bad = tmp_path / "bad.parquet"
    bad.write_bytes(whole)
    rows = ParquetRows(bad)
    with pytest.raises(ValueError, match=r"bad\.parquet: row group 0 of columns n, data"):
        rows.rows([0], ["n", "data"])
    with pytest.raises(ValueError, match=r"bad\.parquet: no column 'm', only \['data', 'n'\]"):
        rows.rows([9], ["m"])


def test_without_pyarrow(shards, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'refpix\[parquet\]'") as caught:
        ParquetRows(shards)
    assert isinstance(caught.value, ImportError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
