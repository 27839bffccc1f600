import os

import numpy as np
import pytest

from refpix.io.columns_file import columns_path, read_columns, write_columns
from refpix.io.tsv_index_file import SourceState

COLUMNS = {
    "ids": np.array([3, -1, 2**62], np.int64),
    "boxes": np.arange(8, dtype=np.float64).reshape(2, 4) / 3,
    "flags": np.array([True, False]),
    "none": np.empty((0, 5, 2), np.int32),
    "big_endian": np.array([1, 2, 3], ">u4"),
}


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source.json"
    path.write_bytes(b"{}" * 5000)
    return path


def kept(source, schema=1, columns=COLUMNS):
    state = SourceState.of(source)
    assert write_columns(source, state, columns, schema=schema)
    return state


def test_round_trip(source):
    state = kept(source)
    read = read_columns(source, state, schema=1)
    assert list(read) == list(COLUMNS)
    for name, column in COLUMNS.items():
        assert np.array_equal(read[name], column)
        assert read[name].shape == column.shape
        assert read[name].dtype == column.dtype.newbyteorder("<")
        assert not read[name].flags.writeable
    assert [p.name for p in source.parent.iterdir() if p.name.startswith(".")] == []


def test_no_columns(source):
    assert read_columns(source, kept(source, columns={}), schema=1) == {}


def test_another_schema(source):
    assert read_columns(source, kept(source), schema=2) is None


def test_absent(source):
    assert read_columns(source, SourceState.of(source), schema=1) is None


def test_the_source_grew(source):
    kept(source)
    source.write_bytes(source.read_bytes() + b" ")
    assert read_columns(source, SourceState.of(source), schema=1) is None


def test_the_source_is_newer(source):
    kept(source)
    os.utime(source, ns=(0, 12345))
    assert read_columns(source, SourceState.of(source), schema=1) is None


def test_same_size_and_time_but_other_bytes(source):
    state = kept(source)
    source.write_bytes(b"[]" * 5000)
    os.utime(source, ns=(state.mtime_ns, state.mtime_ns))
    assert SourceState.of(source) == state
    assert read_columns(source, state, schema=1) is None


def test_every_damaged_byte_is_noticed_or_harmless(source):
    state = kept(source)
    path = columns_path(source)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        read = read_columns(source, state, schema=1)
        if read is not None:  # between header and body
            assert all(np.array_equal(read[name], COLUMNS[name]) for name in COLUMNS)


def test_cut(source):
    state = kept(source)
    path = columns_path(source)
    whole = path.read_bytes()
    for length in (*range(0, 200, 7), len(whole) - 1):
        path.write_bytes(whole[:length])
        assert read_columns(source, state, schema=1) is None


def test_folder_that_does_not_take_it(source, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    assert not write_columns(source, SourceState.of(source), COLUMNS, schema=1)
    assert not columns_path(source).exists()


def test_nothing_half_written_is_left(source, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError

    monkeypatch.setattr("os.replace", refuse)
    assert not write_columns(source, SourceState.of(source), COLUMNS, schema=1)
    assert [p.name for p in source.parent.iterdir()] == [source.name]
