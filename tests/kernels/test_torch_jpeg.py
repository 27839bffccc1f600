"""refpix.cuda.JpegDecoder: what the result looks like, faults, boxes, and every engine there is.

Under ``make emulate`` nvJPEG's place is taken by a library that decodes on the CPU, and its pixels
are Pillow's; a GPU's are within the bound.
"""

import base64
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.kernels.jpeg_files import encode, pillow

import refpix.cuda
from refpix.errors import BackendUnavailableError, ImageError, KernelError
from refpix.kernels import fault_name, image_batch, jpeg_decode
from refpix.types import BytesBatch

torch = pytest.importorskip("torch")

from refpix.cuda import JpegDecoder  # noqa: E402
from refpix.kernels._nvjpeg import BOUND  # noqa: E402

EMULATED = refpix.cuda.build_info().architectures == ("emulated",)

WITH_THE_PLUGIN = (
    "import runpy, sys, emulated_cuda; del sys.argv[0]; "
    "runpy.run_path(sys.argv[0], run_name='__main__')"
)


def names(images):
    return [fault_name(int(fault)) for fault in images.faults[:, 0]]


def check_layout(images):
    """Columns on the device and in host memory say the same, and pixels lie end to end."""
    sizes = images.host_sizes
    ends = np.cumsum(sizes.prod(axis=1) * 3)
    assert images.offsets.tolist() == images.host_offsets.tolist() == [0, *ends]
    assert images.sizes.tolist() == sizes.tolist()
    assert images.pixels.dtype == torch.uint8
    assert images.offsets.dtype == images.sizes.dtype == torch.int64
    assert images.pixels.shape == (int(ends[-1]) if len(ends) else 0,)
    well = images.faults[:, 0] == 0
    assert (sizes.all(axis=1) == well).all()
    assert (images.faults[well, 1] == -1).all()
    assert [engine != "none" for engine in images.engines] == well.tolist()


def here(engine):
    """A decoder on the device there is."""
    if not refpix.cuda.is_available() or not (EMULATED or torch.cuda.is_available()):
        pytest.skip("no CUDA device")
    try:
        return JpegDecoder(engine=engine, num_threads=2)
    except BackendUnavailableError as error:
        pytest.skip(str(error))


nvjpeg_engines = pytest.mark.parametrize("engine", ["hybrid", "hardware"])


def assert_near(got, wanted, engine):
    """Equal, or within the bound where nvJPEG decoded on a GPU."""
    got = got.cpu().numpy()
    if EMULATED or engine == "cpu":
        np.testing.assert_array_equal(got, wanted)
    else:
        difference = np.abs(got.astype(int) - wanted)
        assert difference.max() <= BOUND.largest
        assert difference.mean() <= BOUND.mean
        assert np.count_nonzero(difference) / difference.size <= BOUND.share


def mixture():
    """Payloads, and the best engine for each, "" where there are no pixels."""
    payloads = {
        "420": (encode(64, 48), "hardware"),
        "422": (encode(33, 50, subsampling=1), "hardware"),
        "444": (encode(70, 31, subsampling=0, quality=97), "hardware"),
        "cut": (encode(64, 48)[:-200], ""),
        "gray": (encode(41, 40, "L"), "hardware"),
        "progressive": (encode(40, 60, progressive=True), "hybrid"),
        "cmyk": (encode(40, 30, "CMYK"), "cpu"),
        "no picture": (b"\x89PNG", ""),
        "small": (encode(9, 12), "cpu"),
        "fails": (encode(40, 40, comment=b"fails while decoding"), "hardware"),
        "restarts": (encode(80, 48, restart_marker_blocks=2), "hardware"),
        "with a tail": (encode(48, 48) + b"\0\xff\xd8" * 9, "hardware"),
    }
    return list(payloads), *map(list, zip(*payloads.values(), strict=True))


@nvjpeg_engines
@pytest.mark.parametrize("with_boxes", [False, True])
def test_each_item_by_its_engine(engine, with_boxes):
    labels, payloads, best = mixture()
    roi = np.array([[3, 1, 9, 12]] * len(payloads)) if with_boxes else None
    wanted = [name if name in ("", "cpu") or engine == "hardware" else "hybrid" for name in best]
    if EMULATED:  # the stand-in fails on it; a real nvJPEG has no reason to
        wanted[labels.index("fails")] = "cpu"
    if with_boxes:  # above where the file ends
        wanted[labels.index("cut")] = "cpu"
    with here(engine) as decoder:
        for _ in range(3):  # states and buffers are used again
            images = decoder.decode(*BytesBatch.from_items(payloads), roi=roi)
            check_layout(images)
            if EMULATED:
                assert [name.replace("none", "") for name in images.engines] == wanted
            for i, payload in enumerate(payloads):
                if not wanted[i]:
                    assert images.faults[i, 0]
                    continue
                pixels = pillow(payload, truncated=with_boxes)
                pixels = pixels[1:12, 3:9] if with_boxes else pixels
                assert_near(images.image(i), pixels, images.engines[i])


