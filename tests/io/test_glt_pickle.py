import bz2
import collections
import gzip
import lzma
import os
import pickle
import struct
import subprocess
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from refpix.errors import PickleError
from refpix.io.glt_pickle import load_pickle, loads_pickle, save_pickle

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
protocols = pytest.mark.parametrize("protocol", PROTOCOLS)

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-300, 300)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.complex_numbers(allow_nan=False)
)
keys = st.integers() | st.text() | st.tuples(st.integers(), st.text())
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(keys, inner)
        | st.tuples(inner)
        | st.tuples(inner, inner, inner, inner)
        | st.sets(st.integers(), max_size=1)
        | st.frozensets(st.text(), max_size=1)
    ),
)
arrays = hnp.arrays(
    hnp.integer_dtypes(endianness="?")
    | hnp.floating_dtypes(endianness="?")
    | hnp.complex_number_dtypes(endianness="?")
    | hnp.boolean_dtypes()
    | hnp.unicode_string_dtypes(endianness="?", min_len=1)
    | hnp.byte_string_dtypes(min_len=1),
    hnp.array_shapes(min_dims=0, min_side=0),
)


def assert_same_array(got, want):
    assert type(got) is np.ndarray
    assert got.dtype == want.dtype.newbyteorder("=")
    assert got.shape == want.shape
    assert got.astype(want.dtype).tobytes() == want.tobytes()


@given(values, st.sampled_from(PROTOCOLS))
@example([True, False, 255, -1, 2**31, b"", "", ()], 0)
def test_builtin_values(value, protocol):
    got = loads_pickle(pickle.dumps(value, protocol))
    assert got == value
    assert repr(got) == repr(value)  # 1 == True == 1.0; order of dicts


@given(arrays, st.sampled_from(PROTOCOLS), st.sampled_from("CF"))
def test_arrays(array, protocol, order):
    array = np.asarray(array, order=order)
    got = loads_pickle(pickle.dumps({"a": array, "again": array}, protocol))
    assert_same_array(got["a"], array)
    assert got["again"] is got["a"]


@protocols
def test_other_values_of_numpy(protocol):
    scalars = [np.float64(0.1), np.float32(2), np.int64(-3), np.bool_(True), np.str_("äb")]
    got = loads_pickle(pickle.dumps(scalars, protocol))
    assert got == scalars
    assert [type(one) for one in got] == [type(one) for one in scalars]
    dtypes = [np.dtype("f8"), np.dtype(">i2"), np.dtype("U7"), np.dtype(object), np.dtype(bool)]
    assert loads_pickle(pickle.dumps(dtypes, protocol)) == dtypes
    objects = np.empty((2, 2), object)
    objects[0, 0] = {"a": 1}
    objects[1, 1] = np.arange(3)
    got = loads_pickle(pickle.dumps(objects, protocol))
    assert got.dtype == object
    assert got[0, 0] == {"a": 1}
    assert got[0, 1] is None
    assert got[1, 1].tolist() == [0, 1, 2]


@protocols
def test_shared_and_circular_values(protocol):
    inner = [1]
    outer = {"a": inner, "b": inner}
    outer["self"] = outer
    got = loads_pickle(pickle.dumps(outer, protocol))
    assert got["a"] is got["b"]
    assert got["self"] is got


def test_ordered_dicts_come_as_dicts():
    got = loads_pickle(pickle.dumps(collections.OrderedDict(b=1, a=2)))
    assert type(got) is dict
    assert list(got.items()) == [("b", 1), ("a", 2)]


def test_python_2():
    # {'ann_vecs': {5: array([1., 0.5])}, u'caf\xe9': 'na\xefve', 'n': 12L}, as Python 2 writes it
    # with protocols 0 and 2: text without u is Latin-1, and so are an array's bytes.
    array = np.array([1.0, 0.5])
    content = array.tobytes()
    with_strings = (
        b"\x80\x02}q\x00(U\x08ann_vecsq\x01}q\x02K\x05cnumpy.core.multiarray\n_reconstruct\nq\x03"
        b"cnumpy\nndarray\nq\x04K\x00\x85q\x05U\x01bq\x06\x87q\x07Rq\x08(K\x01K\x02\x85q\x09"
        b"cnumpy\ndtype\nq\x0aU\x02f8q\x0bK\x00K\x01\x87q\x0cRq\x0d(K\x03U\x01<q\x0eNNN"
        b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x0fb\x89U\x10" + content + b"q\x10tq\x11bs"
        b"X\x05\x00\x00\x00caf\xc3\xa9q\x12U\x05na\xefveq\x13U\x01nq\x14\x8a\x01\x0cu."
    )
    got = loads_pickle(with_strings)
    assert_same_array(got["ann_vecs"][5], array)
    assert got["café"] == "naïve"
    assert got["n"] == 12
    lines = b"(dp0\nS'it\\'s\\n\\xe9'\np1\nI01\nsVcaf\\u00e9\np2\n(lp3\nL12L\naF0.5\nas."
    assert loads_pickle(lines) == {"it's\né": True, "café": [12, 0.5]}


