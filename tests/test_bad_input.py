"""Bad input from end to end: dataset, loader and command line name the row, and nothing crashes.

What a single kernel or reader does with it is tested beside that kernel or reader.
"""

import base64
import io
import json
import os
import shutil
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from refpix import Loader
from refpix.cli.commands import app
from refpix.datasets import RefHCM
from refpix.errors import ImageError, IndexStaleError, RowError
from refpix.kernels import fault_name, image_batch, jpeg_decode
from refpix.types import PIXEL_LIMIT, BytesBatch

OPTIONS = {"batch_size": 4, "size": 8, "num_threads": 2}


def jpeg(seed=0, size=(20, 30), **options):
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def row(i, payload=None, box="1,2,15.5,16"):
    text = base64.b64encode(jpeg(i) if payload is None else payload)
    return f"{i}_0\t{i}\tperson {i}\t{box}\t".encode() + text + b"\n"


def place(error):
    return error.file, error.row, error.offset, error.reason


def skipped(dataset, **options):
    """What a loader reports of an epoch that leaves bad rows out, and the rows that it gives."""
    loader = Loader(dataset, errors="skip", **{**OPTIONS, **options})
    rows = [int(r) for batch in loader for r in batch.rows]
    return loader.report, rows


def check(path, bad, task="rec", root=None):
    """Dataset, loader and command line agree that these rows, and no others, are bad."""
    dataset = RefHCM(path, task, root=root, num_threads=2)
    problems = dataset.verify()
    assert [problem.row for problem in problems] == bad
    report, rows = skipped(dataset)
    assert list(map(place, report)) == list(map(place, problems))
    assert rows == [i for i in range(len(dataset)) if i not in bad]
    for problem in problems:
        start, stop = dataset.source.tsv.row_spans([problem.row])[0]
        assert start <= problem.offset <= stop
        assert problem.file == str(path)
        assert problem.reason
        assert len(str(problem)) < 1000
        with pytest.raises(RowError) as error:
            dataset[problem.row]
        assert place(error.value) == place(problem)
    if bad:
        with pytest.raises(RowError) as error:
            list(Loader(dataset, **OPTIONS))
        assert place(error.value) == place(problems[0])
    command = ["verify", str(path), "--task", task, *(["--root", str(root)] if root else [])]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == (1 if bad else 0), result.output
    for problem in problems:
        assert str(problem) in result.output.splitlines()
    return problems


# -- malformed rows --------------------------------------------------------------------------

BAD_ROWS = {
    "blank": (b"\n", "too few columns"),
    "short": (b"7_0\t7\ttext\t1,2,3,4\n", "too few columns"),
    "lone carriage return": (row(7).replace(b"person", b"per\rson"), "carriage return"),
    "two carriage returns": (row(7)[:-1] + b"\r\r\n", "carriage return"),
    "invalid UTF-8": (row(7).replace(b"person", b"per\xffson"), "text: not UTF-8"),
    "three numbers": (row(7, box="1,2,3"), "box: "),
    "no number": (row(7, box="1,2,3,x"), "box: "),
    "NaN": (row(7, box="1,2,3,nan"), "box: "),
    "a megabyte of no number": (row(7, box="1,2,3," + "x" * 1_000_000), "box: "),
    "a field without end": (row(7, box="1," * 2_000_000), "box: field of 4000000 bytes"),
    "one character too many": (row(7, b"\xff\xd8\xff" * 20)[:-1] + b"A\n", "left over"),
    "padding that is missing": (row(7, b"\xff\xd8")[:-2] + b"\n", "incorrect base64 padding"),
    "no ASCII": (row(7)[:-5] + b"\xff\n", "must be ASCII"),
    "no picture": (row(7, b"no picture at all"), "no image"),
    "empty picture": (row(7, b""), "no image"),
    "header only": (row(7, jpeg()[:30]), "image: "),
    "cut PNG header": (row(7, b"\x89PNG\r\n\x1a\n\0\0"), "image: "),
}
HARMLESS_ROWS = {
    "end of line of two bytes": row(7)[:-1] + b"\r\n",
    "byte-order mark": b"\xef\xbb\xbf" + row(7),
    "NUL": row(7).replace(b"person", b"per\0son"),
    "more columns": row(7)[:-1] + b"\tmore\t\n",
    "separators that are none": row(7).replace(b"person", "a\u2028b\u0085c\x0b\x0c\x1cd".encode()),
}


