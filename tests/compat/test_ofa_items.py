"""Items of the builders against those that the published program made of the same rows."""

import base64
import hashlib
import io
import json
import random
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")

import torch

from refpix.compat import ofa
from refpix.compat.ofa import rpar
from refpix.errors import RowError

BUILDERS = {
    "rec": ofa.RefcocoDataset,
    "rkpt": ofa.RKptDataset,
    "rpar": ofa.RParDataset,
    "rpar_full_mask": ofa.RParDatasetFullMask,
    "rhrc": ofa.RHrcDataset,
    "hoi": ofa.HOIDataset,
}
COMMON = {"id", "source", "patch_image", "patch_mask", "target", "prev_output_tokens"}
RATIOS = {"w_resize_ratio", "h_resize_ratio"}
KEYS = {
    "rec": COMMON | RATIOS | {"region_coord"},
    "rkpt": COMMON | RATIOS | {"region_coord", "keypoints"},
    "rpar": COMMON | RATIOS | {"region_coord", "text", "parsing_code", "gt"},
    "rhrc": COMMON | {"region_coord"},
    "hoi": COMMON | RATIOS | {"target_boxes", "target_obj_labels", "target_action_labels"},
}
KEYS["rpar_full_mask"] = KEYS["rpar"]
INT64 = {"source", "target", "prev_output_tokens", "parsing_code", "target_obj_labels",
         "target_action_labels"}  # fmt: skip
FLOAT32 = {"patch_image", "w_resize_ratio", "h_resize_ratio", "region_coord", "keypoints",
           "target_boxes"}  # fmt: skip


