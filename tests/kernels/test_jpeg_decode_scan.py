"""Scans that our own Huffman decoding takes, and those that it has to leave to libjpeg."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from tests.kernels.jpeg_files import decode, encode, outcome, pillow

from refpix.kernels import jpeg_decode

backends = pytest.mark.parametrize("backend", jpeg_decode.exact_backends())


def saved(pixels, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", **options)
    return file.getvalue()


def assert_as_pillow(payload):
    """Both ways of looking at damage; the number of ways in which there are pixels."""
    decoded = 0
    for truncated in (False, True):
        expected = pillow(payload, truncated)
        got, fault = outcome(payload, allow_truncated=truncated)
        assert (got is None) == (expected is None), fault
        if expected is not None:
            np.testing.assert_array_equal(got, expected)
            decoded += 1
    return decoded


@backends
@pytest.mark.parametrize("sampling", [0, 1, 2])
@pytest.mark.parametrize("optimize", [False, True])
def test_codes_longer_than_what_is_looked_up(sampling, optimize, backend):
    rng = np.random.default_rng(sampling)
    noise = rng.integers(0, 256, (70, 90, 3), np.uint8)
    extremes = np.where(noise < 100, 0, 255).astype(np.uint8)
    rare = np.where(rng.random((70, 90, 3)) < 0.01, noise, 128).astype(np.uint8)
    for pixels in (noise, extremes, rare):
        for quality in (30, 95, 100):
            payload = saved(pixels, quality=quality, subsampling=sampling, optimize=optimize)
            np.testing.assert_array_equal(decode(payload, backend), pillow(payload))


@backends
@pytest.mark.parametrize("blocks", [1, 2, 7, 1000])
def test_restart_markers(blocks, backend):
    payload = encode(150, 90, restart_marker_blocks=blocks)
    np.testing.assert_array_equal(decode(payload, backend), pillow(payload))


def restart_markers(payload):
    scan = payload.find(b"\xff\xda")
    return [scan + m.start() for m in re.finditer(rb"\xff[\xd0-\xd7]", payload[scan:])]


def test_restart_markers_that_are_wrong():
    payload = encode(90, 60, restart_marker_blocks=3)
    at = restart_markers(payload)[2]
    assert payload[at + 1] == 0xD2
    decoded = 0
    for broken in (
        payload[: at + 1] + b"\xd5" + payload[at + 2 :],  # another number
        payload[:at] + payload[at + 2 :],  # none
        payload[:at] + payload[at : at + 2] * 2 + payload[at + 2 :],  # twice
        payload[:at] + b"\xff" + payload[at:],  # filled up
        payload[:at] + b"abcdefghij" + payload[at:],  # junk in front
        payload[: at - 5] + payload[at:],  # data that are missing
        payload[:at] + payload[restart_markers(payload)[3] :],  # a whole interval
    ):
        decoded += assert_as_pillow(broken)
    assert decoded >= 7
    assert assert_as_pillow(encode(90, 60)[:-2] + b"\xff\xd0\xff\xd9") == 2


@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"mode": "L"}, {"mode": "CMYK"}])
def test_damage_after_many_rows(options):
    """What was decoded until then is given out once, and libjpeg's reading of the rest follows."""
    payload = bytearray(encode(64, 400, **options))
    scan = payload.find(b"\xff\xda")
    rng = np.random.default_rng(1)
    decoded = 0
    for at in rng.integers(scan + (len(payload) - scan) // 2, len(payload) - 2, 40):
        broken = payload.copy()
        broken[at] ^= 1 << int(rng.integers(8))
        decoded += assert_as_pillow(bytes(broken))
    assert decoded > 40


def test_what_follows_the_scan():
    payload = encode(40, 40)
    scan = payload.find(b"\xff\xda")
    first = payload[scan:-2]
    for behind in (b"", b"\xff\xd9", b"junk\xff\xd9", b"\xff\xff\xff\xd9", first + b"\xff\xd9",
                   b"\xff\xfe\x00\x04ab\xff\xd9", b"\x00\x00\x00\x00\xff\x00\xff\xd9"):  # fmt: skip
        assert_as_pillow(payload[:-2] + behind)


@pytest.mark.parametrize("options", [{}, {"mode": "L"}, {"restart_marker_blocks": 3}])
def test_filling_before_markers_and_the_end(options):
    """0xff may stand before a marker many times; without a marker behind, they are no end."""
    payload = encode(40, 40, **options)
    for filled in (b"\xff", b"\xff\xff", b"\xff\xff\xff"):
        assert assert_as_pillow(payload[:-2] + filled) == 1
        assert assert_as_pillow(payload[:-2] + filled + b"\xff\xd9") == 2
        assert_as_pillow(payload[:-2] + filled + b"\xff\x00\xff\xd9")
    for at in restart_markers(payload)[:2]:
        assert assert_as_pillow(payload[:at] + b"\xff\xff" + payload[at:]) == 2
        assert_as_pillow(payload[:at] + b"\xff\xff\x00" + payload[at:])


def test_tables_change_from_file_to_file():
    """A thread keeps its tables as long as the files' are the same."""
    rng = np.random.default_rng(0)
    for i in range(12):
        payload = saved(
            rng.integers(0, 256, (20, 30, 3), np.uint8), quality=90 + i % 3, optimize=i % 2 == 0
        )
        np.testing.assert_array_equal(decode(payload), pillow(payload))


def large():
    """More than one of the blocks of 64 KiB that Pillow hands its decoder.

    Near the end of a block libjpeg decodes another way, which differs in what it makes of damage,
    and in how many bits it still holds when the data end.
    """
    payload = encode(332, 300, quality=97, subsampling=0)
    assert len(payload) > 2 * 65536
    return payload


def test_large_files_that_lack_their_end():
    payload = large()
    for cut in (0, 1, 2, 3, 40):
        assert_as_pillow(payload[: len(payload) - cut])


@pytest.mark.parametrize("block", [1, 2])
def test_damage_before_the_end_of_a_block(block):
    payload = large()
    for at in range(65536 * block - 700, 65536 * block, 80):
        broken = payload[:at] + b"\xff\xff\x00" + payload[at:]
        assert_as_pillow(broken)
        box = decode(broken, allow_truncated=True, roi=np.array([[9, 8, 332, 300]]))
        np.testing.assert_array_equal(box, decode(broken, allow_truncated=True)[8:, 9:])
