import pickle
from collections import Counter

import numpy as np
import pytest

from refpix.datasets import RefHCM, RefHCMMixture
from refpix.errors import ImageError, RowError
from refpix.types import BytesBatch


@pytest.fixture
def parts(make):
    return {
        "rkpt": RefHCM(make("rkpt", 5)),
        "rpar": RefHCM(make("rpar", 3)),
        "rhrc": RefHCM(make("rhrc", 4)),
    }


def rows(items):
    return [[(sample.task, sample.row) for sample in item] for item in items]


def test_cycle_takes_the_next_row_of_each(parts):
    mixture = RefHCMMixture(parts)
    assert len(mixture) == 5
    assert rows(mixture) == [
        [("rkpt", 0), ("rpar", 0), ("rhrc", 0)],
        [("rkpt", 1), ("rpar", 1), ("rhrc", 1)],
        [("rkpt", 2), ("rpar", 2), ("rhrc", 2)],
        [("rkpt", 3), ("rpar", 0), ("rhrc", 3)],
        [("rkpt", 4), ("rpar", 1), ("rhrc", 0)],
    ]
    mixture.set_epoch(1)  # Goes on where the last epoch ended, as readers without an index do.
    assert rows([mixture[0]]) == [[("rkpt", 0), ("rpar", 2), ("rhrc", 1)]]
    assert rows(mixture.__getitems__([1, -1])) == rows([mixture[1], mixture[4]])
    with pytest.raises(IndexError):
        mixture[5]


def test_cycle_is_the_published_multi_task_order(golden):
    """The items of the published program on the golden files."""
    import json

    folder = golden / "refhcm"
    wanted = json.loads((folder / "expected/multitask.json").read_text("utf-8"))
    files = {task: wanted["files"][task] for task in ("rkpt", "rpar", "rhrc")}
    config = {k: v for k, v in wanted["config"].items() if k.endswith("length")}
    options = {"size": 96, "max_image_size": 96, **config}
    sets = {
        task: RefHCM(
            folder / file,
            task,
            selected_cols=wanted["selected_cols"][task],
            root=folder / "annos" if task == "rpar" else None,
            targets={**options, "multitask": True},
        )
        for task, file in files.items()
    }
    mixture = RefHCMMixture(sets, length=len(RefHCM(folder / wanted["files"]["rec"])))
    assert wanted["items"]
    for i, item in enumerate(wanted["items"]):
        got = RefHCMMixture(sets, length=100)[i]
        assert [s.task for s in got] == [s["task"] for s in item]
        for sample, want in zip(got, item, strict=True):
            assert sample.id == want["id"]
            assert sample.box_xyxy.tolist() == want["region_coord"]
            assert sample.image.shape == (want["height"], want["width"], 3)
            text = want["encoded_texts"][-1]["text"]
            if sample.task != "rhrc":
                assert sample.targets.target_text.split()[:4] == text.split()[:4]
            else:
                assert sample.targets.target_text == text
    assert len(mixture) == 3


def test_order_depends_on_seed_and_epoch_only(parts):
    for mode in ("cycle", "weighted"):
        mixture = RefHCMMixture(parts, mode=mode, seed=3, shuffle=True)
        orders = []
        for epoch in (0, 1, 0):
            mixture.set_epoch(epoch)
            orders.append(np.stack(mixture.locate(range(len(mixture)))).tolist())
        assert orders[0] == orders[2] != orders[1]
        other = RefHCMMixture(parts, mode=mode, seed=4, shuffle=True)
        assert np.stack(other.locate(range(len(other)))).tolist() != orders[0]
        again = pickle.loads(pickle.dumps(mixture))
        assert np.stack(again.locate(range(len(again)))).tolist() == orders[0]


def test_order_is_the_same_everywhere(parts):
    """Written down once: it may change neither with NumPy nor with us."""
    mixture = RefHCMMixture(parts, mode="weighted", seed=1)
    which, inner = mixture.locate(range(12))
    assert which.tolist() == [2, 2, 1, 2, 0, 2, 2, 0, 0, 0, 0, 0]
    assert inner.tolist() == [1, 2, 2, 3, 0, 0, 2, 3, 4, 1, 2, 1]


