import importlib.util

import pytest

import refpix.cuda


def reason_to_skip():
    """Why nothing here can run, or nothing."""
    if refpix.cuda.build_info().unavailable:
        return refpix.cuda.build_info().unavailable
    if importlib.util.find_spec("torch") is None:
        return "torch is not installed"
    import torch

    return "" if torch.cuda.is_available() else "torch sees no CUDA device"


def pytest_collection_modifyitems(items):
    reason = reason_to_skip()
    if reason:
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(pytest.mark.skip(reason=reason))
