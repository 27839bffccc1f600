"""The figures of MSCOCO-GLT's statistics: what they say, and that all of it can be read."""

import itertools
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from tests.datasets.glt_files import CLASSES, TWO, make_annotation, write

from refpix.datasets.glt_info import attribute_std, describe_glt
from refpix.errors import MissingExtraError

pytest.importorskip("matplotlib")

from refpix.viz.glt_statistics import (
    COLOURS,
    attribute_figure,
    class_figure,
    figures_of,
    picture_of,
    std_figure,
)

#: Enough objects for Test-GBL to be the evener.
SIZES = {**TWO, "train": 900, "test_bbl": 580}


@pytest.fixture(scope="module")
def infos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("glt")
    for variant in ("glt", "cbl"):
        write(folder, variant, sizes=SIZES, pictures=False)
    return describe_glt(folder)


def texts_of(figure):
    """Visible texts and their boxes in pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    figure.draw_without_rendering()
    renderer = FigureCanvasAgg(figure).get_renderer()
    axes = figure.axes[0]
    hidden = set()  # ticks beyond the limits are not drawn
    for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        for tick in axis.get_major_ticks():
            if not min(limits) <= tick.get_loc() <= max(limits):
                hidden |= {tick.label1, tick.label2}
    found = []
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip() and text not in hidden:
            found.append((text.get_text(), text.get_window_extent(renderer)))
    return found


def assert_readable(figure):
    """Texts neither overlap nor leave the figure, and axes say what they show."""
    texts = texts_of(figure)
    whole = figure.bbox
    for text, box in texts:
        margins = (box.x0 - whole.x0, whole.x1 - box.x1, box.y0 - whole.y0, whole.y1 - box.y1)
        assert min(margins) >= -1, text
    for (one, a), (other, b) in itertools.combinations(texts, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        down = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across <= 0.5 or down <= 1.5, (one, other)
    (axes,) = figure.axes
    assert axes.get_xlabel()
    assert axes.get_ylabel()
    return [text for text, _ in texts]


def bars(figure):
    """Lengths of horizontal bars from top to bottom."""
    patches = sorted(figure.axes[0].patches, key=lambda p: p.get_y())
    return [p.get_width() for p in patches]


def test_classes(infos):
    whole = make_annotation("glt", sizes=SIZES)
    for info in infos[0].present:
        figure = class_figure(info, infos[0].classes)
        labels = list(whole[info.split]["label"].values())
        counts = [labels.count(c) for c in range(len(CLASSES))]
        assert bars(figure) == counts
        texts = assert_readable(figure)
        assert f"{info.name}: {SIZES[info.split]} objects" in texts
        assert {"dining table", "stuffed animal in a s…", "many", "medium", "few"} <= set(texts)
        assert [text for text in texts if text.isdigit()].count(str(counts[5])) >= 1


def test_attributes(infos):
    whole = make_annotation("glt", sizes=SIZES)
    for info in infos[0].present:
        figure = attribute_figure(info, 0.1)
        table = np.array(list(whole[info.split]["attribute_dist"].values()))
        counts = np.sort(table.sum(axis=0))[::-1]
        (steps,) = figure.axes[0].patches
        np.testing.assert_allclose(steps.get_data().values, 100 * counts / counts.sum())
        assert figure.axes[0].get_ylim()[1] == pytest.approx(10.8)
        std = (counts.astype(np.float32) / counts.sum()).std(ddof=1)
        assert f"standard deviation {std:.4f}" in assert_readable(figure)


def test_std(infos):
    """As published, torch's, in float32; Test-GBL is the lowest, and is shown to be."""
    from matplotlib.colors import to_hex

    torch = pytest.importorskip("torch")
    figure = std_figure(infos)
    want = []
    for variant in ("glt", "cbl"):
        for split in make_annotation(variant, sizes=SIZES).values():
            if isinstance(split, dict) and split.get("attribute_dist"):
                count = sum(torch.FloatTensor(item) for item in split["attribute_dist"].values())
                want.append((count / count.sum()).std().item())
    assert bars(figure) == pytest.approx(want, rel=1e-5)
    colours = [to_hex(patch.get_facecolor()) for patch in figure.axes[0].patches]
    marked = [i for i, colour in enumerate(colours) if colour == COLOURS[1]]
    texts = assert_readable(figure)
    names = [text for text in texts if text.startswith(("Train", "Val", "Test"))]
    assert [names[i] for i in marked] == ["Test-GBL (coco_glt)", "Test-GBL (coco_cbl)"]
    assert [want[i] for i in marked] == [min(want[:2]), min(want[2:])]


def test_attribute_std_of_nothing():
    assert np.isnan(attribute_std(np.zeros(5)))
    assert np.isnan(attribute_std(np.zeros(0)))
    assert attribute_std(np.full(5, 3.0)) == 0


def test_odd_splits_are_readable(infos):
    """Numbers of millions, names that look like formulas, no objects, no attributes."""
    train = infos[0].splits[0]
    names = ("$x_1$ & <b>", *CLASSES[1:])
    big = replace(train, objects=10**7, class_counts=train.class_counts * 12_345)
    assert "$x_1$ & <b>" in assert_readable(class_figure(big, names))
    assert b"$x_1$ &amp; &lt;b&gt;" in picture_of(class_figure(big, names), "svg")
    none = replace(
        train,
        objects=0,
        class_counts=np.zeros(29, np.int64),
        class_frequencies=np.full(29, -1),
        attribute_counts=np.zeros(0),
    )
    assert_readable(class_figure(none, CLASSES))
    assert "no attributes" in assert_readable(attribute_figure(none))
    assert_readable(std_figure([replace(infos[0], splits=(none,))]))


def test_files(infos):
    import matplotlib

    matplotlib.rcParams["font.size"] = 31  # a program's own settings do not matter, and stay
    try:
        found = figures_of(infos[1:])
        assert matplotlib.rcParams["font.size"] == 31
    finally:
        matplotlib.rcdefaults()
    assert list(found)[:2] == ["attribute-std.svg", "classes-coco_cbl-train.svg"]
    assert "classes-coco_cbl-val.svg" not in found  # it has no objects
    assert len(found) == 5
    for content in found.values():
        root = ET.fromstring(content)
        assert root.tag.endswith("svg")
        assert b"font-size: 9px" in content
    text = "".join(ET.fromstring(found["classes-coco_cbl-test_bbl.svg"]).itertext())
    assert "Test-GBL: 580 objects" in text  # text stays text
    again = class_figure(infos[1].splits[4], infos[1].classes)
    assert picture_of(again, "svg") == found["classes-coco_cbl-test_bbl.svg"]
    assert picture_of(again, "png", dpi=60).startswith(b"\x89PNG")
    assert_readable(again)


def test_without_matplotlib(infos, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'refpix\[plots\]'"):
        figures_of(infos)
