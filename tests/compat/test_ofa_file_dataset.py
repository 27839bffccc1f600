"""The sequential reader against recorded reads of the published one, and against a small model."""

import codecs
import io
import json
import pickle
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")

from refpix.compat.ofa import FileDataset, batches
from refpix.errors import RowError


def open_case(folder, case):
    return FileDataset(
        folder / case["file"],
        case["selected_cols"],
        case["dtypes"],
        cached_index=case.get("cached_index", False),
        slice_id=case["rank"],
        slice_count=case["world_size"],
    )


ERRORS = {
    "AssertionError": AssertionError,
    "IndexError": IndexError,
    "RecursionError": RecursionError,
    "UnicodeDecodeError": UnicodeDecodeError,
    "ValueError": ValueError,
}


def check_case(folder, case):
    if "init_error" in case:
        with pytest.raises(ERRORS[case["init_error"]]):
            open_case(folder, case)
        return
    dataset = open_case(folder, case)
    for key in ("row_count", "total_row_count", "start_pos", "selected_col_ids"):
        assert getattr(dataset, key) == case[key], key
    assert len(dataset) == case["len"]
    assert dataset.get_total_row_count() == case["total_row_count"]
    for i, read in enumerate(case["reads"]):
        if isinstance(read, dict) and "seek" in read:
            if "error" in read:
                with pytest.raises(ERRORS[read["error"]]):
                    dataset._seek(read["seek"])
            else:
                dataset._seek(read["seek"])
                assert dataset.data_cnt == read["data_cnt"]
        elif isinstance(read, dict):
            with pytest.raises(ERRORS[read["error"]]):
                dataset[7 * i]
            break
        else:
            assert dataset[7 * i] == read, i


def check_folder(folder):
    cases = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    assert len({case["file"] for case in cases}) > 15
    for case in cases:
        check_case(folder, case)


def check_batches(path):
    cases = json.loads(path.read_text(encoding="utf-8"))
    assert any(case["batches"][-1:] == [[1]] for case in cases)
    for case in cases:
        found = batches(case["len"], case["total"], case["world"], case["batch"])
        assert found == case["batches"], case


def test_recorded_reads(data):
    check_folder(data / "filedataset")


def test_all_recorded_reads(golden):
    check_folder(golden / "filedataset")


def test_recorded_batches(data):
    check_batches(data / "filedataset" / "batches.json")


def test_all_recorded_batches(golden):
    check_batches(golden / "filedataset" / "batches.json")


class Model:
    """The reader as the golden README states it, on a whole file in memory."""

    def __init__(self, content, columns, rank, world):
        self.content = content
        self.columns = columns
        starts = [0] + [i + 1 for i, byte in enumerate(content) if byte == 10]
        self.starts = [start for start in starts if start < len(content)]
        total = len(self.starts)
        share, rest = total // world, total % world
        self.count = share + 1 if rank < rest else share
        self.first = rank * (share + 1) if rank < rest else rank * share + rest
        self.seek(0)

    def seek(self, row):
        row = self.first + row if self.first + row < len(self.starts) else row
        text = self.content[self.starts[row] :].decode("utf-8")
        self.lines = iter(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))

    def read(self, done):
        """The next row, and how many lines of this pass are behind then."""
        for _ in range(3 * len(self.content) + 10):
            if done == self.count:
                done = 0
                self.seek(0)
            fields = next(self.lines, "").split("\t")
            done += 1
            if len(fields) > max(self.columns):
                return [fields[c] for c in self.columns], done
        return None, done


