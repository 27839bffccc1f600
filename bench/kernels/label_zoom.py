"""label_zoom against scipy.ndimage.zoom and torch's interpolate, to 512x512."""

import numpy as np
import torch
from scipy import ndimage
from timing import compare, label_maps

from refpix.kernels import label_zoom


def scipy_zoom(labels):
    height, width = labels.shape
    return ndimage.zoom(labels, (512 / height, 512 / width), order=0).astype(np.int32)


def torch_nearest(labels):
    pixels = torch.from_numpy(labels)[None, None]
    return torch.nn.functional.interpolate(pixels, size=(512, 512), mode="nearest")[0, 0].int()


def main():
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    out = np.empty((1, 512, 512), np.int32)
    for height, width in ((480, 640), (1024, 768), (200, 130)):
        labels = label_maps(rng, 1, height, width)[0]
        flat, offsets = labels.reshape(-1), np.array([0, labels.size])
        sizes = np.array([labels.shape])
        for rule, way in (("scipy", scipy_zoom), ("torch", torch_nearest)):
            got = label_zoom(flat, offsets, sizes, rule=rule)
            np.testing.assert_array_equal(got[0], way(labels))
        compare(
            f"{height}x{width} to 512x512",
            {
                "scipy zoom (published)": lambda a=labels: scipy_zoom(a),
                "torch nearest": lambda a=labels: torch_nearest(a),
                "new array": lambda f=flat, o=offsets, s=sizes: label_zoom(f, o, s),
                "out=": lambda f=flat, o=offsets, s=sizes: label_zoom(f, o, s, out=out),
            },
        )


if __name__ == "__main__":
    main()
