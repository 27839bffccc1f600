"""parsing_paste against torch's interpolate, on 16 predictions of 128x96."""

import numpy as np
import torch
from timing import compare, label_maps

from refpix.kernels import isas, parsing_paste, use_isa


def published(boxes, maps):
    canvas = torch.zeros(len(maps), 512, 512)
    for i, box in enumerate(boxes.tolist()):
        x1, y1, x2, y2 = (min(512, max(0, int(v))) for v in box)
        x1, y1 = max(0, min(x1, x2 - 1)), max(0, min(y1, y2 - 1))
        labels = torch.from_numpy(maps[i]).to(torch.float32)[None, None]
        canvas[i, y1:y2, x1:x2] = torch.nn.functional.interpolate(
            labels, size=(max(1, y2 - y1), max(1, x2 - x1)), mode="nearest"
        )
    return canvas.to(torch.int32)


def main():
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    maps = label_maps(rng, 16, 128, 96)
    corner, size = rng.uniform(0, 200, (16, 2)), rng.uniform(100, 300, (16, 2))
    boxes = np.concatenate([corner, corner + size], axis=1).astype(np.float32)
    np.testing.assert_array_equal(parsing_paste(boxes, maps), published(boxes, maps).numpy())
    out = np.empty((16, 512, 512), np.uint8)
    ways = {"torch interpolate (published)": lambda: published(boxes, maps)}
    for isa in isas():

        def native(isa=isa, into=None):
            with use_isa(isa):
                parsing_paste(boxes, maps, out=into)

        ways[f"new array, {isa}"] = native
        ways[f"out=, {isa}"] = lambda f=native: f(into=out)
    compare("16 maps into boxes on 512x512", ways)


if __name__ == "__main__":
    main()
