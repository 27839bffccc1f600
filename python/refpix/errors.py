"""What can go wrong, and where: every error names file, row, byte offset and reason if known."""

from __future__ import annotations

from typing import Any

__all__ = [
    "ArchiveError",
    "BackendUnavailableError",
    "Base64Error",
    "CodesError",
    "EmptySampleError",
    "ImageError",
    "IndexStaleError",
    "KernelError",
    "MissingExtraError",
    "PickleError",
    "RecordError",
    "RefpixError",
    "RleError",
    "RowError",
    "SampleError",
    "TsvError",
    "detached",
    "from_fault",
]


class RefpixError(Exception):
    """Base of all errors that refpix raises on its own account."""


class BackendUnavailableError(RefpixError, RuntimeError):
    """The backend asked for is not there: not built, or no device."""


class MissingExtraError(RefpixError, ImportError):
    """A package that only some users need is not installed.

    Attributes:
        extra: what to install, ``pip install 'refpix[<extra>]'``.
    """

    def __init__(self, what: str, package: str, extra: str) -> None:
        self.extra = extra
        self._arguments = (what, package, extra)
        super().__init__(f"{what} needs {package}: pip install 'refpix[{extra}]'")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._arguments


class KernelError(RefpixError, ValueError):
    """An item of a batch is at fault.

    Attributes:
        fault: short name of the reason, e.g. ``"base64_bad_padding"``.
        item: index within the batch, -1 when the fault is not an item's.
        position: byte within the item, -1 when unknown.
        reason: the same in words.
    """

    def __init__(self, fault: str, item: int = -1, position: int = -1) -> None:
        self.fault = fault
        self.item = item
        self.position = position
        self.reason = REASONS.get(fault, fault)
        where = f"item {item}: " if item >= 0 else ""
        at = f" (at byte {position})" if position >= 0 else ""
        super().__init__(f"{where}{self.reason}{at}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.fault, self.item, self.position)


class Base64Error(KernelError):
    """Text that is not base64."""


class ImageError(KernelError):
    """A payload that is no image, or one that cannot be decoded."""


class CodesError(KernelError):
    """Malformed parsing codes."""


class TsvError(KernelError):
    """A malformed row of a TSV file."""


class RleError(KernelError):
    """A mask, as run lengths or as a polygon, that is malformed or does not fit its size."""


class IndexStaleError(RefpixError):
    """A file changed after it was indexed."""


class RowError(RefpixError, ValueError):
    """A row of a dataset file is at fault.

    Attributes:
        file: path of the file.
        row: 0-based row number.
        offset: byte offset of the row (or of the fault within it) in the file; -1 where rows have
            none, as in parquet.
        reason: what is wrong, in words.
    """

    def __init__(self, file: str, row: int, offset: int, reason: str) -> None:
        self.file = file
        self.row = row
        self.offset = offset
        self.reason = reason
        at = f" (byte {offset})" if offset >= 0 else ""
        super().__init__(f"{file}: row {row}{at}: {reason}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.file, self.row, self.offset, self.reason)


class RecordError(RowError):
    """A record of a JSON dataset file is at fault.

    Attributes:
        record: which one, e.g. ``"annotation 12"``; empty for the file as a whole.
        field: of the record; empty for the record as a whole.
        row: index of the sample in its dataset, -1 when it is not of one.
    """

    def __init__(self, file: str, record: str, field: str, reason: str, row: int = -1) -> None:
        super().__init__(file, row, -1, reason)
        self.record = record
        self.field = field
        self.args = (": ".join(part for part in (file, record, field, reason) if part),)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.file, self.record, self.field, self.reason, self.row)


class EmptySampleError(RecordError):
    """A sample whose random crop has no matte or no mask in it; another one may."""


class SampleError(RefpixError, ValueError):
    """A sample cannot be made of its inputs.

    Attributes:
        sample: the sample's id or name.
        file: the input at fault, or empty.
        reason: what is wrong, in words.
    """

    def __init__(self, sample: int | str, file: str, reason: str) -> None:
        self.sample = sample
        self.file = file
        self.reason = reason
        super().__init__(": ".join(str(p) for p in (f"sample {sample}", file, reason) if p))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.sample, self.file, self.reason)


class ArchiveError(RefpixError, OSError):
    """An archive is at fault: a part is missing, cut short or damaged, or a member is refused.

    Attributes:
        part: file of the archive.
        member: name in the archive; empty when the fault is not a member's.
        offset: byte within the part; -1 when unknown.
        reason: what is wrong, in words.
    """

    def __init__(self, part: str, member: str, offset: int, reason: str) -> None:
        at = f" (byte {offset})" if offset >= 0 else ""
        of = f": member {member!r}" if member else ""
        super().__init__(f"{part}{of}{at}: {reason}")
        self.part = part
        self.member = member
        self.offset = offset
        self.reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.part, self.member, self.offset, self.reason)


