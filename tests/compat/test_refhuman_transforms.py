import random

import numpy as np
import pytest
from PIL import Image
from tests.datasets.refhuman_files import KEYPOINTS, SCRIBBLE

torch = pytest.importorskip("torch")

from refpix.compat.refhuman import Cures, make_coco_transforms  # noqa: E402
from refpix.compat.refhuman import transforms as T  # noqa: E402

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def target(**more):
    return {
        "boxes": torch.tensor([[2.0, 3.0, 12.0, 9.0], [20.0, 1.0, 30.0, 11.0]]),
        "labels": torch.tensor([1, 2]),
        "area": torch.tensor([60.0, 100.0]),
        "iscrowd": torch.tensor([0, 0]),
        "masks": torch.from_numpy(np.stack([box(2, 3, 8, 9), box(20, 1, 30, 5)])),
        "keypoints": torch.tensor(np.array([KEYPOINTS] * 2).reshape(2, 17, 3), dtype=torch.float32),
        "scribble": torch.tensor(np.array(SCRIBBLE).reshape(5, 12, 2)[:2], dtype=torch.float32),
        "caption": "Left hand, bright LEFT; on the left of right",
        **more,
    }


def box(x0, y0, x1, y1):
    mask = np.zeros((20, 40), np.uint8)
    mask[y0:y1, x0:x1] = 1
    return mask


PICTURE = (np.arange(20 * 40 * 3) % 251).astype(np.uint8).reshape(20, 40, 3)


def test_flip():
    given = target()
    image, flipped = T.hflip(PICTURE, given)
    assert np.array_equal(image, PICTURE[:, ::-1])
    assert flipped["boxes"].tolist() == [[28, 3, 38, 9], [10, 1, 20, 11]]
    before, after = given["keypoints"], flipped["keypoints"]
    assert torch.equal(after[:, 0, 0], 39 - before[:, 0, 0])
    assert torch.equal(after[:, 5], torch.stack([39 - before[:, 6, 0], *before[:, 6, 1:].T], 1))
    assert torch.equal(flipped["masks"], given["masks"].flip(-1))
    assert torch.equal(flipped["scribble"][..., 0], 39 - given["scribble"][..., 0])
    assert flipped["caption"] == "Left hand, bleft LEFT; on the right of left"
    assert torch.equal(given["keypoints"], target()["keypoints"])  # left alone
    pil, _ = T.hflip(Image.fromarray(PICTURE), given)
    assert np.array_equal(np.array(pil), image)


def test_flip_cured():
    cured = Cures(flip_whole_words=True, keep_unlabelled_at_zero=True)
    points = target()["keypoints"]
    points[0, 3] = 0
    flipped = T.hflip(PICTURE, target(keypoints=points), cures=cured)[1]
    assert flipped["caption"] == "Right hand, bright RIGHT; on the right of left"
    assert flipped["keypoints"][0, 4].tolist() == [0, 0, 0]
    assert T.hflip(PICTURE, target(keypoints=points))[1]["keypoints"][0, 4].tolist() == [39, 0, 0]


@pytest.mark.parametrize("caption", ["[TMP]", "a [TMP] left", "leftright", "le[TMP]ft", ""])
def test_captions_with_the_published_placeholder(caption):
    swapped = caption.replace("left", "[TMP]").replace("right", "left").replace("[TMP]", "right")
    assert T.hflip(PICTURE, {"caption": caption})[1]["caption"] == swapped


def test_crop():
    image, cropped = T.crop(PICTURE, target(), (2, 1, 10, 15))
    assert np.array_equal(image, PICTURE[2:12, 1:16])
    assert cropped["boxes"].tolist() == [[1, 1, 11, 7]]
    assert cropped["area"].tolist() == [60]  # of the box
    assert cropped["labels"].tolist() == [1]
    assert cropped["masks"].shape == (2, 10, 15)  # one too many
    assert cropped["scribble"].shape == (2, 12, 2)
    assert cropped["keypoints"].shape == (1, 17, 3)
    assert cropped["keypoints"][..., 0].max() == 15
    assert cropped["keypoints"][..., 2].min() == 1  # hidden, never unlabelled
    assert cropped["size"].tolist() == [10, 15]


