"""rle_encode against COCO tools, which want columns first: masks in rows are copied for them.

One thread, contenders in turns, outputs compared first. `refpix` gives the compressed text, as the
rivals do; `runs only` gives run lengths. The floor reads the mask once.
"""

import argparse

import numpy as np
from rle_masks import SCENES, cycled, rivals, rles_of
from timing import compare

from refpix.kernels import isas, rle_encode, use_isa


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=100)
    rounds = parser.parse_args().rounds
    for title, make in SCENES.items():
        masks = make()
        runs = len(rle_encode(masks[:1])[0])
        turned = [np.asfortranarray(mask) for mask in masks]
        channels = np.ascontiguousarray(np.moveaxis(masks, 0, 2))
        for order, planes in (("C", list(masks)), ("F", turned)):
            ways = {}
            for name, rival in rivals().items():
                for plane in planes:
                    theirs = rival.encode(np.asfortranarray(plane))
                    ours = rles_of(rle_encode(plane[None]))[0]
                    assert as_bytes(theirs["counts"]) == ours["counts"]
                ways[name] = cycled(
                    planes, lambda plane, rival=rival: rival.encode(np.asfortranarray(plane))
                )
            ways["refpix"] = cycled(planes, lambda plane: rles_of(rle_encode(plane[None])))
            for isa in isas():

                def runs_only(plane, isa=isa):
                    with use_isa(isa):
                        rle_encode(plane[None])

                ways[f"refpix, runs only, {isa}"] = cycled(planes, runs_only)
            ways["np.any (reads all)"] = cycled(turned, lambda plane: plane.T.max())
            compare(f"{title}, {order} order, {runs} runs", ways, rounds, calls=4, unit="us")
        ways = {
            "refpix, moved to the front": lambda m=channels: rle_encode(
                np.ascontiguousarray(np.moveaxis(m, 2, 0))
            ),
            "refpix, as it lies": lambda m=channels: rle_encode(np.moveaxis(m, 2, 0)),
        }
        compare(f"{title}, {len(masks)} masks as channels", ways, 5)


def as_bytes(text):
    return text.encode() if isinstance(text, str) else text


if __name__ == "__main__":
    main()