@pytest.mark.parametrize("protocol", [None, 2, 3, 4, 5])
@pytest.mark.parametrize(
    "compress", [0, True, ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3), ("zlib", 9)]
)
def test_files_of_joblib(tmp_path, compress, protocol):
    joblib = pytest.importorskip("joblib")
    rng = np.random.default_rng(3)
    objects = np.array([{"a": 1}, None, "x"], object)
    value = {
        "ann_vecs": {i: rng.random(24) for i in range(300)},
        "small": {f"k{i}": rng.random((3, 2)).astype(np.float32) for i in range(20)},
        "mixed": [rng.integers(0, 9, (4, 5)).T, np.zeros(0), np.array(7.0), np.arange(3.0) > 1],
        "objects": [objects, np.arange(5), objects],
        "big_endian": np.arange(4, dtype=">f4"),
        "scalar": np.float32(0.5),
        "names": [{"id": 3, "name": "a"}] * 2,
    }
    path = tmp_path / "value.jbl"
    joblib.dump(value, path, compress=compress, protocol=protocol)
    got = load_pickle(path)
    assert list(got) == list(value)
    for name in ("ann_vecs", "small"):
        assert list(got[name]) == list(value[name])
        for key, array in value[name].items():
            assert_same_array(got[name][key], array)
    for mine, theirs in zip(got["mixed"], value["mixed"], strict=True):
        assert_same_array(mine, theirs)
    assert [one.tolist() for one in got["objects"]] == [one.tolist() for one in value["objects"]]
    assert_same_array(got["big_endian"], value["big_endian"])
    assert got["scalar"] == value["scalar"]
    assert got["names"] == value["names"]


def test_committed_file_of_joblib(data):
    # Written by joblib 1.6, zlib, float32; what is in it is used in tests of the splits.
    got = load_pickle(data / "glt" / "strkeys_ties" / "cocottributes.jbl")
    assert list(got) == ["ann_vecs", "patch_id_to_ann_id", "attributes", "split"]
    assert len(got["ann_vecs"]) == len(got["patch_id_to_ann_id"]) == 720
    assert {vector.shape for vector in got["ann_vecs"].values()} == {(40,)}
    assert all(0 <= vector.min() <= vector.max() <= 1 for vector in got["ann_vecs"].values())


@pytest.mark.parametrize("compress", [False, True])
def test_saved_files_are_read_by_us_and_joblib(tmp_path, compress):
    value = {"ann_vecs": {3: np.arange(5.0), "k": np.ones(2, np.float32)}, "n": [1, None, "x"]}
    path = tmp_path / "value.jbl"
    path.write_bytes(b"old")
    save_pickle(path, value, compress=compress)
    assert os.listdir(tmp_path) == ["value.jbl"]
    assert repr(load_pickle(path)) == repr(value)
    joblib = pytest.importorskip("joblib")
    assert repr(joblib.load(path)) == repr(value)


def test_a_failed_save_leaves_what_was_there(tmp_path):
    path = tmp_path / "value.jbl"
    path.write_bytes(b"old")
    with pytest.raises((pickle.PicklingError, AttributeError)):
        save_pickle(path, {"a": lambda: 1})
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["value.jbl"]


class Reduced:
    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


class Plain:
    pass


HOSTILE = {
    "os.system": Reduced(os.system, "touch {owned}"),
    "subprocess": Reduced(subprocess.Popen, ["touch", "{owned}"]),
    "eval": Reduced(eval, "open('{owned}', 'w')"),
    "exec": Reduced(exec, "open('{owned}', 'w')"),
    "getattr": Reduced(getattr, {}, "__class__"),
    "import": Reduced(__import__, "os"),
    "open": Reduced(open, "{owned}", "w"),
    "numpy.load": Reduced(np.load, "{owned}", None, True),
    "numpy.memmap": Reduced(np.memmap, "{owned}", "uint8", "w+", 0, (3,)),
    "an object": Plain(),
    "a class": Plain,
    "a function": print,
    "bytes of nothing": Reduced(bytes, 10**9),
    "an array's class called": Reduced(np.ndarray, (10**9,)),
}


