import pickle

import numpy as np
import pytest
from PIL import Image

from refpix.errors import BackendUnavailableError, SampleError
from refpix.synthesis import HimImageSamples, matte_path

torch = pytest.importorskip("torch")

from refpix.synthesis import torch_on_the_fly  # noqa: E402
from refpix.synthesis.torch_him_inputs import Key, TensorCache  # noqa: E402
from refpix.synthesis.torch_on_the_fly import HimComposer  # noqa: E402

SIZE = (84, 131)
IDS = [3, 11, 4, 250, 7, 12, 90, 13]


@pytest.fixture
def composer(drawn):
    return HimComposer(drawn.foregrounds, drawn.backgrounds, size=SIZE, seed=5)


def assert_same(batch, other):
    assert batch.plans == other.plans
    assert torch.equal(batch.images, other.images)
    assert torch.equal(batch.alphas, other.alphas)


def at_size(path):
    with Image.open(path) as image:
        return image.convert("RGB").resize(SIZE[::-1], Image.Resampling.BICUBIC)


def stored(drawn):
    """The backgrounds as files of the pictures' size."""
    paths = []
    for path in drawn.backgrounds:
        paths.append(path.replace(".jpg", ".png"))
        at_size(path).save(paths[-1])
    return paths


def check_published(batch, drawn, backgrounds, seed=5):
    samples = HimImageSamples(drawn.foregrounds, backgrounds, length=1000, start=seed)
    for image, alphas, plan in zip(batch.images, batch.alphas, batch.plans, strict=True):
        made = samples[plan.sample_id]
        assert plan.seed == made.sample_id
        np.testing.assert_array_equal(image.numpy(), made.image)
        assert plan.people == len(made.alphas)
        for got, wanted in zip(alphas.numpy(), made.alphas, strict=False):
            np.testing.assert_array_equal(got, wanted)
        assert not alphas[plan.people :].any()


def test_samples_are_the_published_ones_on_resized_backgrounds(composer, drawn):
    batch = composer(IDS)
    assert batch.images.shape == (8, *SIZE, 3)
    assert batch.alphas.shape == (8, 4, *SIZE)
    assert {plan.people for plan in batch.plans} == {2, 3, 4}
    check_published(batch, drawn, stored(drawn))


def composed(plan, foregrounds, backgrounds):
    """From its plan alone, by Pillow and NumPy."""
    image = at_size(backgrounds[plan.background])
    planes = []
    for person in plan.instances:
        path = foregrounds[person.foreground]
        with Image.open(path) as colour, Image.open(matte_path(path)) as matte:
            box = matte.convert("L").getbbox()
            size = person.size[::-1]
            colour = colour.crop(box).resize(size, Image.Resampling.BICUBIC)
            matte = matte.convert("L").crop(box).resize(size, Image.Resampling.BICUBIC)
        if person.position is None:
            continue
        x, y = person.position
        image.paste(colour, (x, y), matte)
        whole = np.zeros(SIZE, np.uint8)
        whole[y : y + size[1], x : x + size[0]] = np.array(matte)
        front = (whole / 255.0).astype(np.float32)
        planes = [(plane * (1 - front), slot) for plane, slot in planes]
        planes.append((front, person.plane))
    alphas = np.zeros((4, *SIZE), np.uint8)
    for plane, slot in planes:
        if slot is not None:
            alphas[slot] = (plane * 255).astype(np.uint8)
    return np.array(image), alphas


def test_plans_composed_by_pillow_are_the_same(composer, drawn):
    batch = composer(IDS)
    for image, alphas, plan in zip(batch.images, batch.alphas, batch.plans, strict=True):
        wanted = composed(plan, drawn.foregrounds, drawn.backgrounds)
        np.testing.assert_array_equal(image.numpy(), wanted[0])
        np.testing.assert_array_equal(alphas.numpy(), wanted[1])


@pytest.mark.parametrize("cache_bytes", [0, 30_000, 1 << 30])
@pytest.mark.parametrize("num_threads", [1, 3])
def test_a_sample_depends_on_seed_and_id_alone(composer, drawn, cache_bytes, num_threads):
    whole = composer(IDS)
    other = HimComposer(drawn.foregrounds, drawn.backgrounds, size=SIZE, seed=3,
                        cache_bytes=cache_bytes, num_threads=num_threads)  # fmt: skip
    other([500])  # something in the cache
    for ids in (IDS[::-1], IDS[2:5], IDS[:1]):
        part = pickle.loads(pickle.dumps(other))([i + 2 for i in ids])
        again = other([i + 2 for i in ids])
        assert_same(part, again)
        for row, sample in enumerate(ids):
            at = IDS.index(sample)
            assert again.plans[row]._replace(sample_id=sample) == whole.plans[at]
            assert torch.equal(again.images[row], whole.images[at])
            assert torch.equal(again.alphas[row], whole.alphas[at])
        assert other.inputs.cache.held <= cache_bytes


def test_another_seed_is_another_sample(composer, drawn):
    other = HimComposer(drawn.foregrounds, drawn.backgrounds, size=SIZE, seed=6)
    assert not torch.equal(other([3]).images, composer([3]).images)


