"""MSCOCO-GLT's data class under its published name: change one import line.

docs/glt.md lists the line, the quirks that are kept and the option that cures each. Needs torch,
but not torchvision.
"""

from refpix.compat.glt.dataset import COCO_LT, Cures

__all__ = ["COCO_LT", "Cures"]
