"""Which files the GPU is given: decided on the host, from the markers alone."""

import random
import re

import numpy as np
import pytest
from tests.kernels.jpeg_files import VARIANTS, damaged, encode

from refpix.errors import KernelError
from refpix.kernels import _registry, fault_name
from refpix.types import PIXEL_LIMIT, BytesBatch

ENGINES = ("none", "cpu", "hybrid", "hardware")


def reasons(root):
    """Names of the reasons by number, from the header that defines them."""
    text = (root / "csrc/kernels/jpeg_decode/route.h").read_text()
    body = re.search(r"enum class JpegReason[^{]*\{([^}]*)\}", text)[1]
    return [name for name, _ in re.findall(r"^\s*(\w+) = (\d+)", body, re.MULTILINE)]


@pytest.fixture
def route(request):
    names = reasons(request.config.rootpath)

    def call(payload, **options):
        options = {
            "roi": None,
            "allow_truncated": False,
            "pixel_limit": PIXEL_LIMIT,
            "num_threads": 1,
            **options,
        }
        routes = _registry.cpu_extension.jpeg_routes(*BytesBatch.from_items([payload]), **options)
        sizes, _, lengths, engines, why, faults = (column[0] for column in routes)
        assert bool(faults[0]) == (engines == 0) == (not sizes.any())
        return ENGINES[engines], names[why], int(lengths)

    return call


EXPECTED = {
    "arithmetic": ("cpu", "arithmetic"),
    "arithmetic_progressive": ("cpu", "arithmetic"),
    "arithmetic_restart": ("cpu", "arithmetic"),
    "chroma_finer": ("cpu", "sampling"),
    "cmyk_without_adobe": ("cpu", "components"),
    "gray_2x2": ("cpu", "sampling"),
    "progressive_440": ("hybrid", "progressive"),
    "rgb_by_ids": ("cpu", "colour"),
    "sequential_scans": ("hybrid", "scans"),
    "sub_410": ("cpu", "sampling"),
    "sub_411": ("cpu", "sampling"),
    "sub_440": ("hardware", "none"),
    "sub_441": ("cpu", "sampling"),
    "sub_444_2x1": ("cpu", "sampling"),
    "sub_uneven": ("cpu", "sampling"),
    "ycc_without_markers": ("hardware", "none"),
    "ycck": ("cpu", "components"),
    "ycck_420": ("cpu", "components"),
    "ycck_progressive": ("cpu", "components"),
}


def test_every_variant_has_a_place(route, data):
    found = {}
    for name in VARIANTS:
        (path,) = data.rglob(f"{name}.jpg")
        payload = path.read_bytes()
        engine, reason, length = route(payload)
        found[name] = engine, reason
        assert length == len(payload)
    assert found == EXPECTED


@pytest.mark.parametrize("sampling", [0, 1, 2])
@pytest.mark.parametrize("quality", [1, 50, 95, 100])
def test_what_pillow_writes_is_for_the_engines(route, sampling, quality):
    for size in [(16, 16), (17, 31), (40, 30), (160, 33)]:
        payload = encode(*size, subsampling=sampling, quality=quality)
        assert route(payload) == ("hardware", "none", len(payload))
        payload = encode(*size, subsampling=sampling, quality=quality, progressive=True)
        assert route(payload) == ("hybrid", "progressive", len(payload))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"mode": "L"}, ("hardware", "none")),
        ({"optimize": True}, ("hardware", "none")),
        ({"restart_marker_blocks": 1}, ("hardware", "none")),
        ({"restart_marker_rows": 1, "subsampling": 2}, ("hardware", "none")),
        ({"mode": "L", "progressive": True, "restart_marker_blocks": 2}, ("hybrid", "progressive")),
        ({"keep_rgb": True}, ("cpu", "colour")),
        ({"mode": "CMYK"}, ("cpu", "components")),
        ({"comment": b"\xff\xd9\xff\xd8"}, ("hardware", "none")),
    ],
)
def test_options_of_pillow(route, options, expected):
    payload = encode(45, 38, **options)
    assert route(payload)[:2] == expected
    # What follows the end is not the decoder's business: a second picture, padding.
    assert route(payload + b"\0" * 9 + payload) == (*expected, len(payload)) or expected[0] == "cpu"


