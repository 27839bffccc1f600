"""The readable published path against the recordings of the published program."""

import hashlib
import json
from io import BytesIO

import numpy as np
import PIL
import pytest
from PIL import Image, ImageFile

from refpix.datasets import Payloads, RefHCM
from refpix.datasets.refhcm_published import published_batch, published_image
from refpix.types import BytesBatch

IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
PILLOW_13 = int(PIL.__version__.split(".")[0]) >= 13


@pytest.mark.parametrize("name", ["rec", "rkpt"])
def test_recorded_tensors(data, name):
    expected = json.loads((data / "refhcm" / "expected" / f"{name}.json").read_text("utf-8"))
    dataset = RefHCM(data / "refhcm" / f"{name}.tsv", name, index="memory")
    compared = 0
    for config in expected["configs"].values():
        norm = IMAGENET if config.get("imagenet_default_mean_and_std") else {}
        for row in config["rows"]:
            if not PILLOW_13 and row["u8_sha256"] != row["u8_sha256_hfirst"]:
                continue  # recorded with another order of passes
            values, spans, _ = dataset.payloads([row["row"]])
            (picture,) = dataset.decoder.decode(values, spans, "base64")
            payload = png(picture)
            tensor = published_image(payload, size=config["patch_image_size"], **norm)
            assert hashlib.sha256(tensor.tobytes()).hexdigest() == row["float_sha256"]
            compared += 1
    assert compared >= 4


def png(pixels):
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=0)
    return buffer.getvalue()


def test_base64_and_raw_are_the_same(data):
    dataset = RefHCM(data / "refhcm" / "rec.tsv", "rec", index="memory")
    texts = dataset.payloads(range(2))
    batch = published_batch(texts, size=(40, 50))
    assert batch.shape == (2, 3, 40, 50)
    assert batch.dtype == np.float32
    urlsafe = BytesBatch(texts.values.copy(), texts.spans)
    urlsafe.values[urlsafe.values == ord("+")] = ord("-")
    urlsafe.values[urlsafe.values == ord("/")] = ord("_")
    assert np.array_equal(published_batch(Payloads(*urlsafe, "base64"), size=(40, 50)), batch)


def test_cut_pictures_are_read_without_touching_pillows_switch():
    buffer = BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "JPEG")
    whole = published_image(buffer.getvalue(), size=32)
    cut = published_image(buffer.getvalue()[:-1500], size=32)
    assert not ImageFile.LOAD_TRUNCATED_IMAGES
    assert np.array_equal(cut[:, :4], whole[:, :4])
    assert not np.array_equal(cut, whole)


def test_no_picture():
    with pytest.raises(OSError, match="identify"):
        published_image(b"no picture")
