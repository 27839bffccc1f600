"""RefHCM files from pictures and annotations."""

from __future__ import annotations

import base64
import io
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from refpix.datasets.refhcm_layout import COLUMNS, base_task
from refpix.datasets.refhcm_sample import RefHCMSample
from refpix.io.tree import safe_name

__all__ = ["Picture", "RefHCMWriter", "write_refhcm"]

#: A file, its bytes, or uint8 pixels (H, W, 3) or (H, W).
Picture = str | os.PathLike[str] | bytes | npt.NDArray[np.uint8]

_SUFFIXES = {"JPEG": ".jpg", "PNG": ".png"}


class RefHCMWriter:
    """Writes the TSV file of a task, and for rpar the pictures and label maps beside it.

    The file appears under its name when the writer is closed without an error; until then, and
    after one, there is nothing. Use it as a context manager.

    Args:
        path: the TSV file to write.
        task: ``"rec"``, ``"rkpt"``, ``"rpar"``, ``"rhrc"``, ``"hoi"`` or a ReasonRef folder.
        root: rpar: the folder for ``imgs`` and ``gts``; None is ``annos`` beside the file.
        folder: rpar: the folder below those, ``"train"`` as shipped.
        image_format: for pictures given as pixels. Files and bytes are stored as they are.
        quality: of JPEG, without chroma subsampling from 90 on.
        strict: rpar wants exactly 48 codes in 0..31.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        task: str,
        *,
        root: str | os.PathLike[str] | None = None,
        folder: str = "train",
        image_format: Literal["JPEG", "PNG"] = "JPEG",
        quality: int = 95,
        strict: bool = True,
    ) -> None:
        self.path = Path(path)
        self.task = base_task(task)
        self.root = self.path.parent / "annos" if root is None else Path(root)
        self.folder = safe_name(folder)
        self.rows = 0
        self._format = image_format
        self._quality = quality
        self._strict = strict
        self._created: dict[Path, bytes] = {}
        handle, name = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
        self._partial = Path(name)
        self._file = os.fdopen(handle, "wb")

    def __enter__(self) -> RefHCMWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def write(self, sample: RefHCMSample | Mapping[str, Any]) -> None:
        """Adds a row.

        Args:
            sample: a sample, or a mapping with what the task has of: ``id``, ``image_id``,
                ``image`` (a `Picture`), ``text`` (rpar: None means that the box is the question),
                ``box`` (x0, y0, x1, y1), ``keypoints`` ((17, 2), or (17, 3) with visibility),
                ``codes`` (48 or (8, 6)), ``label_map`` (integers (H, W)), ``actions``
                ((action, object, box) each).

        Raises:
            KeyError: something is missing.
            ValueError: a text with a tab or an end of line, which the format cannot hold; numbers
                that are not finite; shapes that do not fit.
        """
        values = _of_sample(sample) if isinstance(sample, RefHCMSample) else sample
        fields = [self._field(name, values).encode() for name in COLUMNS[self.task]]
        self._file.write(b"\t".join(fields) + b"\n")
        self.rows += 1

    def close(self) -> None:
        """Finishes the file and puts it under its name."""
        if self._file.closed:
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.chmod(self._partial, 0o666 & ~_umask())
        os.replace(self._partial, self.path)

    def abort(self) -> None:
        """Removes what was written."""
        if self._file.closed:
            return
        self._file.close()
        for path in [self._partial, *self._created]:
            path.unlink(missing_ok=True)

    def _field(self, name: str, values: Mapping[str, Any]) -> str:
        if name == "image":
            return self._image(values)
        if name == "box":
            return _numbers("box", values["box"], 4)
        if name == "keypoints":
            return _keypoints(values["keypoints"])
        if name == "codes":
            return _codes(values["codes"], self._strict)
        if name == "label_map":
            return self._label_map(values)
        if name == "actions":
            return "".join(
                f"{int(action)},{int(thing)},{_numbers('actions', box, 4)};"
                for action, thing, box in values["actions"]
            )
        text = values[name]
        if text is None and self.task == "rpar" and name == "text":
            text = "None"
        return _line(name, text)

    def _image(self, values: Mapping[str, Any]) -> str:
        payload, suffix = self._encoded(values["image"])
        if self.task != "rpar":
            return base64.b64encode(payload).decode("ascii")
        name = f"{values.get('image_id') or values['id']}{suffix}"
        return self._store("imgs", name, payload)

    def _encoded(self, picture: Picture) -> tuple[bytes, str]:
        if isinstance(picture, np.ndarray):
            buffer = io.BytesIO()
            sampling = {"subsampling": 0} if self._quality >= 90 else {}
            options = {"quality": self._quality, **sampling} if self._format == "JPEG" else {}
            Image.fromarray(picture).save(buffer, format=self._format, **options)
            return buffer.getvalue(), _SUFFIXES[self._format]
        payload = picture if isinstance(picture, bytes) else Path(picture).read_bytes()
        with Image.open(io.BytesIO(payload)) as opened:
            kind = opened.format or ""
        return payload, _SUFFIXES.get(kind, f".{kind.lower()}")

    def _label_map(self, values: Mapping[str, Any]) -> str:
        labels = np.asarray(values["label_map"])
        if labels.ndim != 2 or labels.dtype.kind not in "bui":
            raise ValueError(
                f"label_map: expected integers (H, W), got {labels.dtype} {labels.shape}"
            )
        if labels.size and labels.min() >= 0 and labels.max() < 256:
            labels = labels.astype(np.uint8)
        buffer = io.BytesIO()
        np.save(buffer, labels, allow_pickle=False)
        return self._store("gts", f"{values['id']}.npy", buffer.getvalue())

    def _store(self, kind: str, name: str, payload: bytes) -> str:
        """Writes a file below the root, once, and returns its name in the row."""
        inside = safe_name(f"{self.folder}/{_line('file name', name)}")
        path = self.root / kind / inside
        if path in self._created:
            if path.read_bytes() != payload:
                raise ValueError(f"{path}: two rows give it different contents")
            return inside
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial")
        partial.write_bytes(payload)
        os.replace(partial, path)
        self._created[path] = b""
        return inside


def write_refhcm(
    path: str | os.PathLike[str],
    task: str,
    samples: Iterable[RefHCMSample | Mapping[str, Any]],
    **options: Any,
) -> int:
    """Writes a RefHCM file; see `RefHCMWriter` for the arguments.

    Returns:
        The number of rows.
    """
    with RefHCMWriter(path, task, **options) as writer:
        for sample in samples:
            writer.write(sample)
    return writer.rows


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _of_sample(sample: RefHCMSample) -> dict[str, Any]:
    return {**sample.to_dict(), "text": sample.text, "box": sample.box_xyxy}


def _line(name: str, text: Any) -> str:
    if not isinstance(text, str):
        raise ValueError(f"{name}: expected text, got {type(text).__name__}")
    if any(character in text for character in "\t\n\r"):
        raise ValueError(f"{name}: a tab or an end of line cannot be written: {text[:80]!r}")
    return text


def _numbers(name: str, numbers: Any, count: int) -> str:
    """Numbers as the shortest decimals that read back equal in their own precision."""
    flat = np.asarray(numbers).reshape(-1)
    if flat.size != count or flat.dtype.kind not in "iuf" or not np.isfinite(flat).all():
        raise ValueError(f"{name}: expected {count} finite numbers, got {numbers!r}")
    if flat.dtype.kind != "f":
        return ",".join(map(str, flat.tolist()))
    return ",".join(np.format_float_positional(number, trim="-") for number in flat)


def _keypoints(keypoints: Any) -> str:
    points: npt.NDArray[Any] = np.asarray(keypoints)
    points = points.reshape(-1, 2) if points.ndim == 1 else points
    if points.shape not in ((17, 2), (17, 3)):
        raise ValueError(f"keypoints: expected (17, 2) or (17, 3), got {points.shape}")
    if points.size == 51:
        visible = points[:, 2:] > 0
        if (visible[:, 0] & (points[:, :2] == 0).all(axis=1)).any():
            raise ValueError("keypoints: (0, 0) means invisible, a visible point cannot lie there")
        points = np.where(visible, points[:, :2], points.dtype.type(0))
    return _numbers("keypoints", points, 34)


def _codes(codes: Sequence[int] | npt.NDArray[Any], strict: bool) -> str:
    flat = np.asarray(codes).reshape(-1)
    if flat.dtype.kind not in "iu":
        raise ValueError(f"codes: expected integers, got {flat.dtype}")
    if strict and (flat.size != 48 or flat.min() < 0 or flat.max() > 31):
        raise ValueError("codes: expected 48 parsing codes in 0..31")
    return ",".join(map(str, flat.tolist()))
