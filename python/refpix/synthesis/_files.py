"""Files that are whole or not there, in a folder that can be worked on again after a kill.

A sample's files are written under ``.partial`` and renamed into place, the one that marks the
sample as finished last. The journal says what was written; ``manifest.json`` is made of it at the
end, so that interrupted and undisturbed runs leave the same tree.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from refpix.errors import RefpixError
from refpix.kernels import jpeg_encode
from refpix.synthesis._png import png_bytes

__all__ = ["Journal", "OutputError", "SampleWriter", "jpeg_bytes", "png_bytes"]

PARTIAL = ".partial"
JOURNAL = ".journal.jsonl"
MANIFEST = "manifest.json"


class OutputError(RefpixError, OSError):
    """An output file cannot be written: the disk is full, or a folder is not ours."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.file, self.reason)


def jpeg_bytes(
    pixels: npt.NDArray[np.uint8],
    canvas: tuple[int, int] | None = None,
    position: tuple[int, int] = (0, 0),
    mode: str = "RGB",
) -> bytes:
    """A JPEG file, quality 75 and 4:2:0 as libjpeg and Pillow default to.

    Args:
        pixels: uint8 (H, W, 3) or (H, W); of CMYK (H, W, 4).
        canvas: height and width of the picture, black but for the pixels; None: theirs.
        position: x and y of the pixels on the canvas.
        mode: ``CMYK`` and ``YCbCr`` pixels are whole pictures, which Pillow saves.
    """
    if mode in ("CMYK", "YCbCr"):
        buffer = io.BytesIO()
        Image.frombytes(mode, pixels.shape[1::-1], pixels.tobytes()).save(buffer, "JPEG")
        return buffer.getvalue()
    images = pixels if pixels.ndim == 3 else pixels[..., np.newaxis]
    values, _ = jpeg_encode(
        images[np.newaxis],
        canvas=canvas,
        positions=None if canvas is None else np.array([position], np.int64),
    )
    return values.tobytes()


class SampleWriter:
    """Writes the files of one sample beside the dataset, then puts them in place.

    Names in ``.partial`` are flat: making and removing folders there cost more than the files.

    Args:
        root: the dataset's folder.
        sample: name of the sample.
    """

    def __init__(self, root: str, sample: str) -> None:
        self._root = root
        self._prefix = os.path.join(root, PARTIAL, sample.replace("/", "-"))
        self._files: dict[str, int] = {}

    def _partial(self, number: int) -> str:
        return f"{self._prefix}.{number}"

    def write(self, relative: str, payload: bytes) -> None:
        """Writes a file, not in place yet.

        Raises:
            OutputError: names the file as it would be.
        """
        path = self._partial(len(self._files))
        self._files[relative] = len(payload)
        try:
            try:
                file = open(path, "wb")  # noqa: SIM115
            except FileNotFoundError:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                file = open(path, "wb")  # noqa: SIM115
            with file:
                file.write(payload)
        except OSError as error:
            self.discard()
            raise self._error(relative, error) from error

    def _error(self, relative: str, error: OSError) -> OutputError:
        return OutputError(os.path.join(self._root, relative), error.strerror or str(error))

    def discard(self) -> None:
        """Removes what was not put in place."""
        for number in range(len(self._files)):
            with contextlib.suppress(OSError):
                os.unlink(self._partial(number))

    def commit(self, folders: Iterable[str]) -> dict[str, int]:
        """Renames files into place in the order they were written; the last one marks the sample.

        Args:
            folders: the sample's own, relative to the root: what is in them is removed first.

        Returns:
            Bytes of each file written, by its relative path.
        """
        relative = ""
        made = set()
        try:
            for relative in folders:
                target = os.path.join(self._root, relative)
                if os.path.exists(target):
                    shutil.rmtree(target)
            for number, relative in enumerate(self._files):
                target = os.path.join(self._root, relative)
                folder = os.path.dirname(target)
                if folder not in made:
                    os.makedirs(folder, exist_ok=True)
                    made.add(folder)
                os.replace(self._partial(number), target)
        except OSError as error:
            self.discard()
            raise self._error(relative, error) from error
        return self._files


class Journal:
    """What has been done in a folder, one line per sample; survives a kill at any moment.

    Args:
        root: the dataset's folder, made if need be.
        settings: what the samples depend on; a folder begun with others is refused.

    Raises:
        ValueError: the folder was begun with other settings, or its manifest is damaged.
        OutputError: the folder cannot be written to.
    """

    def __init__(self, root: str, settings: Mapping[str, Any]) -> None:
        self.root = Path(root)
        self.settings = dict(settings)
        self.entries: dict[str, dict[str, Any]] = {}
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(self.root / PARTIAL, ignore_errors=True)
            self._read()
            self._file = (self.root / JOURNAL).open("w", encoding="utf-8")
            self._line({"settings": self.settings})
            for entry in self.entries.values():
                self._line(entry)
        except OSError as error:
            raise OutputError(str(self.root), error.strerror or str(error)) from error

    def _read(self) -> None:
        manifest = self.root / MANIFEST
        if manifest.exists():
            try:
                content = json.loads(manifest.read_text(encoding="utf-8"))
                self._check(content["settings"])
                self.entries.update((str(e["id"]), e) for e in content["samples"])
            except (KeyError, TypeError, json.JSONDecodeError) as error:
                raise ValueError(f"{manifest}: not a manifest of refpix") from error
        for line in self._lines():
            if "settings" in line:
                self._check(line["settings"])
            else:
                self.entries[str(line["id"])] = line

    def _lines(self) -> list[dict[str, Any]]:
        path = self.root / JOURNAL
        lines = []
        if path.exists():
            for text in path.read_text(encoding="utf-8", errors="replace").split("\n"):
                try:
                    lines.append(json.loads(text))
                except json.JSONDecodeError:
                    continue  # cut by a kill: that sample is made again
        return lines

    def _check(self, settings: object) -> None:
        if settings != json.loads(json.dumps(self.settings)):
            raise ValueError(
                f"{self.root}: was begun with other settings ({settings}, now {self.settings}); "
                "use an empty folder"
            )

    def _line(self, value: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(value) + "\n")

    def finished(self, sample: str) -> bool:
        """Whether a sample is done and its files are there, of the size they were written with."""
        entry = self.entries.get(sample)
        if entry is None or entry["status"] == "failed":
            return False
        for relative, size in entry.get("files", {}).items():
            try:
                if (self.root / relative).stat().st_size != size:
                    return False
            except OSError:
                return False
        return True

    def add(self, entry: dict[str, Any]) -> None:
        """Notes a sample: ``id``, ``status``, ``files`` with their bytes, ``reason``."""
        self.entries[str(entry["id"])] = entry
        try:
            self._line(entry)
            self._file.flush()
        except OSError as error:
            raise OutputError(str(self.root / JOURNAL), error.strerror or str(error)) from error

    def close(self, manifest: Mapping[str, Any] | None = None) -> None:
        """Ends; with a manifest the run was whole, and the journal goes into it.

        Args:
            manifest: what the manifest says beside settings and samples.
        """
        self._file.close()
        if manifest is None:
            return
        samples = sorted(self.entries.values(), key=lambda e: str(e["id"]).rjust(20, "0"))
        content = {**manifest, "settings": self.settings, "samples": samples}
        partial = self.root / f"{MANIFEST}.partial"
        try:
            partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
            os.replace(partial, self.root / MANIFEST)
            os.unlink(self.root / JOURNAL)
            shutil.rmtree(self.root / PARTIAL, ignore_errors=True)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise OutputError(str(self.root / MANIFEST), error.strerror or str(error)) from error
