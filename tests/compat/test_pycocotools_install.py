"""Ours under pycocotools' own COCO and COCOeval, each state in a process of its own."""

import functools
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = "refpix.compat.pycocotools.mask"


def python(*arguments):
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return done.stdout


@functools.cache
def scores(state):
    pytest.importorskip("pycocotools")
    return json.loads(python("-m", "tests.compat.coco_scores", state))


@pytest.mark.parametrize("kind", ["segm", "bbox", "keypoints"])
def test_cocoeval_gives_the_same_scores(kind):
    want = scores("theirs")[kind]
    assert 0 < want[0] < 1
    assert scores("ours")[kind] == want
    assert scores("ours, installed late")[kind] == want


def test_install_puts_ours_everywhere_and_uninstall_takes_it_back():
    assert scores("theirs")["modules"] == ["pycocotools.mask"]
    assert scores("ours")["modules"] == [OURS]
    assert scores("ours, installed late")["modules"] == [OURS]
    assert scores("uninstalled")["modules"] == ["pycocotools.mask"]
    assert scores("uninstalled")["segm"] == scores("theirs")["segm"]


IMPORTS = {
    "import pycocotools.mask": "import pycocotools.mask; mask = pycocotools.mask",
    "from pycocotools": "from pycocotools import mask",
    "as": "import pycocotools.mask as mask",
    "import_module": "import importlib; mask = importlib.import_module('pycocotools.mask')",
    "a function": "from pycocotools.mask import encode; mask = sys.modules[encode.__module__]",
}
INSTALL = "import sys, refpix.compat.pycocotools as compat; compat.install()\n"
#: As if pycocotools were not installed: importing it fails.
HIDE = "import sys; sys.modules['pycocotools'] = None\n"


@pytest.mark.parametrize("absent", [False, True])
@pytest.mark.parametrize("line", IMPORTS.values(), ids=IMPORTS)
def test_every_way_to_import_it(line, absent):
    """Also where pycocotools is not installed."""
    if not absent:
        pytest.importorskip("pycocotools")
    program = (HIDE if absent else "") + INSTALL + line + "\nprint(mask.__name__)"
    assert python("-c", program).strip() == OURS


def test_uninstall_where_pycocotools_is_absent():
    program = (
        HIDE
        + INSTALL
        + "import pycocotools.mask; compat.uninstall()\n"
        + "print([name for name in sys.modules if name.split('.')[0] == 'pycocotools'])"
    )
    assert python("-c", program).strip() == "[]"


def test_nothing_is_installed_by_importing():
    program = (
        "import sys, refpix.compat.pycocotools.mask\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'pycocotools'])"
    )
    assert python("-c", program).strip() == "[]"