def test_small_pictures_stay_on_the_cpu(route):
    assert route(encode(15, 16))[:2] == route(encode(16, 15))[:2] == ("cpu", "small")


def changed(payload, at, replacement):
    return payload[:at] + replacement + payload[at + len(replacement) :]


def test_cut_and_damaged_files_stay_on_the_cpu(route):
    payload = encode(64, 48, restart_marker_blocks=2)
    scan = payload.index(b"\xff\xda")
    for cut in range(scan + 14, len(payload) - 1):
        assert route(payload[:cut])[0] == "cpu", cut
    assert route(payload[: scan + 200] + b"\xff\xd9")[1] == "incomplete"
    restart = payload.index(b"\xff\xd1", scan)
    assert route(changed(payload, restart, b"\xff\xd2"))[1] == "structure"
    assert route(changed(payload, restart, b"\x12\x34"))[1] == "structure"
    assert route(changed(payload, restart - 4, b"\xff\xff"))[0] == "cpu"
    assert route(changed(payload, restart - 4, b"\xff\xc4"))[0] == "cpu"
    assert route(payload[:20] + b"\0" + payload[20:])[1] == "structure"  # Pillow skips it
    frame = payload.index(b"\xff\xc0")
    for table in (b"\x04", b"\xf6"):  # quantization tables that there cannot be
        assert route(changed(payload, frame + 12, table))[1] == "tables"
    table = payload.index(b"\xff\xc4")
    assert route(changed(payload, table + 5, b"\x09"))[1] in ("tables", "structure")
    progressive = encode(64, 48, progressive=True)
    last = progressive.rindex(b"\xff\xda")
    assert route(progressive[:last] + b"\xff\xd9")[1] == "incomplete"


def test_faults_are_those_of_the_kernel():
    png = b"\x89PNG\r\n\x1a\n"
    items = [encode(40, 30), png, b"", encode(40, 30)[:300], encode(40, 30)]
    options = {"roi": None, "allow_truncated": True, "num_threads": 2}
    routes = _registry.cpu_extension.jpeg_routes(
        *BytesBatch.from_items(items), pixel_limit=PIXEL_LIMIT, **options
    )
    names = [fault_name(int(fault)) for fault in routes[5][:, 0]]
    assert names == ["none", "image_unrecognised", "image_unrecognised", "jpeg_truncated", "none"]
    routes = _registry.cpu_extension.jpeg_routes(
        *BytesBatch.from_items(items), pixel_limit=1199, **options
    )
    assert fault_name(int(routes[5][0, 0])) == "image_pixel_limit"
    options["roi"] = np.array(
        [[0, 0, 40, 30], [0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 41, 9]]
    )
    routes = _registry.cpu_extension.jpeg_routes(
        *BytesBatch.from_items(items), pixel_limit=PIXEL_LIMIT, **options
    )
    assert fault_name(int(routes[5][4, 0])) == "image_bad_roi"
    with pytest.raises(KernelError, match="item 0"):
        _registry.cpu_extension.jpeg_routes(
            np.zeros(3, np.uint8), np.array([[0, 4]]), pixel_limit=9, **{**options, "roi": None}
        )


def test_damage_at_random_is_walked_through(route):
    """Whatever the bytes, there is a verdict; what goes to the GPU ends where it says."""
    rng = random.Random(3)
    originals = [
        encode(40, 33, restart_marker_blocks=2),
        encode(33, 40, progressive=True),
        encode(40, 33, "L"),
    ]
    seen = set()
    for _ in range(1500):
        payload = damaged(rng, rng.choice(originals))
        engine, reason, length = route(payload)
        seen.add((engine, reason))
        if engine in ("hybrid", "hardware"):
            assert payload[length - 2 : length] == b"\xff\xd9"
    assert len(seen) > 6
