"""RefHCM's text fields, numbers and tokens against what the published program made of them."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refpix.datasets import refhcm_targets as t

FLOATS32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


def load(folder, name):
    return json.loads((folder / "refhcm/expected" / f"{name}.json").read_text(encoding="utf-8"))


def check_captions(folder):
    for function, name in ((t.pre_caption, "pre_caption"), (t.pre_question, "pre_question")):
        cases = load(folder, name)
        assert len(cases) > 5
        for case in cases:
            assert function(case["text"], case["max_words"]) == case["out"], case


def test_captions(data):
    check_captions(data)


def test_all_captions(golden):
    check_captions(golden)


def recorded_rows(folder, names):
    """Yields file description, configuration, fields by name, and the recorded result."""
    for name in names:
        found = load(folder, name)
        text = (folder / "refhcm" / found["file"]).read_bytes().decode()
        lines = [line.split("\t") for line in text.split("\n")]
        columns = [int(column) for column in found["selected_cols"].split(",")]
        for config in found["configs"].values():
            for row in config["rows"]:
                fields = [lines[row["row"]][column] for column in columns]
                yield found, config, dict(zip(found["fields"], fields, strict=True)), row


FILES = ["rec", "rec_on_rkpt", "odd_boxes", "rkpt", "odd_keypoints", "rpar", "rpar_full_mask",
         "odd_codes", "rhrc_train_50", "rhrc_train_5", "rhrc_valid_100", "hoi"]  # fmt: skip


def bins_and_targets(found, config, fields, row):
    """What the functions make of a row: scaled boxes, areas, targets."""
    size = config["patch_image_size"]
    limit = size if "caption" in fields else config["max_image_size"]
    place = row.get("width", 140), row.get("height", 100), size, limit
    num_bins = config.get("num_bins", 1000)
    boxes = [t.parse_box(fields["box"])]
    actions = t.parse_actions(fields.get("actions", ""))
    boxes += [action.box for action in actions]
    scaled = t.scale_boxes(boxes, *place)
    bins = t.quantise(scaled, num_bins).tolist()
    areas = [float(t.region_area(box, *place[:3])) for box in boxes]
    if "keypoints" in fields:
        points = t.scale_keypoints(t.parse_keypoints(fields["keypoints"]), *place)
        assert "error" in row or points.tolist() == row["patch_keypoints"]
        targets = t.rkpt_targets(fields["text"], bins[0], t.keypoint_bins(points, num_bins))
    elif "codes" in fields:
        full_mask = any("<code_42>" in line["text"] for line in row.get("encoded_texts", []))
        make = t.rpar_full_mask_targets if full_mask else t.rpar_targets
        targets = make(fields["text"], bins[0], t.parse_codes(fields["codes"]))
    elif "caption" in fields:
        caption = t.region_caption_target(
            t.clean_region_caption(fields["caption"]),
            train=found["split"] == "train",
            max_words=found["max_tgt_length"],
        )
        targets = t.rhrc_targets(caption, bins[0])
    elif "actions" in fields:
        targets = t.hoi_targets(bins, actions)
    else:
        targets = t.rec_targets(fields["text"], bins[0])
    return scaled, areas, targets


def check_rows(folder):
    for found, config, fields, row in recorded_rows(folder, FILES):
        if "error" in row:
            with pytest.raises(ValueError, match=r"\w"):
                bins_and_targets(found, config, fields, row)
            continue
        scaled, areas, targets = bins_and_targets(found, config, fields, row)
        assert scaled.dtype == np.float32
        assert scaled.ravel().tolist() == row["patch_boxes"]
        assert areas == row.get("area", areas)
        if "w_resize_ratio" in row:
            ratios = t.resize_ratios(row["width"], row["height"], config["patch_image_size"])
            assert [*map(float, ratios)] == [row["w_resize_ratio"], row["h_resize_ratio"]]
        lines = row["encoded_texts"]
        if lines[0]["bpe"]:
            assert targets.source_text == lines[0]["text"]
        if lines[1]["bpe"]:
            assert targets.target_text == lines[1]["text"]
        if not any(piece.words for piece in targets.target):
            assert targets.target_text == lines[1]["text"]
            assert targets.target_ids().tolist() == row["target_ids"]
            assert targets.previous_ids().tolist() == row["prev_output_tokens_ids"]
        tokens = [word for word in lines[1]["text"].split() if word.startswith("<")]
        assert [word for word in targets.target_text.split() if word.startswith("<")] == tokens


def test_recorded_rows(data):
    check_rows(data)


def test_all_recorded_rows(golden):
    check_rows(golden)


def test_full_mask_ids_are_those_of_the_targets():
    bins, codes = [1, 2, 3, 4], list(range(48))
    target, previous = t.full_mask_ids(bins, codes)
    assert target.tolist() == [58458, 58459, 58460, 58461, 50305, 1, *range(50265, 50313), 2]
    assert previous.tolist() == [0, 58458, 58459, 58460, 58461, 50305, *range(50307, 50355), 50306]
    assert (len(target), len(previous)) == (55, 55)


def test_vocabulary():
    assert (t.BOS, t.PAD, t.EOS, t.UNK) == (0, 1, 2, 3)
    assert (t.CODE_0, t.BIN_0, t.VOCAB_SIZE) == (50265, 58457, 59457)
    assert len(t.KEYPOINT_NAMES) == 17
    assert (t.KEYPOINT_NAMES[0], t.KEYPOINT_NAMES[9], t.KEYPOINT_NAMES[16]) == (
        "nose",
        "left_wrist",
        "right_ankle",
    )
    assert (len(t.HOI_ACTIONS), len(t.HOI_OBJECTS)) == (24, 81)


@pytest.mark.parametrize(
    ("value", "want"), [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2), (998.5, 998)]
)
def test_rounds_half_to_even(value, want):
    assert t.quantise(np.float32(value) / np.float32(4), 5).tolist() == want


def test_bins_are_not_clamped_unless_asked():
    fractions = [-0.5, 0.0, 1.0, 1.5]
    assert t.quantise(fractions, 101).tolist() == [-50, 0, 100, 150]
    assert t.quantise(fractions, 101, clamp=True).tolist() == [0, 0, 100, 100]
    assert t.bin_ids([-1, 0, 999, 1000]).tolist() == [3, 58457, 59456, 3]
    assert t.bin_ids([499, 500], 500).tolist() == [58956, 3]
    assert t.code_ids([-1, 0, 8191, 8192]).tolist() == [3, 50265, 58456, 3]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("clamp", [False, True])
def test_refuses_what_is_not_finite(value, clamp):
    with pytest.raises(ValueError, match="finite"):
        t.quantise([0.0, value], clamp=clamp)
    with pytest.raises(ValueError, match="finite"):
        t.keypoint_bins([0.0, 0.0, value, 1.0], clamp=clamp)


def test_numbers_beyond_float32_are_refused_when_quantised():
    scaled = t.scale_boxes([0, 0, 1e39, -1e39], 10, 10, 10, 10)
    assert np.isinf(scaled[2:]).all()
    with pytest.raises(ValueError, match="finite"):
        t.quantise(scaled)
    assert t.quantise(np.float32(3e30)) == 2**62


@given(box=st.lists(FLOATS32, min_size=4, max_size=4), width=st.integers(1, 5000),
       height=st.integers(1, 5000), size=st.sampled_from([96, 224, 480, 512]),
       limit=st.sampled_from([480, 512]))  # fmt: skip
def test_each_step_is_float32(box, width, height, size, limit):
    found = t.scale_boxes(box, width, height, size, limit)
    with np.errstate(over="ignore"):
        for i, value in enumerate(box):
            ratio = np.float32(size / (height if i % 2 else width))
            assert found[i] == np.float32(np.float32(value) * ratio) / np.float32(limit)


@pytest.mark.parametrize(
    ("points", "names"),
    [
        ([0, 0, 0, -4, 9, 0, -5, -3], ["right_eye", "left_ear"]),
        ([0, 5], ["nose"]),
        ([0, 0], []),
        ([], []),
        ([1, 1] * 20, list(t.KEYPOINT_NAMES)),  # further points are ignored
    ],
)
def test_visible_keypoints(points, names):
    assert [name for name, _, _ in t.keypoint_bins(points)] == names


def test_no_visible_keypoint_leaves_the_published_blank():
    targets = t.rkpt_targets("x", [1, 2, 3, 4], [])
    assert targets.target_text == "<bin_1> <bin_2> <bin_3> <bin_4> "
    assert targets.target_ids().tolist() == [58458, 58459, 58460, 58461, 2]


@pytest.mark.parametrize("count", [1, 3, 33])
def test_odd_coordinates(count):
    with pytest.raises(ValueError, match="groups of 2"):
        t.scale_keypoints([1.0] * count, 10, 10, 10, 10)


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1;2;3;4", "0x10,1,2,3", "1,,2,3"]
)
def test_no_box(text):
    with pytest.raises(ValueError, match=r"\w"):
        t.parse_box(text)


def test_numbers_as_python_reads_them():
    assert t.parse_box(" 1e1, +5 ,1_0,１２\r\n") == (10.0, 5.0, 10.0, 12.0)
    assert t.parse_codes(" 3, 4 ,-5,1_1 ") == [3, 4, -5, 11]
    assert t.parse_keypoints("1,2.5,3") == [1.0, 2.5, 3.0]


def test_actions():
    found = t.parse_actions("1,5,10.5,20,60,70;bad,row;3,-1,0,0,0,0; 7,3,1,2,30,40")
    assert found == [
        t.Interaction(1, 5, (10.5, 20.0, 60.0, 70.0)),
        t.Interaction(3, -1, (0.0, 0.0, 0.0, 0.0)),
    ]
    assert t.parse_actions("") == t.parse_actions("1,2,3,4,5,6") == []
    with pytest.raises(ValueError, match="x"):
        t.parse_actions("x,5,1,2,3,4;")
    with pytest.raises(IndexError):
        t.hoi_targets([[0] * 4] * 2, [t.Interaction(99, 0, (0.0,) * 4)])


def test_region_captions():
    marked = "a man [12, 3] in[4]red [a] kept [1,2]"
    assert t.clean_region_caption(marked) == "a man in red [a] kept [1,2]"
    text = "  One,\ttwo && three!  four&&"
    assert t.region_caption_target(text, train=True, max_words=3) == "One, two &&"
    assert t.region_caption_target(text, train=False, max_words=3) == "One two&&three four&&"


def test_text_none_asks_about_the_box():
    bins = [1, 2, 3, 4]
    about_box = t.rpar_targets("None", bins, [7])
    assert [piece.text for piece in about_box.source if not piece.words] == [
        "<bin_1> <bin_2> <bin_3> <bin_4>"
    ]
    about_text = t.rpar_targets("None", bins, [7], condition_on_box=False)
    assert '" none "' in about_text.source_text
    assert '" none "' in t.rpar_targets("none", bins, [7]).source_text
    assert '" none "' in t.rpar_full_mask_targets("None", bins, [7]).source_text


def test_ids_with_a_tokenizer():
    targets = t.rkpt_targets("x", [1, 2, 3, 4], [("nose", 5, 6)])
    with pytest.raises(ValueError, match="tokenizer"):
        targets.target_ids()
    assert targets.target_ids(lambda text: [len(text)]).tolist() == [
        *(58457 + k for k in (1, 2, 3, 4)), len(" nose"), 58462, 58463, 2,
    ]  # fmt: skip
    assert targets.source_ids(lambda text: [7, 8]).tolist() == [0, 7, 8, 2]
    assert targets.previous_ids(lambda text: []).tolist()[0] == 0


@given(st.text(max_size=40), st.integers(0, 6))
def test_captions_are_stable(text, words):
    once = t.pre_caption(text, words)
    assert len(once.split(" ")) <= max(words, 1)
    assert t.pre_caption(text).startswith(once)