PIECES = st.sampled_from(
    ["a", "b\tc", "1\t2\t3", "\t", "\n", "\n", "\r", "\r\n", "\r\r\n", "\0", "\ufeff", "é", "人",
     "\x0b", "\x0c", "\x1c", "\x85", "\u2028", " ", '"']
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    pieces=st.lists(PIECES, min_size=1, max_size=40),
    columns=st.lists(st.integers(0, 2), min_size=1, max_size=3),
    world=st.integers(1, 4),
    rank=st.integers(0, 3),
    seeks=st.dictionaries(st.integers(0, 12), st.integers(0, 5), max_size=2),
)
def test_agrees_with_the_model(tmp_path_factory, pieces, columns, world, rank, seeks):
    content = "".join(pieces).encode()
    path = tmp_path_factory.getbasetemp() / "model.tsv"
    path.write_bytes(content)
    rank %= world
    options = {"slice_id": rank, "slice_count": world}
    selected = ",".join(map(str, columns))
    total = content.count(b"\n") + (not content.endswith(b"\n"))
    if rank >= total:
        with pytest.raises(IndexError):
            FileDataset(path, selected, **options)
        return
    model = Model(content, columns, rank, world)
    dataset = FileDataset(path, selected, **options)
    assert (len(dataset), dataset.start_pos) == (model.count, model.first)
    assert dataset.lineid_to_offset.tolist() == model.starts
    done = 0
    for i in range(13):
        if i in seeks and seeks[i] < total:
            dataset._seek(seeks[i])
            model.seek(seeks[i])
            done = seeks[i]
        # Behind the slice's end (a seek may lead there) only the file's end stops the readers.
        if done > model.count:
            break
        row, done = model.read(done)
        if row is None:
            with pytest.raises(RecursionError):
                dataset[0]
            break
        assert dataset[i] == row
        assert dataset.data_cnt == done


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.lists(st.text(st.characters(exclude_characters="\t\r\n",
        exclude_categories=["Cs"]), max_size=5), min_size=1, max_size=4), min_size=1, max_size=12),
    world=st.integers(1, 3),
    ending=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_random_access(tmp_path_factory, rows, world, ending, last, seed):
    text = ending.join("\t".join(row) for row in rows)
    if last or not text or text.endswith(("\n", "\r")) or rows[-1] == [""]:
        text += ending
    path = tmp_path_factory.mktemp("random") / "rows.tsv"
    path.write_bytes(text.encode())
    places = []
    for rank in range(world):
        dataset = FileDataset(path, "0,1", random_access=True, slice_id=rank, slice_count=world)
        places += [(dataset, i) for i in range(len(dataset))]
    assert len(places) == len(rows)
    order = list(range(len(rows)))
    random.Random(seed).shuffle(order)
    for k in order:
        dataset, i = places[k]
        if len(rows[k]) > 1:
            assert dataset[i] == rows[k][:2]
            assert dataset[i - len(dataset)] == rows[k][:2]
        else:
            with pytest.raises(RowError) as caught:
                dataset[i]
            assert (caught.value.row, caught.value.file) == (k, str(path))
            start = len(ending.join(["\t".join(row) for row in rows[:k]] + [""]).encode())
            assert caught.value.offset == start


def rows_file(path, rows):
    path.write_bytes(b"".join(b"\t".join(row) + b"\n" for row in rows))
    return path


def test_random_access_errors(tmp_path):
    rows = [[b"1", b"a\r"], [b"x", b"b"], [b"3", b"\xff"], [b"4"], [b"5", b"a\rb"]]
    path = rows_file(tmp_path / "x.tsv", rows)
    dataset = FileDataset(path, "0,1", "int,str", random_access=True)
    assert dataset[0] == [1, "a"]
    faults = [(1, 5, "invalid literal"), (2, 9, "utf-8"), (3, 13, "columns"), (4, 15, "return")]
    for row, offset, reason in faults:
        with pytest.raises(RowError, match=reason) as caught:
            dataset[row]
        assert (caught.value.row, caught.value.offset) == (row, offset)
    for outside in (5, -6):
        with pytest.raises(IndexError):
            dataset[outside]


def test_random_access_survives_pickling_and_seeking(tmp_path):
    path = rows_file(tmp_path / "x.tsv", [[str(i).encode()] for i in range(9)])
    dataset = FileDataset(path, "0", random_access=True)
    dataset._seek(4)
    assert dataset.data_cnt == 4
    again = pickle.loads(pickle.dumps(dataset))
    assert [again[i] for i in (8, 0, -1)] == [["8"], ["0"], ["8"]]
    with pytest.raises(TypeError, match="random_access"):
        pickle.dumps(FileDataset(path, "0"))


def test_random_access_of_nothing(tmp_path):
    path = tmp_path / "empty.tsv"
    path.touch()
    assert len(FileDataset(path, "0", random_access=True)) == 0


def test_many_bad_rows_on_end_stop_the_reader_but_not_random_access(tmp_path):
    path = rows_file(tmp_path / "x.tsv", [[b"a"]] * 5000 + [[b"a", b"b"]])
    with pytest.raises(RecursionError, match=r"x\.tsv"):
        FileDataset(path, "1")[0]
    assert FileDataset(path, "1", random_access=True)[5000] == ["b"]