@pytest.mark.parametrize("kind", BAD_ROWS)
def test_a_malformed_row(tmp_path, kind):
    line, reason = BAD_ROWS[kind]
    path = tmp_path / "rec.tsv"
    path.write_bytes(row(0) + row(1) + line + row(3))
    (problem,) = check(path, [2])
    assert reason in problem.reason


@pytest.mark.parametrize("kind", HARMLESS_ROWS)
def test_an_unusual_row(tmp_path, kind):
    path = tmp_path / "rec.tsv"
    path.write_bytes(row(0) + HARMLESS_ROWS[kind] + row(2))
    check(path, [])


def test_base64_faults_name_the_byte_of_the_file(tmp_path):
    path = tmp_path / "rec.tsv"
    good = row(1)
    path.write_bytes(row(0) + good[:-5] + b"\xff" + good[-4:])
    (problem,) = check(path, [1])
    assert path.read_bytes()[problem.offset] == 0xFF


def check_recorded(folder, expected, name, task):
    content, config = expected(name, folder)
    bad = [r["row"] for r in config["rows"] if "error" in r or len(r.get("keypoints") or []) % 34]
    check(folder / content["file"], bad, task)


@pytest.mark.parametrize(
    ("name", "task"), [("odd_boxes", "rec"), ("odd_images", "rec"), ("odd_keypoints", "rkpt")]
)
def test_odd_files(data, expected, name, task):
    check_recorded(data / "refhcm", expected, name, task)


def test_odd_codes(data, expected):
    """Their pictures are the shipped file's."""
    folder = data / "refhcm"
    content, config = expected("odd_codes", folder)
    bad = [r["row"] for r in config["rows"] if "error" in r]
    dataset = RefHCM(folder / content["file"], "rpar")
    report, rows = skipped(dataset)
    assert [error.row for error in report] == bad
    assert len(rows) + len(bad) == len(dataset)


@pytest.fixture
def expected():
    def load(name, folder):
        content = json.loads((folder / "expected" / f"{name}.json").read_text("utf-8"))
        return content, next(iter(content["configs"].values()))

    return load


def test_files_that_are_no_refhcm(data, tmp_path):
    """Every row of every file of the reader's tests is reported, as of another kind."""
    for source in sorted((data / "filedataset").glob("*.tsv")):
        path = shutil.copy(source, tmp_path)
        check(path, list(range(len(RefHCM(path, "rec")))))


