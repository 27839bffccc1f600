# Written by tools/stubs.py (make stubs) from the built module.
"""
CPU kernels of refpix. Use refpix.kernels, which documents them.
"""

from __future__ import annotations
import numpy
import numpy.typing
import typing

__all__: list[str] = ["active_isa", "fault_name", "machine_isa", "parsing_unpack", "set_isa"]

def active_isa() -> str: ...
def fault_name(arg0: int) -> str: ...
def machine_isa() -> str: ...
def parsing_unpack(
    values: typing.Any, spans: typing.Any, *, strict: bool, num_threads: int
) -> tuple[numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.int64]]: ...
def set_isa(arg0: str) -> None: ...
