import hashlib
import io
import json
import os
import random
import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image
from tests.kernels.jpeg_files import VARIANTS, damaged, decode, drawn, encode, outcome, pillow

from refpix.errors import ImageError, KernelError
from refpix.kernels import jpeg_decode
from refpix.types import BytesBatch

backends = pytest.mark.parametrize("backend", jpeg_decode.exact_backends())


def assert_as_pillow(payload, truncated):
    """Same pixels or both an error; what the kernel leaves to Pillow is not compared."""
    expected = pillow(payload, truncated)
    got, fault = outcome(payload, allow_truncated=truncated, pixel_limit=1 << 22)
    if got is None:
        assert expected is None or fault in {"jpeg_unsupported", "image_pixel_limit"}, fault
    else:
        assert expected is not None
        np.testing.assert_array_equal(got, expected)
    return fault


@pytest.mark.parametrize("sampling", [0, 1, 2, "gray", "cmyk", "rgb"])
@pytest.mark.parametrize("coding", ["baseline", "progressive", "optimize", "restart"])
def test_equals_pillow_for_every_size(sampling, coding):
    options = {"restart": {"restart_marker_blocks": 3}, "baseline": {}}.get(coding, {coding: True})
    mode = {"gray": "L", "cmyk": "CMYK"}.get(sampling, "RGB")
    options |= {"rgb": {"keep_rgb": True}, "gray": {}, "cmyk": {}}.get(
        sampling, {"subsampling": sampling}
    )
    sizes = [(w, h) for w in range(1, 41, 3) for h in (1, 2, 7, 8, 9, 16, 17, 33, 40)]
    payloads = [
        encode(w, h, mode, quality=(10, 50, 85, 100)[(w + h) % 4], **options) for w, h in sizes
    ]
    batch = jpeg_decode(*BytesBatch.from_items(payloads), num_threads=2)
    for i, (payload, (w, h)) in enumerate(zip(payloads, sizes, strict=True)):
        assert batch.sizes[i].tolist() == [h, w]
        np.testing.assert_array_equal(batch.image(i), pillow(payload), err_msg=f"{w}x{h}")


@backends
@pytest.mark.parametrize("name", VARIANTS)
def test_equals_pillow_for_variants(data, name, backend):
    payload = (data / "images" / f"{name}.jpg").read_bytes()
    np.testing.assert_array_equal(decode(payload, backend), pillow(payload))


@backends
def test_batch_is_end_to_end(backend):
    payloads = [encode(9, 5), encode(8, 8, "L"), encode(1, 3)]
    values, spans = BytesBatch.from_items(payloads)
    order = np.array([2, 0, 1, 0])
    batch = jpeg_decode(values, spans[order], num_threads=3, backend=backend)
    assert batch.sizes.tolist() == [[3, 1], [5, 9], [8, 8], [5, 9]]
    assert batch.offsets.tolist() == [0, 9, 9 + 135, 9 + 135 + 192, 9 + 270 + 192]
    for i, source in enumerate(order):
        np.testing.assert_array_equal(batch.image(i), pillow(payloads[source]))


@backends
def test_empty_batch(backend):
    batch = jpeg_decode(*BytesBatch.from_items([]), backend=backend)
    assert batch.pixels.size == 0
    assert batch.offsets.tolist() == [0]
    assert batch.sizes.shape == (0, 2)


@backends
def test_out_is_filled(backend):
    payload = encode(9, 5)
    out = np.full(140, 7, np.uint8)
    batch = jpeg_decode(*BytesBatch.from_items([payload]), out=out, backend=backend)
    assert batch.pixels is out
    np.testing.assert_array_equal(batch.image(0), pillow(payload))
    assert out[135:].tolist() == [7] * 5
    with pytest.raises(ValueError, match="too small"):
        jpeg_decode(*BytesBatch.from_items([payload]), out=out[:134], backend=backend)


