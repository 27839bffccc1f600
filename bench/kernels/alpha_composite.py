"""alpha_composite against Pillow's paste and against memcpy: a matte over large RGB frames."""

from functools import partial

import numpy as np
from PIL import Image
from timing import compare

from refpix.kernels import alpha_composite, isas, use_isa

AT = np.zeros((1, 2), np.int64)


def mattes(height, width):
    """Every value everywhere, and a person's: mostly nothing or everything."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    soft = np.clip((0.7 - np.hypot(x, y)) * 40 + 0.5, 0, 1) * 255
    return {
        "random": rng.integers(0, 256, (height, width), dtype=np.uint8),
        "person-like": soft.astype(np.uint8),
    }


def frames(height, width):
    """Background and foreground, uint8 (height, width, 3)."""
    rng = np.random.default_rng(1)
    return rng.integers(0, 256, (2, height, width, 3), dtype=np.uint8)


def in_place(work, foreground, matte):
    alpha_composite(work, foreground[None], matte[None], positions=AT, out=work)


def by_isa(isa, work, foreground, matte):
    with use_isa(isa):
        in_place(work, foreground, matte)


def memcpy(height, width):
    """A copy that reads and writes as many bytes as the composite."""
    copied = np.empty(height * width * 5, np.uint8)
    return partial(np.copyto, copied, np.ones_like(copied))


def main():
    for height, width in ((1080, 1920), (4320, 7680)):
        background, foreground = frames(height, width)
        source = Image.fromarray(foreground)
        for name, matte in mattes(height, width).items():
            mask, image = Image.fromarray(matte), Image.fromarray(background)
            image.paste(source, (0, 0), mask)
            work = background[None].copy()
            in_place(work, foreground, matte)
            np.testing.assert_array_equal(work[0], np.array(image))
            ways = {
                "Pillow paste": partial(image.paste, source, (0, 0), mask),
                "memcpy of as many bytes": memcpy(height, width),
            }
            for isa in isas():
                ways[f"in place, {isa}"] = partial(by_isa, isa, work, foreground, matte)
            compare(f"{width}x{height}, {name} matte", ways, rounds=9)


if __name__ == "__main__":
    main()