def test_shuffled_cycle_sees_every_row_each_round(parts):
    mixture = RefHCMMixture(parts, length=15, shuffle=True).flatten()
    which, inner = mixture.locate(range(len(mixture)))
    for number, part in enumerate(parts.values()):
        turns = inner[which == number]
        size = len(part)
        for start in range(0, 15 - size + 1, size):
            assert sorted(turns[start : start + size].tolist()) == list(range(size))


def test_weighted_draws_by_weight(parts):
    mixture = RefHCMMixture(
        parts, weights={"rkpt": 3, "rpar": 0, "rhrc": 1}, mode="weighted", length=4000
    )
    which, inner = mixture.locate(range(4000))
    counts = Counter(which.tolist())
    assert counts[1] == 0
    assert 2850 < counts[0] < 3150
    rkpt = inner[which == 0]
    assert sorted(rkpt[:5].tolist()) == list(range(5))
    assert mixture[7].task == ["rkpt", "rpar", "rhrc"][which[7]]
    assert mixture[7].row == inner[7]
    assert len(RefHCMMixture(parts, mode="weighted")) == 12


def test_hooks_want_single_samples(parts):
    mixture = RefHCMMixture(parts)
    with pytest.raises(TypeError, match="flatten"):
        mixture.payloads([0])
    flat = mixture.flatten()
    assert len(flat) == 15
    singles = [sample for item in mixture for sample in item]
    assert [(s.task, s.row) for s in flat] == [(s.task, s.row) for s in singles]
    records = flat.records([0, 4, 8])
    assert [(r.task, r.row) for r in records] == [("rkpt", 0), ("rpar", 1), ("rhrc", 2)]


def test_payloads_of_a_mixed_batch(parts):
    flat = RefHCMMixture(parts).flatten()
    values, spans, encoding = flat.payloads([0, 1, 2, 5])
    assert encoding == "raw"
    png = b"\x89PNG"
    assert [BytesBatch(values, spans).item(i)[:4] for i in range(4)] == [png] * 4
    alone = flat.payloads([0, 3])
    assert alone.encoding == "base64"
    assert np.shares_memory(alone.values, parts["rkpt"].source.tsv.values)


def test_faults_of_a_mixed_batch(parts):
    picture = parts["rpar"].path.parent / "annos/imgs/train/0000001.png"
    picture.unlink()
    flat = RefHCMMixture(parts).flatten()
    faults = {}
    flat.payloads([3, 4, 5], faults)
    assert list(faults) == [1]
    assert faults[1].row == 1
    with pytest.raises(RowError, match=r"0000001\.png"):
        flat.payloads([3, 4, 5])
    with pytest.raises(RowError, match=r"0000001\.png"):
        flat.__getitems__([3, 4, 5])
    assert flat.row_error(4, ImageError("image_corrupt")).file == str(parts["rpar"].path)


def test_unusable_mixtures(parts, make):
    with pytest.raises(ValueError, match="needs a dataset"):
        RefHCMMixture({})
    with pytest.raises(ValueError, match="empty datasets: rkpt"):
        RefHCMMixture({"rkpt": parts["rkpt"][:0]})
    with pytest.raises(ValueError, match="positive"):
        RefHCMMixture(parts, [0, 0, 0], mode="weighted")
    with pytest.raises(ValueError, match="one for each"):
        RefHCMMixture(parts, [1, 2], mode="weighted")
    with pytest.raises(ValueError, match="weights for"):
        RefHCMMixture(parts, {"rec": 1}, mode="weighted")
    with pytest.raises(ValueError, match="mode"):
        RefHCMMixture(parts, mode="random")


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_torch_dataloader(parts, method):
    data = pytest.importorskip("torch.utils.data")
    mixture = RefHCMMixture(parts)
    loader = data.DataLoader(
        mixture, batch_size=2, num_workers=2, collate_fn=list, multiprocessing_context=method
    )
    assert [rows(batch) for batch in loader] == [
        rows([mixture[i] for i in indices]) for indices in ([0, 1], [2, 3], [4])
    ]
