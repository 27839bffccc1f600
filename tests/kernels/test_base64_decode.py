import base64
import json
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refpix.errors import Base64Error, KernelError
from refpix.kernels import (
    base64_decode,
    base64_decode_each,
    base64_room,
    fault_name,
    isas,
    use_isa,
)
from refpix.types import BytesBatch

backends = pytest.mark.parametrize("backend", base64_decode.backends())
every_isa = pytest.mark.parametrize("isa", isas())


def outcome(items, **options):
    """What decoding gives: bytes of each item, or where and why it fails."""
    try:
        decoded, offsets = base64_decode(*BytesBatch.from_items(items), **options)
    except KernelError as error:
        return error.fault, error.item, error.position
    batch = BytesBatch.from_offsets(decoded, offsets)
    return [batch.item(i) for i in range(len(items))]


def check_golden(cases, backend):
    assert len(cases) > 400
    for case in cases:
        got = outcome([case["input"]], backend=backend)
        if "hex" in case:
            assert got == [bytes.fromhex(case["hex"])], case
        else:
            fault = {
                "string argument should contain only ASCII characters": "base64_not_ascii",
                "Invalid base64-encoded string": "base64_bad_length",
                "Incorrect padding": "base64_bad_padding",
            }[case["message"]]
            assert got[:2] == (fault, 0), case


@backends
@every_isa
def test_golden_cases(data, backend, isa):
    with use_isa(isa):
        check_golden(json.loads((data / "base64" / "cases.json").read_text()), backend)


def test_committed_cases_are_the_golden_ones(data, golden):
    committed = (data / "base64" / "cases.json").read_text()
    assert json.loads(committed) == json.loads((golden / "base64" / "cases.json").read_text())


@backends
@pytest.mark.parametrize(
    ("text", "fault", "position"),
    [
        ("A", "base64_bad_length", 1),
        ("AAAA=A", "base64_bad_length", 6),
        ("AA", "base64_bad_padding", 2),
        ("AA=A\n", "base64_bad_padding", 5),
        ("AAAA\xe9", "base64_not_ascii", 4),
        ("AA==\xe9", "base64_not_ascii", 4),  # the rest is ignored, but must be text
        ("A\xe9", "base64_not_ascii", 1),
    ],
)
def test_faults_name_item_and_byte(backend, text, fault, position):
    items = [b"AAAA", text.encode("latin-1"), b"\xff"]
    assert outcome(items, num_threads=2, backend=backend) == (fault, 1, position)


@backends
@pytest.mark.parametrize(
    ("text", "fault", "position"),
    [
        ("AA AA", "base64_bad_character", 2),
        ("AAAA\n", "base64_bad_character", 4),
        ("AAAA\xe9", "base64_not_ascii", 4),
        ("AA+A-A==", "base64_bad_character", 4),
        ("_A/A!", "base64_bad_character", 2),
        ("=", "base64_bad_padding", 0),
        ("A===", "base64_bad_padding", 1),
        ("AAAA=", "base64_bad_padding", 4),
        ("AA===", "base64_bad_padding", 4),
        ("AA=A", "base64_bad_padding", 3),
        ("AA==AAAA", "base64_bad_padding", 4),
        ("AA=", "base64_bad_padding", 3),
        ("AA", "base64_bad_padding", 2),
        ("AAAAA", "base64_bad_length", 5),
    ],
)
def test_strict_refuses(backend, text, fault, position):
    got = outcome([text.encode("latin-1")], strict=True, backend=backend)
    assert got == (fault, 0, position)


@backends
@pytest.mark.parametrize("text", ["", "AAAA", "AA==", "AAA=", "+/+/", "-_-_", "AB=="])
def test_strict_takes_either_alphabet(backend, text):
    want = base64.b64decode(text.replace("-", "+").replace("_", "/"))
    assert outcome([text], strict=True, backend=backend) == [want]


@backends
@pytest.mark.parametrize("strict", [False, True])
def test_repair_padding(backend, strict):
    options = {"repair_padding": True, "strict": strict, "backend": backend}
    assert outcome(["QQ", "QQ=", "QUI", "QUJD"], **options) == [b"A", b"A", b"AB", b"ABC"]
    assert outcome(["QUJDQ"], **options) == ("base64_bad_length", 0, 5)


@every_isa
@pytest.mark.parametrize("url", [False, True])
def test_every_length_decodes_and_round_trips(isa, url):
    rng = random.Random(0)
    encode = base64.urlsafe_b64encode if url else base64.b64encode
    items = [rng.randbytes(n) for n in range(300)]
    with use_isa(isa):
        for strict in (False, True):
            assert outcome([encode(i) for i in items], strict=strict, num_threads=2) == items


def test_one_odd_byte_anywhere_in_a_block():
    """Every byte value at some place of the vectors, and clean text after it."""
    rng = random.Random(1)
    clean = base64.b64encode(rng.randbytes(240))
    places = [*range(0, 70), 127, 128, 129, 191, 192, 319]
    for byte in range(256):
        for at in rng.sample(places, 6):
            text = clean[:at] + bytes([byte]) + clean[at + 1 :]
            want = outcome([text], backend="reference")
            for isa in isas():
                with use_isa(isa):
                    assert outcome([text]) == want, (at, byte, isa)


