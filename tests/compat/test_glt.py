"""COCO_LT against the published steps in Pillow and torch, and torchvision's where it is there."""

import json
import math
import pickle
import sys
import types

import numpy as np
import pytest
from PIL import Image
from tests.datasets.glt_files import CLASSES, FEW, make_annotation, write

torch = pytest.importorskip("torch")

from refpix.compat.glt import COCO_LT, Cures  # noqa: E402
from refpix.compat.glt.transforms import TestTransform, TrainTransform, draw_crop  # noqa: E402
from refpix.errors import RecordError  # noqa: E402

MEAN, STD = [0.473, 0.429, 0.370], [0.277, 0.268, 0.274]


class Logger:
    """The published logger, without files."""

    def __init__(self):
        self.lines = []

    def info(self, text):
        self.lines.append(text)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("glt")
    write(folder, sizes=FEW, output=str(folder))  # paths that can be opened as they are stored
    write(folder, "cbl", sizes=FEW)
    return folder


def opened(root, phase="test", testset="test_bbl", variant="glt", **options):
    anno = root / f"coco_{variant}" / "annotation.json"
    given = {"rand_aug": False, "output_path": None, "logger": None, **options}
    return COCO_LT(phase, "unused", anno, testset, MEAN, STD, **given)


def normalised(pixels):
    """ToTensor and Normalize."""
    tensor = torch.from_numpy(pixels.transpose(2, 0, 1).copy()).to(torch.float32).div(255)
    mean, std = (torch.tensor(v, dtype=torch.float32).view(3, 1, 1) for v in (MEAN, STD))
    return tensor.sub_(mean).div_(std)


def published_test(image):
    """Resize(128), CenterCrop(112)."""
    w, h = image.size
    size = (128, int(128 * h / w)) if w <= h else (int(128 * w / h), 128)
    image = image.resize(size, Image.Resampling.BILINEAR) if size != image.size else image
    left, top = round((size[0] - 112) / 2.0), round((size[1] - 112) / 2.0)
    return normalised(np.asarray(image.crop((left, top, left + 112, top + 112))))


def published_train(image):
    """RandomResizedCrop(112, scale=(0.5, 1.0)), RandomHorizontalFlip()."""
    w, h = image.size
    for _ in range(10):
        area = w * h * torch.empty(1).uniform_(0.5, 1.0).item()
        log = torch.log(torch.tensor((3.0 / 4.0, 4.0 / 3.0)))
        ratio = torch.exp(torch.empty(1).uniform_(log[0], log[1])).item()
        cw, ch = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < cw <= w and 0 < ch <= h:
            top = torch.randint(0, h - ch + 1, size=(1,)).item()
            left = torch.randint(0, w - cw + 1, size=(1,)).item()
            break
    else:
        cw, ch = (w, round(w / (3.0 / 4.0))) if w < h else (round(h * (4.0 / 3.0)), h)
        left, top = (w - cw) // 2, (h - ch) // 2
    box = (left, top, left + cw, top + ch)
    image = image.crop(box).resize((112, 112), Image.Resampling.BILINEAR)
    if torch.rand(1) < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return normalised(np.asarray(image))


def noise(width, height, seed=0):
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(values)


SIZES = [(40, 40), (128, 128), (200, 150), (90, 301), (113, 112), (37, 61), (128, 140)]


@pytest.mark.parametrize("size", SIZES)
def test_published_pixels(size):
    image = noise(*size)
    for seed in range(8):
        torch.manual_seed(seed)
        want, after = published_train(image), torch.rand(1)
        torch.manual_seed(seed)
        assert torch.equal(TrainTransform(MEAN, STD)(image), want)
        assert torch.equal(torch.rand(1), after)  # as many draws
    found = TestTransform(MEAN, STD)(np.asarray(image))
    assert found.shape == (3, 112, 112)
    assert torch.equal(found, published_test(image))


