"""The positioning transform against Pillow, and its rules for sizes and targets."""

import random

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")

import torch

from refpix.compat.ofa import Compose, Normalize, RandomResize, ToTensor
from refpix.compat.ofa.transforms import resize


def noise(height, width):
    rng = np.random.default_rng(height * 1000 + width)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def positioning(size, order="auto"):
    return Compose(
        [
            RandomResize([size], max_size=size, order=order),
            ToTensor(),
            Normalize(mean=[0.5, 0.4, 0.3], std=[0.5, 0.25, 0.2], max_image_size=32),
        ]
    )


@pytest.mark.parametrize(("height", "width"), [(40, 30), (20, 50), (24, 24), (24, 70), (1, 1)])
def test_pixels_are_pillows(height, width):
    pixels = noise(height, width)
    image = Image.fromarray(pixels)
    resized = RandomResize([24], max_size=24)(image)
    assert isinstance(resized, Image.Image)
    want = np.asarray(image.resize((24, 24), Image.Resampling.BICUBIC))
    assert np.array_equal(np.asarray(resized), want)
    assert np.array_equal(RandomResize([24], max_size=24)(pixels), want)


@pytest.mark.parametrize("as_array", [False, True])
def test_one_step_or_three(as_array):
    pixels = noise(40, 30)
    image = pixels if as_array else Image.fromarray(pixels)
    target = {"boxes": torch.tensor([[1.0, 2, 3, 4]]), "size": torch.tensor([40, 30])}
    together, placed = positioning(24)(image, target)
    steps = positioning(24).transforms
    apart, also_placed = steps[2](*steps[1](*steps[0](image, target)))
    assert together.dtype == apart.dtype == torch.float32
    assert torch.equal(together, apart)
    assert together.shape == (3, 24, 24)
    assert torch.equal(placed["boxes"], also_placed["boxes"])
    assert target["size"].tolist() == [40, 30]  # not modified


def test_target():
    target = {
        "boxes": torch.tensor([[3.0, 4, 6, 8], [0, 0, 30, 40]]),
        "keypoints": torch.tensor([[3.0, 4, 0, 0, 30, 40]]),
        "polygons": torch.tensor([[3.0, 4, 30, 40]]),
        "area": torch.tensor([12.0, 1200.0]),
        "labels": np.array([1, 2]),
        "size": torch.tensor([40, 30]),
    }
    _, placed = RandomResize([24], max_size=24)(noise(40, 30), target)
    assert placed["boxes"].numpy() == pytest.approx(
        np.array([[2.4, 2.4, 4.8, 4.8], [0, 0, 24, 24]])
    )
    assert placed["keypoints"][0, 2:].tolist() == pytest.approx([0, 0, 24, 24])
    assert placed["area"].tolist() == pytest.approx([12 * 0.48, 576])
    assert placed["size"].tolist() == [24, 24]
    assert placed["labels"] is target["labels"]
    _, fractions = Normalize([0.5] * 3, [0.5] * 3, max_image_size=48)(torch.zeros(3, 1, 1), placed)
    assert fractions["boxes"][1].tolist() == pytest.approx([0, 0, 0.5, 0.5])
    assert fractions["keypoints"][0, 4:].tolist() == pytest.approx([0.5, 0.5])
    assert fractions["polygons"][0, 2:].tolist() == pytest.approx([1, 1])
    assert fractions["size"].tolist() == [24, 24]


@pytest.mark.parametrize(
    ("size", "max_size", "want"),
    [
        (20, None, (26, 20)),  # short side 20, ratio kept, truncated
        (20, 23, (23, 20)),
        (30, None, (40, 30)),  # already there
        (30, 35, (35, 30)),
        ((7, 9), None, (9, 7)),  # width and height
    ],
)
def test_sizes(size, max_size, want):
    found, target = resize(noise(40, 30), {}, size, max_size)
    assert found.shape[:2] == want
    assert target["size"].tolist() == list(want)
    transposed, _ = (
        resize(noise(30, 40), {}, size, max_size) if isinstance(size, int) else (None, 0)
    )
    if transposed is not None:
        assert transposed.shape[:2] == want[::-1]


def test_equal_sides():
    found, _ = RandomResize([20], equal=True)(noise(40, 30), {})
    assert found.shape == (20, 20, 3)


def test_sizes_are_drawn_as_published():
    random.seed(3)
    want = [random.choice([8, 12, 16]) for _ in range(10)]
    random.seed(3)
    transform = RandomResize([8, 12, 16])
    assert [transform(noise(40, 40)).shape[0] for _ in range(10)] == want


def test_masks_are_refused():
    with pytest.raises(ValueError, match="masks"):
        resize(noise(4, 4), {"masks": torch.zeros(1, 4, 4)}, 2)


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_other_modes_go_through_pillow(mode):
    image = Image.fromarray(noise(40, 30)).convert(mode)
    resized = RandomResize([24], max_size=24)(image)
    assert resized.mode == mode
    tensor, _ = ToTensor()(resized, None)
    assert tensor.shape == (len(mode), 24, 24)
    assert torch.equal(
        tensor.permute(1, 2, 0).squeeze(-1) * 255, torch.tensor(np.asarray(resized)).float()
    )
    with pytest.raises(TypeError, match="float"):
        ToTensor()(np.zeros((2, 2, 3)), None)


def test_pass_orders_differ_where_they_do():
    pixels = np.zeros((60, 20, 3), dtype=np.uint8)
    pixels[::7, ::3] = 255
    first = RandomResize([16], max_size=16, order="pillow12")(pixels)
    second = RandomResize([16], max_size=16, order="pillow13")(pixels)
    assert not np.array_equal(first, second)


def test_repr_names_the_steps():
    assert repr(positioning(8)).count("\n") == 4
