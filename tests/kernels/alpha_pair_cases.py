"""What every kernel that compares mattes must do with its arguments."""

import numpy as np
import pytest

from refpix.errors import KernelError

BAD = [
    (0, np.nan, "pred_not_finite"),
    (0, np.inf, "pred_not_finite"),
    (0, 1.01, "pred_out_of_range"),
    (1, -0.01, "gt_out_of_range"),
    (1, -np.inf, "gt_not_finite"),
    (2, 3, "trimap_out_of_range"),
]


def check_bad_values(kernel, backend, leading=(3,)):
    """The lowest item with a fault is named, and the byte."""
    for which, value, fault in BAD:
        arrays = [
            np.zeros((*leading, 4, 70), dtype) for dtype in (np.float32, np.float32, np.uint8)
        ]
        maps = arrays[which].reshape(-1, 4, 70)
        maps[1, 2, 66] = value
        maps[1, 3, 0] = value
        with pytest.raises(KernelError) as error:
            kernel(*arrays[:2], trimap=arrays[2], num_threads=2, backend=backend)
        assert error.value.fault == fault
        assert error.value.item == 1
        assert error.value.position == (2 * 70 + 66) * arrays[which].itemsize


def check_slack(kernel, backend, leading=(1,)):
    """Half a grey level beyond the range is rounding."""
    pred = np.full((*leading, 3, 9), 1 + 1 / 512, np.float32)
    gt = np.full_like(pred, -1 / 512)
    kernel(pred, gt, backend=backend)


def check_wrong_arrays(kernel, leading=(2,)):
    """Types and shapes are refused by name."""
    a = np.zeros((*leading, 4, 6), np.float32)
    t = np.zeros(a.shape, np.uint8)
    with pytest.raises(TypeError, match="pred: expected dtype float32"):
        kernel(a.astype(np.float64), a)
    with pytest.raises(TypeError, match="gt: expected dtype float32"):
        kernel(a, t)
    with pytest.raises(TypeError, match="trimap: expected dtype uint8"):
        kernel(a, a, trimap=a)
    with pytest.raises(TypeError, match="NumPy"):
        kernel(a.tolist(), a)
    with pytest.raises(ValueError, match="dimensions"):
        kernel(a[0], a[0])
    with pytest.raises(ValueError, match="gt: expected shape"):
        kernel(a, a[..., :5].copy())
    with pytest.raises(ValueError, match="trimap: expected shape"):
        kernel(a, a, trimap=t[..., :3, :].copy())
    with pytest.raises(ValueError, match="contiguous"):
        kernel(a[..., ::2], a[..., ::2])
    with pytest.raises(ValueError, match="must have pixels"):
        kernel(a[..., :0].copy(), a[..., :0].copy())
