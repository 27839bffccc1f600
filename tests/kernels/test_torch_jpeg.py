"""refpix.cuda.JpegDecoder on the CPU: what the result looks like, faults, boxes."""

import subprocess
import sys

import numpy as np
import pytest
from tests.kernels.jpeg_files import encode, pillow

import refpix.cuda
from refpix.errors import BackendUnavailableError, KernelError
from refpix.kernels import fault_name
from refpix.types import BytesBatch

torch = pytest.importorskip("torch")

from refpix.cuda import JpegDecoder  # noqa: E402


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
    with pytest.raises(ValueError, match="device"):
        JpegDecoder("meta")


def test_what_is_not_there_is_said():
    decoder = JpegDecoder("cpu", engine="cpu")
    assert decoder.engines == ("cpu",)
    assert decoder.library is None
    assert decoder.unavailable
    if not torch.cuda.is_available():
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