def sha256(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def build(recording, dictionary, bpe, **options):
    rows = ofa.FileDataset(recording.path, recording.selected_cols, random_access=True)
    builder = BUILDERS[recording.task]
    options |= recording.options
    return builder(recording.split, rows, bpe, dictionary, dictionary, **options)


def check_item(item, want, task):
    assert item.keys() == KEYS[task]
    assert item["id"] == want["id"]
    assert item["source"].tolist() == want["source_ids"]
    assert item["target"].tolist() == want["target_ids"]
    assert item["prev_output_tokens"].tolist() == want["prev_output_tokens_ids"]
    assert item["patch_mask"].tolist() == [True]
    assert sha256(item["patch_image"].numpy()) == want["float_sha256"]
    for key in FLOAT32 & item.keys() - {"patch_image"}:
        assert item[key].tolist() == want[key], key
    for key in INT64 & item.keys() & want.keys():
        assert item[key].tolist() == want[key], key
    if "gt" in item:
        assert item["gt"].shape == (512, 512)
        assert sha256(item["gt"].numpy()) == want["gt_sha256_int32"]
        assert item["gt"].dtype == torch.int32
    assert all(item[key].dtype == torch.int64 for key in INT64 & item.keys())
    assert all(item[key].dtype == torch.float32 for key in FLOAT32 & item.keys())


def check_recording(recording, dictionary, bpe):
    dataset = build(recording, dictionary, bpe, pass_order="pillow13")
    checked = 0
    for want in recording.rows:
        if "error" in want:
            with pytest.raises(RowError) as caught:
                dataset[want["row"]]
            assert caught.value.row == want["row"]
        elif not str(want.get("case", "")).startswith("opt_"):
            check_item(dataset[want["row"]], want, recording.task)
            checked += 1
    assert checked


def check_described(recording, order):
    dataset = ofa.open_dataset(
        recording.task,
        recording.path,
        recording.selected_cols,
        split=recording.split,
        pass_order=order,
        **recording.options,
    )
    for want in recording.rows:
        if "error" in want or str(want.get("case", "")).startswith("opt_"):
            continue
        found = dataset.describe(want["row"])
        assert sha256(found["rgb"]) == want["decoded_sha256"]
        key = "u8_sha256" if order == "pillow13" else "u8_sha256_hfirst"
        assert sha256(found["u8"]) == want[key]
        assert (found["width"], found["height"]) == (want["width"], want["height"])
        assert found["patch_boxes"].ravel().tolist() == want["patch_boxes"]
        for text, line in zip(("source_text", "target_text"), want["encoded_texts"], strict=False):
            if line["bpe"]:
                assert found[text] == line["text"]


def check_folder(folder, recordings, learned_dictionary, bpe):
    found = list(recordings(folder))
    assert {recording.task for recording in found} == BUILDERS.keys()
    rows = [row for one in found for row in one.rows if "encoded_texts" in row]
    dictionary = learned_dictionary(rows)
    for recording in found:
        check_recording(recording, dictionary, bpe)


def test_recorded_items(data, recordings, learned_dictionary, bpe):
    check_folder(data / "refhcm", recordings, learned_dictionary, bpe)


def test_all_recorded_items(golden, recordings, learned_dictionary, bpe):
    check_folder(golden / "refhcm", recordings, learned_dictionary, bpe)


@pytest.mark.parametrize("order", ["pillow12", "pillow13"])
def test_described_rows(data, recordings, order):
    for recording in recordings(data / "refhcm"):
        check_described(recording, order)


@pytest.mark.parametrize("order", ["pillow12", "pillow13"])
def test_all_described_rows(golden, recordings, order):
    for recording in recordings(golden / "refhcm"):
        check_described(recording, order)


def test_recorded_mixture(golden, monkeypatch, recordings, learned_dictionary, bpe):
    found = json.loads((golden / "refhcm/expected/multitask.json").read_text(encoding="utf-8"))
    monkeypatch.chdir(golden / "refhcm")
    cols = found["selected_cols"]
    rows = {task: ofa.FileDataset(path, cols[task]) for task, path in found["files"].items()}
    rows_of_tasks = [row for one in recordings(golden / "refhcm") for row in one.rows]
    dictionary = learned_dictionary(
        [row for row in rows_of_tasks if "encoded_texts" in row]
        + [one for item in found["items"] for one in item]
    )
    mixture = ofa.MultiTaskDataset(
        "train",
        rows["rec"],
        bpe,
        dictionary,
        dictionary,
        refpose_dataset=rows["rkpt"],
        refparsing_dataset=rows["rpar"],
        regcaption_dataset=rows["rhrc"],
        anno_root="annos",
        pass_order="pillow13",
        **found["config"],
    )
    mixture.set_epoch(1)
    assert len(mixture) == len(rows["rec"])
    items = [mixture[0] for _ in range(len(found["items"]) + 2)]
    for item, want_item in zip(items, found["items"], strict=False):
        for one, want in zip(item, want_item, strict=True):
            assert sorted(one) == want["keys"]
            assert one["id"] == want["id"]
            assert one["source"].tolist() == want["source_ids"]
            assert one["target"].tolist() == want["target_ids"]
            assert sha256(one["patch_image"].numpy()) == want["float_sha256"]
            assert one["region_coord"].tolist() == want["region_coord"]
            assert float(one["w_resize_ratio"]) == want["w_resize_ratio"]
            assert float(one["h_resize_ratio"]) == want["h_resize_ratio"]
    batch = mixture.collater(items[5:7])

    def shapes(entry):
        if isinstance(entry, dict):
            return {key: shapes(value) for key, value in entry.items()}
        return entry if isinstance(entry, int) else list(entry.shape)

    assert shapes(batch) == found["collate_of_items_5_6"]


def picture(seed=0, size=(40, 30)):
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    with io.BytesIO() as file:
        Image.fromarray(noise).save(file, "PNG")
        return noise, file.getvalue()


def mixture_of(tmp_path, bpe, dictionary, **options):
    """Three rows of each task."""
    text = base64.b64encode(picture()[1]).decode()
    (tmp_path / "imgs").mkdir()
    (tmp_path / "imgs/p.png").write_bytes(picture()[1])
    return ofa.MultiTaskDataset(
        "train",
        [["x"]] * 3,
        bpe,
        dictionary,
        dictionary,
        refpose_dataset=[[f"k{i}", text, "A-b", "0,0,40,30", "1,2,0,0"] for i in range(3)],
        refparsing_dataset=[[f"p{i}", "p.png", "None", "0,0,40,30", "1,2", "-"] for i in range(3)],
        regcaption_dataset=[[f"c{i}", "imgs/p.png", "0,0,40,30", "a [1] b"] for i in range(2)],
        anno_root=tmp_path,
        image_root=tmp_path,
        patch_image_size=20,
        max_image_size=40,
        **options,
    )


def sentence(text):
    return "sentence:" + text.encode().hex()


def test_mixture_ignores_the_index_and_wants_an_epoch(tmp_path, bpe, dictionary):
    mixture = mixture_of(tmp_path, bpe, dictionary)
    with pytest.raises(AttributeError, match="set_epoch"):
        mixture[0]
    mixture.set_epoch(1)
    assert [one["id"] for one in mixture[2]] == ["k0", "p0", "c0"]
    (tmp_path / "cured").mkdir()
    cured = mixture_of(tmp_path / "cured", bpe, dictionary, by_index=True)
    cured.set_epoch(1)
    assert [one["id"] for one in cured[2]] == ["k2", "p2", "c0"]


def test_mixture_differs_from_single_tasks_as_published(tmp_path, bpe, dictionary):
    dictionary.known |= {
        sentence(" a [1] b"): [11],  # marks are kept
        sentence(
            ' which region does the text " none " describe?'
            " Provide the bounding box and the parsing map."
        ): [12],  # "None" is a text
    }
    mixture = mixture_of(tmp_path, bpe, dictionary)
    mixture.set_epoch(1)
    keypoints, parsing, caption = mixture[0]
    assert "keypoints" not in keypoints
    assert keypoints.keys() == caption.keys() == KEYS["rec"]
    assert parsing.keys() == KEYS["rec"] | {"text"}
    assert caption["target"].tolist() == [11, 2]
    assert parsing["source"].tolist() == [0, 12, 2]
    # The caption's box is divided by max_image_size here, not by the patch size.
    assert caption["source"][-1] == 2
    assert {58457 + 500, 58457 + 500} <= set(caption["source"].tolist())


def test_base_class_is_fairseqs_where_it_is_loaded():
    program = """
import sys, types, torch
fairseq = types.ModuleType("fairseq.data")
fairseq.FairseqDataset = type("FairseqDataset", (torch.utils.data.Dataset,), {})
sys.modules["fairseq.data"] = fairseq
from refpix.compat.ofa import RefcocoDataset
assert issubclass(RefcocoDataset, fairseq.FairseqDataset)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_fairseq_is_not_imported():
    program = "import refpix.compat.ofa, sys; assert 'fairseq' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_package_does_not_import_torch():
    program = "import refpix, refpix.compat, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_chinese_prompts(tmp_path, bert_bpe, dictionary):
    text = base64.b64encode(picture()[1]).decode()
    question = '这段文字" 左边的人 "描述的是哪个区域？'
    dictionary.known = {sentence(question): [11], sentence(" 区域{}描述了什么内容?"): [12]}
    rec = ofa.RefcocoDataset(
        "train", [["i", text, "左边的人", "1,2,3,4"]], bert_bpe, dictionary, dictionary
    )
    assert rec[0]["source"].tolist() == [0, 11, 2]
    # The box has no place in this prompt: a quirk of the published program.
    rhrc = ofa.RHrcDataset("train", [["i", text, "1,2,3,4", "x"]], bert_bpe, dictionary, dictionary)
    assert rhrc[0]["source"].tolist() == [0, 12, 2]
    with pytest.raises(NotImplementedError):
        ofa.HOIDataset("train", [], bert_bpe, dictionary, dictionary)


def test_region_captions_read_text_and_paths(tmp_path, bpe, dictionary):
    pixels, payload = picture()
    (tmp_path / "p.png").write_bytes(payload)
    rows = [["a", base64.b64encode(payload).decode(), "0,0,1,1", "x"]]
    rows += [["b", "p.png", "0,0,1,1", "x"], ["c", str(tmp_path / "p.png"), "0,0,1,1", "x"]]
    dataset = ofa.RHrcDataset("valid", rows, None, None, image_root=tmp_path)
    for i in range(3):
        assert np.array_equal(dataset.describe(i)["rgb"], pixels)


def test_self_critical_training_keeps_all_captions():
    row = ["a", base64.b64encode(picture()[1]).decode(), "0,0,1,1", "One, two && three!"]
    texts = {
        scst: ofa.RHrcDataset("train", [row], None, None, scst=scst).describe(0)["target_text"]
        for scst in (False, True)
    }
    assert texts == {False: " One, two && three!", True: " One two&&three"}


def test_annotation_root_is_the_modules_or_an_option(tmp_path, monkeypatch):
    for name in ("one", "two"):
        (tmp_path / name / "imgs").mkdir(parents=True)
        (tmp_path / name / "gts").mkdir()
        np.save(tmp_path / name / "gts/g.npy", np.full((3, 4), len(name) + (name == "two")))
        (tmp_path / name / "imgs/p.png").write_bytes(picture()[1])
    row = ["i", "p.png", "x", "0,0,1,1", "1,2", "g.npy"]
    builder = ofa.RParDataset("train", [row], None, None)
    monkeypatch.setattr(rpar, "root_anno_path", tmp_path / "one")
    assert builder.describe(0)["gt"].max() == 3
    monkeypatch.setattr(rpar, "root_anno_path", tmp_path / "two")
    assert builder.describe(0)["gt"].max() == 4
    told = ofa.RParDataset("train", [row], None, None, anno_root=tmp_path / "one")
    assert told.describe(0)["gt"].max() == 3


def test_full_mask_constants():
    assert (ofa.PARSING_BEGIN_TOKEN, ofa.PARSING_END_TOKEN) == ("<code_40>", "<code_41>")
    assert (ofa.PARSING_BEGIN_ID, ofa.PARSING_END_ID) == (50305, 50306)
    assert list(range(50307, 50355)) == ofa.PARSING_PLACEHOLDER_IDS
    assert ofa.PARSING_PLACEHOLDER_TOKENS.split()[::47] == ["<code_42>", "<code_89>"]


def test_sequential_reader_raises_what_the_row_does(tmp_path):
    (tmp_path / "x.tsv").write_text("a\tnot an image\tt\t1,2,3,4\n")
    rows = ofa.FileDataset(tmp_path / "x.tsv")
    with pytest.raises(ValueError, match=r"\w") as caught:
        ofa.RefcocoDataset("train", rows, None, None).describe(0)
    assert not isinstance(caught.value, RowError)


def test_one_draw_an_item(dictionary, bpe):
    # A program that draws from Python's generator meets the same numbers as before.
    row = ["i", base64.b64encode(picture()[1]).decode(), "x", "1,2,3,4"]
    dataset = ofa.RefcocoDataset("train", [row], bpe, dictionary, dictionary)
    random.seed(5)
    assert dataset[0]["id"] == "i"
    after = random.random()
    random.seed(5)
    random.choice([512])
    assert random.random() == after


def test_encode_text_options(dictionary, bpe):
    dictionary.known = {sentence("a b"): [11, 12, 13]}
    dataset = ofa.RefcocoDataset("train", [], bpe, dictionary, dictionary)
    assert dataset.encode_text("a b").tolist() == [11, 12, 13]
    both = dataset.encode_text("a b", length=2, append_bos=True, append_eos=True)
    assert both.tolist() == [0, 11, 12, 2]
    assert dataset.encode_text("<bin_1> <code_1>", use_bpe=False).tolist() == [58458, 50266]
