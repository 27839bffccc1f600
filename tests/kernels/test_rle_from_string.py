import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from refpix.errors import KernelError, RleError
from refpix.kernels import isas, rle_from_string, rle_to_string, use_isa
from refpix.types import BytesBatch

backends = pytest.mark.parametrize("backend", rle_from_string.backends())
every_isa = pytest.mark.parametrize("isa", isas())

long_texts = st.lists(st.integers(48, 111), max_size=300).map(bytes)
any_texts = st.lists(
    st.one_of(st.integers(48, 79), st.integers(48, 111), st.integers(0, 255)), max_size=300
).map(bytes)


def parse(text, **options):
    """Run lengths, or (fault, item, byte)."""
    try:
        counts, offsets = rle_from_string(*BytesBatch.from_items([text]), **options)
    except RleError as error:
        return error.fault, error.item, error.position
    assert counts.dtype == np.uint32
    assert offsets.tolist() == [0, len(counts)]
    return counts.tolist()


@backends
@pytest.mark.parametrize(
    ("text", "runs"),
    [
        (b"", []),
        (b"0", [0]),
        (b"6", [6]),
        (b"06", [0, 6]),
        (b"123N", [1, 2, 3, 0]),
        (b"1231123", [1, 2, 3, 3, 4, 5, 7]),
        (b"o0", [31]),
        (b"PoQ1", [31 * 32 + 1024 + 32768]),
        (b"oooooo3", [2**32 - 1]),
        (b"PPPPPP2oooooo1", [2**31, 2**31 - 1]),
        (b"123mooooo3", [1, 2, 3, 2**32 - 1]),
        (b"123mooooo32QPPPPPL1", [1, 2, 3, 2**32 - 1, 5, 0, 6]),
    ],
)
def test_reads_numbers(backend, text, runs):
    assert parse(text, backend=backend) == runs


@backends
@pytest.mark.parametrize(
    ("text", "runs"),
    [
        (b"X0", [8]),
        (b"PPPP0", [0]),
        (b"Q" + b"P" * 11 + b"0", [1]),
        (b"Q" + b"P" * 200 + b"0", [1]),
        (b"555n" + b"o" * 200 + b"O", [5, 5, 5, 3]),
        (b"555n" + b"o" * 10 + b"O5", [5, 5, 5, 3, 10]),
    ],
)
def test_spellings_longer_than_needed_are_read(backend, text, runs):
    assert parse(text, backend=backend) == runs


@backends
@pytest.mark.parametrize(
    ("text", "fault", "position"),
    [
        (b"12/", "rle_bad_character", 2),
        (b"12p4", "rle_bad_character", 2),
        (b"\x00", "rle_bad_character", 0),
        (b"1\x00", "rle_bad_character", 1),
        (b"1\n", "rle_bad_character", 1),
        (b"1 2", "rle_bad_character", 1),
        (b"\xff", "rle_bad_character", 0),
        (b"\xb0", "rle_bad_character", 0),
        (b"oo\x80", "rle_bad_character", 2),
        (b"P", "rle_truncated", 1),
        (b"12oooooooo", "rle_truncated", 10),
        (b"P" * 1000, "rle_truncated", 1000),
        (b"O", "rle_negative_run", 0),
        (b"55O", "rle_negative_run", 2),
        (b"123L", "rle_negative_run", 3),
        (b"5" + b"P" * 300 + b"O", "rle_negative_run", 1),
        (b"PPPPPP4", "rle_run_overflow", 0),
        (b"123nooooo3", "rle_run_overflow", 3),
        (b"ooooooooooooooo0", "rle_run_overflow", 0),
        (b"P" * 12 + b"1", "rle_run_overflow", 0),
        (b"P" * 300 + b"1", "rle_run_overflow", 0),
        (b"o" * 12 + b"@", "rle_negative_run", 0),
    ],
)
def test_malformed_names_item_and_byte(backend, text, fault, position):
    for num_threads in (1, 2):
        with pytest.raises(RleError) as error:
            rle_from_string(
                *BytesBatch.from_items([b"6", text, text]), num_threads=num_threads, backend=backend
            )
        assert (error.value.fault, error.value.item, error.value.position) == (fault, 1, position)


