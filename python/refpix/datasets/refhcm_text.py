"""The text fields of RefHCM rows: captions, prompts, and lists of numbers.

Pure functions, no arrays but the results. Each does to the last blank what the published
training program does with the same field (RefHCM, data/ofa_dataset.py and data/mm_data/*.py).
"""

from __future__ import annotations

import re
import string
from typing import Final, Literal, NamedTuple

from refpix.types import KEYPOINT_NAMES

__all__ = [
    "HOI_ACTIONS",
    "HOI_OBJECTS",
    "KEYPOINT_NAMES",
    "NO_TEXT",
    "PROMPTS",
    "Interaction",
    "Task",
    "clean_region_caption",
    "parse_actions",
    "parse_box",
    "parse_codes",
    "parse_keypoints",
    "pre_caption",
    "pre_question",
    "region_caption_target",
]

Task = Literal["rec", "rkpt", "rpar", "rpar_full_mask", "rhrc", "hoi"]

#: What the model is asked, per task; ``{}`` is the caption (rhrc, hoi: the four bins of the box).
PROMPTS: Final[dict[Task, str]] = {
    "rec": ' which region does the text " {} " describe?',
    "rkpt": ' which region does the text " {} " describe? Provide the bounding box and keypoints.',
    "rpar": (
        ' which region does the text " {} " describe? Provide the bounding box and the parsing map.'
    ),
    "rpar_full_mask": (
        ' which region does the text " {} " describe? Provide the bounding box and the parsing map.'
    ),
    "rhrc": " what does the region {} describe?",
    "hoi": " what does the person at {} interact with?",
}

#: The text of an RPar row that has no referring expression: the box is the condition instead.
NO_TEXT: Final = "None"

# Joined by "|", for a list of short strings one to a line says less on a screen.
_ACTIONS = (
    "hold obj|sit instr|ride instr|look obj|hit instr|hit obj|eat obj|eat instr|jump instr|"
    "lay instr|talk_on_phone instr|carry obj|throw obj|catch obj|cut instr|cut obj|"
    "work_on_computer instr|ski instr|surf instr|skateboard instr|drink instr|kick obj|read obj|"
    "snowboard instr"
)
_OBJECTS = (
    "background|person|bicycle|car|motorcycle|airplane|bus|train|truck|boat|traffic light|"
    "fire hydrant|stop sign|parking meter|bench|bird|cat|dog|horse|sheep|cow|elephant|bear|zebra|"
    "giraffe|backpack|umbrella|handbag|tie|suitcase|frisbee|skis|snowboard|sports ball|kite|"
    "baseball bat|baseball glove|skateboard|surfboard|tennis racket|bottle|wine glass|cup|fork|"
    "knife|spoon|bowl|banana|apple|sandwich|orange|broccoli|carrot|hot dog|pizza|donut|cake|chair|"
    "couch|potted plant|bed|dining table|toilet|tv|laptop|mouse|remote|keyboard|cell phone|"
    "microwave|oven|toaster|sink|refrigerator|book|clock|vase|scissors|teddy bear|hair drier|"
    "toothbrush"
)

#: V-COCO's actions with the role of the object, by label.
HOI_ACTIONS: Final = tuple(_ACTIONS.split("|"))

#: COCO's categories by label, 0 being the background.
HOI_OBJECTS: Final = tuple(_OBJECTS.split("|"))

_BLANKS = re.compile(r"\s{2,}")
_INDEX_MARKS = re.compile(r"\s*\[\d+(?:, \d+)*\]\s*")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def pre_question(text: str, max_words: int | None = None) -> str:
    """A question as the model sees it.

    Lower case; leading punctuation ``,.!?*#:;~`` gone; ``-`` and ``/`` are blanks; runs of two or
    more whitespace characters (Unicode's) are one blank; no newline or blank at the ends.

    Args:
        text: the raw column.
        max_words: keep so many words, split at single blanks; None keeps all.

    Source: RefHCM, data/ofa_dataset.py (pre_question).
    """
    return _tidy(_lower(text), max_words)