def test_torchvision():
    transforms = pytest.importorskip("torchvision.transforms")
    last = [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    crop = transforms.RandomResizedCrop(112, scale=(0.5, 1.0))
    train = transforms.Compose([crop, transforms.RandomHorizontalFlip(), *last])
    test = transforms.Compose([transforms.Resize(128), transforms.CenterCrop(112), *last])
    for size in [*SIZES, (20, 400), (400, 20)]:
        image = noise(*size)
        for seed in range(4):
            torch.manual_seed(seed)
            want = train(image)
            torch.manual_seed(seed)
            assert torch.equal(TrainTransform(MEAN, STD)(image), want)
        assert torch.equal(TestTransform(MEAN, STD)(image), test(image))


@pytest.mark.parametrize("size", [(400, 20), (20, 400)])
def test_crop_of_odd_shapes(size):
    """No crop of the wanted shape fits: the middle, after ten attempts."""
    width, height = size
    torch.manual_seed(1)
    top, left, h, w = draw_crop(height, width)
    assert (h, w) == ((20, 27) if width == 400 else (27, 20))
    assert (top, left) == ((height - h) // 2, (width - w) // 2)


@pytest.mark.parametrize("testset", ["test_bl", "test_bbl"])
def test_items(root, testset):
    dataset = opened(root, testset=testset)
    want = make_annotation("glt", sizes=FEW, output=str(root))[testset]
    keys = list(want["label"])
    assert len(dataset) == len(keys)
    for index, key in enumerate(keys):
        sample, *rest = dataset[index]
        values = (want[name][key] for name in ("label", "frequency", "attribute"))
        assert rest == [*values, index]
        with Image.open(want["path"][key]) as image:
            assert torch.equal(sample, published_test(image.convert("RGB")))
    assert dataset.img_paths == list(want["path"].values())
    assert dataset.cat2id == {name: i for i, name in enumerate(CLASSES)}
    assert dataset.id2cat["28"] == "toilet"


def test_training_items(root):
    dataset = opened(root, "train", testset="never looked at")
    assert dataset.attributes == []
    torch.manual_seed(3)
    sample, label, rarity, index = dataset[5]
    with Image.open(dataset.img_paths[5]) as image:
        torch.manual_seed(3)
        assert torch.equal(sample, published_train(image.convert("RGB")))
    assert (label, rarity, index) == (dataset.labels[5], dataset.frequencies[5], 5)
    assert len(opened(root, "val")[0]) == 5


def test_data_loader(root):
    dataset = pickle.loads(pickle.dumps(opened(root, logger=Logger())))
    batches = list(torch.utils.data.DataLoader(dataset, batch_size=4))
    assert [tuple(batch[0].shape) for batch in batches] == [(4, 3, 112, 112)] * 2 + [
        (1, 3, 112, 112)
    ]
    assert torch.cat([batch[4] for batch in batches]).tolist() == list(range(9))


def test_info_and_log(root, tmp_path):
    logger = Logger()
    opened(root, testset="test_bl", output_path=tmp_path, logger=logger)
    dataset = opened(root, testset="test_bbl", output_path=tmp_path, logger=logger)
    assert [path.name for path in tmp_path.iterdir()] == ["dataset_info_test.json"]
    info = json.loads((tmp_path / "dataset_info_test.json").read_text())
    assert list(info) == [
        *("transform_info", "img_paths", "labels", "attributes", "frequencies"),
        *("cat2id", "id2cat"),
    ]
    assert info["labels"] == dataset.labels  # those of test_bl are gone
    assert info["transform_info"]["operations"][:2] == ["Resize(128)", "CenterCrop(112)"]
    assert logger.lines[0] == "====== The Current Split is : test_bl"
    opened(root, output_path=tmp_path, cures=Cures(info_per_split=True))
    assert (tmp_path / "dataset_info_test_bbl.json").is_file()


def test_paths_of_others(root):
    """The annotation of the other set holds the paths of the machine that made it."""
    with pytest.raises(FileNotFoundError):
        opened(root, variant="cbl")[0]
    anno = root / "coco_cbl" / "annotation.json"
    images = anno.parent / "images"
    cures = Cures(use_data_path=True)
    dataset = COCO_LT("val", images, anno, "", MEAN, STD, False, None, cures=cures)
    assert dataset[0][0].shape == (3, 112, 112)


def test_own_transform(root):
    dataset = opened(root, transform=lambda image: image.size)
    assert dataset[0][0] == (40, 40)
    dataset.transform = None
    assert isinstance(dataset[0][0], Image.Image)


def test_rand_aug(root, monkeypatch):
    monkeypatch.setitem(sys.modules, "randaugment", None)
    with pytest.raises(ImportError, match="pip install randaugment"):
        opened(root, "train", rand_aug=True)
    opened(root, "test", rand_aug=True)  # nothing is augmented there
    seen = []

    class RandAugment:
        def __call__(self, image):
            seen.append(image.size)
            return Image.new("RGB", image.size, "white")

    package = types.SimpleNamespace(RandAugment=RandAugment)
    monkeypatch.setitem(sys.modules, "randaugment", package)
    logger = Logger()
    sample = opened(root, "train", rand_aug=True, logger=logger)[0][0]
    assert torch.equal(sample, normalised(np.full((112, 112, 3), 255, np.uint8)))
    assert seen == [(112, 112)]
    assert "Rand Augmentation" in logger.lines[-2]


def test_errors(root, tmp_path):
    with pytest.raises(ValueError, match="phase='eval'"):
        opened(root, "eval")
    with pytest.raises(ValueError, match="testset='test'"):
        opened(root, testset="test")
    folder = write(tmp_path, sizes=FEW, output=str(tmp_path))
    dataset = opened(tmp_path)
    path = folder / "images" / f"{dataset.img_paths[2].rpartition('/')[2]}"
    path.write_bytes(path.read_bytes()[:-60])  # LOAD_TRUNCATED_IMAGES is off there
    with pytest.raises(RecordError, match=r"item 2: path: .*ends early"):
        dataset[2]

    def spoil(whole):
        whole["test_bbl"]["label"][next(iter(whole["test_bbl"]["label"]))] = 29

    write(tmp_path, sizes=FEW, edit=spoil, pictures=False)
    with pytest.raises(RecordError, match="expected an integer from 0 to 28, got 29"):
        opened(tmp_path)


def test_empty_test_set(root):
    assert len(opened(root, testset="test_lt", variant="cbl")) == 0
