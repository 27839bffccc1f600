"""What a RefHCM row asks of the model and what it shall answer, before and after a tokenizer.

This is the one module to import from: the text fields of ``refhcm_text`` and the numbers and
tokens of ``refhcm_tokens`` are exported from here as well. NumPy only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from refpix.datasets import refhcm_text, refhcm_tokens
from refpix.datasets.refhcm_text import *  # noqa: F403
from refpix.datasets.refhcm_text import (
    HOI_ACTIONS,
    HOI_OBJECTS,
    NO_TEXT,
    PROMPTS,
    Interaction,
    pre_caption,
)
from refpix.datasets.refhcm_tokens import *  # noqa: F403
from refpix.datasets.refhcm_tokens import (
    BOS,
    EOS,
    PAD,
    PARSING_BEGIN,
    PARSING_END,
    PARSING_QUERIES,
    bin_ids,
    box_tokens,
    code_ids,
    code_tokens,
)

__all__ = [
    *refhcm_text.__all__,
    *refhcm_tokens.__all__,
    "Encode",
    "Piece",
    "Targets",
    "full_mask_ids",
    "hoi_targets",
    "rec_targets",
    "rhrc_targets",
    "rkpt_targets",
    "rpar_full_mask_targets",
    "rpar_targets",
]

Ints = npt.NDArray[np.int64]
#: Token ids of words; a tokenizer's and a dictionary's work in one.
Encode = Callable[[str], Sequence[int]]


class Piece(NamedTuple):
    """A stretch of a line of tokens.

    Attributes:
        text: words for the tokenizer, or ``<bin_..>``/``<code_..>`` tokens between blanks.
        words: whether the tokenizer has still to encode it.
    """

    text: str
    words: bool


@dataclass(frozen=True)
class Targets:
    """What a row asks of the model, before any tokenizer.

    Attributes:
        source: the question.
        target: the answer.
        previous: what the decoder is fed where that is not the answer (full mask).
        pad_at: place in the answer's ids where a padding id is slipped in, or None.
    """

    source: tuple[Piece, ...]
    target: tuple[Piece, ...]
    previous: tuple[Piece, ...] | None = None
    pad_at: int | None = None

    @property
    def source_text(self) -> str:
        """The question as one line, words in plain."""
        return " ".join(piece.text for piece in self.source)

    @property
    def target_text(self) -> str:
        """The answer as one line, words in plain."""
        return " ".join(piece.text for piece in self.target)

    def source_ids(self, encode: Encode, *, num_bins: int = 1000) -> Ints:
        """Begin, question, end.

        Args:
            encode: token ids of words.
            num_bins: bins of the vocabulary.
        """
        return _line_ids(self.source, encode, num_bins, before=[BOS], after=[EOS])

    def target_ids(self, encode: Encode | None = None, *, num_bins: int = 1000) -> Ints:
        """Answer, end.

        Args:
            encode: token ids of words; answers of rec and rpar have none.
            num_bins: bins of the vocabulary.

        Raises:
            ValueError: there are words, but no ``encode``.
        """
        ids = _line_ids(self.target, encode, num_bins, after=[EOS])
        return ids if self.pad_at is None else np.insert(ids, self.pad_at, PAD)

    def previous_ids(self, encode: Encode | None = None, *, num_bins: int = 1000) -> Ints:
        """Begin, answer: the decoder's input. Arguments and errors as in ``target_ids``."""
        line = self.target if self.previous is None else self.previous
        return _line_ids(line, encode, num_bins, before=[BOS])


def _line_ids(
    line: Iterable[Piece],
    encode: Encode | None,
    num_bins: int,
    *,
    before: Sequence[int] = (),
    after: Sequence[int] = (),
) -> Ints:
    ids = [*before]
    for piece in line:
        if not piece.words:
            ids += (_token_id(token, num_bins) for token in piece.text.split())
        elif encode is None:
            raise ValueError(f"words need a tokenizer: {piece.text!r}")
        else:
            ids += encode(piece.text)
    return np.array([*ids, *after], dtype=np.int64)


def _token_id(token: str, num_bins: int) -> int:
    kind, number = token[1:-1].split("_")
    return int(bin_ids(int(number), num_bins) if kind == "bin" else code_ids(int(number)))


def rec_targets(
    text: str, bins: Sequence[int], *, prompt: str = PROMPTS["rec"], max_words: int | None = 80
) -> Targets:
    """Referring expression comprehension: a text, where is it?

    Args:
        text: the raw expression.
        bins: the four of the box.
        prompt: the question around the text.
        max_words: of the expression.
    """
    return Targets(_asked(text, prompt, max_words), (Piece(box_tokens(bins), False),))