def test_crop_cured():
    cures = Cures(filter_together=True, area_of_mask=True, hide_cropped_keypoints=True)
    cropped = T.crop(PICTURE, target(), (2, 1, 10, 15), cures=cures)[1]
    assert cropped["masks"].shape == (1, 10, 15)
    assert cropped["scribble"].shape == (1, 12, 2)
    assert cropped["area"].tolist() == [36]
    x, y, flag = cropped["keypoints"][0].T
    inside = [k for k in range(17) if 10 + k - 1 < 15 and 12 + k - 2 < 10]
    assert inside == []  # the first is at (9, 10)
    assert not any(values.any() for values in (x, y, flag))
    lower = T.crop(PICTURE, target(), (3, 1, 10, 15), cures=cures)[1]["keypoints"][0]
    assert lower[0].tolist() == [9, 9, 1]
    assert not lower[1:].any()
    one = T.crop(PICTURE, target(), (2, 1, 10, 15), cures=Cures(area_of_mask=True))[1]
    assert one["area"].tolist() == [36]
    assert len(one["masks"]) == 2


def test_sizes():
    for size, rounded, wanted in (
        ((90, 121), False, (476, 639)),
        ((90, 121), True, (476, 640)),
        ((121, 90), False, (639, 476)),
        ((640, 640), False, (640, 640)),
        ((1, 4000), False, (1, 640)),
    ):
        pixels = np.zeros((*size, 3), np.uint8)
        cures = Cures(round_long_side=rounded)
        image, resized = T.resize(pixels, {}, 640, 640, cures=cures)
        if size != (1, 4000):
            assert image.shape[:2] == wanted
            assert resized["size"].tolist() == list(wanted)
        assert image.shape[0] >= 1
    assert T.resize(PICTURE, None, (10, 7))[0].shape == (7, 10, 3)


def test_pictures_of_pillow_and_numpy_are_the_same():
    for picture in (PICTURE, Image.fromarray(PICTURE)):
        random.seed(3)
        image, item = make_coco_transforms("val")(picture, target())
        assert image.shape == (3, 320, 640)
        assert item["keypoints"].shape == (2, 51)
        assert item["masks"].dtype == torch.bool
        wanted = Image.fromarray(PICTURE).resize((640, 320), Image.Resampling.BILINEAR)
        tensor = torch.from_numpy(np.array(wanted)).permute(2, 0, 1).to(torch.float32).div(255)
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in (MEAN, STD))
        assert torch.equal(image, (tensor - mean) / std)


def test_other_modes_and_single_steps():
    gray = Image.fromarray(PICTURE[..., 0])
    image, _ = T.Compose([T.RandomResize([10]), T.ToTensor()])(gray, None)
    assert image.shape == (1, 10, 20)
    image, item = T.ToTensor()(PICTURE, target())
    alone, scaled = T.Normalize(MEAN, STD)(image, item)
    both, also = T.Compose([T.ToTensor(), T.Normalize(MEAN, STD)])(PICTURE, target())
    assert torch.equal(alone, both)
    for key in ("boxes", "keypoints", "area", "scribble"):
        assert torch.equal(scaled[key], also[key])
    assert "RandomSelect" in repr(make_coco_transforms("train"))
    with pytest.raises(TypeError, match="uint8"):
        T.ToTensor()(PICTURE.astype(np.float32), None)


def test_one_scribble_keeps_its_axis_if_cured():
    one = {"scribble": target()["scribble"][:1]}
    image = torch.zeros(3, 20, 40)
    assert T.Normalize(MEAN, STD)(image, one)[1]["scribble"].shape == (12, 2)
    kept = T.Normalize(MEAN, STD, cures=Cures(keep_scribble_axis=True))(image, one)[1]
    assert kept["scribble"].shape == (1, 12, 2)
    assert T.Normalize(MEAN, STD, official_coco=True)(image, one)[1]["scribble"].ndim == 3


def test_cures_reach_every_transform():
    assert all(vars(Cures.all()).values())
    assert not any(vars(Cures()).values())

    def cures(step):
        inner = [*getattr(step, "transforms", []), *vars(step).values()]
        own = [step.cures] if hasattr(step, "cures") else []
        deeper = [c for part in inner if callable(part) for c in cures(part)]
        return own + deeper

    found = cures(make_coco_transforms("train", cures=Cures.all()))
    assert len(found) == 6
    assert set(found) == {Cures.all()}
