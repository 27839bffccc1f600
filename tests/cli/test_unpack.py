from tests.full_disk import full_disk
from tests.io.zip_disks import some_files, write_split
from typer.testing import CliRunner

from refpix.cli import app


def run(*arguments):
    return CliRunner().invoke(app, ["unpack", *map(str, arguments)])


def test_unpack(tmp_path):
    files = some_files()
    parts = write_split(tmp_path / "X.zip", files, 3000)
    result = run(tmp_path / "X.zip", tmp_path / "out", "--n-workers", 2)
    assert result.exit_code == 0, result.output
    assert f"{len(files)} files written" in result.output
    assert all((tmp_path / "out" / n).read_bytes() == c for n, c in files.items())
    result = run(tmp_path / "X.zip", tmp_path / "out", "--quiet")
    assert f"0 files written, {len(files)} were there" in result.output
    parts[0].unlink()
    result = run(tmp_path / "X.zip", tmp_path / "out")
    assert result.exit_code == 2
    assert "X.z01: missing part" in result.stderr


def test_duplicates_and_damage_are_faults(tmp_path):
    write_split(tmp_path / "X.zip", [("a", b"1"), ("a", b"2"), ("b", b"3")], 40, methods={"b": 9})
    result = run(tmp_path / "X.zip", tmp_path / "out", "--quiet")
    assert result.exit_code == 1
    assert "several members are named 'a'" in result.stderr
    assert "method 9 (deflate64) is not supported" in result.stderr
    assert (tmp_path / "out/a").read_bytes() == b"2"


def test_a_full_disk_is_one_line_that_names_the_file(tmp_path):
    write_split(tmp_path / "X.zip", {"a": bytes(9000)}, 1 << 20)
    with full_disk(3000):
        result = run(tmp_path / "X.zip", tmp_path / "out", "--quiet")
    assert result.exit_code == 2
    assert result.stderr == f"refpix: {tmp_path / 'out/a'}: File too large\n"
    assert list((tmp_path / "out").iterdir()) == []
