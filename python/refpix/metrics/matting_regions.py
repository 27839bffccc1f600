"""Regions of mattes: trimaps and transition maps, in the published variants."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from refpix import kernels

__all__ = ["dilated_changes", "temporal_transition", "transition", "trimap"]


def _planes(alpha: npt.ArrayLike, name: str) -> npt.NDArray[Any]:
    """As float32 or uint8 (n, H, W)."""
    array = np.asarray(alpha)
    if array.ndim < 2 or 0 in array.shape[-2:]:
        raise ValueError(f"{name}: expected (..., height, width), got {array.shape}")
    if array.dtype.kind not in "fu" or (array.dtype.kind == "u" and array.dtype != np.uint8):
        raise TypeError(f"{name}: expected floating point or uint8, got {array.dtype}")
    dtype = np.uint8 if array.dtype == np.uint8 else np.float32
    return np.ascontiguousarray(array, dtype).reshape(-1, *array.shape[-2:])


def trimap(
    alpha: npt.ArrayLike, *, size: int = 25, iterations: int = 1, num_threads: int = 1
) -> npt.NDArray[np.uint8]:
    """Trimaps of mattes as the published loaders make them.

    Args:
        alpha: floating point in 0..1, or uint8 in 0..255, (..., H, W).
        size: of OpenCV's ellipse, pixels.
        iterations: how often it is applied.
        num_threads: threads to use at most.

    Returns:
        uint8, like ``alpha``: 2 foreground (above one half), 1 transition, 0 background.

    Source: MaGGIe, maggie/dataloader/him.py; see :func:`refpix.kernels.trimap_from_alpha`.
    """
    made = kernels.trimap_from_alpha(
        _planes(alpha, "alpha"), size=size, iterations=iterations, num_threads=num_threads
    )
    return made.reshape(np.shape(alpha))


def _marked(
    made: npt.NDArray[np.uint8],
    alpha: npt.NDArray[Any],
    masks: npt.ArrayLike | None,
    enlarge: bool | None,
) -> npt.NDArray[np.uint8]:
    """With pixels set where a mask disagrees with the matte; both count to 255."""
    if masks is None:
        return made
    given = np.asarray(masks)
    if enlarge if enlarge is not None else given.shape[-1] != alpha.shape[-1]:
        given = given.repeat(8, axis=-1).repeat(8, axis=-2)
    if given.shape != alpha.shape:
        raise ValueError(
            f"masks: {given.shape} (enlarged) is not the shape of alpha, {alpha.shape}"
        )
    made[(alpha > 127) != (given == 255)] = 1
    return made


def transition(
    alpha: npt.ArrayLike,
    masks: npt.ArrayLike | None = None,
    *,
    size: int = 25,
    iterations: int = 1,
    num_threads: int = 1,
) -> npt.NDArray[np.uint8]:
    """Where mattes change within an ellipse.

    Args:
        alpha: floating point or uint8 (..., H, W).
        masks: 0 and 255, like ``alpha`` or an eighth of its size: pixels where they disagree with
            ``alpha > 127`` are set too. As published, mattes in 0..1 are never above 127.
        size: of OpenCV's ellipse, pixels.
        iterations: how often it is applied.
        num_threads: threads to use at most.

    Returns:
        uint8, like ``alpha``, values {0, 1}.

    Source: MaGGIe, maggie/dataloader/utils.py (gen_transition_gt).
    """
    array = np.asarray(alpha)
    regions = trimap(array, size=size, iterations=iterations, num_threads=num_threads)
    return _marked((regions == 1).astype(np.uint8), array, masks, None)


def temporal_transition(
    alpha: npt.ArrayLike,
    masks: npt.ArrayLike | None = None,
    *,
    size: int = 25,
    iterations: int = 1,
    num_threads: int = 1,
) -> npt.NDArray[np.uint8]:
    """As `transition`, but after the first frame only where the matte grew by more than 1/255.

    Args:
        alpha: floating point in 0..1, (T, ..., H, W), frames first.
        masks: an eighth of the size of ``alpha``, see `transition`.
        size: of OpenCV's ellipse, pixels.
        iterations: how often it is applied.
        num_threads: threads to use at most.

    Returns:
        uint8, like ``alpha``, values {0, 1}.

    Source: MaGGIe, maggie/dataloader/utils.py (gen_transition_temporal_gt).
    """
    array = np.asarray(alpha)
    if array.dtype.kind != "f":
        raise TypeError(f"alpha: expected floating point, got {array.dtype}")
    made = transition(array, size=size, iterations=iterations, num_threads=num_threads)
    made[1:][~(array[1:] - array[:-1] > array.dtype.type(1 / 255))] = 0
    return _marked(made, array, masks, True)


def dilated_changes(
    changes: npt.ArrayLike, *, size: int = 25, iterations: int = 1, num_threads: int = 1
) -> npt.NDArray[np.uint8]:
    """Maps of changed pixels, dilated.

    Args:
        changes: uint8 (..., H, W), values {0, 255}.
        size: of OpenCV's ellipse, pixels.
        iterations: how often it is applied.
        num_threads: threads to use at most.

    Returns:
        uint8, like ``changes``.

    Raises:
        ValueError: another value than 0 and 255.

    Source: MaGGIe, maggie/dataloader/utils.py (gen_diff_mask).
    """
    array = np.asarray(changes)
    if array.dtype != np.uint8:
        raise TypeError(f"changes: expected uint8, got {array.dtype}")
    if ((array != 0) & (array != 255)).any():
        raise ValueError("changes: expected 0 and 255 only")
    made = trimap(array, size=size, iterations=iterations, num_threads=num_threads)
    dilated: npt.NDArray[np.uint8] = np.where(made > 0, np.uint8(255), np.uint8(0))
    return dilated