@nvjpeg_engines
def test_threads_share_a_decoder(engine):
    _, payloads, best = mixture()
    decoder = here(engine)
    orders = [np.random.default_rng(seed).permutation(len(payloads)) for seed in range(12)]

    def decode(order):
        values, spans = BytesBatch.from_items(payloads)
        return decoder.decode(values, spans[order])

    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(decode, orders))
    decoder.close()
    for order, images in zip(orders, results, strict=True):
        check_layout(images)
        for i, item in enumerate(order):
            if best[item]:
                assert_near(images.image(i), pillow(payloads[item]), images.engines[i])
    # Closed, it goes on by itself.
    again = decode(orders[0])
    assert set(again.engines) == {"cpu", "none"}


@nvjpeg_engines
def test_pools_do_not_grow(engine):
    _, payloads, _ = mixture()
    decoder = here(engine)
    batch = BytesBatch.from_items(payloads)
    for _ in range(50):
        decoder.decode(*batch)
    pools = decoder._native.pools()
    assert 0 < pools["lanes"] <= 2 * 2  # two for a thread
    assert pools["flights"] <= 3
    assert pools["staging_bytes"] <= pools["flights"] * (8 << 20)  # the least that is asked for
    decoder.close()


def test_the_kernels_take_numpy_and_give_numpy():
    here("auto").close()
    _, payloads, best = mixture()
    payloads = [payload for payload, name in zip(payloads, best, strict=True) if name]
    batch = BytesBatch.from_items(payloads)
    out = np.zeros(1 << 20, np.uint8)
    got = jpeg_decode(*batch, backend="cuda", out=out, num_threads=2)
    assert got.pixels is out
    wanted = jpeg_decode(*batch, backend="cpu")
    np.testing.assert_array_equal(got.sizes, wanted.sizes)
    np.testing.assert_array_equal(got.offsets, wanted.offsets)
    for i in range(len(payloads)):
        assert_near(torch.from_numpy(got.image(i)), wanted.image(i), "hardware")
    with pytest.raises(ValueError, match="out: too small"):
        jpeg_decode(*batch, backend="cuda", out=out[:99])
    with pytest.raises(TypeError, match="out"):
        jpeg_decode(*batch, backend="cuda", out=np.zeros(1 << 20))
    items = BytesBatch.from_items([payloads[0], payloads[0][:-300], b""])
    with pytest.raises(ImageError, match=r"item 1: .*ends") as caught:
        jpeg_decode(*items, backend="cuda")
    assert caught.value.fault == "jpeg_truncated"


