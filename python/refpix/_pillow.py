"""Pillow with its two global switches turned per image: cut files, and no limit on pixels.

Pillow accepts cut files when ``ImageFile.LOAD_TRUNCATED_IMAGES`` is true, for the whole process,
and holds every size against ``Image.MAX_IMAGE_PIXELS``. Neither is ours to change under the feet
of the program or of its threads. So files are opened through Pillow's registry of plugins, which
knows no limit, and cut ones by subclasses of the plugins: the methods that look at the switch are
the same code, with globals of ours in which it is on.
"""

from __future__ import annotations

import io
import struct
import sys
import threading
from collections.abc import Iterator
from types import CodeType, FunctionType, SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, JpegImagePlugin

_SWITCH = "LOAD_TRUNCATED_IMAGES"
_PREFIX = 16  # bytes that plugins recognise a file by

_lock = threading.RLock()
_namespaces: dict[str, dict[str, Any]] = {}
_classes: dict[type, type] = {}


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _own_functions(cls: type) -> dict[str, FunctionType]:
    return {name: f for name, f in vars(cls).items() if isinstance(f, FunctionType)}


def _looks_at_switch(cls: type) -> bool:
    return any(
        _SWITCH in _names(function.__code__)
        for base in cls.__mro__
        for function in _own_functions(base).values()
    )


def _namespace(module_name: str) -> dict[str, Any]:
    """Globals of a Pillow module with the switch on."""
    if module_name not in _namespaces:
        module = sys.modules[module_name]
        names = _namespaces[module_name] = dict(vars(module))
        if _SWITCH in names:
            names[_SWITCH] = True
        if names.get("ImageFile") is ImageFile:
            names["ImageFile"] = SimpleNamespace(**{**vars(ImageFile), _SWITCH: True})
        for name, value in vars(module).items():
            if isinstance(value, type) and value.__module__ == module_name:
                names[name] = tolerant(value)
    return _namespaces[module_name]


def tolerant(cls: type) -> type:
    """A subclass that accepts cut files, or the class itself where that changes nothing."""
    with _lock:
        if cls in _classes:
            return _classes[cls]
        if not _looks_at_switch(cls):
            return cls
        bases = [tolerant(base) for base in cls.__bases__]
        if cls not in _classes:  # else the globals of a base have made it meanwhile
            # After the class, before its bases: super() finds the tolerant ones.
            changed = tuple(b for b, old in zip(bases, cls.__bases__, strict=True) if b != old)
            made = _classes[cls] = type(cls.__name__, (cls, *changed), {"__module__": __name__})
            namespace = _namespace(cls.__module__)
            for name, function in _own_functions(cls).items():
                setattr(made, name, _rebound(function, namespace))
        return _classes[cls]


def _rebound(function: FunctionType, namespace: dict[str, Any]) -> FunctionType:
    copy = FunctionType(
        function.__code__,
        namespace,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


def open_jpeg(payload: bytes, *, allow_truncated: bool) -> ImageFile.ImageFile:
    """Opens a JPEG, also where Pillow would make a multi-picture file of it: same first picture.

    Raises:
        Exception: whatever the plugin raises.
    """
    plugin: Any = JpegImagePlugin.JpegImageFile
    opened: ImageFile.ImageFile = (tolerant(plugin) if allow_truncated else plugin)(
        io.BytesIO(payload)
    )
    return opened


def open_image(payload: bytes, *, allow_truncated: bool) -> ImageFile.ImageFile | None:
    """Opens a picture of any format by its content, as ``Image.open`` does.

    Returns:
        The picture, its pixels not loaded yet; None when no plugin recognises the payload.

    Raises:
        Exception: whatever the plugin raises.
    """
    for load_plugins in (Image.preinit, Image.init):
        load_plugins()
        for name in list(Image.ID):
            factory: Any
            factory, accept = Image.OPEN[name]
            verdict = accept is None or accept(payload[:_PREFIX])
            if not verdict or isinstance(verdict, str):  # text is a reason why not
                continue
            try:
                if name == "JPEG":
                    return open_jpeg(payload, allow_truncated=allow_truncated)
                if allow_truncated and isinstance(factory, type):
                    factory = tolerant(factory)
                opened: ImageFile.ImageFile = factory(io.BytesIO(payload), "")
                return opened
            except (SyntaxError, IndexError, TypeError, struct.error):
                continue  # Not this plugin's. Image.open() says so by the same exceptions.
    return None


def to_rgb(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Pixels as the published pipelines see them after ``convert("RGB")``.

    Gray is replicated, palettes are looked up, alpha is dropped without blending, CMYK is taken as
    Adobe's. Gray of more than 8 bits is clipped at 255, not scaled, as Pillow 13 does; older
    versions disagree with one another there.

    Returns:
        uint8 (H, W, 3), C order, writable.
    """
    image.load()
    if image.mode == "I" or image.mode.startswith("I;16"):
        gray = np.clip(np.asarray(image), 0, 255).astype(np.uint8)
        return np.repeat(gray[..., np.newaxis], 3, axis=2)
    # Transparency makes convert() warn and does not change RGB.
    image.info.pop("transparency", None)
    return np.array(image.convert("RGB"))