@protocols
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_are_refused(tmp_path, monkeypatch, name, protocol):
    owned = tmp_path / "owned"
    content = pickle.dumps({"ann_vecs": HOSTILE[name]}, protocol)
    # Of the length of the path: lengths in the file stay true.
    room = b"{owned}"
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "hostile.jbl"
    path.write_bytes(zlib.compress(content.replace(room, b"./owned")))
    with pytest.raises(PickleError, match=r"hostile\.jbl \(byte \d+\): .*(data|cannot)") as error:
        load_pickle(path)
    assert error.value.offset >= 0
    assert not owned.exists()


def test_the_hostile_pickles_are_hostile(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(HOSTILE["os.system"]).replace(b"{owned}", b"./owned"))
    assert (tmp_path / "owned").exists()


HUGE = struct.pack("<Q", 2**40)
BROKEN = {
    "empty": b"",
    "no stop": b"\x80\x04N",
    "nothing on the stack": b"\x80\x04.",
    "a mark as result": b"(.",
    "unknown opcode": b"\x80\x04\xff.",
    "newer protocol": b"\x80\x09N.",
    "text of a terabyte": b"\x8d" + HUGE + b"x.",
    "bytes of a terabyte": b"\x8e" + HUGE + b"x.",
    "bytearray of a terabyte": b"\x96" + HUGE + b"x.",
    "long of two gigabytes": b"\x8b\xff\xff\xff\x7fx.",
    "long of negative size": b"\x8b\xff\xff\xff\xffx.",
    "text of negative size": b"T\xff\xff\xff\xffx.",
    "integer of a million digits": b"I" + b"9" * 10**6 + b"\n.",
    "cut number": b"J\x01",
    "cut get": b"h",
    "unknown memo": b"h\x05.",
    "memo far out": b"Nr\xff\xff\xff\x7f0j\xff\xff\xff\x6f.",
    "put nothing": b"q\x00.",
    "put a mark": b"(q\x00.",
    "no mark": b"t.",
    "item for no dict": b"]NNs.",
    "items for no list": b"}(NNe.",
    "key without value": b"}(Nu.",
    "key that is a list": b"}]Ns.",
    "set of lists": b"\x8f(]\x90.",
    "reduce of a number": b"K\x01)R.",
    "arguments that are a list": b"cnumpy\ndtype\n]R.",
    "state of a list": b"]Nb.",
    "a callable as result": b"cnumpy\ndtype\n.",
    "a callable in a list": b"](cnumpy\ndtype\ne.",
    "line without end": b"I12",
    "text without quotes": b"Sabc\n.",
    "bad utf-8": b"\x8c\x01\xff.",
    "persistent id": b"Pabc\n.",
    "extension": b"\x82\x01.",
    "instance": b"(ios\nsystem\n.",
    "out of band buffer": b"\x97.",
    "name that is a list": b"]]\x93.",
    "array before its content": b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"
    b"K\x00\x85C\x01b\x87R.",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_pickles_are_refused(name):
    tracemalloc.start()
    try:
        with pytest.raises(PickleError, match="<pickle>"):
            loads_pickle(BROKEN[name])
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def array_pickle(shape=(2,), code="f8", state=None, content=b"\0" * 16):
    """An array with a description of our choice."""
    dtype = Reduced(np.dtype, code, False, True)
    dtype.reduced = (*dtype.reduced, state or (3, "<", None, None, None, -1, -1, 0))
    core = np.zeros(1).__reduce__()[0]
    array = Reduced(core, np.ndarray, (0,), b"b")
    array.reduced = (*array.reduced, (1, shape, dtype, False, content))
    return pickle.dumps(array)


@pytest.mark.parametrize(
    ("reason", "arguments"),
    [
        ("64 bytes is described, 16", {"shape": (8,)}),
        ("bytes is described", {"shape": (2**40,)}),
        ("bytes is described", {"shape": (2**62, 2**62)}),
        ("not made of sizes", {"shape": (-2,)}),
        ("not made of sizes", {"shape": (2.0,)}),
        ("not made of sizes", {"shape": [2]}),
        ("axes", {"shape": (1,) * 40, "content": b"\0" * 8}),
        ("only plain ones", {"code": "V8"}),
        ("only plain ones", {"code": "M8"}),
        ("only plain ones", {"code": "i4,i4"}),
        ("only plain ones", {"code": "S99999999999999"}),
        ("only plain ones", {"state": (3, "<", None, ("a",), {"a": (1, 0)}, 8, 1, 16)}),
        ("only plain ones", {"state": (3, "<", ("f8", (2,)), None, None, 8, 1, 0)}),
        ("only plain ones", {"state": (3, "?", None, None, None, 8, 1, 0)}),
        ("dtype's state", {"state": (3,)}),
        ("expected an array's bytes", {"content": [1.0, 2.0]}),
        ("objects has another number", {"code": "O", "content": [None]}),
        ("objects has another number", {"code": "O8", "content": b"\1" * 16}),
        ("text without room", {"code": "U0", "shape": (2**40,), "content": b""}),
    ],
)
def test_arrays_that_do_not_fit_their_description(reason, arguments):
    assert loads_pickle(array_pickle()).tolist() == [0, 0]
    with pytest.raises(PickleError, match=reason):
        loads_pickle(array_pickle(**arguments))


def test_joblib_arrays_that_do_not_fit_their_description(tmp_path):
    joblib = pytest.importorskip("joblib")
    path = tmp_path / "value.jbl"
    joblib.dump([np.arange(8.0), np.arange(8.0) + 1, np.arange(8.0) + 2], path, protocol=4)
    content = path.read_bytes()
    assert len(load_pickle(path)) == 3
    for wrong in (
        content.replace(b"K\x08\x85", b"K\xff\x85"),  # more values than there are
        content.replace(b"K\x08\x85", b"K\x07\x85"),  # fewer: the rest is no pickle
        content.replace(b"shape", b"shade"),
        content.replace(b"\x8c\x02f8", b"\x8c\x02V8"),
    ):
        assert wrong != content
        path.write_bytes(wrong)
        with pytest.raises(PickleError, match=r"value\.jbl \(byte \d+\)"):
            load_pickle(path)


def test_arrays_of_joblib_do_not_nest_for_ever():
    dtype = b"cnumpy\ndtype\n\x8c\x01O\x85R(K\x03\x8c\x01|NNNK\x00K\x00K?tb"
    state = b"}(\x8c\x05shape)\x8c\x05order\x8c\x01C\x8c\x05dtype" + dtype + b"u"
    wrapper = b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81" + state + b"b"
    with pytest.raises(PickleError, match="pickles within pickles"):
        loads_pickle(b"\x80\x04" + wrapper * 1000)


@pytest.mark.parametrize("compress", [zlib.compress, gzip.compress, bz2.compress, lzma.compress])
def test_cut_and_damaged_files(tmp_path, compress):
    rng = np.random.default_rng(0)
    content = pickle.dumps({i: rng.random(16) for i in range(200)})
    path = tmp_path / "value.jbl"
    packed = compress(content)
    for cut in (len(packed) // 2, len(packed) - 1, 8):
        path.write_bytes(packed[:cut])
        with pytest.raises(PickleError, match=r"value\.jbl"):
            load_pickle(path)
    damaged = bytearray(packed)
    damaged[len(damaged) // 2] ^= 0xFF
    path.write_bytes(damaged)
    with pytest.raises(PickleError, match=r"value\.jbl"):
        load_pickle(path)
    for cut in range(0, len(content), 1997):
        with pytest.raises(PickleError, match="early"):
            loads_pickle(content[:cut])


def test_bombs_are_refused(tmp_path):
    path = tmp_path / "bomb.jbl"
    for compress in (zlib.compress, gzip.compress, bz2.compress, lzma.compress):
        path.write_bytes(compress(b"\0" * (64 << 20)))
        tracemalloc.start()
        try:
            with pytest.raises(PickleError, match="more than 1000000 bytes"):
                load_pickle(path, max_bytes=10**6)
            assert tracemalloc.get_traced_memory()[1] < 32 << 20
        finally:
            tracemalloc.stop()
    path.write_bytes(pickle.dumps(b"\0" * 2000))
    with pytest.raises(PickleError, match="more than 1000 bytes"):
        load_pickle(path, max_bytes=1000)


@pytest.mark.parametrize(
    ("head", "reason"), [(b"ZF0x12", "before 0.10"), (b"\x04\x22\x4d\x18", "LZ4")]
)
def test_formats_that_are_not_read_are_named(tmp_path, head, reason):
    path = tmp_path / "old.jbl"
    path.write_bytes(head + b"\0" * 40)
    with pytest.raises(PickleError, match=reason):
        load_pickle(path)


@given(st.data())
def test_mutated_pickles_never_run_anything(data):
    content = bytearray(
        pickle.dumps(
            {"v": {i: np.arange(3.0) for i in range(3)}, "l": [1, "x", (2.5, None), {3}]},
            data.draw(st.sampled_from(PROTOCOLS)),
        )
    )
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        loads_pickle(bytes(content))
    except PickleError as error:
        assert 0 <= error.offset <= len(content)  # noqa: PT017
        assert pickle.loads(pickle.dumps(error)).reason == error.reason  # noqa: PT017