def test_image_batch_on_the_device():
    here("auto").close()
    _, payloads, _ = mixture()
    texts = [base64.b64encode(payload) for payload in payloads]
    texts[1:1] = [b"\xc3\xa4", b"AAAAA"]
    batch = BytesBatch.from_items(texts)
    for options in ({}, {"dtype": "bfloat16"}, {"allow_truncated": False}, {"pixel_limit": 1600}):
        got, sizes, faults = image_batch(*batch, size=(20, 24), backend="cuda", **options)
        wanted, wanted_sizes, wanted_faults = image_batch(
            *batch, size=(20, 24), backend="cpu", **options
        )
        np.testing.assert_array_equal(sizes, wanted_sizes)
        np.testing.assert_array_equal(faults, wanted_faults)
        good = faults[:, 0] == 0
        assert good.any()
        if EMULATED:
            np.testing.assert_array_equal(got[good], wanted[good])
        elif not options:
            assert np.abs(got[good] - wanted[good]).max() <= 2 * BOUND.largest / 255
    empty, _, _ = image_batch(*BytesBatch.from_items([]), size=(8, 8), backend="cuda")
    assert empty.shape == (0, 3, 8, 8)


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [["jpeg_leak.py", "--batches", "20", "--size", "6"], ["jpeg_bound.py", "--qualities", "90"]],
)
def test_the_benches_run(command, request, tmp_path):
    if command[0] == "jpeg_leak.py" and not EMULATED:
        pytest.skip("looks at the whole device's memory, of which other tests take some")
    here("hybrid").close()
    file = tmp_path / "result.json"
    program = request.config.rootpath / "bench" / "gpu" / command[0]
    # The plugin is this process's; a program of its own wants it too.
    start = ["-c", WITH_THE_PLUGIN, program] if EMULATED else [program]
    run = subprocess.run(
        [sys.executable, *start, *command[1:], "--json", file], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
    result = json.loads(file.read_text())
    if command[0] == "jpeg_leak.py":
        assert not result["leaks"]
        assert len(result["looks"]) == 10
    else:
        rows = [row for rows in result["engines"].values() for row in rows]
        assert {row["sampling"] for row in rows} == {"444", "422", "420", "440", "gray"}
        assert all(row["largest"] is not None for row in rows)
        if EMULATED:
            assert {row["largest"] for row in rows} == {0}


def test_pixels_are_pillows_and_bad_items_are_reported():
    good = encode(40, 30)
    items = [
        encode(50, 33, seed=3),
        good[:-300],
        b"",
        good,
        encode(20, 20, "CMYK"),
        b"\x89PNG",
        encode(9, 7, "L", progressive=True),
        good[:-200],
    ]
    with JpegDecoder("cpu", num_threads=2) as decoder:
        images = decoder.decode(*BytesBatch.from_items(items))
    check_layout(images)
    assert len(images) == len(items)
    assert names(images) == [
        *("none", "jpeg_truncated", "image_unrecognised", "none"),
        *("none", "image_unrecognised", "none", "jpeg_truncated"),
    ]
    for i, item in enumerate(items):
        wanted = pillow(item)
        wanted = np.empty((0, 0, 3), np.uint8) if wanted is None else wanted
        np.testing.assert_array_equal(images.image(i).numpy(), wanted)


def test_sound_items_are_a_batch_for_the_kernels():
    items = [b"", encode(50, 33, seed=3), encode(40, 30)[:-300], encode(20, 20, "CMYK"), b"\x89PNG"]
    with JpegDecoder("cpu") as decoder:
        for files, good in ((items, [1, 3]), (items[3:4], [0]), (items[:1], [])):
            images = decoder.decode(*BytesBatch.from_items(files))
            pixels, offsets, sizes = map(np.asarray, images.sound())
            assert len(sizes) == len(offsets) - 1 == len(good)
            for i, item in enumerate(good):
                picture = pixels[offsets[i] : offsets[i + 1]].reshape(*sizes[i], 3)
                np.testing.assert_array_equal(picture, pillow(files[item]))


def test_all_bad_and_none_at_all():
    decoder = JpegDecoder("cpu")
    images = decoder.decode(*BytesBatch.from_items([encode(40, 30)[:-300]] * 3))
    check_layout(images)
    assert names(images) == ["jpeg_truncated"] * 3
    images = decoder.decode(*BytesBatch.from_items([]))
    check_layout(images)
    assert images.faults.shape == (0, 2)


def test_truncated_files_are_an_option():
    cut = encode(64, 48)[:-400]
    decoder = JpegDecoder("cpu", allow_truncated=True)
    images = decoder.decode(*BytesBatch.from_items([cut]))
    np.testing.assert_array_equal(images.image(0).numpy(), pillow(cut, truncated=True))


def test_boxes():
    payloads = [encode(60, 41, seed=i, subsampling=i) for i in range(3)]
    boxes = np.array([[0, 0, 60, 41], [13, 7, 14, 40], [5, 0, 61, 4]])
    images = JpegDecoder("cpu").decode(*BytesBatch.from_items(payloads), roi=boxes)
    check_layout(images)
    assert names(images) == ["none", "none", "image_bad_roi"]
    for i in range(2):
        x0, y0, x1, y1 = boxes[i]
        np.testing.assert_array_equal(images.image(i).numpy(), pillow(payloads[i])[y0:y1, x0:x1])


def test_limits_and_wrong_arguments():
    batch = BytesBatch.from_items([encode(40, 30), encode(10, 10)])
    images = JpegDecoder("cpu", pixel_limit=1199).decode(*batch)
    assert names(images) == ["image_pixel_limit", "none"]
    decoder = JpegDecoder("cpu")
    with pytest.raises(KernelError, match="item 1"):
        decoder.decode(batch.values[:-1], batch.spans)
    with pytest.raises(TypeError, match="values"):
        decoder.decode(torch.zeros(4, dtype=torch.uint8), batch.spans)
    with pytest.raises(ValueError, match="roi"):
        decoder.decode(*batch, roi=np.zeros((1, 4), np.int64))
    with pytest.raises(ValueError, match="engine"):
        JpegDecoder("cpu", engine="gpu")
    for device in ("meta", "no device", -1, 99):
        with pytest.raises((ValueError, BackendUnavailableError), match="device"):
            JpegDecoder(device)


def test_what_is_not_there_is_said():
    decoder = JpegDecoder("cpu", engine="cpu")
    assert decoder.engines == ("cpu",)
    assert decoder.library is None
    assert decoder.unavailable
    if not torch.cuda.is_available() and not EMULATED:
        with pytest.raises(BackendUnavailableError, match="no CUDA device"):
            JpegDecoder()


@pytest.mark.skipif(refpix.cuda.is_available(), reason="the CUDA side is there")
def test_asking_for_nvjpeg_says_why_not():
    reason = refpix.cuda.build_info().unavailable
    for engine in ("hybrid", "hardware"):
        with pytest.raises(BackendUnavailableError, match=f"no '{engine}' JPEG decoder: {reason}"):
            JpegDecoder("cpu", engine=engine)


def test_without_torch_the_name_says_what_to_install():
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "import refpix.cuda, refpix.errors\n"
        "try: refpix.cuda.JpegDecoder\n"
        "except refpix.errors.MissingExtraError as error: assert 'refpix[gpu]' in str(error)\n"
        "else: raise SystemExit(1)\n"
        "assert not hasattr(refpix.cuda, 'JpegEncoder')\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
