import numpy as np
import pytest

from refpix.kernels import (
    alpha_errors,
    balanced_select,
    confusion_matrix,
    label_zoom,
    rle_area,
)


def misaligned(values):
    """The same numbers, C-contiguous, one byte off where a processor wants them."""
    room = np.empty(values.nbytes + 1, np.uint8)[1:]
    room[:] = np.frombuffer(values.tobytes(), np.uint8)
    moved = room.view(values.dtype).reshape(values.shape)
    assert moved.flags.c_contiguous
    assert not moved.flags.aligned
    return moved


def test_numbers_at_odd_addresses_are_refused():
    maps, labels = np.zeros((1, 3, 5), np.float32), np.zeros((3, 5), np.int32)
    offsets, sizes = np.array([0, 1]), np.array([[3, 5]])
    refused = pytest.raises(ValueError, match="must be aligned")
    with refused:
        alpha_errors(misaligned(maps), maps, backend="cpu")
    with refused:
        alpha_errors(maps, misaligned(maps), backend="cpu")
    with refused:
        confusion_matrix(labels, misaligned(labels), num_labels=3, ignore=-1, backend="cpu")
    with refused:
        rle_area(np.array([15], np.uint32), misaligned(offsets), sizes, backend="cpu")
    with refused:
        rle_area(misaligned(np.array([15], np.uint32)), offsets, sizes, backend="cpu")
    vectors = np.ones((4, 3), np.float32)
    with refused:
        balanced_select(misaligned(vectors), np.arange(4), np.array([0, 4]), count=2, backend="cpu")
    with refused:
        label_zoom(
            misaligned(np.zeros(4, np.int16)), np.array([0, 4]), np.array([[2, 2]]),
            out_size=(3, 3), backend="cpu",
        )  # fmt: skip


def test_bytes_and_empty_arrays_lie_anywhere():
    area = rle_area(
        np.frombuffer(b"", np.uint32), np.zeros(1, np.int64), np.empty((0, 2), np.int64)
    )
    assert area.shape == (0,)
