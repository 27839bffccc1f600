"""The page of MSCOCO-GLT's statistics: alone, complete, and readable in a browser."""

import io
from collections import Counter
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from tests.datasets.glt_files import CLASSES, TWO, write
from tests.viz.browser import measure, screenshot

pytest.importorskip("matplotlib")

from refpix.datasets.glt_info import describe_glt
from refpix.io.glt_splits_file import GltAnnotations, GltSplit, GltSplits, write_splits
from refpix.viz.glt_page import statistics_page
from refpix.viz.glt_report import write_statistics

NAMES = [f"attribute <{i}>" for i in range(60)]


def save_splits(path, folder):
    """A file of splits that knows the first two attributes of every object of training."""
    keys = [int(key) for key in write(folder, sizes=TWO) and _keys(folder)]
    positive = np.zeros((len(keys), 60), bool)
    positive[:, :2] = True
    zeros = np.zeros(len(keys), np.int64)
    none = GltSplit([], zeros[:0], zeros[:0], positive[:0])
    splits = {"train": GltSplit(keys, zeros, zeros, positive)}
    for name in ("val", "test_lt", "test_bl", "test_bbl"):
        splits[name] = none
    columns = GltAnnotations([], *[zeros[:0]] * 3, np.zeros((0, 4)))
    cat2id = {name: i for i, name in enumerate(CLASSES)}
    write_splits(path, GltSplits("x", NAMES, cat2id, splits, columns, []))


def _keys(folder):
    from refpix.datasets import CocoGLT

    return CocoGLT(folder, "train").keys


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("glt")
    save_splits(folder / "splits.json", folder)
    write(folder, "cbl", sizes=TWO, pictures=False)
    (folder / "coco_glt" / "images" / f"{_keys(folder)[0]}.jpg").unlink()
    out = folder / "out" / "stats"
    return write_statistics(folder, out, per_class=2, attributes=folder / "splits.json")


class Elements(HTMLParser):
    """Elements of a page and what they refer to."""

    def __init__(self, page):
        super().__init__()
        self.names, self.ids, self.links, self.alts = Counter(), [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.names[tag] += 1
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "srcset", "data", "action") or name.endswith(":href"):
                self.links.append(value)
            if name == "alt":
                self.alts.append(value)


def test_page_stands_alone(written):
    page = written.page.read_text("utf-8")
    elements = Elements(page)
    assert page.startswith("<!DOCTYPE html>")
    assert "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\"" in page
    assert not elements.names["script"] + elements.names["link"] + elements.names["iframe"]
    assert all(link.startswith(("data:image/jpeg;base64,", "#")) for link in elements.links)
    assert "url(http" not in page
    assert "@import" not in page
    assert len(elements.ids) == len(set(elements.ids))
    assert {link[1:] for link in elements.links if link[0] == "#"} <= set(elements.ids)
    assert elements.names["svg"] == 1 + 2 * 4  # the other splits are empty
    assert elements.names["table"] == 2


def test_examples(written):
    page = written.page.read_text("utf-8")
    elements = Elements(page)
    shown = [alt for alt in elements.alts if alt.startswith("person, object")]
    assert shown
    assert shown[0].endswith(": attribute <0>, attribute <1>")
    assert "attribute &lt;0&gt;" in page
    assert sum(name in page for name in map("<figcaption>{}</figcaption>".format, CLASSES)) == 29
    assert [fault.reason.rpartition(": ")[2] for fault in written.faults] == ["no such file"]
    assert "1 crops could not be read" in page


def test_sheets_and_figures(written):
    names = [path.name for path in written.files]
    assert names[-2:] == ["classes-Train-GLT.png", "attributes-Train-GLT.png"]
    assert "attribute-std.svg" in names
    assert len(names) == 9 + 2
    for path in written.files[-2:]:
        with Image.open(path) as sheet:
            assert sheet.width > 300
            assert len(sheet.convert("RGB").getcolors(1 << 24)) > 500


def test_browser(written, tmp_path):
    for found in measure(written.page.read_text("utf-8"), tmp_path, (400, 1280)):
        assert found["scroll"] <= found["width"]
        assert found["overlaps"] == found["outside"] == found["refused"] == []
        assert found["broken"] == found["clipped"] == 0
        assert found["images"] > 40
        assert len(found["texts"]) > 300
        assert all(name.startswith("data:") for name in found["fetched"])
    picture = screenshot(written.page, tmp_path, 1280, 2400)
    with Image.open(io.BytesIO(picture)) as image:
        pixels = np.asarray(image.convert("RGB"))
    assert pixels.shape == (2400, 1280, 3)
    blue = (pixels == (0x2A, 0x6F, 0x97)).all(axis=2)  # the bars
    assert blue.sum() > 5000


def test_measuring_sees_faults(written, tmp_path):
    """The check above fails on a page that is spoilt."""
    page = written.page.read_text("utf-8")
    wide = '<div style="width:2000px">wide</div><img src="https://example.org/x.png"></body>'
    (found,) = measure(
        page.replace("</body>", wide).replace("font-size: 8px", "font-size: 19px"), tmp_path, (400,)
    )
    assert found["scroll"] > 400
    assert found["overlaps"]
    assert found["refused"] == ["https://example.org/x.png"]
    assert found["broken"] == 1


def test_without_pictures_or_attributes(tmp_path):
    def strip(whole):
        for split in ("train", "test_bbl"):
            del whole[split]["attribute_dist"]

    write(tmp_path, sizes=TWO, edit=strip, pictures=False)
    infos = describe_glt(tmp_path)
    page = statistics_page(infos)
    assert "no attributes" in page
    assert "Examples" not in page
    assert "<td>-</td>" in page
