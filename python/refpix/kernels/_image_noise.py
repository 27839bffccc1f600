"""Normal noise that depends on seed, item and place alone."""

from __future__ import annotations

import functools
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.errors import KernelError
from refpix.kernels._registry import Backend, kernel

_MOST_SIGMA = 1e6
_MULTIPLIERS = np.array([0xD2511F53, 0xCD9E8D57], np.uint64)
_WEYL = np.array([0x9E3779B9, 0xBB67AE85], np.uint64)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def philox(seed: int, item: int, blocks: int) -> npt.NDArray[np.uint32]:
    """Philox4x32-10 with the seed as key and (block, item) as counter: (blocks, 4)."""
    key = np.array([seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF], np.uint64)
    counter = np.zeros((4, blocks), np.uint64)
    counter[0], counter[1] = np.arange(blocks) & 0xFFFFFFFF, np.arange(blocks) >> 32
    counter[2], counter[3] = item & 0xFFFFFFFF, item >> 32 & 0xFFFFFFFF
    for _ in range(10):
        first, second = counter[0] * _MULTIPLIERS[0], counter[2] * _MULTIPLIERS[1]
        counter = np.stack(
            [
                second >> _HALF ^ counter[1] ^ key[0],
                second & _LOW,
                first >> _HALF ^ counter[3] ^ key[1],
                first & _LOW,
            ]
        )
        key = key + _WEYL & _LOW
    return np.ascontiguousarray(counter.T, np.uint32)


@functools.cache
def _nodes() -> npt.NDArray[np.int64]:
    """Quantiles in units of 2**-16; node 16 e + k is where the tail has 2**e (1 + k / 16) parts."""
    parts = [2.0**e * (1 + k / 16) for e in range(16) for k in range(16)][:242]
    quantiles = [NormalDist().inv_cdf((part - 0.5) / 65536) for part in parts]
    return np.array([round(-65536 * quantile) for quantile in quantiles])


def normals(bits: npt.NDArray[np.uint16]) -> npt.NDArray[np.int64]:
    """Normal numbers of 16 random bits each, in units of 2**-16."""
    parts = (bits.astype(np.int64) & 0x7FFF) + 1
    octave = np.floor(np.log2(parts)).astype(np.int64)
    rest = (parts << 15 - octave) - (1 << 15)  # behind the octave's beginning, of 2**15
    node, between = 16 * octave + (rest >> 11), rest & 0x7FF
    low = _nodes()[node]
    size = low + ((_nodes()[node + 1] - low) * between >> 11)
    signed: npt.NDArray[np.int64] = np.where(bits >> 15 == 1, -size, size)
    return signed


@kernel
def image_noise(
    images: npt.NDArray[np.uint8],
    sigmas: npt.NDArray[np.float32] | npt.NDArray[np.float64],
    keys: npt.NDArray[np.int64],
    *,
    out: npt.NDArray[np.uint8] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.uint8]:
    """Add normal noise to each picture of a batch.

    Every byte has a normal number of its own, which depends on seed, id and the byte's place in its
    picture, and on nothing else: not on the batch, threads, or where it is computed. The sum is
    rounded to nearest, halves up, and clipped. Numbers have 16 random bits, so none exceeds 4.33
    sigma; otherwise their distribution is within 0.0003 sigma of the normal one.

    Args:
        images: uint8 (n, H, W) or (n, H, W, C), C-contiguous.
        sigmas: float32 or float64 (n,), standard deviations in levels, 0 to 1e6.
        keys: int64 (n, 2), seed and id of each picture, of any value; the same pair gives the same
            noise.
        out: optional array like ``images`` to fill, on other memory.
        num_threads: threads to use at most.
        backend: which implementation; all agree to the bit. ``cuda``: one pass, nothing is waited
            for.

    Returns:
        uint8, like ``images``.

    Raises:
        KernelError: a sigma that is not finite (``augment_not_finite``) or out of its range
            (``augment_out_of_range``); names the item.

    Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11 (Philox4x32-10).
    """
    result = np.empty_like(images) if out is None else out
    for item, sigma in enumerate(sigmas.tolist()):
        if not np.isfinite(sigma):
            raise KernelError("augment_not_finite", item)
        if not 0 <= sigma <= _MOST_SIGMA:
            raise KernelError("augment_out_of_range", item)
    for item, (seed, number) in enumerate(keys.tolist()):
        size = images[item].size
        bits: Any = philox(seed, number, -(-size // 8)).view(np.uint16).reshape(-1)[:size]
        scale = np.float32(float(sigmas[item]) / 65536)
        noise = normals(bits).astype(np.float32) * scale
        total = images[item].reshape(-1).astype(np.float32) + np.float32(0.5) + noise
        result[item] = total.clip(0, 255).astype(np.uint8).reshape(images[item].shape)
    return result