@backends
@pytest.mark.parametrize("denom", [2, 4, 8])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_scale_equals_draft(denom, mode, backend):
    for width, height in [(64, 64), (61, 47), (90, 33)]:
        payload = encode(width, height, mode)
        image = Image.open(io.BytesIO(payload))
        image.draft(mode, (width // denom, height // denom))
        assert image.decoderconfig[0] == denom
        expected = np.asarray(image.convert("RGB"))
        np.testing.assert_array_equal(decode(payload, backend, scale_denom=denom), expected)


@pytest.mark.parametrize("truncated", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"progressive": True},
        {"restart_marker_blocks": 1},
        {"mode": "L"},
        {"mode": "CMYK"},
        {"comment": "x" * 40},
    ],
)
def test_cut_at_every_byte(options, truncated):
    payload = encode(20, 18, **options)
    faults = {assert_as_pillow(payload[:cut], truncated) for cut in range(len(payload))}
    assert "jpeg_truncated" in faults
    assert "decoded" in faults or not truncated


@pytest.mark.parametrize("truncated", [False, True])
@pytest.mark.parametrize("name", ["arithmetic", "sequential_scans", "ycck_420", "sub_411"])
def test_variants_cut(data, name, truncated):
    payload = (data / "images" / f"{name}.jpg").read_bytes()
    for cut in range(0, len(payload), 7):
        assert_as_pillow(payload[:cut], truncated)


@pytest.mark.parametrize("truncated", [False, True])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}])
def test_random_damage(options, truncated):
    rng = random.Random(17)
    payload = encode(33, 30, **options)
    faults = {assert_as_pillow(damaged(rng, payload), truncated) for _ in range(300)}
    assert "decoded" in faults
    assert "jpeg_bad_header" in faults


@backends
@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        (b"", "image_unrecognised"),
        (b"\xff\xd8", "image_unrecognised"),
        (b"\x89PNG\r\n\x1a\n" + bytes(20), "image_unrecognised"),
    ],
)
def test_not_a_jpeg(payload, fault, backend):
    with pytest.raises(ImageError) as error:
        jpeg_decode(*BytesBatch.from_items([encode(8, 8), payload]), backend=backend)
    assert (error.value.fault, error.value.item) == (fault, 1)


def test_fault_names_item_and_byte():
    good = encode(40, 40)
    cut = good[: len(good) // 2]
    with pytest.raises(ImageError) as error:
        jpeg_decode(*BytesBatch.from_items([good, cut, cut]), num_threads=2)
    assert (error.value.fault, error.value.item) == ("jpeg_truncated", 1)
    assert error.value.position == len(cut)
    bad_table = good.replace(b"\xff\xc4", b"\xff\xc4\x00\x03\x77\xff\xc4", 1)
    with pytest.raises(ImageError) as error:
        decode(bad_table)
    assert error.value.fault == "jpeg_corrupt"
    assert 0 < error.value.position <= bad_table.index(b"\xff\xc4") + 8


def with_size(payload, width, height):
    """The same file with another size in its header."""
    at = max(payload.find(b"\xff\xc0"), payload.find(b"\xff\xc2"))
    return payload[: at + 5] + struct.pack(">HH", height, width) + payload[at + 9 :]


@backends
def test_huge_header_costs_nothing(backend):
    payload = with_size(encode(8, 8), 65500, 65500)
    for truncated in (False, True):
        with pytest.raises(ImageError, match="more pixels"):
            decode(payload, backend, allow_truncated=truncated)
    with pytest.raises(ImageError, match="more pixels"):
        decode(encode(10, 10), backend, pixel_limit=99)
    assert decode(encode(10, 10), backend, pixel_limit=100).shape == (10, 10, 3)


@backends
@pytest.mark.parametrize("truncated", [False, True])
def test_scan_bomb(truncated, backend):
    payload = encode(64, 64, progressive=True)
    last = payload.rindex(b"\xff\xda")
    bomb = payload[:last] + payload[last:-2] * 200 + b"\xff\xd9"
    with pytest.raises(ImageError, match="scans"):
        decode(bomb, backend, allow_truncated=truncated)
    np.testing.assert_array_equal(decode(bomb, backend, scan_limit=1000), pillow(bomb))


@backends
def test_left_to_pillow(data, backend):
    two_components = (data / "images" / "two_components.jpg").read_bytes()
    frame = encode(8, 8).replace(b"\xff\xc0\x00\x11\x08", b"\xff\xc0\x00\x11\x0c")
    for payload in (two_components, frame):
        with pytest.raises(ImageError) as error:
            decode(payload, backend, allow_truncated=True)
        assert error.value.fault == "jpeg_unsupported"


def test_tables_of_one_image_do_not_reach_the_next():
    whole = encode(16, 16, quality=30)
    start = whole.index(b"\xff\xdb")
    without = whole[:start] + whole[whole.index(b"\xff\xc0") :]
    assert decode(whole).shape == (16, 16, 3)
    with pytest.raises(ImageError, match="corrupt"):
        decode(without)
    assert not decode(without, allow_truncated=True).any()


def test_exif_and_second_pictures_are_ignored():
    exif = Image.Exif()
    exif[0x0112] = 6
    payload = encode(20, 10, exif=exif)
    assert decode(payload).shape == (10, 20, 3)
    file = io.BytesIO()
    frames = [Image.fromarray(drawn(20, 10, seed=i)) for i in range(2)]
    frames[0].save(file, "MPO", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(decode(file.getvalue()), pillow(file.getvalue()))


def test_many_threads_share_nothing():
    payloads = [encode(5 + i, 40 - i, seed=i, progressive=i % 2 == 0) for i in range(30)]
    batch = BytesBatch.from_items(payloads)
    expected = jpeg_decode(*batch).pixels
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda n: jpeg_decode(*batch, num_threads=n), [1, 2, 3, 8] * 6))
    for result in results:
        np.testing.assert_array_equal(result.pixels, expected)