@every_isa
@pytest.mark.parametrize("column", [1, 4, 63, 64, 76, 129])
def test_lines_and_the_fast_path_after_them(isa, column):
    raw = random.Random(2).randbytes(3000)
    text = base64.b64encode(raw)
    folded = b"\r\n".join(text[i : i + column] for i in range(0, len(text), column))
    with use_isa(isa):
        assert outcome([folded, text, folded]) == [raw] * 3


@every_isa
@pytest.mark.parametrize("strict", [False, True])
@given(data=st.data())
def test_equals_the_reference(isa, strict, data):
    letters = st.sampled_from(b"AZaz09+/-_=\n \x00\x80\xff@[`{")
    clean = st.integers(0, 150).map(lambda n: (b"Zm9v" * n)[: n * 4 - n % 3])
    pieces = st.lists(st.one_of(clean, st.lists(letters, max_size=6).map(bytes), st.binary()))
    items = [b"".join(data.draw(pieces)) for _ in range(data.draw(st.integers(0, 3)))]
    options = {"strict": strict, "repair_padding": data.draw(st.booleans())}
    with use_isa(isa):
        got = outcome(items, num_threads=2, **options)
    assert got == outcome(items, backend="reference", **options)


@backends
def test_empty_batch_and_empty_items(backend):
    assert outcome([], backend=backend) == []
    assert outcome(["", "=", ""], backend=backend) == [b""] * 3


@backends
def test_items_anywhere_in_the_buffer(backend):
    values = np.frombuffer(b"xxQUJDyyQQ==", np.uint8)
    spans = np.array([[8, 12], [2, 6], [2, 6]], np.int64)
    decoded, offsets = base64_decode(values, spans, backend=backend)
    assert decoded.tobytes() == b"AABCABC"
    assert offsets.tolist() == [0, 1, 4, 7]


@backends
def test_out(backend):
    batch = BytesBatch.from_items(["QUJD", "Q U J D", "QQ=="])
    out = np.full(12, 0xEE, np.uint8)
    decoded, offsets = base64_decode(*batch, out=out, backend=backend)
    assert decoded.tobytes() == b"ABCABCA"
    assert np.shares_memory(decoded, out)
    assert offsets.tolist() == [0, 3, 6, 7]
    # 3 + 5 + 1 bytes by the bound that the docstring gives, the junk counted
    base64_decode(*batch, out=out[:9], backend=backend)
    with pytest.raises(KernelError, match="too small"):
        base64_decode(*batch, out=out[:8], backend=backend)


@every_isa
def test_nothing_is_written_behind_out(isa):
    with use_isa(isa):
        for n in range(1, 200):
            out = np.full(n + 64, 0xEE, np.uint8)
            text = base64.b64encode(bytes(n))
            base64_decode(*BytesBatch.from_items([text]), out=out[:n])
            assert (out[n:] == 0xEE).all(), n


def test_a_huge_item():
    raw = np.random.default_rng(0).integers(0, 256, 24 << 20, dtype=np.uint8).tobytes()
    assert outcome([base64.b64encode(raw)]) == [raw]


def test_wrong_arrays_are_refused():
    values, spans = BytesBatch.from_items(["QUJD"])
    with pytest.raises(TypeError, match="uint8"):
        base64_decode(values.astype(np.int8), spans)
    with pytest.raises(ValueError, match="contiguous"):
        base64_decode(np.zeros(8, np.uint8)[::2], spans)
    with pytest.raises(ValueError, match="read-only"):
        base64_decode(values, spans, out=np.frombuffer(bytes(8), np.uint8))
    with pytest.raises(TypeError, match="out"):
        base64_decode(values, spans, out=np.zeros(8))


@backends
@pytest.mark.parametrize("span", [[-1, 2], [3, 2], [0, 5]])
def test_spans_outside_are_refused(backend, span):
    values, _ = BytesBatch.from_items(["QUJD"])
    with pytest.raises(KernelError, match="outside"):
        base64_decode(values, np.array([[0, 4], span], np.int64), backend=backend)


def test_error_class():
    with pytest.raises(Base64Error, match=r"item 0: incorrect base64 padding \(at byte 2\)"):
        base64_decode(*BytesBatch.from_items(["QQ"]))


@pytest.mark.parametrize("bad", [(), (0,), (1, 2, 5), range(7)])
def test_each_item_for_itself(bad):
    texts = [base64.b64encode(bytes(range(30 * i))).decode() for i in range(7)]
    faults = [(0, "base64_not_ascii"), (33, "base64_bad_length")]
    for i in bad:
        texts[i] = "\x80AAA" if i % 2 == 0 else "A" * 33
    batch = BytesBatch.from_items(text.encode("latin-1") for text in texts)
    out = np.full(base64_room(*batch), 0xA5, np.uint8)
    spans, got = base64_decode_each(*batch, out, num_threads=2)
    for i, (start, stop) in enumerate(spans):
        if i in bad:
            assert (got[i, 1], fault_name(int(got[i, 0]))) == faults[i % 2]
            assert start == stop
        else:
            assert got[i].tolist() == [0, -1]
            assert out[start:stop].tobytes() == bytes(range(30 * i))


def test_each_item_for_itself_but_not_outside_the_buffer():
    values, spans = BytesBatch.from_items(["QUJD", "A"])
    with pytest.raises(KernelError, match="too small"):
        base64_decode_each(values, spans[:1], np.empty(2, np.uint8))
    spans[0] = 0, 2**60
    assert base64_room(values, spans) < 10
    with pytest.raises(KernelError, match="outside"):
        base64_decode_each(values, spans, np.empty(base64_room(values, spans), np.uint8))
