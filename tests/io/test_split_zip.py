import io
import multiprocessing
import os
import pickle
import shutil
import subprocess
import threading
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.io.zip_disks import some_files, write_plain, write_split

from refpix.errors import ArchiveError
from refpix.io.split_zip import SplitZip, split_zip


def is_stored(name):
    return name.endswith(("1.bin", "4.bin", "7.bin"))


@pytest.mark.parametrize("zip64", [False, True])
@pytest.mark.parametrize("part_bytes", [61, 500, 4096, 1 << 20])
def test_every_member_reads_wherever_the_cuts_are(tmp_path, part_bytes, zip64):
    files = some_files()
    parts = write_split(
        tmp_path / "X.zip", files, part_bytes, zip64=zip64, stored=is_stored,
        signature=part_bytes < 1 << 20,
    )  # fmt: skip
    with split_zip(tmp_path / "X.zip") as archive:
        assert archive.parts == parts
        assert archive.names == list(files)
        assert archive.sizes.tolist() == [len(content) for content in files.values()]
        assert len(archive) == len(files)
        for name in reversed(archive.names):
            assert archive.read(name) == files[name]
            with archive.open(name) as file:
                assert file.read() == files[name]
        assert archive.duplicates == []


def test_any_part_names_the_set(tmp_path):
    files = some_files()
    write_split(tmp_path / "X.zip", files, 1000)
    assert split_zip(tmp_path / "X.z02").names == list(files)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("before", [b"", b"#!/bin/sh\n"])
def test_plain_archives(tmp_path, method, before):
    files = some_files()
    write_plain(tmp_path / "a.zip", files, method)
    (tmp_path / "b.zip").write_bytes(before + (tmp_path / "a.zip").read_bytes())
    archive = split_zip(tmp_path / "b.zip")
    assert {name: archive.read(name) for name in archive} == files