def test_reads_ahead_into_invalid_text(tmp_path):
    # 8192 bytes are decoded at once, so that the first row already fails; not so far behind.
    near = rows_file(tmp_path / "near.tsv", [[b"a"], [b"\xff"]])
    with pytest.raises(UnicodeDecodeError):
        FileDataset(near, "0")[0]
    far = rows_file(tmp_path / "far.tsv", [[b"a" * 9000], [b"\xff"]])
    with pytest.raises(UnicodeDecodeError):
        [FileDataset(far, "0")[i] for i in range(2)]


def test_long_rows_of_multibyte_text(tmp_path):
    rows = [["人" * n, str(n)] for n in (1, 2730, 2731, 2732, 8191, 20000)]
    path = rows_file(tmp_path / "x.tsv", [[field.encode() for field in row] for row in rows])
    dataset = FileDataset(path)
    assert [dataset[0] for _ in rows] == rows


def test_missing_file_is_both_errors(tmp_path):
    for kind in (AssertionError, FileNotFoundError):
        with pytest.raises(kind, match=r"gone\.tsv"):
            FileDataset(tmp_path / "gone.tsv")


def test_dtypes_are_names_not_code(tmp_path):
    path = rows_file(tmp_path / "x.tsv", [[b"1", b"2", b"3"]])
    assert FileDataset(path, "0, 1,-1", "int, float,str")[0] == [1, 2.0, "3"]
    with pytest.raises(ValueError, match="__import__"):
        FileDataset(path, "0", "__import__('os').getcwd")
    with pytest.raises(AssertionError):
        FileDataset(path, "0,1", "int")


class Hostile:
    def __reduce__(self):
        return codecs.lookup, ("utf-8",)


@pytest.mark.parametrize(
    "found",
    [Hostile(), (1, [Hostile()]), (1, [0, "2"]), (1, [0, 2.0]), (1, [True]), [1], "x", (1, 2, 3),
     (np.int64(1), [0])],
)  # fmt: skip
def test_cached_index_holds_integers_or_is_refused(tmp_path, found):
    path = rows_file(tmp_path / "x.tsv", [[b"a"]])
    (tmp_path / "x.tsv.index").write_bytes(pickle.dumps(found))
    with pytest.raises(pickle.UnpicklingError):
        FileDataset(path, "0", cached_index=True)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_cached_index_is_used(tmp_path, protocol):
    path = rows_file(tmp_path / "x.tsv", [[b"a"], [b"b"], [b"c"]])
    # Not what the file says: the index is believed, as published.
    (tmp_path / "x.tsv.index").write_bytes(pickle.dumps((2, [0, 4]), protocol=protocol))
    dataset = FileDataset(path, "0", cached_index=True)
    assert [dataset[0] for _ in range(4)] == [["a"], ["b"], ["a"], ["b"]]


def test_ranks_come_from_torch(tmp_path, monkeypatch):
    path = rows_file(tmp_path / "x.tsv", [[str(i).encode()] for i in range(7)])
    assert len(FileDataset(path, "0")) == 7
    monkeypatch.setattr("torch.distributed.is_initialized", lambda: True)
    monkeypatch.setattr("torch.distributed.get_rank", lambda: 2)
    monkeypatch.setattr("torch.distributed.get_world_size", lambda: 3)
    dataset = FileDataset(path, "0")
    assert (dataset.slice_id, dataset.slice_count, dataset.start_pos) == (2, 3, 5)
    assert (len(dataset), dataset[0]) == (2, ["5"])


def test_quiet(tmp_path, capsys):
    path = rows_file(tmp_path / "x.tsv", [[b"a", b"b"], [b"a"]])
    dataset = FileDataset(path, "1")
    assert [dataset[0], dataset[0]] == [["b"], ["b"]]
    assert capsys.readouterr() == ("", "")


def test_matches_a_text_file_read_line_by_line(tmp_path):
    content = b"\xef\xbb\xbfid\ttext\r\nx\ty\rz\tw\r\r\nlast\tline"
    path = tmp_path / "x.tsv"
    path.write_bytes(content)
    dataset = FileDataset(path, "0")
    lines = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8").read().split("\n")
    assert [dataset[0] for _ in range(3)] == [[line.split("\t")[0]] for line in lines[:3]]
