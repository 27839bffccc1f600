import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from refpix.errors import BackendUnavailableError, MissingExtraError
from refpix.synthesis.masks import Limits, detect_masks

torch = pytest.importorskip("torch")

from refpix.synthesis.torch_detectors import (  # noqa: E402
    Detectron2Detector,
    TorchvisionDetector,
    detectron2_detector,
    torchvision_detector,
)


def picture(height=10, width=20):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


class Thresholds(torch.nn.Module):
    """Answers as torchvision's models do: pixels redder than greener, in two strengths."""

    def forward(self, images):
        self.seen = images
        (image,) = images
        redder = (image[0] > image[1]).float()
        masks = torch.stack((redder * 0.5, redder * 0.499, torch.ones_like(redder)))[:, None]
        return [
            {
                "masks": masks,
                "scores": torch.tensor([0.7, 0.9, 0.8]),
                "labels": torch.tensor([1, 1, 3]),
            }
        ]


def test_torchvision_models_see_shares_and_give_probabilities():
    rgb = picture()
    model = Thresholds()
    found = TorchvisionDetector(model, "cpu")(rgb)
    (seen,) = model.seen
    assert torch.equal(seen, torch.from_numpy(rgb.transpose(2, 0, 1)).float() / 255)
    assert found.masks.dtype == bool
    np.testing.assert_array_equal(found.masks[0], rgb[..., 0] > rgb[..., 1])
    assert not found.masks[1].any()
    np.testing.assert_array_equal(found.scores, np.array([0.7, 0.9, 0.8], np.float32))
    np.testing.assert_array_equal(found.labels, [1, 1, 3])


def test_a_tree_of_masks_by_a_torchvision_model(tmp_path):
    rgb = picture()
    Image.fromarray(rgb).save(tmp_path / "p.png")
    detector = TorchvisionDetector(Thresholds(), "cpu", {"detector": "by hand"})
    detect_masks(detector, [tmp_path / "p.png"], tmp_path / "out")
    (written,) = (tmp_path / "out").rglob("*.png")  # 0.7 is enough; no pixels, and no person, not
    assert written == tmp_path / "out/p/00.png"
    with Image.open(written) as image:
        np.testing.assert_array_equal(np.asarray(image) == 255, rgb[..., 0] > rgb[..., 1])


@pytest.mark.filterwarnings("default")  # theirs
def test_a_mask_rcnn_that_torchvision_builds(tmp_path):
    pytest.importorskip("torchvision")
    torch.manual_seed(0)
    options = {"device": "cpu", "min_score": 0.0}
    detector = torchvision_detector("maskrcnn_resnet50_fpn", weights=None, **options)
    assert not detector.model.training
    detector.model.transform.min_size = (96,)  # seconds instead of minutes
    rgb = picture(60, 90)
    found = detector(rgb)
    assert found.masks.shape == (len(found.scores), 60, 90)
    assert len(found.scores) > 0
    with torch.inference_mode():
        (want,) = detector.model([torch.from_numpy(rgb).permute(2, 0, 1) / 255])
    np.testing.assert_array_equal(found.scores, want["scores"].numpy())
    np.testing.assert_array_equal(found.labels, want["labels"].numpy())
    np.testing.assert_array_equal(found.masks, want["masks"][:, 0].numpy() >= 0.5)

    torch.save(detector.model.state_dict(), tmp_path / "weights.pth")
    file = str(tmp_path / "weights.pth")
    again = torchvision_detector("maskrcnn_resnet50_fpn", weights=file, **options)
    again.model.transform.min_size = (96,)
    np.testing.assert_array_equal(again(rgb).masks, found.masks)
    assert again.settings["weights"].startswith("weights.pth, ")
    higher = torchvision_detector("maskrcnn_resnet50_fpn", weights=file, device="cpu")
    higher.model.transform.min_size = (96,)
    count = np.count_nonzero(found.scores > 0.699)
    assert 0 < count < len(found.scores)  # what scores less was not asked for, the rest is the same
    np.testing.assert_array_equal(higher(rgb).masks, found.masks[:count])
    Image.fromarray(rgb).save(tmp_path / "p.png")
    limits = Limits(int(found.labels[0]), 0.0, 0.0)
    detect_masks(detector, [tmp_path / "p.png"], tmp_path / "out", limits=limits)
    written = sorted((tmp_path / "out/p").iterdir())
    assert len(written) == np.count_nonzero(found.labels == found.labels[0])
    with pytest.raises(ValueError, match="no NONE"):
        torchvision_detector(weights="NONE")


