"""``refpix glt generate``."""

import json

import pytest
from typer.testing import CliRunner

from refpix.cli import app
from refpix.io.glt_splits_file import read_splits

pytest.importorskip("msgspec")


def run(*arguments):
    return CliRunner().invoke(app, ["glt", "generate", *map(str, arguments)])


@pytest.fixture
def large(data, tmp_path):
    """The committed case several times over: the published sizes need 300 objects a class."""
    from refpix.io.glt_pickle import load_pickle, save_pickle

    case = data / "glt" / "strkeys_ties"
    attributes = load_pickle(case / "cocottributes.jbl")
    folder = tmp_path / "annotations"
    folder.mkdir()
    times = 14
    vectors, ann_ids = {}, {}
    for n in range(times):
        for key, vector in attributes["ann_vecs"].items():
            vectors[f"{key}-{n}"] = vector
            ann_ids[f"{key}-{n}"] = attributes["patch_id_to_ann_id"][key] + 100_000 * n
    for name in ("instances_train2014.json", "instances_val2014.json"):
        content = json.loads((case / "annotations" / name).read_text())
        content["annotations"] = [
            {**one, "id": one["id"] + 100_000 * n}
            for n in range(times)
            for one in content["annotations"]
        ]
        (folder / name).write_text(json.dumps(content))
    attributes.update(ann_vecs=vectors, patch_id_to_ann_id=ann_ids)
    save_pickle(tmp_path / "cocottributes.jbl", attributes)
    return tmp_path


@pytest.mark.parametrize("style", ["published", "dashes"])
def test_both_sets(large, style):
    flags = ["--data_path", "--anno_path", "--attribute_path"]
    if style == "dashes":
        flags = [flag[:2] + flag[2:].replace("_", "-") for flag in flags]
    paths = [large / "images", large / "annotations", large / "cocottributes.jbl"]
    arguments = [word for pair in zip(flags, paths, strict=True) for word in pair]
    order = large / "order.txt"
    names = ["cat_d3", "cat_a0", "cat_f5", "cat_b1", "cat_c2", "cat_e4"]
    order.write_text("\n".join(names) + "\n")
    given = f"@{order}" if style == "published" else ",".join(names)
    out = large / "out"
    jbl = ["--jbl"] if style == "published" else []
    done = run(*arguments, "--seed", 3, "--category-order", given, "--out", out, *jbl)
    assert done.exit_code == 0, done.output
    names_of_files = {f"coco_intra_lt_inter_{name}.json" for name in ("bl", "lt")}
    if jbl:
        names_of_files |= {name.replace("json", "jbl") for name in names_of_files}
    assert {path.name for path in out.iterdir()} == names_of_files
    made = read_splits(out / "coco_intra_lt_inter_lt.json")
    assert made.settings["seed"] == 3
    assert made.settings["category_order"] == names
    assert [len(split.keys) for split in made.splits.values()][1:] == [600, 1200, 1200, 1200]
    assert "coco_intra_lt_inter_lt: 6 classes, 40 attributes" in done.output
    assert "test_bbl     1200 objects, attributes' std" in done.output


def test_faults_are_one_line(data, tmp_path):
    case = data / "glt" / "strkeys_ties"
    arguments = ["--anno-path", case / "annotations", "--out", tmp_path, "--quiet"]
    # Too small for the published sizes: the smallest class has 70 objects.
    done = run(*arguments, "--attribute-path", case / "cocottributes.jbl")
    assert done.exit_code == 2
    assert "class cat_b1" in done.output or "class cat_" in done.output
    assert "are to be picked for test_bbl" in done.output
    assert len(done.output.strip().splitlines()) == 1
    done = run(*arguments, "--attribute-path", tmp_path / "nothing.jbl")
    assert done.exit_code == 2
    assert "nothing.jbl: No such file" in done.output
    done = run(
        *arguments, "--attribute-path", case / "cocottributes.jbl", "--category-order", "x,y"
    )
    assert done.exit_code == 2
    assert "category order does not name each class once" in done.output
    assert list(tmp_path.iterdir()) == []
