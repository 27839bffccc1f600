"""Cases of the HIM generators: some of the golden data, some drawn."""

import json

import pytest
from tests.synthesis.drawn_inputs import Drawn


@pytest.fixture(scope="session")
def image_case(data):
    root = data / "image_him"
    case = json.loads((root / "expected.json").read_text())
    for key in ("foregrounds", "backgrounds"):
        case[key] = [str(root / path) for path in case[key]]
    return case


@pytest.fixture(scope="session")
def video_case(data):
    root = data / "video_him"
    return {**json.loads((root / "expected.json").read_text()), "data_dir": str(root / "input")}


@pytest.fixture
def drawn(tmp_path):
    return Drawn(tmp_path / "drawn")
