"""image_resize_normalize against its two steps, 8 pictures of 480x640 to 512x512, bicubic."""

import numpy as np
from image_resize import pictures
from timing import compare

from refpix.kernels import image_normalize, image_resize, image_resize_normalize
from refpix.types import ImagesBatch


def main():
    batch = ImagesBatch.from_images(pictures(8, 480, 640))
    resized = np.empty((8, 512, 512, 3), np.uint8)
    for channels_last in (False, True):
        shape = (8, 512, 512, 3) if channels_last else (8, 3, 512, 512)
        for dtype in ("float32", "float16"):
            out = np.empty(shape, dtype)
            options = {"dtype": dtype, "channels_last": channels_last, "out": out}

            def two_steps(options=options):
                image_resize(*batch, out_size=(512, 512), out=resized)
                return image_normalize(resized, **options)

            def fused(options=options):
                return image_resize_normalize(*batch, out_size=(512, 512), **options)

            np.testing.assert_array_equal(fused().copy(), two_steps())
            layout = "channels last" if channels_last else "planes"
            compare(
                f"8 pictures of 480x640 to 512x512, {dtype}, {layout}",
                {"image_resize, image_normalize": two_steps, "image_resize_normalize": fused},
            )


if __name__ == "__main__":
    main()
