"""The kernels: one name each, a readable reference and native implementations.

Every kernel takes ``backend=`` and lists what can run here with ``kernel.backends()``.
"""

from refpix.kernels._base64_decode import base64_decode
from refpix.kernels._parsing_unpack import parsing_unpack
from refpix.kernels._registry import Backend, Isa, Kernel, active_isa, fault_name, isas, use_isa

__all__ = [
    "Backend",
    "Isa",
    "Kernel",
    "active_isa",
    "base64_decode",
    "fault_name",
    "isas",
    "parsing_unpack",
    "use_isa",
]
