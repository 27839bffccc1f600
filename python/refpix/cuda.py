"""The CUDA side: whether it is there, and how its kernels are to run.

Everything here can be called without a driver, and without the extension having been built.

Kernels on device arrays return as soon as they are enqueued on torch's current stream (or that of
:func:`use_stream`), so a malformed item cannot be raised by the call: the device records the first
one, and :func:`raise_faults` waits and raises it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from refpix.errors import MissingExtraError
from refpix.kernels import _registry
from refpix.kernels._device import use_stream

if TYPE_CHECKING:
    from refpix.kernels.torch_jpeg import DecodedImages, JpegDecoder

__all__ = [
    "BuildInfo",
    "DecodedImages",
    "JpegDecoder",
    "build_info",
    "device_count",
    "device_name",
    "is_available",
    "raise_faults",
    "use_stream",
]

_NEED_TORCH = ("DecodedImages", "JpegDecoder")


def __getattr__(name: str) -> Any:
    """What needs torch, which is imported when it is asked for."""
    if name not in _NEED_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from refpix.kernels import torch_jpeg
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"refpix.cuda.{name}", "torch", "gpu") from error
    return getattr(torch_jpeg, name)


@dataclass(frozen=True)
class BuildInfo:
    """How the ``_cuda`` extension was built.

    Attributes:
        compiled: whether it is part of this installation.
        architectures: what it holds, in CMake's words: ``"90-real"`` is machine code,
            ``"100"`` machine code and PTX.
        cuda_version: of the CUDA runtime that is linked in, e.g. ``"13.0"``; None if not compiled.
        unavailable: why it cannot be used here, in words; empty if it can.
    """

    compiled: bool
    architectures: tuple[str, ...]
    cuda_version: str | None
    unavailable: str


def is_available() -> bool:
    """Whether the extension was built and there is a device to run on."""
    return _registry.cuda_module() is not None


def device_count() -> int:
    """Number of devices; 0 without extension, driver or device."""
    module = _registry.cuda_module()
    return int(module.device_count()) if module is not None else 0


def device_name(index: int = 0) -> str:
    """Name of a device, as the driver gives it.

    Raises:
        BackendUnavailableError: there is no device at all.
        ValueError: there is none of this number.
    """
    return str(_registry.require_cuda().device_name(index))


def build_info() -> BuildInfo:
    """What was built, and why it cannot be used, if so."""
    module, unavailable = _registry.cuda_state()
    if module is None:
        return BuildInfo(False, (), None, unavailable)
    major, minor = divmod(int(module.runtime_version()), 1000)
    return BuildInfo(
        True, tuple(module.architectures().split()), f"{major}.{minor // 10}", unavailable
    )


def raise_faults(device: int | None = None) -> None:
    """Waits for a device and raises the first fault its kernels met since the last time.

    Outputs of the faulty call are undefined. Later faults than the first are not recorded.

    Args:
        device: number of the device; None for all.

    Raises:
        KernelError: as the CPU would have raised it: kind, item and byte.
        BackendUnavailableError: there is no device.
    """
    module = _registry.require_cuda()
    for index in range(int(module.device_count())) if device is None else [device]:
        module.raise_faults(index)
