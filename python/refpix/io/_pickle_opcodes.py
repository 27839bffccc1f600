"""What the opcodes of a pickle do, as far as data needs them.

Source: the comments of CPython's Lib/pickletools.py.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from refpix.io._pickle_arrays import PickleFault
from refpix.io._pickle_machine import MARK, Machine

__all__ = ["STEPS"]

_NEWEST = 5  # protocol
_WORDS = {b"00": False, b"01": True}  # what protocols 0 and 1 write for booleans

STEPS: dict[int, Callable[[Machine], None]] = {}


def _step(*opcodes: bytes) -> Callable[[Callable[[Machine], None]], Callable[[Machine], None]]:
    def register(step: Callable[[Machine], None]) -> Callable[[Machine], None]:
        for opcode in opcodes:
            STEPS[opcode[0]] = step
        return step

    return register


def _constant(opcode: bytes, make: Callable[[], Any]) -> None:
    STEPS[opcode[0]] = lambda machine: machine.stack.append(make())


_constant(b"N", lambda: None)
_constant(b"\x88", lambda: True)
_constant(b"\x89", lambda: False)
_constant(b"(", lambda: MARK)
_constant(b")", tuple)
_constant(b"]", list)
_constant(b"}", dict)
_constant(b"\x8f", set)


def _fixed(opcode: bytes, form: str) -> None:
    """Numbers of fixed size."""
    read = struct.Struct(form)
    size = read.size

    def step(machine: Machine) -> None:
        at = machine.at
        machine.at = at + size
        (value,) = read.unpack_from(machine.data, at)
        machine.stack.append(value)

    STEPS[opcode[0]] = step


_fixed(b"J", "<i")
_fixed(b"K", "<B")
_fixed(b"M", "<H")
_fixed(b"G", ">d")


def _counted(opcode: bytes, form: str, convert: Callable[[bytes], Any]) -> None:
    """Content behind its length."""
    read = struct.Struct(form)
    size = read.size

    def step(machine: Machine) -> None:
        (length,) = read.unpack(machine.take(size))
        machine.stack.append(convert(machine.take(length)))

    STEPS[opcode[0]] = step


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogatepass")


def _python2(content: bytes) -> str:
    return content.decode("latin1")


def _long(content: bytes) -> int:
    return int.from_bytes(content, "little", signed=True)


for _opcode, _form, _convert in (
    (b"\x8c", "<B", _text),
    (b"X", "<I", _text),
    (b"\x8d", "<Q", _text),
    (b"C", "<B", bytes),
    (b"B", "<I", bytes),
    (b"\x8e", "<Q", bytes),
    (b"\x96", "<Q", bytearray),
    (b"U", "<B", _python2),
    (b"T", "<i", _python2),
    (b"\x8a", "<B", _long),
    (b"\x8b", "<i", _long),
):
    _counted(_opcode, _form, _convert)


@_step(b"I")
def _decimal(machine: Machine) -> None:
    line = machine.line()
    machine.stack.append(_WORDS[line] if line in _WORDS else int(line))


@_step(b"L")
def _decimal_long(machine: Machine) -> None:
    machine.stack.append(int(machine.line().removesuffix(b"L")))


@_step(b"F")
def _decimal_float(machine: Machine) -> None:
    machine.stack.append(float(machine.line()))


@_step(b"V")
def _unicode(machine: Machine) -> None:
    machine.stack.append(machine.line().decode("raw-unicode-escape"))


@_step(b"S")
def _quoted(machine: Machine) -> None:
    line = machine.line().strip()
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
        raise PickleFault(-1, "text is not in quotes")
    # What string_escape was in Python 2; the machine needs no codecs.escape_decode, as Latin-1
    # passes through unicode_escape unchanged.
    machine.stack.append(line[1:-1].decode("unicode_escape"))


@_step(b"\x80")
def _protocol(machine: Machine) -> None:
    protocol = machine.take(1)[0]
    if protocol > _NEWEST:
        raise PickleFault(-1, f"protocol {protocol} is newer than {_NEWEST}")


@_step(b"\x95")
def _frame(machine: Machine) -> None:
    machine.at += 8  # frames are for reading ahead, and all is here


@_step(b"q")
def _put1(machine: Machine) -> None:
    machine.put(machine.take(1)[0])


@_step(b"r")
def _put4(machine: Machine) -> None:
    machine.put(int.from_bytes(machine.take(4), "little"))


@_step(b"p")
def _put_line(machine: Machine) -> None:
    machine.put(int(machine.line()))


@_step(b"\x94")
def _memoize(machine: Machine) -> None:
    machine.put(len(machine.memo) + machine.skipped)


@_step(b"h")
def _get1(machine: Machine) -> None:
    at = machine.at
    machine.at = at + 1
    machine.get(machine.data[at])


@_step(b"j")
def _get4(machine: Machine) -> None:
    machine.get(int.from_bytes(machine.take(4), "little"))


@_step(b"g")
def _get_line(machine: Machine) -> None:
    machine.get(int(machine.line()))


@_step(b"0")
def _drop(machine: Machine) -> None:
    machine.stack.pop()


@_step(b"1")
def _drop_to_mark(machine: Machine) -> None:
    machine.popped_to_mark()


@_step(b"2")
def _duplicate(machine: Machine) -> None:
    value = machine.pop()
    machine.stack += [value, value]


@_step(b"t")
def _tuple(machine: Machine) -> None:
    machine.stack.append(tuple(machine.popped_to_mark()))


def _short_tuple(opcode: bytes, count: int) -> None:
    def step(machine: Machine) -> None:
        machine.stack.append(tuple([machine.pop() for _ in range(count)][::-1]))

    STEPS[opcode[0]] = step


_short_tuple(b"\x85", 1)
_short_tuple(b"\x86", 2)
_short_tuple(b"\x87", 3)


@_step(b"l")
def _list(machine: Machine) -> None:
    values = machine.popped_to_mark()
    machine.refuse_unfinished(values)
    machine.stack.append(values)


@_step(b"d")
def _dict(machine: Machine) -> None:
    values = machine.popped_to_mark()
    machine.stack.append({})
    _set_items(machine, values)


@_step(b"\x91")
def _frozen_set(machine: Machine) -> None:
    values = machine.popped_to_mark()
    machine.refuse_unfinished(values)
    machine.stack.append(frozenset(values))


def _add(machine: Machine, kind: type, values: list[Any]) -> Any:
    """The container on top, if it is one."""
    machine.refuse_unfinished(values)
    target = machine.stack[-1]
    if type(target) is not kind:
        raise PickleFault(-1, f"adds to a {type(target).__name__} as to a {kind.__name__}")
    return target


def _set_items(machine: Machine, values: list[Any]) -> None:
    target = _add(machine, dict, values)
    if len(values) % 2:
        raise PickleFault(-1, "a key without a value")
    target.update(zip(values[::2], values[1::2], strict=True))


@_step(b"a")
def _append(machine: Machine) -> None:
    values = [machine.pop()]
    _add(machine, list, values).extend(values)


@_step(b"e")
def _appends(machine: Machine) -> None:
    values = machine.popped_to_mark()
    _add(machine, list, values).extend(values)


@_step(b"s")
def _set_item(machine: Machine) -> None:
    value, key = machine.pop(), machine.pop()
    _set_items(machine, [key, value])


@_step(b"u")
def _set_many(machine: Machine) -> None:
    _set_items(machine, machine.popped_to_mark())


@_step(b"\x90")
def _add_items(machine: Machine) -> None:
    values = machine.popped_to_mark()
    _add(machine, set, values).update(values)


@_step(b"c")
def _global(machine: Machine) -> None:
    module, name = machine.line(), machine.line()
    machine.name(_text(module), _text(name))


@_step(b"\x93")
def _stack_global(machine: Machine) -> None:
    name, module = machine.pop(), machine.pop()
    machine.name(module, name)


@_step(b"R")
def _reduce(machine: Machine) -> None:
    arguments = machine.pop()
    machine.call(machine.pop(), arguments)


@_step(b"\x81")
def _new_object(machine: Machine) -> None:
    machine.new_object()


@_step(b"b")
def _build(machine: Machine) -> None:
    machine.build()


_REFUSED = {
    b"i": "makes an instance",
    b"o": "makes an instance",
    b"\x92": "makes an instance",
    b"P": "refers to an object outside of the file",
    b"Q": "refers to an object outside of the file",
    b"\x82": "refers to an extension's code",
    b"\x83": "refers to an extension's code",
    b"\x84": "refers to an extension's code",
    b"\x97": "refers to a buffer outside of the file",
    b"\x98": "refers to a buffer outside of the file",
}


def _refusal(reason: str) -> Callable[[Machine], None]:
    def step(machine: Machine) -> None:
        raise PickleFault(-1, f"{reason}: only data is read")

    return step


for _opcode, _reason in _REFUSED.items():
    STEPS[_opcode[0]] = _refusal(_reason)
