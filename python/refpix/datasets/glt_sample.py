"""What an object of MSCOCO-GLT is, once read."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

__all__ = ["GltSample"]


@dataclass(frozen=True, eq=False)
class GltSample:
    """One object: its crop, class and groups.

    Attributes:
        index: in the dataset.
        key: the object's number in the attribute data, as text; predictions are named by it.
        label: its class, 0 the largest.
        category: the class's name.
        frequency: group of the class: 0 many, 1 medium, 2 few training samples.
        attribute: group of the object among all of its split: 0 usual attributes, 2 unusual.
        score: how usual the attributes are in training; NaN where the annotation does not say.
        file_name: of the crop, relative to the folder of pictures.
        image: uint8 (H, W, 3) RGB; None in a record.
    """

    index: int
    key: str
    label: int
    category: str
    frequency: int
    attribute: int
    score: float
    file_name: str
    image: npt.NDArray[np.uint8] | None = field(default=None, repr=False)
