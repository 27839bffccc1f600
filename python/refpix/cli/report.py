"""What the commands print, as text and as values for JSON."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import PIL

import refpix
from refpix.datasets import RefHuman
from refpix.datasets.glt_info import GltInfo
from refpix.datasets.refcocom_info import RefCocoMInfo
from refpix.datasets.refhcm_info import FileInfo
from refpix.errors import RowError
from refpix.kernels import active_isa, cpu_count
from refpix.throughput import Agreement, Comparison

__all__ = [
    "agreement_line",
    "bad_rows_line",
    "byte_count",
    "comparison_json",
    "comparison_lines",
    "glt_lines",
    "info_json",
    "info_lines",
    "refcocom_json",
    "refcocom_lines",
    "refhuman_json",
    "refhuman_lines",
    "row_error_json",
    "setting_line",
]

_SHOWN = 64  # characters of a field


def byte_count(number: int) -> str:
    """Bytes with a decimal unit: "1.5 MB"."""
    value = float(number)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{number} bytes" if unit == "bytes" else f"{value:.1f} {unit}"


def setting_line() -> str:
    """Versions and machine, as far as they matter to speed and pixels."""
    cpus = cpu_count()
    return (
        f"refpix {refpix.__version__}, Pillow {PIL.__version__}, "
        f"{cpus} CPU{'s' if cpus > 1 else ''}, {active_isa()}"
    )


def row_error_json(error: RowError) -> dict[str, Any]:
    """A bad row's file, row, byte offset (null where rows have none) and reason."""
    return {
        "file": error.file,
        "row": error.row,
        "offset": error.offset if error.offset >= 0 else None,
        "reason": error.reason,
    }


def info_lines(info: FileInfo) -> list[str]:
    """A file at a glance."""
    known = f"{info.columns}, as of task {info.task}" if info.task else f"{info.columns}, no task's"
    lines = [
        f"file     {info.path}",
        f"size     {byte_count(info.bytes)}",
        f"rows     {info.rows}, the longest of {byte_count(info.longest_row)}",
        f"columns  {known}",
        f"index    {info.index_path.name}: {info.index}",
    ]
    if info.problem:
        lines.append(f"problem  {info.problem}")
    if info.first_row:
        lines.append("first row")
    for i, field in enumerate(info.first_row):
        text = "".join(c if c.isprintable() else "?" for c in field.text)
        shown = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
        lines.append(f"  {i}  {field.name:<10}{byte_count(field.bytes):>12}  {shown}")
    return lines


def refcocom_lines(info: RefCocoMInfo) -> list[str]:
    """RefCOCO-M files at a glance."""
    top = ", ".join(f"{name} {count}" for name, count in list(info.categories.items())[:8])
    more = len(info.categories) - 8
    return [
        f"files        {info.path} ({len(info.shards)} parquet)",
        f"size         {byte_count(info.bytes)}",
        f"schema       RefCOCO-M, {info.schema}",
        f"pictures     {info.pictures}",
        f"instances    {info.instances}",
        f"expressions  {info.expressions}",
        f"categories   {top}" + (f" and {more} more" if more > 0 else ""),
        *(f"first row    {text}" for text in info.first[:1]),
        *(f"             {text}" for text in info.first[1:6]),
    ]


def refcocom_json(info: RefCocoMInfo) -> dict[str, Any]:
    """The same as values."""
    return {
        "path": os.fspath(info.path),
        "files": [os.fspath(shard) for shard in info.shards],
        "bytes": info.bytes,
        "schema": info.schema,
        "pictures": info.pictures,
        "instances": info.instances,
        "expressions": info.expressions,
        "categories": info.categories,
    }


def refhuman_json(dataset: RefHuman) -> dict[str, Any]:
    """What RefHuman's file holds, as values."""
    left_out: dict[str, int] = {}
    for one in dataset.left_out():
        reason = f"{one.record.split()[0]}: {one.reason}"
        left_out[reason] = left_out.get(reason, 0) + 1
    return {
        "file": os.fspath(dataset.path),
        "bytes": dataset.path.stat().st_size,
        "split": dataset.split,
        "samples": len(dataset),
        "annotations": len(dataset.annotations["id"]),
        "scribbles": int((dataset.annotations["scribble"] >= 0).sum()),
        "left_out": left_out,
        "faults": [str(fault) for fault in dataset.faults],
    }


