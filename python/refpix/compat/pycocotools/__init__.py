"""``pycocotools.mask`` on our kernels.

Change one import::

    from refpix.compat.pycocotools import mask as maskUtils

or put it under every ``pycocotools.mask`` of the process, ``COCO`` and ``COCOeval`` included::

    import refpix.compat.pycocotools
    refpix.compat.pycocotools.install()
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from refpix.compat.pycocotools import mask

__all__ = ["install", "mask", "uninstall"]

#: Modules that hold the mask module, and by what name.
_USERS = {
    "pycocotools": "mask",
    "pycocotools.coco": "maskUtils",
    "pycocotools.cocoeval": "maskUtils",
}
_before: dict[str, ModuleType | None] = {}


def install() -> None:
    """Makes ``pycocotools.mask`` this one for ``COCO``, ``COCOeval`` and whoever imports it later.

    Also where pycocotools is not installed: then ``pycocotools`` holds nothing but ``mask``. Other
    modules that imported the original before keep it, so install early.
    """
    if _before:
        return
    try:
        importlib.import_module("pycocotools")  # imported later, it would not get its `mask`
    except ImportError:
        _before["pycocotools"] = None
        stand_in = ModuleType("pycocotools", "pycocotools.mask of refpix, and no more.")
        stand_in.__path__ = []
        sys.modules["pycocotools"] = stand_in
    _before["pycocotools.mask"] = sys.modules.get("pycocotools.mask")
    sys.modules["pycocotools.mask"] = mask
    _hand_over(mask)


def uninstall() -> None:
    """Takes back what :func:`install` did."""
    if not _before:
        return
    own = _before.pop("pycocotools.mask")
    if "pycocotools" in _before:
        del sys.modules["pycocotools"], sys.modules["pycocotools.mask"]
    elif own is None:  # it had not been imported
        del sys.modules["pycocotools.mask"]
        own = importlib.import_module("pycocotools.mask")
    if own is not None:
        sys.modules["pycocotools.mask"] = own
        _hand_over(own)
    _before.clear()


def _hand_over(module: ModuleType) -> None:
    for user, name in _USERS.items():
        if user in sys.modules:
            setattr(sys.modules[user], name, module)
