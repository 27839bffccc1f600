"""image_resize against Pillow, OpenCV and torch, 8 pictures of 480x640 to 512x512, bicubic."""

import cv2
import numpy as np
import torch
from PIL import Image
from timing import compare

from refpix.kernels import image_resize, isas, use_isa
from refpix.types import ImagesBatch


def pictures(count, height, width):
    """Smooth colours with some grain, as photographs have."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / rng.uniform(9, 60) + y / rng.uniform(9, 60)) for _ in range(3 * count)]
    smooth = 128 + 90 * np.stack(waves, axis=-1).reshape(height, width, count, 3)
    noisy = np.moveaxis(smooth + rng.normal(0, 6, smooth.shape), 2, 0)
    return [np.ascontiguousarray(p) for p in np.clip(noisy, 0, 255).astype(np.uint8)]


def torch_resize(images, size):
    tensors = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    return torch.nn.functional.interpolate(tensors, size=size, mode="bicubic", antialias=True)


def main():
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    for height, width in ((480, 640), (640, 480), (1080, 1920)):
        images = pictures(8, height, width)
        batch = ImagesBatch.from_images(images)
        pillow = [Image.fromarray(image) for image in images]
        out = np.empty((8, 512, 512, 3), np.uint8)
        wanted = np.stack(
            [np.asarray(p.resize((512, 512), Image.Resampling.BICUBIC)) for p in pillow]
        )
        np.testing.assert_array_equal(image_resize(*batch, out_size=(512, 512)), wanted)
        ways = {
            "Pillow": lambda p=pillow: [i.resize((512, 512), Image.Resampling.BICUBIC) for i in p],
            "OpenCV cubic (differs)": lambda i=images: [
                cv2.resize(image, (512, 512), interpolation=cv2.INTER_CUBIC) for image in i
            ],
            "torch antialias (differs)": lambda i=images: torch_resize(i, (512, 512)),
        }
        for isa in isas():

            def native(isa=isa, batch=batch, out=out):
                with use_isa(isa):
                    image_resize(*batch, out_size=(512, 512), out=out)

            ways[f"image_resize, {isa}"] = native
        compare(f"8 pictures of {height}x{width} to 512x512", ways, rounds=8)


if __name__ == "__main__":
    main()
