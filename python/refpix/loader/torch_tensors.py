"""The few places where a batch meets torch. Imported only when tensors are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.utils.dlpack

__all__ = ["as_tensor", "cuda_available", "from_dlpack", "pinned_empty"]


def cuda_available() -> bool:
    """Whether torch sees a CUDA device."""
    return torch.cuda.is_available()


def pinned_empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """As ``np.empty``, in page-locked memory, which copies to a device without waiting."""
    count = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    memory: npt.NDArray[Any] = torch.empty(count, dtype=torch.uint8, pin_memory=True).numpy()
    return memory.view(dtype).reshape(shape)


def as_tensor(images: npt.NDArray[Any], dtype: str) -> torch.Tensor:
    """A tensor over the same memory; uint16 bit patterns become bfloat16."""
    if dtype == "bfloat16":  # torch reads int16 everywhere, uint16 not
        return torch.from_numpy(images.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(images)


def from_dlpack(tensor: Any, *, copy: bool) -> torch.Tensor:
    """A tensor over the memory of another library's, wherever that lies, or a copy of it."""
    shared: torch.Tensor = torch.utils.dlpack.from_dlpack(tensor)
    return shared.clone() if copy else shared