def pre_caption(text: str, max_words: int | None = None) -> str:
    """A referring expression as the model sees it: a question whose ``<person>`` is ``person``.

    Args:
        text: the raw column.
        max_words: keep so many words, split at single blanks; None keeps all.

    Source: RefHCM, data/ofa_dataset.py (pre_caption).
    """
    return _tidy(_lower(text).replace("<person>", "person"), max_words)


def _lower(text: str) -> str:
    return text.lower().lstrip(",.!?*#:;~").replace("-", " ").replace("/", " ")


def _tidy(text: str, max_words: int | None) -> str:
    text = _BLANKS.sub(" ", text).rstrip("\n").strip(" ")
    # A lone tab or newline inside survives the line above and is part of a word here.
    return text if max_words is None else " ".join(text.split(" ")[:max_words])


def clean_region_caption(text: str) -> str:
    """An RHrc caption without its ``[3]`` and ``[1, 2]`` marks, each of them now one blank.

    Source: RefHCM, data/mm_data/rhrc_dataset.py (process_caption).
    """
    return _INDEX_MARKS.sub(" ", text)


def region_caption_target(text: str, *, train: bool, max_words: int) -> str:
    """What the model shall say about a region.

    Args:
        text: the captions column, already free of marks where the caller wants that.
        train: the first ``max_words`` words; else (validation, self-critical training) all
            captions of the column, which ``&&`` separates, without ASCII punctuation.
        max_words: for training only.

    Source: RefHCM, data/mm_data/rhrc_dataset.py (__getitem__).
    """
    words = text.split()
    if train:
        return " ".join(words[:max_words])
    captions = " ".join(words).split("&&")
    return "&&".join(caption.translate(_NO_PUNCTUATION).strip() for caption in captions)


def parse_box(text: str) -> tuple[float, float, float, float]:
    """Four numbers "x0,y0,x1,y1" in pixels.

    Each is read as Python's ``float`` reads it: blanks around, ``+5``, ``1e1``, ``1_0`` and
    full-width digits pass; so do ``nan`` and ``inf``, which ``quantise`` refuses later.

    Raises:
        ValueError: not exactly four, or one is no number.
    """
    fields = text.strip().split(",")
    if len(fields) != 4:
        raise ValueError(f"a box has 4 numbers, here are {len(fields)}: {text[:80]!r}")
    x0, y0, x1, y1 = (float(field) for field in fields)
    return x0, y0, x1, y1


def parse_keypoints(text: str) -> list[float]:
    """Keypoints "x,y,x,y,..." in pixels, as many as there are; (0, 0) is an invisible one.

    Raises:
        ValueError: one of them is no number to Python's ``float``.
    """
    return [float(field) for field in text.strip().split(",")]


def parse_codes(text: str) -> list[int]:
    """Parsing codes "15,31,..."; neither count nor range is checked.

    ``refpix.kernels.parsing_unpack`` does the same for whole batches, and checks on request.

    Raises:
        ValueError: one of them is no integer to Python's ``int``.
    """
    return [int(field) for field in text.strip().split(",")]


class Interaction(NamedTuple):
    """What a person does with an object.

    Attributes:
        action: label into ``HOI_ACTIONS``.
        object: label into ``HOI_OBJECTS``; -1 when there is none.
        box: x0, y0, x1, y1 of the object, in pixels.
    """

    action: int
    object: int
    box: tuple[float, float, float, float]


def parse_actions(text: str) -> list[Interaction]:
    """Interactions "action,object,x0,y0,x1,y1;..." of the HOI files.

    What follows the last ``;`` is not read, and parts that have not exactly six fields are passed
    over, as in the published program.

    Raises:
        ValueError: a part of six fields holds something that is no number.

    Source: RefHCM, data/mm_data/hoi_dataset.py (__getitem__).
    """
    parts = [part.split(",") for part in text.split(";")[:-1]]
    return [
        Interaction(int(action), int(label), (float(x0), float(y0), float(x1), float(y1)))
        for action, label, x0, y0, x1, y1 in (part for part in parts if len(part) == 6)
    ]
