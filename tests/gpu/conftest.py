import pytest

import refpix.cuda


def pytest_collection_modifyitems(items):
    reason = refpix.cuda.build_info().unavailable
    if reason:
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(pytest.mark.skip(reason=reason))
