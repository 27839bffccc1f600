"""What ``Loader(device=...)`` means here."""

from __future__ import annotations

from typing import Any

from refpix import cuda
from refpix.errors import BackendUnavailableError

__all__ = ["device_number"]


def device_number(device: Any) -> int | None:
    """The number of the CUDA device that is meant, None for the CPU.

    Args:
        device: None or ``"cpu"``; ``"cuda"`` for torch's current one, ``"cuda:1"`` or 1; a
            ``torch.device``; ``"auto"`` for ``"cuda"`` where that can be used, else ``"cpu"``.

    Raises:
        BackendUnavailableError: a device was asked for, and CUDA cannot be used; says why.
        ValueError: it is no device, or there is none of this number.
    """
    name = "cpu" if device is None else f"cuda:{device}" if isinstance(device, int) else str(device)
    kind, colon, number = name.partition(":")
    if kind not in ("cpu", "cuda", "auto") or (colon and not number.isdecimal()):
        raise ValueError(f"device={device!r}: expected 'cpu', 'cuda', 'cuda:<number>' or 'auto'")
    if kind == "cpu":
        return None
    why = _unavailable()
    if why and kind == "auto":
        return None
    if why:
        raise BackendUnavailableError(f"device={device!r}: {why}")
    if not number:
        from refpix.loader.torch_side_stream import current_device

        return current_device()
    if int(number) >= cuda.device_count():
        raise ValueError(f"device={device!r}: there are {cuda.device_count()} devices")
    return int(number)


def _unavailable() -> str:
    why = cuda.build_info().unavailable
    if why:
        return why
    try:
        from refpix.loader.torch_side_stream import unavailable
    except ModuleNotFoundError:
        return "device memory is torch's, which is not installed: pip install 'refpix[torch]'"
    return unavailable()
