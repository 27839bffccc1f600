"""Where the test data lies."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

# Machines differ and the first example pays for imports: pytest's timeout is the only limit.
settings.register_profile("refpix", deadline=None)
# Under sanitizers, on further instruction sets and on an emulated device the same tests run again:
# fewer examples.
settings.register_profile("again", deadline=None, max_examples=20)
ISA = re.compile(r"\b(scalar|avx2|avx512(_vbmi)?)\b")
AGAIN = {"REFPIX_SANITIZED", "REFPIX_ISA", "REFPIX_EMULATED"}
settings.load_profile("again" if AGAIN & set(os.environ) else "refpix")


def pytest_collection_modifyitems(config, items):
    """Under REFPIX_ISA leave out the tests that go through the instruction sets by themselves."""
    if "REFPIX_ISA" not in os.environ:
        return
    repeated = [item for item in items if names_an_isa(item)]
    config.hook.pytest_deselected(items=repeated)
    items[:] = [item for item in items if not names_an_isa(item)]


def names_an_isa(item) -> bool:
    return hasattr(item, "callspec") and bool(ISA.search(item.callspec.id))


@pytest.fixture(scope="session")
def data() -> Path:
    """The committed test data."""
    return ROOT / "tests" / "data"


@pytest.fixture(scope="session")
def golden() -> Path:
    """The whole golden data for referring datasets; a test that asks for it is skipped without.

    REFPIX_GOLDEN names the folder that holds ``referring``; by default ``../shared/golden``
    beside the repository.
    """
    forced = os.environ.get("REFPIX_GOLDEN")
    folder = Path(forced or ROOT.parent / "shared" / "golden") / "referring"
    if forced and not folder.is_dir():
        pytest.fail(f"REFPIX_GOLDEN={forced} holds no folder 'referring'")
    if not folder.is_dir():
        pytest.skip("no golden data: set REFPIX_GOLDEN to run against all of it")
    return folder


@pytest.fixture(scope="session")
def golden_matting() -> Path:
    """The whole golden data for matting and long-tail datasets; found as ``golden`` is."""
    forced = os.environ.get("REFPIX_GOLDEN")
    folder = Path(forced or ROOT.parent / "shared" / "golden") / "matting-glt"
    if forced and not folder.is_dir():
        pytest.fail(f"REFPIX_GOLDEN={forced} holds no folder 'matting-glt'")
    if not folder.is_dir():
        pytest.skip("no golden data: set REFPIX_GOLDEN to run against all of it")
    return folder
