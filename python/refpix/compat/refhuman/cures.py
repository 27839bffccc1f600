"""What the published program does oddly, and may be told not to."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["Cures"]


@dataclass(frozen=True)
class Cures:
    """One switch per quirk; all off is what the published program does.

    Attributes:
        palette_colours: pictures with a palette are shown in its colours. (Published: the indices
            are taken for gray.)
        filter_together: masks and scribbles of people whose box is empty, or empty after a crop,
            go with the rest of them. (Published: they stay, so that counts differ.)
        hide_cropped_keypoints: keypoints that a crop cuts off become unlabelled, (0, 0, 0).
            (Published: they are moved to the edge and stay labelled.)
        keep_unlabelled_at_zero: a flip leaves unlabelled keypoints at (0, 0). (Published: they
            move to the other side.)
        flip_whole_words: a flip exchanges the words "left" and "right" in any case. (Published:
            these letters anywhere, in lower case only: "bright" becomes "bleft".)
        area_of_mask: the area after a crop is that of what is left of the mask. (Published: of
            the box.)
        round_long_side: the long side is rounded when a picture is resized. (Published: cut off,
            so that it is 639 at times.)
        keep_scribble_axis: a single person's scribble is (1, 12, 2). (Published: (12, 2).)
        empty_caption: a record without caption has the caption "". (Published: "ssssss".)
    """

    palette_colours: bool = False
    filter_together: bool = False
    hide_cropped_keypoints: bool = False
    keep_unlabelled_at_zero: bool = False
    flip_whole_words: bool = False
    area_of_mask: bool = False
    round_long_side: bool = False
    keep_scribble_axis: bool = False
    empty_caption: bool = False

    @classmethod
    def all(cls) -> Cures:
        """Every quirk cured."""
        return cls(**{field.name: True for field in fields(cls)})