def rkpt_targets(
    text: str,
    bins: Sequence[int],
    keypoints: Sequence[tuple[str, int, int]],
    *,
    prompt: str = PROMPTS["rkpt"],
    max_words: int | None = 80,
) -> Targets:
    """Referring keypoints: the box, then name, x and y of each visible point.

    Args:
        text: the raw expression.
        bins: the four of the box.
        keypoints: as ``keypoint_bins`` gives them.
        prompt: the question around the text.
        max_words: of the expression.
    """
    points = [
        piece
        for name, x, y in keypoints
        for piece in (Piece(f" {name}", True), Piece(box_tokens((x, y)), False))
    ]
    # Without a visible point the published line still ends in the blank before the points.
    points = points or [Piece("", False)]
    return Targets(_asked(text, prompt, max_words), (Piece(box_tokens(bins), False), *points))


def rpar_targets(
    text: str,
    bins: Sequence[int],
    codes: Sequence[int],
    *,
    prompt: str = PROMPTS["rpar"],
    max_words: int | None = 80,
    condition_on_box: bool = True,
) -> Targets:
    """Referring parsing: the box, then the codes.

    Args:
        text: the raw expression.
        bins: the four of the box.
        codes: of the parsing map.
        prompt: the question around the text.
        max_words: of the expression.
        condition_on_box: ask about the box where the text is exactly "None". Off in the
            multi-task mixture, which asks about the word.
    """
    if condition_on_box and text == NO_TEXT:
        source = _asked_about_box(bins, prompt)
    else:
        source = _asked(text, prompt, max_words)
    return Targets(source, (Piece(box_tokens(bins), False), Piece(code_tokens(codes), False)))


def rpar_full_mask_targets(
    text: str,
    bins: Sequence[int],
    codes: Sequence[int],
    *,
    prompt: str = PROMPTS["rpar_full_mask"],
    max_words: int | None = 80,
) -> Targets:
    """Referring parsing with all codes at once; arguments as in ``rpar_targets``."""
    begin = Piece(box_tokens(bins), False), Piece(code_tokens([PARSING_BEGIN]), False)
    queries = Piece(code_tokens([*PARSING_QUERIES, PARSING_END]), False)
    return Targets(
        _asked(text, prompt, max_words),
        (*begin, Piece(code_tokens(codes), False)),
        previous=(*begin, queries),
        pad_at=5,
    )


def full_mask_ids(
    bins: npt.ArrayLike, codes: npt.ArrayLike, num_bins: int = 1000
) -> tuple[Ints, Ints]:
    """The layout of parallel parsing: all codes are predicted at once from 48 queries.

    Args:
        bins: int64 (4,) of the box.
        codes: int64 (k,), 48 as shipped.
        num_bins: bins of the vocabulary.

    Returns:
        target: four bins, ``<code_40>``, padding, the codes, end: int64 (k + 7,).
        previous: begin, four bins, ``<code_40>``, the queries, ``<code_41>``: int64 (55,).

    Source: RefHCM, data/mm_data/rpar_dataset_full_mask.py.
    """
    targets = rpar_full_mask_targets("", np.asarray(bins).tolist(), np.asarray(codes).tolist())
    return targets.target_ids(num_bins=num_bins), targets.previous_ids(num_bins=num_bins)


def rhrc_targets(caption: str, bins: Sequence[int], *, prompt: str = PROMPTS["rhrc"]) -> Targets:
    """Region captioning: a box, what is there?

    Args:
        caption: the answer, as ``region_caption_target`` gives it.
        bins: the four of the box.
        prompt: the question around the box.
    """
    return Targets(_asked_about_box(bins, prompt), (Piece(f" {caption}", True),))


def hoi_targets(
    bins: Sequence[Sequence[int]],
    interactions: Sequence[Interaction],
    *,
    prompt: str = PROMPTS["hoi"],
) -> Targets:
    """Human-object interaction: what does the person in the box do, with what, and where?

    Args:
        bins: (1 + n, 4), of the person and of each interaction's object.
        interactions: n, as ``parse_actions`` gives them.
        prompt: the question around the person's box.

    Raises:
        IndexError: a label outside the tables (negative ones count from the end).
    """
    answer: list[Piece] = []
    for interaction, box in zip(interactions, bins[1:], strict=True):
        answer += [
            Piece(f" {HOI_ACTIONS[interaction.action]}", True),
            Piece(f" {HOI_OBJECTS[interaction.object]}", True),
            Piece(box_tokens(box), False),
            Piece(" ;", True),
        ]
    return Targets(_asked_about_box(bins[0], prompt, lead=" "), tuple(answer))


def _asked(text: str, prompt: str, max_words: int | None) -> tuple[Piece, ...]:
    return (Piece(prompt.format(pre_caption(text, max_words)), True),)


def _asked_about_box(bins: Sequence[int], prompt: str, lead: str = "") -> tuple[Piece, ...]:
    """The prompt word by word, each encoded on its own, the box in place of ``{}``."""
    return tuple(
        Piece(lead + box_tokens(bins), False) if word == "{}" else Piece(f" {word}", True)
        for word in prompt.split()
    )
