"""Without a driver, and without the extension, everything imports and says what is missing."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

import refpix.cuda
from refpix.errors import BackendUnavailableError
from refpix.kernels import parsing_unpack
from refpix.types import BytesBatch

built = importlib.util.find_spec("refpix._cuda") is not None
absent = pytest.mark.skipif(refpix.cuda.is_available(), reason="there is a CUDA device")


@absent
def test_nothing_there():
    assert refpix.cuda.is_available() is False
    assert refpix.cuda.device_count() == 0
    info = refpix.cuda.build_info()
    assert info.compiled == built
    assert info.unavailable
    if built:
        assert "CUDA" in info.unavailable
        assert info.cuda_version is not None
        assert info.architectures
    else:
        assert info.cuda_version is None
        assert info.architectures == ()


@absent
def test_asking_for_it_says_why():
    batch = BytesBatch.from_items(["1,2"])
    reason = refpix.cuda.build_info().unavailable
    with pytest.raises(BackendUnavailableError, match=reason):
        parsing_unpack(*batch, backend="cuda")
    with pytest.raises(BackendUnavailableError, match=reason):
        refpix.cuda.device_name()
    with pytest.raises(BackendUnavailableError, match=reason):
        refpix.cuda.raise_faults()
    assert "cuda" not in parsing_unpack.backends()


def test_auto_takes_host_arrays_to_the_cpu():
    codes, _ = parsing_unpack(*BytesBatch.from_items(["1,2"]))
    assert isinstance(codes, np.ndarray)
    assert codes.tolist() == [1, 2]


def test_a_module_hidden_from_import_counts_as_not_built():
    code = (
        "import sys; sys.modules['refpix._cuda'] = None\n"
        "import refpix.cuda as c\n"
        "assert not c.is_available() and c.build_info().unavailable == "
        "'refpix was built without CUDA', c.build_info()\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


class FakeDeviceArray:
    """Claims to lie on a device. Only checks that come before any CUDA call may see it."""

    def __init__(self, shape, typestr="|u1", **fields):
        self.__cuda_array_interface__ = {
            "shape": shape,
            "typestr": typestr,
            "data": (0, False),
            "version": 3,
            "strides": None,
            **fields,
        }


@pytest.mark.skipif(not built, reason="refpix was built without CUDA")
@pytest.mark.parametrize(
    ("array", "error", "message"),
    [
        (np.zeros((1, 2, 2, 3), np.uint8), TypeError, "images: expected an array on a CUDA"),
        (FakeDeviceArray((1, 2, 2, 3), "<f4"), TypeError, "images: expected dtype uint8"),
        (FakeDeviceArray((2, 2, 3)), ValueError, "4 dimensions, got 3"),
        (FakeDeviceArray((1, 2, 2, 4)), ValueError, "expected shape"),
        (FakeDeviceArray((1, 2, 2, 3), version=1), ValueError, "version 2"),
        (FakeDeviceArray((1, 2, 2, 3), mask=object()), ValueError, "masked"),
        (FakeDeviceArray((1, 2, 2, 3), stream=0), ValueError, "ambiguous"),
        (FakeDeviceArray((1, 2, 2, 3), strides=(12, 6, 1, 2)), ValueError, "contiguous"),
        (FakeDeviceArray((1, 2, 2, 3), strides=(12, 6)), ValueError, "strides"),
    ],
)
def test_wrong_device_arrays_are_refused(array, error, message):
    from refpix import _cuda

    half = (0.5, 0.5, 0.5)
    with pytest.raises(error, match=message):
        _cuda.image_normalize(
            array,
            mean=half,
            std=half,
            dtype="float32",
            channels_last=False,
            out=None,
            num_threads=1,
        )


@pytest.mark.skipif(not built, reason="refpix was built without CUDA")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mean": (0.5, 0.5)}, "mean: expected three"),
        ({"std": (0.5,) * 4}, "std: expected three"),
        ({"dtype": "float64"}, "dtype"),
        ({"out": FakeDeviceArray((1, 2, 2, 3), "<f4")}, "out: expected shape"),
        ({"out": FakeDeviceArray((1, 3, 2, 2), "<f4", data=(0, True))}, "read-only"),
        ({"out": FakeDeviceArray((1, 3, 2, 2), "<f4", strides=(96, 32, 16, 8))}, "contiguous"),
    ],
)
def test_wrong_arguments_are_refused(change, message):
    from refpix import _cuda

    half = (0.5, 0.5, 0.5)
    options = {"mean": half, "std": half, "dtype": "float32", "channels_last": False}
    options |= {"out": None, "num_threads": 1}
    with pytest.raises(ValueError, match=message):
        _cuda.image_normalize(FakeDeviceArray((1, 2, 2, 3)), **{**options, **change})
