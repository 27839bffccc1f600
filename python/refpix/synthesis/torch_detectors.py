"""Detectors of torchvision and detectron2, as ``refpix.synthesis.masks.Detector``.

The libraries load models and weights themselves; here pictures are handed to the models as the
libraries' own predictors do, and the answers are put into arrays.
"""

from __future__ import annotations

import os
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from refpix.errors import BackendUnavailableError, MissingExtraError
from refpix.synthesis.masks import Instances

__all__ = [
    "Detectron2Detector",
    "TorchvisionDetector",
    "detectron2_detector",
    "torchvision_detector",
]

#: Models leave out what scores less before they paste masks, which is most of their work. A little
#: below the least score, as some compare by ``>``; suppression is not touched, as boxes are only
#: suppressed by those that score more.
_MARGIN: Final = 1e-3
_TRAINED_CLASSES: Final = "roi_heads.box_predictor.cls_score.weight"


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def _identity(weights: str | None) -> str:
    """Weights in a run's settings: files by name and size, as folders move."""
    if weights and os.path.isfile(weights):
        return f"{os.path.basename(weights)}, {os.path.getsize(weights)} bytes"
    return weights or "none"


class TorchvisionDetector:
    """A model of ``torchvision.models.detection`` that gives masks.

    Args:
        model: takes a list of float (3, H, W), 0 to 1, and gives for each a dict of ``labels``
            (n,), ``scores`` (n,) and ``masks`` (n, 1, H, W), probabilities. Used as it is: in
            evaluation mode, on ``device``.
        device: where pictures go.
        settings: what a run's settings say of it.
    """

    def __init__(self, model: Any, device: str = "auto", settings: Any = None) -> None:
        self.model = model
        self.device = _device(device)
        self.settings = settings or {"detector": f"torchvision {type(model).__name__}"}

    def __call__(self, rgb: npt.NDArray[np.uint8]) -> Instances:
        """Instances by falling score; a pixel is foreground from probability 0.5 on."""
        with torch.inference_mode():
            picture = torch.from_numpy(rgb).to(self.device).permute(2, 0, 1)
            (found,) = self.model([picture.to(torch.float32) / 255])
            planes = found["masks"][:, 0] >= 0.5
            scores, labels = found["scores"].cpu().numpy(), found["labels"].cpu().numpy()
            return Instances(planes.cpu().numpy(), scores, labels)


def torchvision_detector(
    builder: str = "maskrcnn_resnet50_fpn_v2",
    *,
    weights: str | None = "DEFAULT",
    device: str = "auto",
    min_score: float = 0.7,
) -> TorchvisionDetector:
    """A Mask R-CNN that torchvision loads.

    Args:
        builder: name in ``torchvision.models.detection``.
        weights: name of torchvision's weights, which it downloads; or a file of a state dict; or
            None: random ones, as they are drawn now.
        device: as torch names it; ``auto``: cuda if there is one.
        min_score: least score that is of use; the model leaves out what scores less.

    Raises:
        MissingExtraError: torchvision is not installed.
        ValueError: there is no such builder, or no such weights.
    """
    try:
        from torchvision.models import get_model
    except ImportError as error:
        raise MissingExtraError("--model torchvision", "torchvision", "detectors") from error
    options: dict[str, Any] = {}
    if weights is not None and os.path.isfile(weights):
        state = torch.load(weights, map_location="cpu", weights_only=True)
        if _TRAINED_CLASSES in state:
            options["num_classes"] = len(state[_TRAINED_CLASSES])
        model = get_model(builder, weights=None, weights_backbone=None, **options)
        model.load_state_dict(state)
    else:
        if weights is None:
            options["weights_backbone"] = None
        try:
            model = get_model(builder, weights=weights, **options)
        except KeyError as error:
            raise ValueError(f"torchvision has no {weights} for {builder}: {error}") from error
    model.eval().to(_device(device))
    model.roi_heads.score_thresh = max(min_score - _MARGIN, 0.0)
    settings = {"detector": f"torchvision {builder}", "weights": _identity(weights)}
    return TorchvisionDetector(model, device, settings)


