"""image_normalize against the published steps and a table in OpenCV, 8 pictures of 512x512."""

import cv2
import numpy as np
import torch
from timing import compare

from refpix.kernels import image_normalize, isas, use_isa


def published(images):
    """What ToTensor and Normalize do, picture by picture, then the batch."""
    half = torch.full((3, 1, 1), 0.5)
    done = []
    for image in images:
        tensor = torch.from_numpy(image).permute(2, 0, 1).contiguous().to(torch.float32).div(255)
        done.append(tensor.sub_(half).div_(half))
    return torch.stack(done)


def opencv(images, table, out):
    for i, image in enumerate(images):
        for c, plane in enumerate(cv2.split(image)):
            cv2.LUT(plane, table, dst=out[i, c])
    return out


def main():
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    images = np.random.default_rng(0).integers(0, 256, (8, 512, 512, 3), np.uint8)
    table = image_normalize(np.arange(256, dtype=np.uint8).reshape(1, 1, 256, 1).repeat(3, 3))[0, 0]
    out = np.empty((8, 3, 512, 512), np.float32)
    half = np.empty((8, 3, 512, 512), np.uint16)
    last = np.empty((8, 512, 512, 3), np.float32)
    wanted = published(images).numpy()
    np.testing.assert_array_equal(image_normalize(images), wanted)
    np.testing.assert_array_equal(opencv(images, table, out), wanted)
    source = np.empty_like(out)
    ways = {
        "torch, as published": lambda: published(images),
        "OpenCV split and LUT": lambda: opencv(images, table, out),
        "memcpy of the result": lambda: np.copyto(out, source),
    }
    for isa in isas():

        def native(isa=isa):
            with use_isa(isa):
                image_normalize(images, out=out)

        def native_half(isa=isa):
            with use_isa(isa):
                image_normalize(images, dtype="bfloat16", out=half)

        def native_last(isa=isa):
            with use_isa(isa):
                image_normalize(images, channels_last=True, out=last)

        ways[f"bfloat16, {isa}"] = native_half
        ways[f"float32, channels last, {isa}"] = native_last
        ways[f"float32, {isa}"] = native
    compare("8 pictures of 512x512 to float32", ways)


if __name__ == "__main__":
    main()
