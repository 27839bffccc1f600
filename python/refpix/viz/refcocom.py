"""Samples of RefCOCO-M, drawn."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from refpix.datasets.refcocom import RefCocoM
from refpix.datasets.refcocom_sample import RefCocoMSample
from refpix.viz.sample import draw_sample
from refpix.viz.sheet import sheet_of

__all__ = ["draw_refcocom", "draw_refcocom_rows"]


def draw_refcocom(
    sample: RefCocoMSample, *, instances: Sequence[int] | None = None, side: int | None = None
) -> Image.Image:
    """Draw a picture with the masks, boxes and sentences of its instances.

    Args:
        sample: a sample.
        instances: which of them; None is all.
        side: as for `draw_sample`.

    Raises:
        RowError: picture or mask cannot be decoded.
        IndexError: no such instance.
    """
    shown = [
        sample.instances[i]
        for i in (range(len(sample.instances)) if instances is None else instances)
    ]
    titles = [" / ".join(instance.sentences) for instance in shown]
    if len(shown) > 1:
        titles = [f"{number}: {title}" for number, title in enumerate(titles, 1)]
    labels = [
        " ".join(filter(None, [str(number) if len(shown) > 1 else "", instance.category or ""]))
        for number, instance in enumerate(shown, 1)
    ]
    return draw_sample(
        Image.fromarray(sample.image),
        box=[instance.box_xyxy.tolist() for instance in shown] or None,
        box_labels=labels,
        masks=[instance.mask for instance in shown],
        text="   ".join(titles) or None,
        note=f"{sample.file_name}, row {sample.row}, id {', '.join(str(i.id) for i in shown)}",
        side=side,
    )


def draw_refcocom_rows(
    dataset: RefCocoM, indices: Sequence[int], *, columns: int | None = None, side: int = 360
) -> Image.Image:
    """Draw pictures of a dataset on one sheet; a bad row is shown as its error.

    Args:
        dataset: the dataset.
        indices: into it.
        columns: of the sheet; None chooses.
        side: longer side of each picture in pixels.

    Raises:
        IndexError: no such picture.
        ValueError: no indices.
    """
    return sheet_of(
        lambda index: draw_refcocom(dataset.sample(index), side=side), indices, columns, side
    )