class Detectron2Detector:
    """A model of detectron2 that gives ``pred_masks``.

    Args:
        model: takes a list of ``{"image": float32 (3, h, w), 0 to 255, "height": H, "width": W}``
            and gives for each ``{"instances": Instances}`` with ``scores``, ``pred_classes``, from
            0, and ``pred_masks``, bool (n, H, W). Its ``input_format``, "BGR" where it has none,
            is the order of the channels. Used as it is: in evaluation mode, on its own device.
        shortest: the picture's shorter side as the model sees it,
        longest: but the longer one no longer than this.
        settings: what a run's settings say of it.
    """

    def __init__(
        self, model: Any, *, shortest: int = 800, longest: int = 1333, settings: Any = None
    ) -> None:
        self.model = model
        self.shortest = shortest
        self.longest = longest
        self.settings = settings or {"detector": f"detectron2 {type(model).__name__}"}

    def __call__(self, rgb: npt.NDArray[np.uint8]) -> Instances:
        """Instances in the model's order; labels are its classes and one, so that people are 1."""
        height, width = rgb.shape[:2]
        channels = rgb if getattr(self.model, "input_format", None) == "RGB" else rgb[..., ::-1]
        seen = np.asarray(self._resized(np.ascontiguousarray(channels)), np.float32)
        picture = torch.from_numpy(np.ascontiguousarray(seen.transpose(2, 0, 1)))
        with torch.inference_mode():
            (answer,) = self.model([{"image": picture, "height": height, "width": width}])
            found = answer["instances"]
            return Instances(
                found.pred_masks.cpu().numpy(),
                found.scores.cpu().numpy(),
                found.pred_classes.cpu().numpy() + 1,
            )

    def _resized(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """As detectron2's ``ResizeShortestEdge``: bilinear, by Pillow."""
        height, width = pixels.shape[:2]
        scale = self.shortest / min(height, width)
        new = [scale * height, scale * width]
        if max(new) > self.longest:
            shrink = self.longest / max(new)
            new = [side * shrink for side in new]
        new_height, new_width = (int(side + 0.5) for side in new)
        image = Image.fromarray(pixels)
        return np.asarray(image.resize((new_width, new_height), Image.Resampling.BILINEAR))


def detectron2_detector(
    config: str = "COCO-InstanceSegmentation/mask_rcnn_R_50_C4_3x.yaml",
    *,
    weights: str | None = None,
    device: str = "auto",
    min_score: float = 0.7,
) -> Detectron2Detector:
    """A Mask R-CNN that detectron2 loads.

    Args:
        config: name in detectron2's model zoo, e.g. those of M-HIM2K, or a file, ``.yaml`` or
            ``.py``.
        weights: file or address that detectron2 takes; None: the zoo's own, which it downloads;
            empty: random ones.
        device: as torch names it; ``auto``: cuda if there is one.
        min_score: least score that is of use; the model leaves out what scores less.

    Raises:
        BackendUnavailableError: detectron2 is not installed.
        ValueError: the config is a file, and no weights are named.
    """
    try:
        from detectron2 import model_zoo
        from detectron2.checkpoint import DetectionCheckpointer
        from detectron2.config import LazyConfig, get_cfg, instantiate
        from detectron2.modeling import build_model
    except ImportError as error:
        raise BackendUnavailableError(
            "--model detectron2 needs detectron2, which has no wheels: see its INSTALL.md"
        ) from error
    in_zoo = not os.path.isfile(config)
    if weights is None:
        if not in_zoo:
            raise ValueError(f"{config}: name the weights that belong to it")
        weights = model_zoo.get_checkpoint_url(config)
    file = model_zoo.get_config_file(config) if in_zoo else config
    sides, least = {}, max(min_score - _MARGIN, 0.0)
    if file.endswith(".py"):
        lazy = LazyConfig.load(file).model
        if "box_predictor" in lazy.roi_heads:
            lazy.roi_heads.box_predictor.test_score_thresh = least
        model = instantiate(lazy).to(_device(device))
    else:
        cfg = get_cfg()
        cfg.merge_from_file(file)
        cfg.MODEL.DEVICE = str(_device(device))
        cfg.MODEL.ROI_HEADS.SCORE_THRESH_TEST = least
        model = build_model(cfg)
        sides = {"shortest": cfg.INPUT.MIN_SIZE_TEST, "longest": cfg.INPUT.MAX_SIZE_TEST}
    model.eval()
    DetectionCheckpointer(model).load(weights)
    settings = {"detector": f"detectron2 {config}", "weights": _identity(weights)}
    return Detectron2Detector(model, **sides, settings=settings)