@backends
@pytest.mark.parametrize("byte", range(256))
def test_a_byte_of_every_value_at_every_place(backend, byte):
    for place in (0, 1, 7, 40, 90, 127, 130):
        text = bytearray(b"1" * 3 + b"0" * 128)
        text[place] = byte
        valid = 48 <= byte <= 111
        got = parse(bytes(text), backend=backend)
        assert (got == ("rle_bad_character", 0, place)) == (not valid)


@every_isa
@given(text=st.one_of(long_texts, any_texts))
@example(text=b"1" * 200)
@example(text=b"0" * 63 + b"P0" * 40)
def test_agrees_with_the_reference(isa, text):
    with use_isa(isa):
        assert parse(text, backend="cpu") == parse(text, backend="reference")


@every_isa
@pytest.mark.parametrize("difference", [-16, 511, 512, 4095, -4096, 4096, -4097, 2**19, 2**30])
def test_a_number_of_every_length_at_every_place(isa, difference):
    low, high = 5000 + max(0, -difference), 5000 + max(0, -difference) + difference
    for place in range(3, 75):
        runs = [low + i % 7 for i in range(place)] + [high, low] * 2 + [low + 600 * (place % 2)] * 9
        for end in (place + 1, len(runs)):
            counts = np.array(runs[:end], np.uint32)
            bounds = np.array([0, end], np.int64)
            text = rle_to_string(counts, bounds, backend="reference")[0]
            with use_isa(isa):
                assert rle_to_string(counts, bounds, backend="cpu")[0].tobytes() == text.tobytes()
                assert parse(text.tobytes(), backend="cpu") == runs[:end]


@every_isa
@pytest.mark.parametrize("text", [b"555" + b"0" * 20 + b"I" + b"0" * 90, b"555" + b"P2L" * 60])
def test_a_run_below_zero_or_past_the_end_at_every_place(isa, text):
    for place in range(3, len(text)):
        for number in (b"O", b"i" + b"O", b"PPPL", b"PPPPPP2", b"PPPPPP4", b"P" * 9 + b"0"):
            changed = text[:place] + number + text[place:]
            with use_isa(isa):
                assert parse(changed, backend="cpu") == parse(changed, backend="reference")


runs_of = st.lists(
    st.one_of(st.integers(0, 40), st.integers(0, 2000), st.integers(0, 2**32 - 1)), max_size=200
)


@every_isa
@given(runs=runs_of)
def test_reads_back_what_was_written(isa, runs):
    counts = np.array(runs, np.uint32)
    values, offsets = rle_to_string(counts, np.array([0, len(runs)], np.int64), backend="reference")
    with use_isa(isa):
        got, _ = rle_from_string(*BytesBatch.from_offsets(values, offsets), backend="cpu")
    np.testing.assert_array_equal(got, counts)


@backends
def test_batch_is_end_to_end(backend):
    batch = BytesBatch.from_items([b"12", b"", b"06"])
    for num_threads in (1, 2, 7):
        counts, offsets = rle_from_string(*batch, num_threads=num_threads, backend=backend)
        assert counts.tolist() == [1, 2, 0, 6]
        assert offsets.tolist() == [0, 2, 2, 4]


@backends
def test_empty_batch(backend):
    counts, offsets = rle_from_string(*BytesBatch.from_items([]), backend=backend)
    assert (counts.dtype, counts.size, offsets.tolist()) == (np.uint32, 0, [0])


@backends
@pytest.mark.parametrize("span", [(-1, 1), (2, 1), (0, 4)])
def test_spans_outside_the_text_are_refused(backend, span):
    with pytest.raises(KernelError) as error:
        rle_from_string(
            np.full(3, 48, np.uint8), np.array([(0, 1), span], np.int64), backend=backend
        )
    assert (error.value.fault, error.value.item) == ("span_out_of_bounds", 1)


@every_isa
@given(runs=runs_of)
def test_agrees_with_pycocotools(isa, runs):
    mask = pytest.importorskip("pycocotools.mask")
    # pycocotools writes and reads numbers of up to five characters right.
    runs = [run % 2**24 for run in runs] or [0]
    text = mask.frPyObjects({"size": [1, 1], "counts": runs}, 1, 1)["counts"]
    with use_isa(isa):
        assert parse(text, backend="cpu") == runs


def test_wrong_arrays_are_refused():
    values, spans = BytesBatch.from_items([b"1"])
    with pytest.raises(TypeError, match="values: expected dtype uint8"):
        rle_from_string(values.astype(np.int8), spans)
    with pytest.raises(ValueError, match="spans"):
        rle_from_string(values, spans.reshape(-1))