@pytest.mark.parametrize("percent", range(2, 100, 7))
def test_a_file_cut_within_a_row(tmp_path, percent):
    path = tmp_path / "rec.tsv"
    whole = row(0) + row(1)
    cut = whole + row(2)[: len(row(2)) * percent // 100]
    path.write_bytes(cut)
    dataset = RefHCM(path, "rec")
    assert len(dataset) == 3
    report, rows = skipped(dataset, allow_truncated=False)
    assert rows == [0, 1]
    assert [error.row for error in report] == [2]
    assert len(whole) <= report[0].offset <= len(cut)


@pytest.mark.slow
def test_a_picture_of_more_than_2_gib(tmp_path):
    """Sparse on disk: NUL, which base64 skips, and at the end what it does not."""
    path = tmp_path / "rec.tsv"
    with open(path, "wb") as file:
        file.write(row(0) + b"1_0\t1\ttext\t1,2,3,4\t")
        file.seek((2 << 30) + 5, os.SEEK_CUR)
        file.write(b"\xff\n" + row(2))
    report, rows = skipped(RefHCM(path, "rec", index="memory", num_threads=2))
    assert rows == [0, 2]
    assert [error.row for error in report] == [1]
    assert report[0].offset == len(row(0)) + 19 + (2 << 30) + 5
    assert "ASCII" in report[0].reason


@pytest.mark.slow
def test_an_annotation_of_more_than_2_gib(tmp_path):
    path = tmp_path / "rec.tsv"
    with open(path, "wb") as file:
        file.write(row(0) + b"1_0\t1\t")
        file.seek((2 << 30) + 5, os.SEEK_CUR)
        file.write(b"\t1,2,3,4\t" + base64.b64encode(jpeg()) + b"\n" + row(2))
    report, rows = skipped(RefHCM(path, "rec", index="memory", num_threads=2))
    assert rows == [0, 2]
    assert "text: field of 2147483653 bytes" in report[0].reason


# -- bombs -----------------------------------------------------------------------------------


def jpeg_bomb(**options):
    payload = jpeg(size=(8, 8), **options)
    at = max(payload.find(b"\xff\xc0"), payload.find(b"\xff\xc2"))
    return payload[: at + 5] + struct.pack(">HH", 65500, 65500) + payload[at + 9 :]


def png_bomb():
    def chunk(kind, content):
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", 65500, 65500, 8, 2, 0, 0, 0)
    idat = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + idat + chunk(b"IEND", b"")


BOMBS = {
    "JPEG": jpeg_bomb(),
    "progressive JPEG": jpeg_bomb(progressive=True),
    "PNG": png_bomb(),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_is_refused_by_its_header(tmp_path, kind):
    """By default, everywhere: 65500 x 65500 pixels are 13 GB."""
    path = tmp_path / "rec.tsv"
    path.write_bytes(row(0) + row(1, BOMBS[kind]) + row(2))
    (problem,) = check(path, [1])
    assert "more pixels than the limit allows" in problem.reason


@pytest.mark.parametrize("kind", ["JPEG", "progressive JPEG"])
def test_a_bomb_in_the_kernels(kind):
    batch = BytesBatch.from_items([jpeg(), BOMBS[kind]])
    for backend in image_batch.exact_backends():
        _, sizes, faults = image_batch(*batch, encoding="raw", size=(8, 8), backend=backend)
        assert [fault_name(int(f)) for f in faults[:, 0]] == ["none", "image_pixel_limit"]
        assert sizes[1].tolist() == [0, 0]
    with pytest.raises(ImageError, match=r"item 1: .*more pixels"):
        jpeg_decode(*batch, allow_truncated=True)


def test_the_limit_can_be_set_and_lifted(tmp_path):
    path = tmp_path / "rec.tsv"
    path.write_bytes(row(0) + row(1, jpeg(size=(30, 30))))
    assert PIXEL_LIMIT == 178_956_970
    for limit, good in ((600, [0]), (599, []), (900, [0, 1]), (None, [0, 1])):
        assert skipped(RefHCM(path, "rec"), pixel_limit=limit)[1] == good
        problems = RefHCM(path, "rec", pixel_limit=limit).verify()
        assert len(problems) == 2 - len(good)


# -- changes on disk -------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["longer", "shorter", "replaced", "removed"])
def test_a_file_that_changes_during_an_epoch(tmp_path, change):
    path = tmp_path / "rec.tsv"
    content = b"".join(row(i) for i in range(40))
    path.write_bytes(content)
    dataset = RefHCM(path, "rec")
    loader = Loader(dataset, **{**OPTIONS, "errors": "skip"})
    batches = iter(loader)
    next(batches)
    if change == "removed":
        path.unlink()
    else:  # by a new file, which leaves the mapped one whole
        new = {"longer": content + row(40), "shorter": content[:-10], "replaced": content}[change]
        (tmp_path / "new").write_bytes(new)
        os.utime(tmp_path / "new", ns=(0, 0))
        os.replace(tmp_path / "new", path)
    with pytest.raises(IndexStaleError):
        list(batches)
    for read in (lambda: dataset[0], dataset.verify, lambda: dataset.payloads([0])):
        with pytest.raises(IndexStaleError):
            read()


# -- pictures in files -----------------------------------------------------------------------


@pytest.fixture
def rpar(data, tmp_path):
    """A file of the shipped rows, its pictures and label maps in a folder."""
    folder = data / "refhcm"
    shutil.copy(folder / "rpar.tsv", tmp_path)
    shutil.copytree(folder / "annos", tmp_path / "annos")
    return tmp_path / "rpar.tsv"


def picture_of(path, i):
    name = path.read_bytes().splitlines()[i].split(b"\t")[5].decode()
    return path.parent / "annos" / "imgs" / name


def rows_of(path, name):
    lines = path.read_bytes().splitlines()
    return [i for i in range(len(lines)) if picture_of(path, i) == name]


@pytest.mark.parametrize("kind", ["missing", "empty", "no picture", "a folder"])
def test_a_broken_picture_file(rpar, kind):
    victim = picture_of(rpar, 0)
    victim.unlink()
    if kind == "a folder":
        victim.mkdir()
    elif kind != "missing":
        victim.write_bytes(b"" if kind == "empty" else b"no picture")
    for problem in check(rpar, rows_of(rpar, victim), "rpar"):
        assert problem.reason.startswith("image: ")


def test_a_path_without_end(rpar):
    lines = rpar.read_bytes().splitlines()
    fields = lines[0].split(b"\t")
    fields[5] = b"x" * 100_000
    rpar.write_bytes(b"\n".join([b"\t".join(fields), *lines[1:]]) + b"\n")
    (problem,) = check(rpar, [0], "rpar")
    assert "path of over 4096 bytes" in problem.reason


def test_a_damaged_archive(rpar):
    archive = rpar.parent / "annos.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        for path in sorted((rpar.parent / "annos").rglob("*.*")):
            file.write(path, path.relative_to(rpar.parent))
    victim = picture_of(rpar, 0)
    content = bytearray(archive.read_bytes())
    at = content.index(victim.read_bytes())
    content[at + 50 : at + 60] = bytes(10)
    archive.write_bytes(content)
    problems = check(rpar, rows_of(rpar, victim), "rpar", root=archive)
    assert "member" in problems[0].reason
    archive.write_bytes(content[: len(content) // 2])
    with pytest.raises((OSError, ValueError)):
        RefHCM(rpar, "rpar", root=archive)[0]
    result = CliRunner().invoke(
        app, ["verify", str(rpar), "--task", "rpar", "--root", str(archive)]
    )
    assert result.exit_code in (1, 2)


# -- over and over ---------------------------------------------------------------------------


def own_kib():
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("RssAnon")).split()[1])


@pytest.mark.parametrize("payload", [BOMBS["PNG"], b"", b"x" * 100, jpeg()[:30]])
def test_reports_hold_no_frames(tmp_path, payload):
    """Through them an error would keep the payload and a batch buffer for as long as it is kept."""
    path = tmp_path / "rec.tsv"
    path.write_bytes(row(0) + row(1, payload) + row(2, box="nan"))
    dataset = RefHCM(path, "rec")
    for errors in (skipped(dataset)[0], dataset.verify()):
        assert len(errors) == 2
        for error in errors:
            link = error
            while link is not None:
                assert link.__traceback__ is None
                link = link.__cause__ or link.__context__


@pytest.mark.skipif("REFPIX_SANITIZED" in os.environ, reason="ASan keeps freed memory, finds leaks")
def test_bad_rows_leak_nothing(tmp_path):
    good = jpeg(size=(300, 400), progressive=True)
    bad = [good[: len(good) // 2], b"\xff\xd8\xff" + good[40:], BOMBS["PNG"], b"x" * 100_000]
    path = tmp_path / "rec.tsv"
    path.write_bytes(b"".join(row(i, bad[i % 4]) for i in range(16)) + row(16)[:-2] + b"\xff\n")
    loader = Loader(RefHCM(path, "rec"), **{**OPTIONS, "errors": "skip", "allow_truncated": False})

    def epochs(n):
        for _ in range(n):
            assert list(loader) == []
            assert len(loader.report) == 17
            loader.report.clear()

    epochs(3)
    before = own_kib()
    epochs(30)
    # 120 pictures of each kind: 350 KiB of pixels each, 700 KiB of coefficients. A leak would be
    # 41 MiB at least; what the allocator keeps depends on the tests before this one.
    assert own_kib() - before < 24 * 1024
