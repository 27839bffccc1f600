"""rle_decode against COCO tools: from their dicts, into a warm buffer and into new memory.

One thread, contenders in turns, outputs compared first. The rivals cannot decode into a buffer of
the caller's: their kept results are what a warm buffer stands against. `refpix` has the compressed
text to read as they have; `runs only` starts from run lengths.
"""

import argparse

import numpy as np
from rle_masks import SCENES, cycled, rivals, rles_of
from timing import compare

from refpix.kernels import isas, rle_decode, rle_encode, rle_from_string, use_isa


def from_dict(rle, **options):
    text = rle["counts"]
    span = np.array([[0, len(text)]], np.int64)
    counts, offsets = rle_from_string(np.frombuffer(text, np.uint8), span)
    return rle_decode(counts, offsets, np.array([rle["size"]], np.int64), **options)[0]


def ours(columns, rles, masks):
    """Ways to decode into a warm buffer, and into memory that is kept."""
    out = np.empty(masks[0].size, np.uint8)
    warm, kept = {}, {}

    def into_buffer(order):
        return cycled(rles, lambda rle: from_dict(rle, order=order, out=out).shape)

    def runs_only(isa):
        def decode(mask):
            with use_isa(isa):
                rle_decode(*mask, out=out)

        for mask, dense in zip(columns, masks, strict=True):
            decode(mask)
            np.testing.assert_array_equal(out, dense.ravel())
        return cycled(columns, decode)

    for order in "CF":
        warm[f"refpix {order}"] = into_buffer(order)
        kept[f"refpix {order}"] = cycled(rles, lambda rle, order=order: from_dict(rle, order=order))
    for isa in isas():
        warm[f"refpix C, runs only, {isa}"] = runs_only(isa)
    warm["memset (floor)"] = lambda: out.fill(0)
    return warm, kept


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=100)
    rounds = parser.parse_args().rounds
    for title, make in SCENES.items():
        masks = make()
        columns = [rle_encode(mask[None]) for mask in masks]
        rles = [rles_of(mask)[0] for mask in columns]
        dropped, held = {}, {}
        for name, rival in rivals().items():
            for rle, mask in zip(rles, masks, strict=True):
                np.testing.assert_array_equal(rival.decode(rle), mask)
            held[name] = cycled(rles, lambda rle, rival=rival: rival.decode(rle))
            dropped[name] = cycled(rles, lambda rle, rival=rival: rival.decode(rle).shape)
        warm, kept = ours(columns, rles, masks)
        print(f"{title}: {len(columns[0][0])} runs")
        compare("dropped, or into a warm buffer", dropped | warm, rounds, calls=8, unit="us")
        compare("results kept", held | kept, max(rounds // 10, 2), calls=8, unit="us", keep=True)


if __name__ == "__main__":
    main()
