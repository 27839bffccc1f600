"""Text that fits: fonts, wrapping, captions and legends."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from refpix.viz.palette import Colour

__all__ = ["caption", "font", "legend", "printable", "text_width", "wrap"]

# Pillow's own font has the Latin letters; for others whatever of these the machine has.
_OTHER_FONTS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansSC-Regular.otf",
    "wqy-microhei.ttc",
    "DroidSansFallbackFull.ttf",
    "DejaVuSans.ttf",
)
_LAST_LATIN = 0x17F
_ELLIPSIS = "..."
_FINE = 2  # strips are drawn this much larger

INK: Colour = (28, 30, 34)
FAINT: Colour = (112, 116, 124)
PAPER: Colour = (255, 255, 255)


@functools.lru_cache(maxsize=64)
def _font(size: int, latin: bool) -> Any:
    for name in ("", *_OTHER_FONTS) if latin else (*_OTHER_FONTS, ""):
        try:
            return ImageFont.truetype(name, size) if name else ImageFont.load_default(size)
        except (OSError, TypeError):  # Pillow before 10.1 has its own font in one size only
            continue
    return ImageFont.load_default()


def font(size: int, text: str = "") -> Any:
    """A font of a size in pixels that can write a text, as far as this machine has one."""
    return _font(size, all(ord(letter) <= _LAST_LATIN for letter in text))


def printable(text: str, face: Any) -> str:
    """The text as one line: without control characters and runs of blanks.

    For Pillow's bitmap font, which knows no other letters, those of Latin-1 alone.
    """
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if isinstance(face, ImageFont.FreeTypeFont):
        return line
    return line.encode("latin-1", "replace").decode("latin-1")


def text_width(text: str, face: Any) -> int:
    """Width of a line in pixels."""
    width: float = face.getlength(text)
    return math.ceil(width)


def wrap(text: str, face: Any, width: int, max_lines: int) -> list[str]:
    """A text as lines of at most a width.

    Breaks at blanks, and within words that are too wide (some scripts have no blanks). What does
    not fit in ``max_lines`` is cut, and an ellipsis says so.

    Args:
        text: any text.
        face: from `font`.
        width: in pixels.
        max_lines: most lines.

    Returns:
        The lines; none for a blank text.
    """
    lines: list[str] = []
    rest = printable(text, face)
    while rest and len(lines) < max_lines:
        line = _first_line(rest, face, width)
        rest = rest[len(line) :].lstrip()
        lines.append(line.rstrip())
    if rest:
        last = lines[-1]
        while last and text_width(last + _ELLIPSIS, face) > width:
            last = last[:-1]
        lines[-1] = last.rstrip() + _ELLIPSIS
    return lines


def _first_line(text: str, face: Any, width: int) -> str:
    """The longest beginning of a text that fits, at least one character."""
    fits, too_long = 1, len(text) + 1
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if text_width(text[:middle].rstrip(), face) <= width:
            fits = middle
        else:
            too_long = middle
    if fits == len(text) or text[fits] == " ":
        return text[:fits]
    blank = text.rfind(" ", 0, fits)
    return text[: blank + 1] if blank > 0 else text[:fits]


def caption(
    text: str | None, note: str | None, width: int, size: int, *, max_lines: int = 3
) -> Image.Image | None:
    """A strip with a wrapped title, and under it a note in gray.

    Args:
        text: the title; None or blank for none.
        note: one line, cut where it does not fit; None or blank for none.
        width: of the strip in pixels.
        size: of the title's letters in pixels.
        max_lines: most lines of the title.

    Returns:
        An RGB picture, None when there is nothing to write.
    """
    strip = _Strip(width, size)
    for words, letters, colour, most in (
        (text or "", strip.size, INK, max_lines),
        (note or "", max(9 * _FINE, round(strip.size * 0.75)), FAINT, 1),
    ):
        face = font(letters, words)
        for line in wrap(words, face, strip.width - 2 * strip.margin, most):
            strip.write(strip.margin, line, face, colour)
            strip.y += round(letters * 1.3)
    return strip.finish()


def legend(entries: Sequence[tuple[str, Colour]], width: int, size: int) -> Image.Image | None:
    """A strip of names, each with a patch of its colour, flowing over as many lines as needed.

    Args:
        entries: name and colour of each.
        width: of the strip in pixels.
        size: of the letters in pixels.

    Returns:
        An RGB picture, None when there are no entries.
    """
    strip = _Strip(width, size)
    x, indent = strip.margin, round(strip.size * 1.35)
    for name, colour in entries:
        face = font(strip.size, name)
        label = printable(name, face)
        wide = indent + text_width(label, face)
        if x > strip.margin and x + wide > strip.width - strip.margin:
            x, strip.y = strip.margin, strip.y + round(strip.size * 1.5)
        strip.patch(x, colour)
        strip.write(x + indent, label, face, INK)
        x += wide + round(strip.size * 0.9)
    if entries:
        strip.y += round(strip.size * 1.4)
    return strip.finish()


class _Strip:
    """White paper to write on from the top, larger than it will be: reducing it smooths letters.

    Attributes:
        width: in pixels of the large one, as all its measures.
        size: of the letters.
        margin: around them.
        y: top of the line that is being written.
    """

    def __init__(self, width: int, size: int) -> None:
        self.width = width * _FINE
        self.size = size * _FINE
        self.margin = self.y = max(4, size // 2) * _FINE
        self._marks: list[Callable[[ImageDraw.ImageDraw], None]] = []

    def write(self, x: int, line: str, face: Any, colour: Colour) -> None:
        """Writes a line of text from x on."""
        at = (x, self.y)
        self._marks.append(lambda draw: draw.text(at, line, fill=colour, font=face))

    def patch(self, x: int, colour: Colour) -> None:
        """Puts a patch as high as the letters at x."""
        top = self.y + self.size // 8
        at = (x, top, x + self.size, top + self.size)
        radius = self.size // 5
        self._marks.append(lambda draw: draw.rounded_rectangle(at, radius, fill=colour))

    def finish(self) -> Image.Image | None:
        """The strip in its final size, None if nothing stands on it."""
        if not self._marks:
            return None
        height = -(-(self.y + self.margin // 2) // _FINE) * _FINE
        paper = Image.new("RGB", (self.width, height), PAPER)
        draw = ImageDraw.Draw(paper)
        for mark in self._marks:
            mark(draw)
        return paper.reduce(_FINE)
