"""Drop-in replacement for RefHuman's data code: change one import line per file.

docs/refhuman.md lists the lines, the quirks that are kept and the option that cures each.
Needs torch; neither torchvision, nor OpenCV, nor pycocotools.
"""

from refpix.compat.refhuman.cures import Cures
from refpix.compat.refhuman.dataset import CocoDetection, RefHuman, build, make_coco_transforms

__all__ = ["CocoDetection", "Cures", "RefHuman", "build", "make_coco_transforms"]
