import io
import json
import pickle
import random
import sys
import types

import numpy as np
import pytest
from PIL import Image
from tests.synthesis.drawn_inputs import expected_hash, sha256

from refpix.errors import SampleError
from refpix.synthesis import (
    HimImageSamples,
    HimImageStream,
    generate_images,
    him_image,
    matte_path,
)
from refpix.synthesis._pictures import in_mode

orders = pytest.mark.parametrize("order", ["pillow13", "pillow12"])


def produced(made, order):
    """Hashes by the name of the file that each array goes to."""
    s = made.sample_id
    arrays = {f"images/{s}.jpg": made.image, f"bg/{s}.jpg": made.background}
    arrays |= {f"alphas/{s}/{k}.png": a for k, a in enumerate(made.alphas)}
    arrays |= {f"fg/{s}/{k}.jpg": f for k, f in enumerate(made.foregrounds)}
    return {name: sha256(array) for name, array in arrays.items()}


@orders
def test_published_pixels(image_case, order):
    for sample in image_case["samples"]:
        made = him_image(
            sample["id"], image_case["foregrounds"], image_case["backgrounds"], order=order
        )
        assert (made is not None) == sample["produced"]
        want = {name: expected_hash(entry, order) for name, entry in sample["files"].items()}
        assert (produced(made, order) if made else {}) == want


def test_ids_that_give_nothing(image_case):
    scanned = range(image_case["scanned"])
    got = [
        i
        for i in scanned
        if him_image(i, image_case["foregrounds"], image_case["backgrounds"]) is None
    ]
    assert got == [i for i in image_case["nothing"] if i in scanned]


def test_golden(golden_matting):
    root = golden_matting / "image_him"
    case = json.loads((root / "expected.json").read_text())
    lists = [[str(root / p) for p in case[k]] for k in ("fg_list_in_order", "bg_list_in_order")]
    nothing = case["all_scanned_ids_producing_nothing"]
    for i in range(*nothing["scanned"]):
        assert (him_image(i, *lists) is None) == (i in nothing["ids"])


def test_matte_path_rewrites_everything_unless_cured():
    path = "/data/images.v1/images/group_images_94.jpg"
    assert matte_path(path) == "/data/alphas.v1/alphas/group_alphas_94.png"
    assert matte_path(path, cured=True) == "/data/images.v1/alphas/group_alphas_94.png"


def test_order_of_the_lists_is_part_of_the_result(drawn):
    a = him_image(3, drawn.foregrounds, drawn.backgrounds)
    b = him_image(3, drawn.foregrounds[::-1], drawn.backgrounds)
    assert [i.name for i in a.instances] != [i.name for i in b.instances]


def test_exact_fit_is_dropped_unless_cured(tmp_path):
    """A matte that becomes exactly as wide as the background."""
    for folder in ("images", "alphas"):
        (tmp_path / folder).mkdir()
    seed = 0
    rs = np.random.RandomState(seed)
    count = rs.randint(2, 5)
    rs.choice(5, count, replace=False)
    rs.choice(1)
    scales = [rs.uniform(0.5, 0.9) for _ in range(count)]
    height = 40
    names = []
    for i in range(5):
        Image.new("RGB", (30, height)).save(tmp_path / f"images/{i}.jpg")
        Image.new("L", (30, height), 255).save(tmp_path / f"alphas/{i}.png")
        names.append(str(tmp_path / f"images/{i}.jpg"))
    width = int(30 * (scales[0] * height / height))
    Image.new("RGB", (width, height), (9, 9, 9)).save(tmp_path / "b.jpg")
    published = him_image(seed, names, [str(tmp_path / "b.jpg")])
    cured = him_image(seed, names, [str(tmp_path / "b.jpg")], cures=["exact-fit"])
    widths = [instance.colour.shape[1] for instance in cured.instances]
    assert width in widths
    assert published is None or all(i.colour.shape[1] < width for i in published.instances)


def spoil(path, kind):
    if kind == "empty matte":
        with Image.open(path) as image:
            size = image.size
        Image.new("L", size).save(path)
    elif kind == "missing":
        path.unlink()
    elif kind == "another size":
        Image.new("L", (31, 31), 255).save(path)
    elif kind == "cut":
        path.write_bytes(path.read_bytes()[:-30])
    elif kind == "no picture":
        path.write_bytes(b"hello")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("empty matte", "empty matte"),
        ("missing", "No such file"),
        ("another size", "31x31 pixels for a picture of"),
        ("cut", "truncated"),
        ("no picture", "cannot identify"),
    ],
)
def test_a_bad_matte_is_named(drawn, kind, reason):
    for i in range(6):
        spoil(drawn.matte(i), kind)
    with pytest.raises(SampleError, match=reason) as error:
        him_image(7, drawn.foregrounds, drawn.backgrounds)
    assert error.value.sample == 7
    assert error.value.file.startswith(str(drawn.root / "fg/alphas"))
    again = pickle.loads(pickle.dumps(error.value))
    assert (str(again), again.file) == (str(error.value), error.value.file)