def resident_kib():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4


@pytest.mark.skipif("REFPIX_SANITIZED" in os.environ, reason="ASan keeps freed memory, finds leaks")
def test_bad_files_leak_nothing():
    good = encode(400, 300, progressive=True)
    bad = [good[: len(good) // 2], good[:-400], damaged(random.Random(1), good)]
    wrong = good.replace(b"\xff\xc4", b"\xff\xc4\x00\x03\x77\xff\xc4", 1)

    def rounds(n):
        for _ in range(n):
            for payload in (*bad, wrong):
                for truncated in (False, True):
                    try:
                        decode(payload, allow_truncated=truncated)
                    except KernelError:
                        continue

    rounds(5)
    before = resident_kib()
    rounds(40)
    # One image's coefficients are 700 KiB: leaking a single kind of failure shows as 28 MiB.
    assert resident_kib() - before < 8 * 1024


def test_wrong_arguments_are_refused():
    values, spans = BytesBatch.from_items([encode(8, 8)])
    with pytest.raises(TypeError, match="int64"):
        jpeg_decode(values, spans, roi=np.zeros((1, 4), np.int32))
    with pytest.raises(ValueError, match="roi"):
        jpeg_decode(values, spans, roi=np.zeros((2, 4), np.int64))
    with pytest.raises(ValueError, match="scale_denom"):
        jpeg_decode(values, spans, scale_denom=3)
    with pytest.raises(KernelError, match="outside"):
        jpeg_decode(values, spans + 1)


def golden_cases(folder):
    expected = json.loads((folder / "odd.json").read_text())
    return {name: ((folder / f"odd_{name}").read_bytes(), sha) for name, sha in expected.items()}


@backends
def test_golden_subset(data, backend):
    for name, (payload, sha) in golden_cases(data / "images").items():
        if not payload.startswith(b"\xff\xd8\xff"):
            continue
        got, fault = outcome(payload, backend, allow_truncated=True)
        # Smoothing of cut progressive files is right only in newer libjpeg-turbo.
        if name == "truncated_progressive_60" and fault == "jpeg_unsupported":
            continue
        assert (None if got is None else hashlib.sha256(got).hexdigest()) == sha, name
