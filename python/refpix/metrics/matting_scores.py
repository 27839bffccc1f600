"""All matting metrics of a dataset at once, each pass over the pixels made once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy.typing as npt

from refpix.metrics import _mattes
from refpix.metrics._mattes import REGIONS, Mattes, Region
from refpix.metrics.box import Protocol, check_protocol
from refpix.metrics.matting import MAD, MATTING_METRICS, MSE, SAD, MattingMetric

__all__ = ["CLIP_METRICS", "MAP_METRICS", "MattingScores", "published_batches"]

#: Metrics of single maps, and those of clips.
MAP_METRICS = ("SAD", "MAD", "MSE", "Grad", "Conn")
CLIP_METRICS = ("dtSSD", "MESSDdt")

_SAME_SUMS = (SAD, MAD, MSE)


class MattingScores:
    """Matting metrics by region, gathered picture by picture or clip by clip.

    Here ``"whole"`` is all pixels under both protocols, as the published evaluation has it.

    Attributes:
        metrics: ``metrics[name][region]``.
    """

    def __init__(
        self,
        names: Sequence[str] = MAP_METRICS,
        *,
        protocol: Protocol = "paper",
        regions: Sequence[Region] = ("whole",),
    ) -> None:
        check_protocol(protocol)
        unknown = [name for name in names if name not in MATTING_METRICS]
        if unknown:
            raise ValueError(f"metrics: expected {', '.join(MATTING_METRICS)}, got {unknown[0]!r}")
        self.protocol: Protocol = protocol
        self.metrics: dict[str, dict[Region, MattingMetric]] = {
            name: {
                region: MATTING_METRICS[name](protocol=protocol, region=region)
                for region in regions
            }
            for name in names
        }

    def _update(self, names: Sequence[str], mattes: Mattes, num_threads: int) -> None:
        shared = None
        for name in names:
            kind = MATTING_METRICS[name]
            if kind in _SAME_SUMS and shared is not None:
                sums = shared
            else:
                sums = kind.sums(mattes, self.protocol, num_threads)
            if kind in _SAME_SUMS:
                shared = sums
            for region, metric in self.metrics[name].items():
                labels = _mattes.region_labels(region, mattes, REGIONS["whole"])
                metric.add(metric.reduce(sums, labels))

    def update(
        self,
        pred: npt.ArrayLike,
        gt: npt.ArrayLike,
        trimap: npt.ArrayLike | None = None,
        *,
        num_threads: int = 1,
    ) -> None:
        """Adds maps (..., H, W) to the metrics of single maps; see `MattingMetric.update`."""
        mattes = _mattes.as_mattes(pred, gt, trimap)
        self._update([n for n in self.metrics if n in MAP_METRICS], mattes, num_threads)

    def update_clip(
        self,
        pred: npt.ArrayLike,
        gt: npt.ArrayLike,
        trimap: npt.ArrayLike | None = None,
        *,
        num_threads: int = 1,
    ) -> None:
        """Adds a clip (T, n, H, W), of two frames or more, to the metrics of clips."""
        mattes = _mattes.as_mattes(pred, gt, trimap)
        if len(mattes.pred) > 1:
            self._update([n for n in self.metrics if n in CLIP_METRICS], mattes, num_threads)

    def merge(self, other: MattingScores) -> None:
        """Adds what another process gathered; ValueError when it measured something else."""
        mine = {(n, r) for n, regions in self.metrics.items() for r in regions}
        if mine != {(n, r) for n, regions in other.metrics.items() for r in regions}:
            raise ValueError("merge: metrics or regions differ")
        for name, regions in self.metrics.items():
            for region, metric in regions.items():
                metric.merge(other.metrics[name][region])

    def averages(self) -> dict[str, dict[Region, float]]:
        """``averages()[name][region]``, NaN where nothing counted."""
        return {
            name: {
                region: metric.average() if metric.count else float("nan")
                for region, metric in regions.items()
            }
            for name, regions in self.metrics.items()
        }


def published_batches(frames: int) -> tuple[list[slice], list[slice]]:
    """How the published evaluation cuts a video: frames of single maps, and of clips.

    Its network sees three frames, moved on by one. Frames are scored one by one, but the last
    three together, which matters to Grad; clips are pairs, but the last is of four frames.

    Args:
        frames: of the video.

    Returns:
        Slices for `MattingScores.update` and for `MattingScores.update_clip`. The published code
        fails on four frames and takes no clip of three; here they are one clip.

    Source: MaGGIe, maggie/engine/test.py (eval_video).
    """
    ahead = max(frames - 3, 0)
    maps = [slice(i, i + 1) for i in range(ahead)] + [slice(ahead, frames)]
    first = max(frames - 4, 0)
    clips = [slice(i, i + 2) for i in range(first)] + [slice(first, frames)]
    return maps, clips
