import numpy as np
import pytest
from PIL import ImageFont

from refpix.viz import draw_sample
from refpix.viz import text as text_module
from refpix.viz.text import caption, font, legend, printable, text_width, wrap

FACE = font(16)


def bitmap_font():
    """What Pillow before 10.1 has for a font."""
    return getattr(ImageFont, "load_default_imagefont", ImageFont.load_default)()


@pytest.mark.parametrize(
    "text",
    ["a man dressed in white who carries a very long bench", "x" * 200, "穿红色衣服的男人" * 9],
)
def test_lines_fit_and_nothing_is_lost(text):
    lines = wrap(text, FACE, 120, 99)
    assert len(lines) > 1
    assert all(text_width(line, FACE) <= 120 for line in lines)
    assert "".join(lines).replace(" ", "") == printable(text, FACE).replace(" ", "")


def test_lines_break_at_blanks():
    assert wrap("one two", FACE, text_width("one two", FACE), 9) == ["one two"]
    assert wrap("one two", FACE, text_width("one two", FACE) - 1, 9) == ["one", "two"]
    assert wrap(" \n\t ", FACE, 100, 9) == []
    assert wrap("W", FACE, 1, 9) == ["W"]


def test_what_does_not_fit_is_announced():
    lines = wrap("one two three four five six", FACE, 70, 2)
    assert len(lines) == 2
    assert lines[1].endswith("...")
    assert text_width(lines[1], FACE) <= 70


def test_control_characters_do_not_reach_the_picture():
    assert printable("a\tb\nc\0d\u2028e", FACE) == "a b c d e"


def test_pillows_bitmap_font_writes_what_it_can():
    bitmap = bitmap_font()
    assert printable("né 穿", bitmap) == "né ?"


def test_captions_grow_with_their_text():
    short = caption("a man", None, 300, 16)
    noted = caption("a man", "row 3", 300, 16)
    long = caption("a man " * 40, None, 300, 16)
    assert short.width == noted.width == long.width == 300
    assert short.height < noted.height < long.height
    assert np.asarray(short).min() < 100
    assert caption(" ", None, 300, 16) is None


def test_legends_flow():
    entries = [(f"class {i}", (0, 10 * i, 200)) for i in range(12)]
    wide, narrow = legend(entries, 2000, 14), legend(entries, 200, 14)
    assert wide.height < narrow.height
    pixels = {tuple(p) for p in np.asarray(narrow).reshape(-1, 3).tolist()}
    assert {colour for _, colour in entries} <= pixels
    assert legend([], 200, 14) is None


def test_everything_is_drawn_with_the_bitmap_font_too(monkeypatch):
    monkeypatch.setattr(text_module, "_font", lambda size, latin: bitmap_font())
    labels = np.zeros((90, 120), np.uint8)
    labels[20:60, 20:60] = 5
    options = {"box": (10, 10, 100, 80), "box_labels": ["hält 穿"], "label_map": labels}
    bare = draw_sample(np.zeros((90, 120, 3), np.uint8), **options, show_legend=False)
    full = draw_sample(
        np.zeros((90, 120, 3), np.uint8), **options, codes=[1] * 48, text="穿 a man", note="row 3"
    )
    assert full.height > bare.height
