"""What ``Loader(device=...)`` takes, and what it says where CUDA cannot be used."""

import importlib.util
import sys
from types import SimpleNamespace

import pytest

import refpix.cuda
from refpix import Loader
from refpix.datasets import RefHCM, sample_path
from refpix.errors import BackendUnavailableError, MissingExtraError
from refpix.loader import which_device

DATASET = RefHCM(sample_path("rec"), task="rec", index="memory")


def test_the_cpu():
    assert which_device.device_number(None) is None
    assert which_device.device_number("cpu") is None


@pytest.mark.parametrize("device", ["", "cuda:", "cuda:x", "tpu", -1, "cuda:-1", 1.5, "cuda0"])
def test_no_device(device):
    with pytest.raises(ValueError, match="device="):
        which_device.device_number(device)


@pytest.mark.skipif(refpix.cuda.is_available(), reason="there is a CUDA device")
def test_none_there():
    reason = refpix.cuda.build_info().unavailable
    for device in ("cuda", "cuda:1", 0):
        with pytest.raises(BackendUnavailableError, match=reason):
            Loader(DATASET, device=device)


@pytest.mark.skipif(refpix.cuda.is_available(), reason="there is a CUDA device")
def test_auto_falls_back():
    pytest.importorskip("torch")
    assert Loader(DATASET, device="auto", size=4).device is None


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="torch is installed")
def test_tensors_want_torch():
    with pytest.raises(MissingExtraError, match=r"refpix\[torch\]"):
        Loader(DATASET, device="cpu", size=4)


@pytest.fixture
def two(monkeypatch):
    """Two devices, the second one torch's current."""
    info = refpix.cuda.BuildInfo(True, ("90",), "13.0", "")
    monkeypatch.setattr(refpix.cuda, "build_info", lambda: info)
    monkeypatch.setattr(refpix.cuda, "device_count", lambda: 2)
    seam = SimpleNamespace(unavailable=lambda: "", current_device=lambda: 1)
    monkeypatch.setitem(sys.modules, "refpix.loader.torch_side_stream", seam)
    return seam


@pytest.mark.parametrize(
    ("device", "number"), [("cuda", 1), ("auto", 1), ("cuda:0", 0), ("cuda:1", 1), (0, 0)]
)
def test_numbers(two, device, number):
    assert which_device.device_number(device) == number


def test_torchs_devices(two):
    torch = pytest.importorskip("torch")
    assert which_device.device_number(torch.device("cuda", 0)) == 0
    assert which_device.device_number(torch.device("cpu")) is None


def test_no_such_number(two):
    with pytest.raises(ValueError, match="there are 2 devices"):
        which_device.device_number("cuda:2")


def test_torch_without_cuda(two):
    two.unavailable = lambda: "torch sees no CUDA device"
    with pytest.raises(BackendUnavailableError, match="torch sees no CUDA device"):
        which_device.device_number("cuda")
    assert which_device.device_number("auto") is None


def test_the_seam_says_what_torch_lacks():
    torch = pytest.importorskip("torch")
    from refpix.loader.torch_side_stream import unavailable

    assert bool(unavailable()) != torch.cuda.is_available()
