"""The same files from two workers of a real Ray cluster as from this process (`make test-ray`)."""

import os
import time

import pytest
from tests.synthesis.drawn_inputs import tree
from tests.synthesis.test_interrupted import drawn_masks, videos

from refpix.errors import SampleError
from refpix.synthesis import generate_images
from refpix.synthesis._engines import in_order_of_completion
from refpix.synthesis.matched_masks import generate_matched_masks

ray = pytest.importorskip("ray")

RAY = {"engine": "ray", "workers": 2}


@pytest.fixture(scope="module", autouse=True)
def two_workers():
    # Ray gives its own processes half a minute to start, which on busy machines is not enough.
    for patience in (2, 1, 0):
        try:
            ray.init(
                num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
            )
            break
        except Exception:
            ray.shutdown()
            if not patience:
                raise
    yield
    ray.shutdown()


def process_of(_):
    time.sleep(0.1)  # long enough that the other worker takes the next
    return os.getpid()


def test_two_other_processes_work():
    processes, stop = set(), time.monotonic() + 120  # workers start when they can
    while len(processes) < 2 and time.monotonic() < stop:
        processes.update(in_order_of_completion(process_of, range(10), **RAY))
    assert len(processes) == 2
    assert os.getpid() not in processes


def images(drawn, out, **options):
    return generate_images(
        out,
        foregrounds=drawn.foregrounds,
        backgrounds=drawn.backgrounds,
        samples=range(8),
        **options,
    )


def test_pictures(drawn, tmp_path):
    images(drawn, tmp_path / "here")
    summary = images(drawn, tmp_path / "ray", **RAY)
    assert sum(summary.counts.values()) == 8
    assert tree(tmp_path / "ray") == tree(tmp_path / "here")
    assert images(drawn, tmp_path / "ray", **RAY).skipped == 8


def test_bad_samples_come_back_as_errors(drawn, tmp_path):
    for i in range(6):
        drawn.matte(i).unlink()
    assert images(drawn, tmp_path / "out", **RAY).counts == {"failed": 8}
    with pytest.raises(SampleError, match=r"\.png: No such file"):
        images(drawn, tmp_path / "strict", strict=True, **RAY)


def test_videos(video_case, tmp_path):
    videos(video_case, tmp_path / "here")
    videos(video_case, tmp_path / "ray", **RAY)
    assert tree(tmp_path / "ray") == tree(tmp_path / "here")


def test_matched_masks(tmp_path):
    drawn_masks(tmp_path)
    folders = tmp_path / "found", tmp_path / "alphas"
    generate_matched_masks(*folders, tmp_path / "here")
    generate_matched_masks(*folders, tmp_path / "ray", **RAY)
    assert tree(tmp_path / "ray") == tree(tmp_path / "here")
