"""One call per metric: a batch's score, without an object to keep."""

from __future__ import annotations

import numpy.typing as npt

from refpix.metrics import matting
from refpix.metrics._mattes import Region
from refpix.metrics.box import Protocol

__all__ = ["conn", "dtssd", "grad", "mad", "messddt", "mse", "sad"]


def _score(
    metric: type[matting.MattingMetric],
    arguments: tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike | None],
    protocol: Protocol,
    region: Region,
    num_threads: int,
) -> float:
    return metric(protocol=protocol, region=region).update(*arguments, num_threads=num_threads)


def sad(
    pred: npt.ArrayLike,
    gt: npt.ArrayLike,
    trimap: npt.ArrayLike | None = None,
    *,
    protocol: Protocol = "paper",
    region: Region = "whole",
    num_threads: int = 1,
) -> float:
    """Sum of absolute differences of one batch.

    See `refpix.metrics.matting.SAD` and its `update`.
    """
    return _score(matting.SAD, (pred, gt, trimap), protocol, region, num_threads)


def mad(
    pred: npt.ArrayLike,
    gt: npt.ArrayLike,
    trimap: npt.ArrayLike | None = None,
    *,
    protocol: Protocol = "paper",
    region: Region = "whole",
    num_threads: int = 1,
) -> float:
    """Mean absolute difference of one batch.

    See `refpix.metrics.matting.MAD` and its `update`.
    """
    return _score(matting.MAD, (pred, gt, trimap), protocol, region, num_threads)


def mse(
    pred: npt.ArrayLike,
    gt: npt.ArrayLike,
    trimap: npt.ArrayLike | None = None,
    *,
    protocol: Protocol = "paper",
    region: Region = "whole",
    num_threads: int = 1,
) -> float:
    """Mean squared difference of one batch.

    See `refpix.metrics.matting.MSE` and its `update`.
    """
    return _score(matting.MSE, (pred, gt, trimap), protocol, region, num_threads)


def grad(
    pred: npt.ArrayLike,
    gt: npt.ArrayLike,
    trimap: npt.ArrayLike | None = None,
    *,
    protocol: Protocol = "paper",
    region: Region = "whole",
    num_threads: int = 1,
) -> float:
    """Gradient error of one batch.

    See `refpix.metrics.matting.Grad` and its `update`.
    """
    return _score(matting.Grad, (pred, gt, trimap), protocol, region, num_threads)


def conn(
    pred: npt.ArrayLike,
    gt: npt.ArrayLike,
    trimap: npt.ArrayLike | None = None,
    *,
    protocol: Protocol = "paper",
    region: Region = "whole",
    num_threads: int = 1,
) -> float:
    """Connectivity error of one batch.

    See `refpix.metrics.matting.Conn` and its `update`.
    """
    return _score(matting.Conn, (pred, gt, trimap), protocol, region, num_threads)


def dtssd(
    pred: npt.ArrayLike,
    gt: npt.ArrayLike,
    trimap: npt.ArrayLike | None = None,
    *,
    protocol: Protocol = "paper",
    region: Region = "whole",
    num_threads: int = 1,
) -> float:
    """Difference of changes in time of one clip.

    See `refpix.metrics.matting.dtSSD` and its `update`.
    """
    return _score(matting.dtSSD, (pred, gt, trimap), protocol, region, num_threads)


def messddt(
    pred: npt.ArrayLike,
    gt: npt.ArrayLike,
    trimap: npt.ArrayLike | None = None,
    *,
    protocol: Protocol = "paper",
    region: Region = "whole",
    num_threads: int = 1,
) -> float:
    """Change of errors along the motion of one clip.

    See `refpix.metrics.matting.MESSDdt` and its `update`.
    """
    return _score(matting.MESSDdt, (pred, gt, trimap), protocol, region, num_threads)
