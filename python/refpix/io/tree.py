"""Files by relative name, from a folder or straight out of a zip archive."""

from __future__ import annotations

import os
import posixpath
import zipfile
import zlib
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

__all__ = ["FileTree", "FolderTree", "ZipTree", "open_tree", "safe_name"]


def safe_name(name: str) -> str:
    """A relative file name as it came out of a data file, with ``.`` and ``//`` folded.

    Raises:
        ValueError: the name is empty, absolute, holds NUL, or climbs out with ``..``. Names in
            data files are not trusted to stay inside their folder.
    """
    if not name or "\0" in name:
        raise ValueError("empty file name" if not name else "file name with a NUL character")
    if name.startswith("/") or ".." in name.split("/"):
        raise ValueError(f"file name leaves its folder: {name!r}")
    return posixpath.normpath(name)


class FileTree(ABC):
    """Read-only files by relative, ``/``-separated name. Picklable, and safe to use after fork.

    Attributes:
        path: the folder or archive.
    """

    path: Path

    @abstractmethod
    def read(self, name: str) -> bytes:
        """All bytes of a file.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the name leaves the tree (see `safe_name`).
            OSError: the file cannot be read, or its archived bytes are damaged.
        """

    @abstractmethod
    def __contains__(self, name: str) -> bool: ...

    def locate(self, name: str) -> str:
        """Where a file of that name would lie, for messages."""
        return str(self.path / name)


class FolderTree(FileTree):
    """Files below a folder."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"FolderTree({str(self.path)!r})"

    def read(self, name: str) -> bytes:
        """All bytes of a file; see `FileTree.read`."""
        with open(self.path / safe_name(name), "rb") as file:
            return file.read()

    def __contains__(self, name: str) -> bool:
        return (self.path / safe_name(name)).is_file()


class ZipTree(FileTree):
    """Members of a zip archive, read one at a time without unpacking the rest.

    The archive is opened on first use in each process: a handle that is shared by forked
    processes would share its file position too.

    Args:
        path: the archive.
        prefix: folder inside the archive that names are relative to, e.g. ``"annos"``.
    """

    def __init__(self, path: str | os.PathLike[str], prefix: str = "") -> None:
        self.path = Path(path)
        self.prefix = prefix.strip("/")
        self._opened: tuple[int, zipfile.ZipFile] | None = None

    def __repr__(self) -> str:
        return f"ZipTree({str(self.path)!r}, prefix={self.prefix!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "prefix": self.prefix, "_opened": None}

    def archive(self) -> zipfile.ZipFile:
        """This process's open archive. Reading members from several threads is safe."""
        opened = self._opened
        if opened is None or opened[0] != os.getpid():
            opened = (os.getpid(), zipfile.ZipFile(self.path))
            self._opened = opened
        return opened[1]

    def read(self, name: str) -> bytes:
        """All bytes of a member; see `FileTree.read`."""
        member = posixpath.join(self.prefix, safe_name(name))
        try:
            return self.archive().read(member)
        except KeyError:
            raise FileNotFoundError(f"no member {member!r} in {self.path}") from None
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as e:
            raise OSError(f"member {member!r} of {self.path}: {e}") from e

    def __contains__(self, name: str) -> bool:
        member = posixpath.join(self.prefix, safe_name(name))
        return member in self.archive().NameToInfo

    def locate(self, name: str) -> str:
        """Where a member of that name would lie, for messages."""
        return f"{self.path}:{posixpath.join(self.prefix, name)}"

    def close(self) -> None:
        """Closes the archive; the next read opens it again."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened[1].close()


def open_tree(path: str | os.PathLike[str], marker: str) -> FileTree:
    """The tree in which the folder ``marker`` stands at the top.

    Args:
        path: a folder that holds ``marker``, or a zip archive that holds it at its top or one
            folder down (``annos.zip`` unpacks to ``annos/imgs``, ``annos/gts``).
        marker: a folder's name, e.g. ``"imgs"``.

    Raises:
        FileNotFoundError: there is no such folder or archive, or ``marker`` is not in it.
    """
    path = Path(path)
    if path.is_dir():
        if not (path / marker).is_dir():
            raise FileNotFoundError(f"{path}: there is no folder {marker!r} in it")
        return FolderTree(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such folder or archive")
    tree = ZipTree(path)
    try:
        names = tree.archive().namelist()
    except zipfile.BadZipFile as e:
        raise FileNotFoundError(f"{path}: neither a folder nor a zip archive ({e})") from e
    for name in names:
        parts = name.split("/")
        for depth in (0, 1):
            if len(parts) > depth + 1 and parts[depth] == marker:
                tree.prefix = "/".join(parts[:depth])
                return tree
    raise FileNotFoundError(f"{path}: the archive holds no folder {marker!r}")
