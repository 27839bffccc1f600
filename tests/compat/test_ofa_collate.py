"""Batches: keys, padding, dtypes."""

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from refpix.compat import ofa


def sample(i, source, target, **more):
    return {
        "id": f"row {i}",
        "source": torch.tensor(source),
        "patch_image": torch.full((3, 2, 2), float(i)),
        "patch_mask": torch.tensor([True]),
        "target": torch.tensor(target),
        "prev_output_tokens": torch.tensor([0, *target[:-1]]),
        "w_resize_ratio": torch.tensor(0.5 + i),
        "h_resize_ratio": torch.tensor(0.25),
        "region_coord": torch.tensor([0.0, 1.0, 2.0, float(i)]),
        **more,
    }


def builder(kind, dictionary):
    return kind("train", [], None, dictionary, dictionary)


def check_same(found, want):
    """Equal to the last key, in order, type and dtype."""
    assert type(found) is type(want)
    if isinstance(want, dict):
        assert list(found) == list(want)
        for key in want:
            check_same(found[key], want[key])
    elif isinstance(want, list):
        assert len(found) == len(want)
        for one, other in zip(found, want, strict=True):
            check_same(one, other)
    elif isinstance(want, torch.Tensor):
        assert found.dtype == want.dtype
        assert torch.equal(found, want)
    elif isinstance(want, np.ndarray):
        assert found.dtype == want.dtype
        assert np.array_equal(found, want)
    else:
        assert found == want


def expected():
    """The batch of the two samples below, without what a task adds."""
    return {
        "id": np.array(["row 0", "row 1"]),
        "nsentences": 2,
        "ntokens": 6,  # padding inside a row does not count
        "net_input": {
            "src_tokens": torch.tensor([[0, 7, 2, 1, 1], [0, 7, 8, 9, 2]]),
            "src_lengths": torch.tensor([3, 5]),
            "patch_images": torch.stack([torch.zeros(3, 2, 2), torch.ones(3, 2, 2)]),
            "patch_masks": torch.tensor([True, True]),
            "prev_output_tokens": torch.tensor([[0, 5, 6, 1], [0, 5, 1, 6]]),
        },
        "target": torch.tensor([[5, 6, 2, 1], [5, 1, 6, 2]]),
    }


def two(**more):
    extra = [{k: v[i] for k, v in more.items()} for i in range(2)]
    return [
        sample(0, [0, 7, 2], [5, 6, 2], **extra[0]),
        sample(1, [0, 7, 8, 9, 2], [5, 1, 6, 2], **extra[1]),
    ]


RATIOS = {
    "w_resize_ratios": torch.tensor([0.5, 1.5]),
    "h_resize_ratios": torch.tensor([0.25, 0.25]),
}
COORDS = {"region_coords": torch.tensor([[0.0, 1, 2, 0], [0.0, 1, 2, 1]])}


def test_rec(dictionary):
    batch = builder(ofa.RefcocoDataset, dictionary).collater(two())
    check_same(batch, expected() | RATIOS | COORDS)


def test_keypoints(dictionary):
    points = torch.arange(68.0).reshape(2, 34)
    batch = builder(ofa.RKptDataset, dictionary).collater(two(keypoints=points))
    check_same(batch, expected() | RATIOS | COORDS | {"keypoints": points})
    with pytest.raises(RuntimeError):  # as many in all rows, or no batch
        builder(ofa.RKptDataset, dictionary).collater(two(keypoints=[points[0], points[1][:32]]))


def test_parsing(dictionary):
    codes = torch.arange(96).reshape(2, 48)
    maps = torch.arange(8, dtype=torch.int32).reshape(2, 2, 2)
    samples = two(text=["a", "None"], parsing_code=codes, gt=maps)
    want = expected()
    want = {"id": want.pop("id"), "text": np.array(["a", "None"])} | want
    want |= RATIOS | COORDS | {"parsing_codes": codes, "gt": maps}
    check_same(builder(ofa.RParDataset, dictionary).collater(samples), want)
    want["net_input"]["full_mask_position"] = (6, 53)
    check_same(builder(ofa.RParDatasetFullMask, dictionary).collater(samples), want)


def test_region_captions(dictionary):
    batch = builder(ofa.RHrcDataset, dictionary).collater(two())
    check_same(batch, expected() | COORDS)


def test_interactions(dictionary):
    lists = {
        "target_boxes": [torch.zeros(1, 4), torch.ones(3, 4)],
        "target_action_labels": [torch.tensor([0]), torch.tensor([0, 1, 2])],
        "target_obj_labels": [torch.tensor([-1]), torch.tensor([-1, 4, 5])],
    }
    batch = builder(ofa.HOIDataset, dictionary).collater(two(**lists))
    check_same(batch, expected() | RATIOS | lists)


def test_mixture_flattens(dictionary):
    first, second = two()
    batch = builder(ofa.MultiTaskDataset, dictionary).collater([[first], [second]])
    check_same(batch, expected() | RATIOS | COORDS)


def test_no_samples(dictionary):
    assert builder(ofa.RefcocoDataset, dictionary).collater([]) == {}
    assert builder(ofa.MultiTaskDataset, dictionary).collater([[], []]) == {}


def test_without_target():
    samples = [{k: v for k, v in one.items() if k != "target"} for one in two()]
    batch = ofa.collate(samples, 1, 2)
    assert batch["target"] is None
    assert batch["net_input"]["prev_output_tokens"] is None
    assert batch["ntokens"] == 8


def test_padding_follows_the_dictionary(dictionary, monkeypatch):
    monkeypatch.setattr(type(dictionary), "pad", lambda self: 9)
    batch = builder(ofa.RefcocoDataset, dictionary).collater(two())
    assert batch["net_input"]["src_tokens"].tolist() == [[0, 7, 2, 9, 9], [0, 7, 8, 9, 2]]
    assert batch["net_input"]["src_lengths"].tolist() == [3, 4]
