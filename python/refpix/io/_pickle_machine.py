"""The stack machine behind `refpix.io.glt_pickle`; `_pickle_opcodes` tells it what opcodes do."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

from refpix.io._pickle_arrays import (
    CALLABLES,
    JOBLIB_ARRAY,
    Marker,
    Pending,
    PickleFault,
    joblib_layout,
    resolved,
    view,
)

__all__ = ["MARK", "Machine"]

MARK = object()
_STOP = ord(".")
_BININT = ord("J")
_INT = struct.Struct("<i")
_FRAME = b"\x95"
_INTEGERS = {b"K": 1, b"M": 2, b"J": 4}  # opcodes, and bytes of their numbers
_UNFINISHED = frozenset({Marker, Pending})
_DEEPEST = 4  # nested pickles: joblib's arrays of objects


class Machine:
    """Reads one pickle.

    Args:
        data: the bytes.
        steps: what to do for each opcode.
        at: where the pickle begins.
        depth: how many pickles this one lies in.
    """

    def __init__(
        self,
        data: bytes,
        steps: Mapping[int, Callable[[Machine], None]],
        at: int = 0,
        depth: int = 0,
    ) -> None:
        self.data = data
        self.steps = steps
        self.at = at
        self.depth = depth
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        # How joblib's last array was described, byte for byte, and how many values that put into
        # the memo: arrays of one kind follow one another by the hundred thousand. Those who are
        # skipped leave their numbers free; nothing ever asks for them.
        self._description = b""
        self._described: tuple[Any, int] = (None, 0)
        self.skipped = 0

    def run(self) -> Any:
        """The value.

        Raises:
            PickleFault: with the byte of the opcode at fault.
        """
        if self.depth > _DEEPEST:
            raise PickleFault(self.at, "pickles within pickles")
        data, steps, end = self.data, self.steps, len(self.data)
        stack, read_int = self.stack, _INT.unpack_from
        began = self.at
        try:
            while True:
                began = self.at
                if began >= end:
                    raise PickleFault(began, "data ends early")
                opcode = data[began]
                self.at = began + 1
                if opcode == _BININT:  # the commonest: keys
                    self.at = began + 5
                    stack.append(read_int(data, began + 1)[0])
                elif opcode == _STOP:
                    return self._result()
                else:
                    steps[opcode](self)
        except PickleFault as fault:
            raise PickleFault(fault.offset if fault.offset >= 0 else began, fault.reason) from fault
        except KeyError as error:
            what = f"opcode {opcode:#04x}" if opcode not in steps else f"memo has no {error}"
            raise PickleFault(began, f"not understood: {what}") from error
        except (IndexError, struct.error) as error:
            early = self.at > end
            raise PickleFault(began, "data ends early" if early else "stack is empty") from error
        except (TypeError, ValueError, OverflowError, MemoryError, AttributeError) as error:
            raise PickleFault(began, f"cannot be made: {error}") from error

    def _result(self) -> Any:
        value = resolved(self.pop())
        self.refuse_unfinished([value])
        return value

    def pop(self) -> Any:
        """The topmost value; an opcode may not reach below the last mark."""
        value = self.stack.pop()
        if value is MARK:
            raise PickleFault(-1, "stack is empty")
        return value

    def popped_to_mark(self) -> list[Any]:
        """All values above the last mark, which goes as well."""
        stack = self.stack
        for i in range(len(stack) - 1, -1, -1):
            if stack[i] is MARK:
                values = stack[i + 1 :]
                del stack[i:]
                return values
        raise PickleFault(-1, "mark is missing")

    def take(self, count: int) -> bytes:
        """The next bytes."""
        if not 0 <= count <= len(self.data) - self.at:
            raise PickleFault(-1, f"data ends early: {count} bytes wanted")
        self.at += count
        return self.data[self.at - count : self.at]

    def line(self) -> bytes:
        """Bytes up to the next newline."""
        end = self.data.find(b"\n", self.at)
        if end < 0:
            raise PickleFault(-1, "data ends early: line without end")
        line = self.data[self.at : end]
        self.at = end + 1
        return line

    # What names and calls do.

    def name(self, module: str, name: str) -> None:
        """Pushes what a name stands for, if it is one that data needs."""
        found = CALLABLES.get((module, name))
        if found is None:
            raise PickleFault(-1, f"calls for {module}.{name}: only data is read")
        self.stack.append(found)

    def call(self, function: Any, arguments: Any) -> None:
        """Pushes what a known callable makes of arguments."""
        if not isinstance(function, Marker) or function.make is None:
            raise PickleFault(-1, f"calls a {type(function).__name__}: only data is read")
        if type(arguments) is not tuple:
            raise PickleFault(-1, "arguments are no tuple")
        made = function.make(*[resolved(argument) for argument in arguments])
        if made is JOBLIB_ARRAY:
            made = Pending(joblib_layout)
        self.stack.append(made)

    def new_object(self) -> None:
        """``cls.__new__(cls, *args)``: only joblib's arrays are pickled that way."""
        arguments, cls = self.pop(), self.pop()
        if cls is not JOBLIB_ARRAY or arguments != ():
            raise PickleFault(-1, "makes an object: only data is read")
        if self._description and self.data.startswith(self._description, self.at):
            self.described_arrays()
            return
        pending = Pending(joblib_layout)
        pending.began = self.at
        pending.memo_size = len(self.memo) + self.skipped
        self.stack.append(pending)

    def described_arrays(self) -> None:
        """An array described as the last one was, and those that follow it in a dict."""
        data, stack, description = self.data, self.stack, self._description
        layout, added = self._described
        same = data[self.at - 4 : self.at] + description  # fetch the class, make one
        chained = same[:1] == b"h"
        at = self.at + len(description)
        while True:
            self.skipped += added
            self.at = at
            stack.append(self.array(layout))
            at = self.at + 9 if data[self.at : self.at + 1] == _FRAME else self.at
            size = _INTEGERS.get(data[at : at + 1])
            if not chained or size is None or not data.startswith(same, at + 1 + size):
                return
            number = data[at + 1 : at + 1 + size]
            stack.append(int.from_bytes(number, "little", signed=size == 4))
            at += 1 + size + len(same)

    def build(self) -> None:
        """Gives a value its state; the bytes of joblib's arrays follow the opcode."""
        state, target = self.pop(), self.pop()
        if not isinstance(target, Pending):
            raise PickleFault(-1, f"sets the state of a {type(target).__name__}: only data is read")
        value = target.build(state)
        if target.build is joblib_layout:
            layout = value
            if target.began >= 0:
                self._description = self.data[target.began : self.at]
                self._described = (layout, len(self.memo) + self.skipped - target.memo_size)
            value = self.array(layout)
        target.value = value
        self.stack.append(value)

    def array(self, layout: Any) -> Any:
        """An array whose bytes are next."""
        if layout.objects:
            inner = Machine(self.data, self.steps, self.at, self.depth + 1)
            value = inner.run()
            self.at = inner.at
            return value
        if layout.padded:
            self.take(self.take(1)[0])
        value = view(self.data, self.at, layout)
        self.at += layout.bytes
        return value

    def get(self, index: int) -> None:
        """Pushes a value seen before."""
        self.stack.append(resolved(self.memo[index]))

    def put(self, index: int) -> None:
        """Remembers the topmost value."""
        if self.stack[-1] is MARK:
            raise PickleFault(-1, "stack is empty")
        self.memo[index] = self.stack[-1]

    def refuse_unfinished(self, values: list[Any]) -> None:
        """Containers hold values only: no callables, nothing whose state did not come."""
        if not _UNFINISHED.isdisjoint(map(type, values)):
            raise PickleFault(-1, "a callable, or a value without content, in a container")
