"""A pytest plugin (``-p cuda_first``): where a test leaves the backend open, it is ``cuda``.

So all tests of a kernel are tests of its CUDA code, on a device (tools/test_gpu.sh) and emulated
(``emulated_cuda``). Of tests/kernels, those of kernels that have none are left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from refpix.errors import BackendUnavailableError
from refpix.kernels import _registry


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Whether it is a file of tests of kernels without CUDA code."""
    if collection_path.parent.name != "kernels" or collection_path.suffix != ".py":
        return None
    names = [name for name in dir(_registry.cuda_module()) if name[0] != "_"]
    torch_sides = Path(_registry.__file__).parent.glob("torch_*.py")
    names += ["torch_jpeg", *(path.stem.removeprefix("torch_") for path in torch_sides)]
    kernels = tuple(f"test_{name}" for name in names)
    return None if collection_path.stem.startswith(kernels) else True


_choose = _registry.Kernel.__call__


def usable(kernel: Any) -> tuple[str, ...]:
    """Backends whose results a test may compare to the bit; in nvJPEG's place libjpeg decodes."""
    module = _registry.cuda_module()
    emulated = module is not None and module.architectures() == "emulated"
    names: tuple[str, ...] = kernel.backends() if emulated else kernel.exact_backends()
    return names


def call(kernel: Any, *args: Any, **kwargs: Any) -> Any:
    """``auto`` is ``cuda``, if the kernel has it. Its errors must be the CPU's."""
    if kwargs.get("backend", "auto") != "auto" or "cuda" not in usable(kernel):
        return _choose(kernel, *args, **kwargs)
    kwargs.pop("backend", None)
    try:
        return _choose(kernel, *args, **kwargs, backend="cuda")
    except BackendUnavailableError:
        raise
    except Exception as error:
        if "not available on a device" in str(error):
            return _choose(kernel, *args, **kwargs, backend="cpu")
        try:
            _choose(kernel, *args, **kwargs, backend="cpu")
        except Exception as expected:
            if type(expected) is not type(error):
                raise
            if hasattr(expected, "fault") and str(error) != str(expected):
                raise AssertionError("the CPU names another fault") from error
            raise expected from error
        raise


_registry.Kernel.__call__ = call  # type: ignore[method-assign]
