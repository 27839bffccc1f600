"""balanced_select against the published loop and the same formula over all rows at once in NumPy.

180,000 objects of 29 classes and 196 attributes, 200 picks a class. The published loop takes
minutes, so it picks 5 from the smallest class and is extrapolated: its time grows with rows times
picks.
"""

import time

import numpy as np
from timing import compare

from refpix.kernels import balanced_select, isas, use_isa

ROWS, CLASSES, ATTRIBUTES, PICKS = 180_000, 29, 196, 200


def objects(rng):
    """Objects in which attributes occur together, from common ones to rare ones."""
    share = 1.0 / np.arange(1, CLASSES + 1) ** 0.9
    sizes = (share / share.sum() * ROWS).astype(int)
    often = rng.random(ATTRIBUTES) ** 3 * 0.25
    groups = rng.random((40, ATTRIBUTES)) < 0.1
    vectors = rng.random((sizes.sum(), ATTRIBUTES)) < often
    vectors |= groups[rng.integers(0, 40, len(vectors))] & (rng.random(vectors.shape) < 0.3)
    return vectors, np.concatenate([[0], np.cumsum(sizes)])


def published(vectors, count):
    taken = np.zeros(ATTRIBUTES)
    left = dict(enumerate(vectors))
    picks = []
    for _ in range(count):
        least, best, best_vector = np.inf, -1, None
        for key, vector in left.items():
            vector = (vector > 0.5).astype(np.float32)
            if vector.sum() == 0:
                continue
            together = taken + vector
            if (together / (together.sum() + 1e-9)).std() < least:
                least = (together / (together.sum() + 1e-9)).std()
                best, best_vector = key, vector
        picks.append(best)
        taken += best_vector
        del left[best]
    return picks


def all_rows_at_once(vectors, count):
    vectors = vectors.astype(np.float64)
    taken = np.zeros(ATTRIBUTES)
    out = ~vectors.any(axis=1)
    picks = []
    for _ in range(count):
        together = taken + vectors
        spread = (together / (together.sum(axis=1, keepdims=True) + 1e-9)).std(axis=1)
        spread[out] = np.inf
        picks.append(int(spread.argmin()))
        out[picks[-1]] = True
        taken += vectors[picks[-1]]
    return picks


def select(vectors, offsets, count):
    rows = np.arange(len(vectors))
    return balanced_select(vectors, rows, offsets, count=count)


def main():
    vectors, offsets = objects(np.random.default_rng(0))
    small = vectors[offsets[-2] :]
    one_class = np.array([0, len(small)])
    values = small.astype(np.float64)
    started = time.process_time()
    want = published(values, 5)
    seconds = time.process_time() - started
    assert want == all_rows_at_once(small, 5) == select(small, one_class, 5)[0].tolist()
    evaluated = len(small) * 5
    print(f"published loop, {evaluated} rows looked at: {seconds:.2f} s, so about ", end="")
    print(f"{seconds / evaluated * offsets[-1] * PICKS / 60:.0f} minutes for all classes")

    want = all_rows_at_once(small, PICKS)
    ways = {"all rows at once, NumPy": lambda: all_rows_at_once(small, PICKS)}
    for isa in isas():
        with use_isa(isa):
            assert select(small, one_class, PICKS)[0].tolist() == want
    ways["balanced_select"] = lambda: select(small, one_class, PICKS)
    compare(f"the smallest class, {len(small)} rows", ways, rounds=3)

    ways = {}
    for isa in isas():

        def run(isa=isa):
            with use_isa(isa):
                return select(vectors, offsets, PICKS)

        ways[isa] = run
    compare(f"all classes, {offsets[-1]} rows", ways, rounds=5)


if __name__ == "__main__":
    main()
