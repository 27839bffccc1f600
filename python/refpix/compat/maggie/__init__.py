"""MaGGIe's datasets under their published names: change one import line.

docs/him.md lists the line, the quirks that are kept and the option that cures each. Needs torch.
"""

from refpix.compat.maggie.build import build_dataset
from refpix.compat.maggie.datasets import Cures, HIMDataset, VIMDataset

__all__ = ["Cures", "HIMDataset", "VIMDataset", "build_dataset"]