def refhuman_lines(dataset: RefHuman) -> list[str]:
    """The same as text."""
    about = refhuman_json(dataset)
    out = ", ".join(f"{count} x {reason}" for reason, count in about["left_out"].items())
    return [
        f"file         {about['file']}",
        f"size         {byte_count(about['bytes'])}",
        f"split        {about['split']}",
        f"samples      {about['samples']}",
        f"annotations  {about['annotations']}, {about['scribbles']} with scribbles",
        f"left out     {out or 'nothing'}",
        *(f"fault        {fault}" for fault in about["faults"]),
    ]


def glt_lines(info: GltInfo) -> list[str]:
    """A set of MSCOCO-GLT at a glance."""
    lines = [
        f"file     {info.path}",
        f"size     {byte_count(info.path.stat().st_size)}",
        f"classes  {len(info.classes)}",
        f"{'split':<11}{'objects':>9}{'largest':>9}{'smallest':>10}{'attribute std':>15}",
    ]
    for one in info.splits:
        std = one.attribute_std
        lines.append(
            f"{one.name:<11}{one.objects:>9}{one.class_counts.max():>9}"
            f"{one.class_counts.min():>10}{'-' if std != std else f'{std:.4f}':>15}"
        )
    return [*lines, *(f"fault    {fault}" for fault in info.faults)]


def info_json(info: FileInfo) -> dict[str, Any]:
    """The same as values; long fields are cut."""
    return {
        "file": os.fspath(info.path),
        "bytes": info.bytes,
        "rows": info.rows,
        "columns": info.columns,
        "task": info.task,
        "index": info.index,
        "index_file": os.fspath(info.index_path),
        "longest_row": info.longest_row,
        "first_row": [
            {"name": field.name, "bytes": field.bytes, "text": field.text[:256]}
            for field in info.first_row
        ],
        "problem": info.problem,
    }


def agreement_line(agreement: Agreement, what: str = "pictures") -> str:
    """Whether the outputs are equal, in words."""
    if agreement.identical:
        return f"{agreement.images} of {agreement.images} {what} equal, bit for bit"
    rows = ", ".join(map(str, agreement.unequal_rows[:8]))
    more = ", ..." if len(agreement.unequal_rows) > 8 else ""
    return (
        f"{agreement.images - agreement.equal} of {agreement.images} {what} DIFFER "
        f"(rows {rows}{more}; by up to {agreement.largest_difference:.3g})"
    )


def comparison_lines(comparison: Comparison) -> list[str]:
    """The contenders as a table."""
    size = comparison.size
    lines = [
        f"pictures of {comparison.mean_width:.0f} x {comparison.mean_height:.0f} "
        f"({byte_count(round(comparison.mean_payload_bytes))} each) to {size} x {size} float32, "
        f"median of {comparison.rounds} rounds in turns",
        f"{'':<22}{'images/s':>9}{'wall ms':>9}{'CPU ms':>9}{'CPU time':>14}",
    ]
    for i, timing in enumerate(comparison.timings):
        name = timing.name
        if i:
            name += f", {timing.threads} thread{'s' if timing.threads > 1 else ''}"
        ratio = f"{comparison.speedup(timing):.1f} x less" if i else ""
        lines.append(
            f"{name:<22}{timing.images_per_second:>9.0f}{timing.wall_ms:>9.2f}"
            f"{timing.cpu_ms:>9.2f}{ratio:>14}"
        )
    return lines


def comparison_json(comparison: Comparison, file: Path) -> dict[str, Any]:
    """The same as values."""
    agreement = comparison.agreement
    return {
        "file": os.fspath(file),
        "versions": {"refpix": refpix.__version__, "pillow": PIL.__version__},
        "cpus": cpu_count(),
        "isa": active_isa(),
        "size": comparison.size,
        "mean_width": comparison.mean_width,
        "mean_height": comparison.mean_height,
        "mean_payload_bytes": comparison.mean_payload_bytes,
        "images_compared": agreement.images,
        "images_equal": agreement.equal,
        "unequal_rows": list(agreement.unequal_rows),
        "skipped": [row_error_json(error) for error in agreement.skipped],
        "rounds": comparison.rounds,
        "timings": [
            {
                "name": timing.name,
                "threads": timing.threads,
                "images_per_second": timing.images_per_second,
                "wall_ms": timing.wall_ms,
                "cpu_ms": timing.cpu_ms,
                "cpu_speedup": comparison.speedup(timing),
            }
            for timing in comparison.timings
        ],
    }


def bad_rows_line(checked: int, bad: Sequence[RowError]) -> str:
    """The sum of a verification."""
    return f"{checked} rows checked: " + (f"{len(bad)} bad" if bad else "all good")
