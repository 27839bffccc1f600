"""RefHCM through a DALI pipeline of your own: our rows in, augmented batches out.

    python examples/dali_refhcm.py DATASET [--task rec] [--split train] [--device-id 0]

Runs on the CPU without --device-id. Needs: pip install 'refpix[dali]'
"""

from __future__ import annotations

import argparse

from nvidia.dali import fn, pipeline_def, types

from refpix.dali import Source
from refpix.datasets import RefHCM


@pipeline_def(py_start_method="spawn", py_num_workers=2)
def augmented(source: Source, size: int, device: str, parallel: bool):
    """Decode, resize, flip and jitter; the row numbers come along."""
    encoded, rows = source.nodes(parallel=parallel)
    pictures = fn.decoders.image(encoded, device=device, adjust_orientation=False)
    resized = fn.resize(pictures, size=(size, size), interp_type=types.INTERP_CUBIC)
    jittered = fn.brightness_contrast(resized, brightness=fn.random.uniform(range=(0.8, 1.2)))
    mirror = fn.random.coin_flip()
    images = fn.crop_mirror_normalize(
        jittered, mirror=mirror, output_layout="CHW", mean=[127.5] * 3, std=[127.5] * 3
    )
    return images, rows, mirror


def main() -> None:
    """Two epochs, printing what arrives."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", help="a TSV file, or a folder as published")
    parser.add_argument("--task")
    parser.add_argument("--split")
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--device-id", type=int, help="the GPU; the CPU without it")
    parser.add_argument("--parallel", action="store_true", help="read rows in worker processes")
    options = parser.parse_args()

    dataset = RefHCM(options.dataset, options.task, split=options.split)
    source = Source(dataset, batch_size=options.batch_size, shuffle=True, seed=0)
    pipe = augmented(
        source,
        options.size,
        "cpu" if options.device_id is None else "mixed",
        options.parallel,
        batch_size=options.batch_size,
        num_threads=2,
        device_id=options.device_id,
    )
    for epoch in range(2):
        for _ in range(len(source)):
            images, rows, mirror = pipe.run()
            samples = dataset.records(rows.as_array())  # text, boxes, keypoints: looked up by row
            for sample, flipped in zip(samples, mirror.as_array(), strict=True):
                note = ", mirrored" if flipped else ""
                print(f"epoch {epoch}, row {sample.row}: {sample.text!r}{note}")
            print(f"  images: {images.shape()}")
        try:
            pipe.run()  # the epoch's end
        except StopIteration:
            pipe.reset()


if __name__ == "__main__":
    main()