@pytest.mark.parametrize("folder", ["fg/images", "bg"])
def test_a_cut_picture_is_named(drawn, folder):
    for path in (drawn.root / folder).iterdir():
        path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(SampleError) as error:
        [him_image(i, drawn.foregrounds, drawn.backgrounds) for i in range(9)]
    assert f"/{folder}/" in error.value.file


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "CMYK", "YCbCr"])
def test_backgrounds_keep_their_mode(drawn, mode, tmp_path, monkeypatch):
    """What Pillow pastes and saves, and published code with it, for every mode that JPEG has."""
    path = tmp_path / "b.tif"
    with Image.open(drawn.backgrounds[0]) as picture:
        picture.convert(mode).save(path)
    pasted = []
    module = sys.modules["refpix.synthesis.him_image"]  # the package's attribute is the function
    real_paste = module._paste

    def paste(image, colours, matte, place):
        pasted.append((colours[0], matte, place))
        real_paste(image, colours[1], matte, place)

    monkeypatch.setattr(module, "in_mode", lambda c, m: (c, in_mode(c, m)))
    monkeypatch.setattr(module, "_paste", paste)
    generate_images(
        tmp_path / "out", foregrounds=drawn.foregrounds, backgrounds=[str(path)], samples=[4]
    )
    assert len(pasted) > 1
    files = {}
    with Image.open(path) as canvas:
        canvas.save(tmp_path / "want.jpg")
        files["bg"] = (tmp_path / "want.jpg").read_bytes()
        for colour, matte, place in pasted:
            canvas.paste(Image.fromarray(colour), place, Image.fromarray(matte))
        canvas.save(tmp_path / "want.jpg")
        files["images"] = (tmp_path / "want.jpg").read_bytes()
    for folder, want in files.items():
        got = tmp_path / "out" / folder / "4.jpg"
        with Image.open(got) as image, Image.open(io.BytesIO(want)) as other:
            assert image.mode == other.mode == {"1": "L", "YCbCr": "RGB"}.get(mode, mode)
            np.testing.assert_array_equal(np.asarray(image), np.asarray(other))


@pytest.mark.parametrize("mode", ["RGBA", "P", "I;16", "LA"])
def test_backgrounds_that_jpeg_cannot_store(drawn, mode, tmp_path):
    path = str(tmp_path / "b.tif")
    Image.new(mode, (150, 90)).save(path)
    with pytest.raises(SampleError, match=f"mode {mode}"):
        [him_image(i, drawn.foregrounds, [path]) for i in range(5)]


def test_too_few_inputs(drawn):
    with pytest.raises(SampleError, match="drawn out of 1"):
        him_image(0, drawn.foregrounds[:1], drawn.backgrounds)
    with pytest.raises(SampleError, match="no backgrounds"):
        him_image(0, drawn.foregrounds, [])


def test_samples_for_a_trainer(drawn):
    samples = HimImageSamples(drawn.foregrounds, drawn.backgrounds, length=4, start=10,
                              transform=lambda made: made.image)  # fmt: skip
    assert len(samples) == 4
    images = list(samples)
    np.testing.assert_array_equal(samples[-1], images[3])
    with pytest.raises(IndexError):
        samples[4]
    plain = HimImageSamples(drawn.foregrounds, drawn.backgrounds, length=4, start=10)
    again = pickle.loads(pickle.dumps(plain))
    order = list(range(4))
    random.Random(0).shuffle(order)
    for i in order:
        np.testing.assert_array_equal(again[i].image, images[i])


def test_streams_split_over_shards_and_workers(drawn, monkeypatch):
    def first(count, **options):
        stream = HimImageStream(drawn.foregrounds, drawn.backgrounds, **options)
        return [made.sample_id for made, _ in zip(stream, range(count), strict=False)]

    whole = first(8)
    shards = [first(4, shard=(i, 2)) for i in range(2)]
    assert [shards[i % 2][i // 2] for i in range(8)] == whole
    data = types.SimpleNamespace(get_worker_info=lambda: types.SimpleNamespace(id=1, num_workers=2))
    monkeypatch.setitem(sys.modules, "torch.utils.data", data)
    assert first(4) == shards[1]


def test_nothing_fits_anywhere(drawn, tmp_path):
    path = str(tmp_path / "narrow.jpg")
    Image.new("RGB", (4, 200)).save(path)
    samples = HimImageSamples(drawn.foregrounds, [path], attempts=3)
    with pytest.raises(ValueError, match="3 seeds"):
        samples[0]


def test_in_a_data_loader(drawn):
    torch_data = pytest.importorskip("torch.utils.data")
    samples = HimImageSamples(drawn.foregrounds, drawn.backgrounds, length=3)
    loader = torch_data.DataLoader(samples, batch_size=None, num_workers=0)
    for i, made in enumerate(loader):
        assert int(made.sample_id) == samples[i].sample_id