def test_close_decisions_are_the_published_sums(composer, drawn, monkeypatch):
    whole = composer(IDS)
    monkeypatch.setattr(torch_on_the_fly, "hides_too_much", lambda areas: None)
    assert_same(composer(IDS), whole)


def test_files_are_decoded_once(composer, monkeypatch):
    first = composer(IDS)
    monkeypatch.setattr(composer.inputs, "_decode", None)
    assert_same(composer(IDS), first)


def test_the_cache_forgets_what_was_used_least_recently():
    cache = TensorCache(100)
    keys = [Key("matte", i) for i in range(4)]
    for key in keys[:2]:
        cache.put(key, torch.zeros(40, dtype=torch.uint8))
    assert cache.get(keys[0]) is not None
    cache.put(keys[2], torch.zeros(30, dtype=torch.uint8))
    assert [key in cache for key in keys] == [True, False, True, False]
    assert (cache.held, len(cache)) == (70, 2)
    cache.put(keys[3], torch.zeros(101, dtype=torch.uint8))
    assert keys[3] not in cache
    assert cache.get(keys[1]) is None


def test_backgrounds_as_tensors(composer, drawn):
    tensors = [torch.from_numpy(np.array(Image.open(path))) for path in drawn.backgrounds]
    other = HimComposer(drawn.foregrounds, tensors, size=SIZE, seed=5)
    assert_same(other(IDS), composer(IDS))
    with pytest.raises(TypeError, match="uint8"):
        HimComposer(drawn.foregrounds, [tensors[0].float()], size=SIZE)
    with pytest.raises(ValueError, match="H, W, 3"):
        HimComposer(drawn.foregrounds, [tensors[0][..., :1]], size=SIZE)


def test_people_on_gray_backgrounds_keep_their_colours(drawn, tmp_path):
    gray, rgb = str(tmp_path / "gray.png"), str(tmp_path / "rgb.png")
    with Image.open(drawn.backgrounds[0]) as image:
        image.convert("L").save(gray)
        image.convert("L").convert("RGB").save(rgb)
    batches = [HimComposer(drawn.foregrounds, [path], size=SIZE)(IDS) for path in (gray, rgb)]
    assert_same(*batches)


def test_other_seeds_where_nothing_can_be_placed(drawn):
    narrow = (90, 26)  # most people are wider
    composer = HimComposer(drawn.foregrounds, drawn.backgrounds, size=narrow)
    plans = composer(range(40)).plans
    assert any(plan.seed != plan.sample_id for plan in plans)
    assert all((plan.seed - plan.sample_id) % 1_000_003 == 0 for plan in plans)
    hopeless = HimComposer(drawn.foregrounds, drawn.backgrounds, size=(200, 4), attempts=3)
    with pytest.raises(ValueError, match="sample 1: nothing could be placed with 3 seeds"):
        hopeless([1])


@pytest.mark.parametrize("num_threads", [1, 2])
@pytest.mark.parametrize(
    ("spoilt", "reason"), [("matte", "cannot identify"), ("colour", "JPEG"), ("background", "JPEG")]
)
def test_bad_files_are_named(drawn, spoilt, reason, num_threads):
    folder = {"matte": "fg/alphas", "colour": "fg/images", "background": "bg"}[spoilt]
    for path in (drawn.root / folder).iterdir():
        path.write_bytes(b"hello" if spoilt == "matte" else path.read_bytes()[:700])
    composer = HimComposer(drawn.foregrounds, drawn.backgrounds, size=SIZE, num_threads=num_threads)
    for _ in range(2):  # what is bad stays bad
        with pytest.raises(SampleError, match=reason) as error:
            composer([7, 8])
        assert error.value.sample in (7, 8)
        assert error.value.file.startswith(str(drawn.root / folder))


def test_too_few_inputs(drawn):
    with pytest.raises(SampleError, match="drawn out of 1"):
        HimComposer(drawn.foregrounds[:1], drawn.backgrounds, size=SIZE)([0])
    with pytest.raises(SampleError, match="no backgrounds"):
        HimComposer(drawn.foregrounds, [], size=SIZE)([0])


def test_no_samples(composer):
    batch = composer([])
    assert batch.images.shape == (0, *SIZE, 3)
    assert batch.plans == ()


def test_wrong_arguments_are_refused(drawn):
    with pytest.raises(ValueError, match="size"):
        HimComposer(drawn.foregrounds, drawn.backgrounds, size=(0, 5))
    with pytest.raises(ValueError, match="keep"):
        HimComposer(drawn.foregrounds, drawn.backgrounds, size=SIZE, keep="disk")
    with pytest.raises(ValueError, match="cpu or cuda"):
        HimComposer(drawn.foregrounds, drawn.backgrounds, size=SIZE, device="meta")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a device")
def test_cuda_without_a_device_says_why(drawn):
    with pytest.raises(BackendUnavailableError, match="HimComposer on cuda: "):
        HimComposer(drawn.foregrounds, drawn.backgrounds, size=SIZE, device="cuda")
