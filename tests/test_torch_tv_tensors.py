"""Between the kernels' conventions and torchvision's."""

import numpy as np
import pytest

from refpix import kernels
from refpix.errors import RleError

torch = pytest.importorskip("torch")
tv_tensors = pytest.importorskip("torchvision.tv_tensors")

from tests.torch_op_cases import BACKGROUNDS, BOXES, CROWD, IMAGES, MASKS, RLES  # noqa: E402

from refpix import torch_ops  # noqa: E402
from refpix.torch_tv_tensors import (  # noqa: E402
    boxes_to_xywh,
    image_to_pixels,
    rle_to_mask,
    to_boxes,
    to_image,
    to_mask,
)


def rles():
    return [torch.tensor(array) for array in RLES]


def test_pictures_there_and_back():
    pixels = torch_ops.image_resize(*map(torch.tensor, IMAGES), out_size=(7, 9))
    image = to_image(pixels)
    assert type(image) is tv_tensors.Image
    assert image.shape == (2, 3, 7, 9)
    assert image.data_ptr() == pixels.data_ptr()
    back = image_to_pixels(image)
    assert type(back) is torch.Tensor
    assert back.data_ptr() == pixels.data_ptr()
    assert torch.equal(back, pixels)
    packed = image_to_pixels(image.contiguous())
    assert packed.is_contiguous()
    assert torch.equal(torch_ops.image_normalize(packed), torch_ops.image_normalize(pixels))
    planes = to_image(torch_ops.image_normalize(pixels), channels_last=False)
    assert (type(planes), planes.shape) == (tv_tensors.Image, (2, 3, 7, 9))


def test_ops_take_masks_and_give_plain_tensors():
    mask = to_mask(torch.tensor(MASKS))
    assert type(mask) is tv_tensors.Mask
    got = torch_ops.rle_encode(mask)
    assert [type(tensor) for tensor in got] == [torch.Tensor] * 3
    for one, other in zip(got, RLES, strict=True):
        np.testing.assert_array_equal(one.numpy(), other)
    assert type(torch_ops.mask_boundary(mask)) is torch.Tensor


def test_run_lengths_to_masks():
    mask = rle_to_mask(*rles())
    assert (type(mask), mask.dtype) == (tv_tensors.Mask, torch.bool)
    np.testing.assert_array_equal(mask.numpy(), MASKS)
    none = rle_to_mask(*(torch.tensor(array) for array in kernels.rle_encode(MASKS[:0])))
    assert none.shape == (0, 0, 0)
    sizes = rles()[2]
    sizes[2] = sizes[2].flip(0)
    with pytest.raises(RleError, match="item 2: masks differ in size"):
        rle_to_mask(*rles()[:2], sizes)


@pytest.mark.parametrize("format", ["XYWH", "XYXY", "CXCYWH"])
def test_boxes_of_any_format_there_and_back(format):
    v2 = pytest.importorskip("torchvision.transforms.v2")
    boxes = to_boxes(torch_ops.rle_bbox(*rles()), canvas_size=MASKS.shape[1:])
    assert type(boxes) is tv_tensors.BoundingBoxes
    assert boxes.canvas_size == (13, 17)
    other = v2.functional.convert_bounding_box_format(
        tv_tensors.wrap(boxes.double(), like=boxes), new_format=tv_tensors.BoundingBoxFormat[format]
    )
    back = boxes_to_xywh(other)
    assert (type(back), back.dtype) == (torch.Tensor, torch.float64)
    np.testing.assert_array_equal(back.numpy(), kernels.rle_bbox(*RLES))
    assert torch.equal(
        torch_ops.bbox_iou(back, back, torch.tensor(CROWD)),
        torch_ops.bbox_iou(boxes_to_xywh(boxes), back, torch.tensor(CROWD)),
    )
    xyxy = to_boxes(torch.tensor(BOXES), (20, 20), format="XYXY")
    np.testing.assert_array_equal(
        boxes_to_xywh(xyxy).numpy(), BOXES - np.pad(BOXES[:, :2], ((0, 0), (2, 0)))
    )


def test_a_sample_through_transforms():
    v2 = pytest.importorskip("torchvision.transforms.v2")
    pixels = torch.tensor(BACKGROUNDS[0, :13, :17])
    sample = {
        "image": to_image(pixels),
        "masks": rle_to_mask(*rles()),
        "boxes": to_boxes(torch_ops.rle_bbox(*rles()), (13, 17)),
    }
    flipped = v2.RandomHorizontalFlip(p=1.0)(sample)
    mirrored = torch_ops.rle_flip(*rles())
    got = torch_ops.rle_encode(flipped["masks"])
    for one, other in zip(got, mirrored, strict=True):
        assert torch.equal(one, other)
    boxes = boxes_to_xywh(flipped["boxes"])
    assert torch.equal(boxes, torch_ops.rle_bbox(*mirrored).double())
    assert torch.equal(image_to_pixels(flipped["image"]), pixels.flip(1))