class AnswersAsDetectron2:
    """The interface that detectron2's documentation gives its models ("Use Models")."""

    def __init__(self, input_format=None):
        if input_format:
            self.input_format = input_format

    def __call__(self, inputs):
        (self.seen,) = inputs
        planes = torch.zeros(2, self.seen["height"], self.seen["width"], dtype=torch.bool)
        planes[0, :, :5] = True
        found = SimpleNamespace(
            pred_masks=planes,
            scores=torch.tensor([0.75, 0.5]),
            pred_classes=torch.tensor([0, 4]),
        )
        return [{"instances": found}]


@pytest.mark.parametrize(("size", "seen"), [((10, 20), (40, 80)), ((10, 40), (25, 100))])
@pytest.mark.parametrize("channels", [None, "BGR", "RGB"])
def test_detectron2_models_see_resized_levels_in_their_order(size, seen, channels):
    rgb = picture(*size)
    model = AnswersAsDetectron2(channels)
    found = Detectron2Detector(model, shortest=40, longest=100)(rgb)
    given = rgb if channels == "RGB" else rgb[..., ::-1]
    resized = Image.fromarray(np.ascontiguousarray(given)).resize(seen[::-1], Image.BILINEAR)
    want = torch.from_numpy(np.asarray(resized).transpose(2, 0, 1).astype(np.float32))
    assert torch.equal(model.seen["image"], want)
    assert (model.seen["height"], model.seen["width"]) == size
    assert found.masks.shape == (2, *size)
    assert found.masks[0].sum() == 5 * size[0]
    assert found.labels.tolist() == [1, 5]
    assert found.scores.tolist() == [0.75, 0.5]


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    "config",
    [
        "COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_3x.yaml",
        "new_baselines/mask_rcnn_R_50_FPN_400ep_LSJ.py",
    ],
)
def test_detectron2_gives_what_its_own_predictor_gives(config):
    pytest.importorskip("detectron2")
    from detectron2 import model_zoo
    from detectron2.engine import DefaultPredictor

    torch.manual_seed(0)
    detector = detectron2_detector(config, weights="", device="cpu", min_score=0.0)
    assert not detector.model.training
    for name, weight in detector.model.named_parameters():
        if "conv3" in name:  # random ones run into infinity, as frozen normalisation does nothing
            weight.data *= 0.1
    cfg = model_zoo.get_config("COCO-InstanceSegmentation/mask_rcnn_R_50_C4_3x.yaml")
    cfg.MODEL.DEVICE, cfg.MODEL.WEIGHTS = "cpu", ""
    cfg.INPUT.MIN_SIZE_TEST, cfg.INPUT.MAX_SIZE_TEST = 96, 128
    predictor = DefaultPredictor(cfg)
    predictor.model = detector.model  # as the published script does
    detector.shortest, detector.longest = 96, 128
    rgb = picture(60, 90)
    want = predictor(rgb[..., ::-1])["instances"]
    found = detector(rgb)
    assert len(found.scores) > 0
    np.testing.assert_array_equal(found.scores, want.scores.numpy())
    np.testing.assert_array_equal(found.labels, want.pred_classes.numpy() + 1)
    np.testing.assert_array_equal(found.masks, want.pred_masks.numpy())


def test_libraries_that_are_not_there_are_named(monkeypatch, tmp_path):
    for name in ("torchvision", "torchvision.models", "detectron2"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match="detectors"):
        torchvision_detector()
    with pytest.raises(BackendUnavailableError, match=r"INSTALL\.md"):
        detectron2_detector()


@pytest.mark.filterwarnings("default")
def test_a_config_of_ones_own_wants_weights(tmp_path):
    pytest.importorskip("detectron2")
    (tmp_path / "a.yaml").write_text("")
    with pytest.raises(ValueError, match="name the weights"):
        detectron2_detector(str(tmp_path / "a.yaml"))
