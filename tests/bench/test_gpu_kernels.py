"""bench/gpu/kernels.py with tiny inputs: all of it but the clock of a device."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.bench.host_device import Host, emulated

import refpix.cuda
from refpix.kernels import _registry

ROOT = Path(__file__).resolve().parents[2]
CUDA_KERNELS = sorted(path.parent.name for path in (ROOT / "csrc/kernels").glob("*/cuda.cu"))


def test_every_cuda_kernel_has_a_case(bench):
    assert {case.kernel for case in bench("cases").CASES} >= set(CUDA_KERNELS)


def test_all_cases_run_and_agree_with_the_cpu(bench, tmp_path, capsys):
    path = tmp_path / "gpu.json"
    status = bench("kernels").main(["--tiny", "--rounds", "2", "--json", str(path)], Host())
    assert status == 0, capsys.readouterr().out
    section = json.loads(path.read_text())["kernels"]
    assert section["machine"]["commit"] is not None
    cases = section["cases"]
    run = {name.split(":")[0] for name, report in cases.items() if "left_out" not in report}
    assert run >= set(CUDA_KERNELS)
    for name, report in cases.items():
        if "left_out" not in report:
            assert report["equal"], name
            assert report["bytes"] > 0
            assert report["share"] > 0


def test_check_times_and_writes_nothing(bench, tmp_path, capsys):
    path = tmp_path / "gpu.json"
    args = ["--check", "--tiny", "--only", "image_resize", "--json", str(path)]
    assert bench("kernels").main(args, Host()) == 0
    assert "equal" in capsys.readouterr().out
    assert not path.exists()


def test_a_wrong_result_is_not_timed(bench, tmp_path, capsys):
    class Wrong(Host):
        def get(self, value):
            return super().get(value) + 1

    kernels = bench("kernels")
    assert (
        kernels.main(
            ["--tiny", "--only", "image_resize", "--json", str(tmp_path / "gpu.json")], Wrong()
        )
        == 1
    )
    assert "DIFFERS" in capsys.readouterr().out


@pytest.mark.skipif(refpix.cuda.is_available() and not emulated(), reason="there is a device")
def test_without_a_device_it_says_why(bench, capsys, monkeypatch):
    monkeypatch.setattr(_registry, "cuda_state", lambda: (None, "refpix was built without CUDA"))
    for program in ("kernels", "copy_bandwidth"):
        main = bench(program).main
        assert (main([]) if program == "kernels" else main()) == 1
        assert "built without CUDA" in capsys.readouterr().out


def test_shares_are_ratios_of_bandwidths_within_a_round(bench):
    contender = bench("copy_bandwidth").Contender
    ours = contender([], 100, seconds=[1.0, 2.0, 4.0])
    copy = contender([], 300, seconds=[2.0, 4.0, 8.0])
    assert ours.share_of(copy) == pytest.approx(2 / 3)


def test_memory_rotates_past_the_cache(bench):
    rotation = bench("copy_bandwidth").rotation
    assert rotation(10 << 20, 50 << 20) * 10 >= 4 * 50
    assert rotation(1 << 30, 50 << 20) == 2
    assert rotation(0, 50 << 20) == 64


def test_turns_fit_a_stream(bench):
    module = bench("copy_bandwidth")
    seen = []

    class Fast(Host):
        def seconds(self, calls, head_start):
            seen.append(len(calls))
            return 1e-9 * len(calls), True

    contender = module.Contender([lambda: None, lambda: None], 8)
    module.take_turns(Fast(), {"one": contender}, 3)
    assert max(seen) == module.MOST_CALLS
    np.testing.assert_allclose(contender.seconds, 1e-9)