def test_empty_archive_and_folders(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w"):
        pass
    assert split_zip(tmp_path / "a.zip").names == []
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("folder/", b"")
        archive.writestr("folder/a", b"a")
    assert split_zip(tmp_path / "a.zip").folders == ["folder/"]
    assert split_zip(tmp_path / "a.zip").names == ["folder/a"]


@pytest.mark.skipif(shutil.which("zip") is None, reason="no zip tool")
def test_a_set_that_info_zip_made(tmp_path):
    files = {f"d/{i}.bin": os.urandom(30_000) for i in range(9)} | {"d/text": b"a" * 50_000}
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    subprocess.run(["zip", "-q", "-r", "-s", "64k", "X.zip", "d"], cwd=tmp_path, check=True)
    archive = split_zip(tmp_path / "X.zip")
    assert len(archive.parts) > 3
    assert {name: archive.read(name) for name in archive} == files


def test_stored_members_can_be_sought(tmp_path):
    content = bytes(range(256)) * 40
    write_split(tmp_path / "X.zip", {"a": content}, 700, stored=lambda _: True)
    with split_zip(tmp_path / "X.zip").open("a") as file:
        model = io.BytesIO(content)
        for offset, whence, count in [(5000, 0, 10), (-300, 2, 999), (-50, 1, 3), (20_000, 0, 4)]:
            assert file.seek(offset, whence) == model.seek(offset, whence)
            assert file.read(count) == model.read(count)
        assert file.seekable()
        with pytest.raises(ValueError, match="before the start"):
            file.seek(-1)


def test_deflated_members_stream(tmp_path):
    content = b"".join(i.to_bytes(3, "big") for i in range(300_000))
    write_split(tmp_path / "X.zip", {"a": content}, 100_000)
    with split_zip(tmp_path / "X.zip").open("a") as file:
        assert not file.seekable()
        assert b"".join(iter(lambda: file.read(77_777), b"")) == content


def _read_all(archive):
    return {name: archive.read(name) for name in archive.names}


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_pickles_and_processes(tmp_path, method):
    files = some_files()
    write_split(tmp_path / "X.zip", files, 700)
    archive = split_zip(tmp_path / "X.zip")
    assert archive.read(archive.names[3]) == files[archive.names[3]]
    again = pickle.loads(pickle.dumps(archive))
    assert again._files == {}
    assert _read_all(again) == files
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(_read_all, [archive, archive]) == [files, files]


def test_threads_share_an_archive(tmp_path):
    files = some_files(count=30)
    write_split(tmp_path / "X.zip", files, 700)
    archive, results = split_zip(tmp_path / "X.zip"), []
    threads = [
        threading.Thread(target=lambda: results.append(_read_all(archive))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [files] * 4


def test_names_that_are_not_there(tmp_path):
    write_split(tmp_path / "X.zip", some_files(), 700)
    archive = split_zip(tmp_path / "X.zip")
    assert "set/empty.txt" in archive
    assert "set/none" not in archive
    with pytest.raises(FileNotFoundError, match="set/none"):
        archive.read("set/none")


def test_duplicates_are_reported_and_the_last_one_is_meant(tmp_path):
    write_split(tmp_path / "X.zip", [("a", b"1"), ("b", b"2"), ("a", b"3")], 50)
    archive = split_zip(tmp_path / "X.zip")
    assert archive.duplicates == ["a"]
    assert archive.names == ["b", "a"]
    assert archive.read("a") == b"3"


@pytest.mark.parametrize("present", [[], [1], [2, 4]])
def test_missing_parts_are_named(tmp_path, present):
    parts = write_split(tmp_path / "X.zip", some_files(), 4000)
    missing = [part for i, part in enumerate(parts[:-1], 1) if i not in present]
    for part in missing:
        part.unlink()
    with pytest.raises(ArchiveError, match="missing part") as caught:
        split_zip(tmp_path / "X.zip")
    assert caught.value.part == str(missing[0])
    assert missing[-1].name in str(caught.value)


def test_the_last_part_is_missing(tmp_path):
    parts = write_split(tmp_path / "X.zip", some_files(), 4000)
    parts[-1].unlink()
    with pytest.raises(ArchiveError, match="missing part: the last one"):
        split_zip(parts[0])


def test_a_truncated_part(tmp_path):
    parts = write_split(tmp_path / "X.zip", some_files(), 4000)
    parts[1].write_bytes(parts[1].read_bytes()[:-100])
    with pytest.raises(ArchiveError, match="cut short") as caught:
        split_zip(tmp_path / "X.zip")
    assert caught.value.part == str(parts[1])
    assert caught.value.member


def test_a_truncated_last_part(tmp_path):
    parts = write_split(tmp_path / "X.zip", some_files(), 4000)
    parts[-1].write_bytes(parts[-1].read_bytes()[:-1])
    with pytest.raises(ArchiveError, match="cut short") as caught:
        split_zip(tmp_path / "X.zip")
    assert caught.value.part == str(parts[-1])


def test_parts_in_the_wrong_order(tmp_path):
    parts = write_split(tmp_path / "X.zip", some_files(), 3000)
    for first, second in ((0, 1), (1, 2)):
        contents = [part.read_bytes() for part in parts]
        parts[first].write_bytes(contents[second])
        parts[second].write_bytes(contents[first])
        with pytest.raises(ArchiveError, match=r"wrong (order|place)") as caught:
            split_zip(tmp_path / "X.zip")
        assert caught.value.part in (str(parts[first]), str(parts[second]))
        parts[first].write_bytes(contents[first])
        parts[second].write_bytes(contents[second])


def test_a_part_of_another_set(tmp_path):
    parts = write_split(tmp_path / "X.zip", some_files(), 3000)
    (tmp_path / "other").mkdir()
    others = write_split(tmp_path / "other/X.zip", some_files(seed=1), 3000)
    parts[1].write_bytes(others[1].read_bytes())
    with pytest.raises(ArchiveError) as caught:
        split_zip(tmp_path / "X.zip")
    assert caught.value.part == str(parts[1])


@pytest.mark.parametrize("stored", [True, False])
def test_damaged_data_names_part_and_member(tmp_path, stored):
    files = {f"m{i}": bytes([65 + i]) * 300 + os.urandom(700) for i in range(6)}
    write_split(tmp_path / "X.zip", files, 2500, stored=lambda _: stored)
    member = SplitZip(tmp_path / "X.zip").info("m3")
    content = bytearray(Path(member.part).read_bytes())
    content[member.offset + 140] ^= 0x10
    Path(member.part).write_bytes(content)
    archive = split_zip(tmp_path / "X.zip")
    for read in (archive.read, lambda name: archive.open(name).read()):
        with pytest.raises(ArchiveError, match=r"damaged data") as caught:
            read("m3")
        error = pickle.loads(pickle.dumps(caught.value))
        assert (error.part, error.member, error.offset) == (member.part, "m3", member.offset)
        assert str(error) == str(caught.value)
    assert [archive.read(name) == files[name] for name in files if name != "m3"] == [True] * 5


def test_a_part_that_changes_after_opening(tmp_path):
    parts = write_split(tmp_path / "X.zip", some_files(), 3000)
    archive = pickle.loads(pickle.dumps(split_zip(tmp_path / "X.zip")))
    parts[0].write_bytes(b"other")
    with pytest.raises(ArchiveError, match="changed") as caught:
        _read_all(archive)
    assert caught.value.part == str(parts[0])


def test_what_cannot_be_unpacked_is_said(tmp_path):
    write_split(tmp_path / "X.zip", {"a": b"a", "b": b"b"}, 30, methods={"a": 9, "b": 14})
    archive = split_zip(tmp_path / "X.zip")
    with pytest.raises(ArchiveError, match=r"method 9 .deflate64. is not supported"):
        archive.read("a")
    with pytest.raises(ArchiveError, match="LZMA"):
        archive.open("b")
    write_split(tmp_path / "X.zip", {"a": b"a"}, 30, flags=1)
    with pytest.raises(ArchiveError, match="encrypted"):
        split_zip(tmp_path / "X.zip").read("a")


@pytest.mark.parametrize("content", [b"", b"PK", b"no archive" * 10, b"PK\5\6" + b"\0" * 17])
def test_no_archive(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ArchiveError, match="no end of central directory"):
        split_zip(tmp_path / "a.zip")
    with pytest.raises(FileNotFoundError):
        split_zip(tmp_path / "none.zip")


def test_a_size_that_is_a_lie_is_not_allocated(tmp_path):
    parts = write_split(tmp_path / "X.zip", {"a": b"a" * 100}, 1 << 20, zip64=True)
    content = bytearray(parts[0].read_bytes())
    at = content.rindex((100).to_bytes(8, "little"))
    content[at : at + 8] = (1 << 50).to_bytes(8, "little")
    parts[0].write_bytes(content)
    with pytest.raises(ArchiveError, match="do not fit"):
        split_zip(tmp_path / "X.zip")


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    made = []
    files = some_files(count=5, largest=200)
    for zip64 in (False, True):
        folder = tmp_path_factory.mktemp("sets")
        parts = write_split(folder / "X.zip", files, 300, zip64=zip64, stored=is_stored)
        made.append([part.read_bytes() for part in parts])
    return files, made


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_anywhere_is_the_documented_error_or_harmless(sets, tmp_path, data):
    files, made = sets
    contents = [bytearray(part) for part in data.draw(st.sampled_from(made))]
    for _ in range(data.draw(st.integers(1, 3))):
        part = contents[data.draw(st.integers(0, len(contents) - 1) | st.just(len(contents) - 1))]
        at = data.draw(st.integers(0, max(len(part) - 1, 0)))
        kind = data.draw(st.sampled_from(["byte", "full", "cut", "insert"]))
        if kind == "byte" and part:
            part[at] = data.draw(st.integers(0, 255))
        elif kind == "full":
            part[at : at + 4] = b"\xff" * len(part[at : at + 4])
        elif kind == "cut":
            del part[at : at + data.draw(st.integers(1, 50))]
        else:
            part[at:at] = data.draw(st.binary(min_size=1, max_size=8))
    for i, content in enumerate(contents):
        name = "X.zip" if i == len(contents) - 1 else f"X.z{i + 1:02d}"
        (tmp_path / name).write_bytes(content)
    try:
        archive = split_zip(tmp_path / "X.zip")
    except ArchiveError:
        return
    with archive:
        for name in archive.names:
            for read in (archive.read, lambda name: archive.open(name).read()):
                try:
                    content = read(name)
                except ArchiveError:
                    continue
                if name in files and archive.info(name).crc == zlib.crc32(files[name]):
                    assert content == files[name]