class PickleError(RefpixError, ValueError):
    """A pickle is at fault: it holds more than data, is damaged, cut short or too large.

    Attributes:
        file: path of the file.
        offset: byte within the decompressed content; -1 when unknown.
        reason: what is wrong, in words.
    """

    def __init__(self, file: str, offset: int, reason: str) -> None:
        self.file = file
        self.offset = offset
        self.reason = reason
        at = f" (byte {offset})" if offset >= 0 else ""
        super().__init__(f"{file}{at}: {reason}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.file, self.offset, self.reason)


def detached(error: RowError) -> RowError:
    """The error and its causes without the frames they came through.

    For errors that are kept: frames hold payloads and batch buffers.
    """
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return error


REASONS = {
    "out_of_memory": "out of memory",
    "size_overflow": "sizes overflow 64 bits",
    "span_out_of_bounds": "span lies outside the buffer",
    "output_too_small": "output buffer is too small",
    "output_wrong_size": "out: wrong size",
    "bad_size": "width and height must be positive",
    "base64_not_ascii": "base64 text must be ASCII",
    "base64_bad_character": "character outside the base64 alphabet",
    "base64_bad_length": "one base64 character is left over",
    "base64_bad_padding": "incorrect base64 padding",
    "image_unrecognised": "payload is no image of a known format",
    "image_pixel_limit": "image has more pixels than the limit allows",
    "image_truncated": "image data ends early",
    "image_corrupt": "image data is damaged",
    "jpeg_bad_header": "broken JPEG header",
    "jpeg_truncated": "JPEG data ends early",
    "jpeg_corrupt": "corrupt JPEG data",
    "jpeg_unsupported": "JPEG process not supported by the native decoder",
    "jpeg_scan_limit": "JPEG has more scans than the limit allows",
    "image_bad_mode": "picture is neither RGB, gray nor CMYK, so it cannot be saved as JPEG",
    "image_bad_roi": "region of interest is empty or lies outside the image",
    "codes_bad_character": "parsing codes must be integers separated by commas",
    "codes_out_of_range": "parsing code out of range",
    "codes_wrong_count": "expected 48 parsing codes",
    "tsv_too_few_columns": "row has too few columns",
    "tsv_row_too_long": "row is longer than the limit",
    "tsv_lone_cr": "carriage return inside a row",
    "box_not_finite": "box coordinates must be finite",
    "label_negative": "labels give a negative index into the confusion matrix",
    "label_too_large": "label does not fit in 32 bits",
    "rle_bad_character": "character outside the alphabet of compressed run lengths",
    "rle_truncated": "compressed run lengths end inside a number",
    "rle_negative_run": "run length is negative",
    "rle_run_overflow": "run length does not fit in 32 bits",
    "rle_too_short": "run lengths sum to less than height * width",
    "rle_too_long": "run lengths sum to more than height * width",
    "rle_size_mismatch": "masks differ in size",
    "rle_bad_size": "height and width must not be negative, nor their product reach 2**62",
    "rle_bad_box": "box is empty or lies outside the mask",
    "rle_bad_offsets": "offsets must ascend from 0 to the number of values",
    "rle_area_overflow": "area does not fit in 32 bits",
    "polygon_not_finite": "polygon coordinates must be finite",
    "polygon_too_large": "polygon coordinate is too large",
    "polygon_empty": "polygon has no point",
    "pred_not_finite": "predicted alpha must be finite",
    "pred_out_of_range": "predicted alpha lies outside 0..1",
    "gt_not_finite": "true alpha must be finite",
    "gt_out_of_range": "true alpha lies outside 0..1",
    "trimap_out_of_range": "trimap must be 0, 1 or 2",
    "alpha_not_finite": "alpha must be finite",
    "alpha_out_of_range": "values of a matte must lie in 0..1",
    "alpha_bad_box": "box lies outside the plane",
    "attribute_not_finite": "attributes must be finite",
    "selection_too_few": "fewer rows with an attribute than are to be picked",
    "augment_not_finite": "parameters of an augmentation must be finite",
    "augment_out_of_range": "parameter of an augmentation is out of its range",
}

_CLASSES: dict[str, type[KernelError]] = {
    "base64": Base64Error,
    "image": ImageError,
    "jpeg": ImageError,
    "codes": CodesError,
    "tsv": TsvError,
    "rle": RleError,
    "polygon": RleError,
}


def from_fault(fault: str, item: int = -1, position: int = -1) -> Exception:
    """The exception for a fault that a kernel reported.

    Args:
        fault: name of the fault, as ``refpix::fault_name`` gives it.
        item: index within the batch, or -1.
        position: byte within the item, or -1.
    """
    if fault == "out_of_memory":
        return MemoryError(REASONS[fault])
    return _CLASSES.get(fault.split("_", 1)[0], KernelError)(fault, item, position)
