"""Draws docs/bench.svg and rewrites the README's tables from the JSON of the benches.

Run it after `make bench` and commit all together, so that the numbers never drift apart.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

ROOT = Path(__file__).resolve().parent.parent
FLOOR = "decode only"
LABELS = {
    "published": "published: Pillow, torch",
    "DALI, CPU": "DALI, CPU pipeline",
    "refpix": "refpix, image_batch",
    "refpix.Loader": "refpix.Loader",
}
MARKED = r"(<!-- {}: .*?-->\n).*?(<!-- /{} -->)"
RESULTS = ROOT / "bench" / "results"


def label(name: str) -> str:
    base, comma, threads = name.partition(", 2 threads")
    return LABELS.get(base, base) + comma + threads


def exactness(report: dict, name: str) -> str:
    """How far a contender's pixels are from Pillow's."""
    off = report["max_difference_of_255"]
    if name.startswith(FLOOR):
        return ""
    return f"inexact, up to {off[name]:.0f} grey levels off" if name in off else "exact"


def draw(report: dict, path: Path) -> None:
    """Horizontal bars of CPU time, slowest first."""
    times = report["ms_per_picture"]
    names = [n for n in times if not n.startswith(FLOOR) and "2 threads" not in n]
    names.sort(key=lambda n: times[n]["cpu"])
    floor = times[f"{FLOOR} (simplejpeg)"]["cpu"]
    mpl.rcParams.update({"svg.hashsalt": "refpix", "font.family": "DejaVu Sans", "font.size": 10})
    figure, axes = plt.subplots(figsize=(9.2, 0.52 * len(names) + 1.5), layout="constrained")
    for y, name in enumerate(names):
        cpu = times[name]["cpu"]
        ours = name.startswith("refpix")
        exact = exactness(report, name) == "exact"
        axes.barh(
            y, cpu, height=0.62, color="#2f6f9f" if ours else "#b9bdc2",
            hatch=None if exact else "///", edgecolor="white", linewidth=0,
        )  # fmt: skip
        note = f"{cpu:.1f} ms" + ("" if exact else f"  ({exactness(report, name)})")
        text = axes.annotate(note, (cpu, y), (5, 0), textcoords="offset points", va="center")
        text.set_in_layout(False)
    axes.axvline(floor, color="#c0392b", linewidth=1.4, linestyle="--")
    axes.annotate(
        f"libjpeg-turbo alone: {floor:.1f} ms", (floor, -0.72), (5, 0),
        textcoords="offset points", color="#c0392b", va="center", fontsize=9,
    )  # fmt: skip
    axes.set_yticks(range(len(names)), [label(n) for n in names])
    axes.set_ylim(-1.05, len(names) - 0.5)
    axes.set_xlim(0, max(times[n]["cpu"] for n in names) * 1.8)
    axes.set_xlabel("CPU ms per picture, one thread (shorter is better)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    if path.suffix == ".svg":  # matplotlib leaves blanks at the ends of lines
        lines = path.read_text("utf-8").splitlines()
        path.write_text("\n".join(map(str.rstrip, lines)) + "\n", "utf-8")
    plt.close(figure)


def table(report: dict) -> str:
    """The README's table, with what was measured and where."""
    times, ratios, where = report["ms_per_picture"], report["ratios"], report["machine"]
    lines = [
        "| | CPU ms / picture | pictures / s | pixels |",
        "|---|---:|---:|---|",
    ]
    for name, time in times.items():
        row = f"{label(name)} | {time['cpu']:.2f} | {1e3 / time['wall']:.0f}"
        row = row.replace(" | ", "** | **") if name == "refpix" else row
        row = f"**{row}**" if name == "refpix" else row
        lines.append(f"| {row} | {exactness(report, name)} |")
    ratio = ratios["published / total"]
    against = f"{ratio:.1f} times less CPU time than the published path"
    rival = ratios.get("best inexact rival / total")
    if rival is not None:
        against += f", {rival:.2f} times less than the best inexact rival"
    return "\n".join(
        [
            *lines,
            "",
            f"{against}; {ratios['total / decode-only floor']:.2f} times what libjpeg-turbo takes "
            f"to decode alone, {ratios['total / own decode only']:.2f} times our own decoding; two "
            f"threads are {ratios['speed-up of 2 threads']:.2f} times as fast as one. Times are "
            "medians over the turns, ratios medians of the ratio within a turn; where the two "
            "disagree, the machine was busy.",
            "",
            f"{report['pictures']} pictures of about 640x480 and {report['mean_kb']:.0f} KB, "
            f"base64 to 512x512 float32, batches of {report['batch_size']}; {machine(where)}; "
            f"load {where['load_before']:.1f} before the run.",
            "",
        ]
    )


def machine(where: dict) -> str:
    """Processor, instruction set and versions in one line."""
    cpu = re.sub(r"\(R\)|\(TM\)", "", where["cpu"])
    versions = {
        "nvidia-dali" if name.startswith("nvidia-dali") else name: version
        for name, version in where["versions"].items()
        if version is not None and name != "refpix"
    }
    parts = [cpu, f"{where['cores']} cores", where["isa"], f"Python {where['python']}"]
    return ", ".join([*parts, *(f"{name} {version}" for name, version in versions.items())])


def mask_table(report: dict) -> str:
    """The README's table of mask operations: the best rival against refpix."""
    lines = [
        "| us per mask, pair or merge (CPU) | best rival | | refpix | ratio |",
        "|---|---|---:|---:|---:|",
    ]
    for row in report["rows"]:
        if row["target"] is None or row["best"] is None:
            continue
        times = {name: time["cpu"] for name, time in row["us_per_item"].items()}
        if row["best"] == "1 thread":
            times = {name: time["wall"] for name, time in row["us_per_item"].items()}
        lines.append(
            f"| {row['operation']}, {row['scene']} | {row['best']} | {times[row['best']]:.2f} "
            f"| {times['refpix']:.2f} | **{row['ratio']:.1f}** |"
        )
    where = report["machine"]
    slower = ", ".join(
        f"{row['operation']}, {row['scene']} ({row['ratio']:.1f} of {row['best']}'s speed)"
        for row in report["rows"]
        if row["ratio"] is not None and row["ratio"] < 0.95
    )
    return "\n".join(
        [
            *lines,
            "",
            *([f"Slower than the best rival: {slower}.", ""] if slower else []),
            f"Rows of threads by the clock. {machine(where)}; load {where['load_before']:.1f} "
            "before the run.",
            "",
        ]
    )


def job_table(reports: dict[str, dict]) -> str:
    """The README's table of whole jobs: plain renderings of the published steps against refpix."""
    lines = [
        "| job | published steps | refpix | ratio |",
        "|---|---:|---:|---:|",
    ]

    def row(job: str, unit: str, published: float, ours: float, ratio: float) -> None:
        digits = 1 if published < 1000 else 0
        lines.append(
            f"| {job} | {published:,.{digits}f} {unit} | {ours:.1f} {unit} | **{ratio:.1f}** |"
        )

    def row_of(job: str, report: dict, times: str, unit: str, names: tuple[str, str, str]) -> None:
        over, under, ratio = names
        measured = report[times]
        row(
            job, unit, measured[over]["cpu"], measured[under]["cpu"], report["ratios"][ratio]
        )  # fmt: skip

    matting, crops, splits = reports["matting"], reports["glt_crops"]["crops"], reports["glt"]
    image = "image: published / refpix", "image: published without its slow sum / refpix"
    pictures = "HIM pictures, synthesised and written, each"
    row_of(pictures, matting["image"], "ms_per_sample", "ms", ("published", "refpix", image[0]))
    row_of(
        f"{pictures}, the published program mended of one slow sum", matting["image"],
        "ms_per_sample", "ms", ("published without its slow sum", "refpix", image[1]),
    )  # fmt: skip
    row_of(
        "HIM videos, synthesised and written, each frame", matting["video"], "ms_per_frame", "ms",
        ("published", "refpix", "video: published / refpix, per frame"),
    )  # fmt: skip
    row_of(
        "RefCOCO-M, scored from parquet and COCO results, each example", reports["refcocom"],
        "us_per_example", "us",
        ("pycocotools, from files", "refpix, from files", "from files: plain loop / refpix"),
    )  # fmt: skip
    published, ours = splits["published_extrapolated_cpu_seconds"], splits["refpix"]["cpu"]
    row(
        f"MSCOCO-GLT's splits of {splits['objects']:,} objects (published: extrapolated)",
        "s", published, ours, published / ours,
    )  # fmt: skip
    row_of(
        "MSCOCO-GLT's crops, each", crops, "ms_per_crop", "ms",
        ("published", "refpix", "published / refpix"),
    )  # fmt: skip
    return "\n".join([*lines, "", f"CPU time. {machine(matting['machine'])}.", ""])


def head_table(reports: dict[str, dict]) -> str:
    """The README's first table: a line for each kind of work."""
    pictures, scored, made = reports["refhcm"], reports["refcocom"], reports["matting"]["image"]
    times, per_example = pictures["ms_per_picture"], scored["us_per_example"]
    masks = next(
        row
        for row in reports["masks"]["rows"]
        if (row["operation"], row["scene"]) == ("encode from C order", "people 640x480")
    )
    rival = masks["us_per_item"][masks["best"]]["cpu"]
    made_plain = made["ms_per_sample"]["published without its slow sum"]["cpu"]
    rows = [
        (
            "RefHCM: base64 JPEG to 512x512 float32, a picture (`Loader`)", "ms",
            times["published"]["cpu"], times["refpix.Loader"]["cpu"],
            times["published"]["cpu"] / times["refpix.Loader"]["cpu"],
        ),
        (
            f"COCO masks: encode, a person of 640x480 ({masks['best']}, best of four)", "us",
            rival, masks["us_per_item"]["refpix"]["cpu"], masks["ratio"],
        ),
        (
            "RefCOCO-M: files to scores, an example (a loop over pycocotools)", "us",
            per_example["pycocotools, from files"]["cpu"], per_example["refpix, from files"]["cpu"],
            scored["ratios"]["from files: plain loop / refpix"],
        ),
        (
            "HIM matting: a picture made and written (published, a slow sum mended)", "ms",
            made_plain, made["ms_per_sample"]["refpix"]["cpu"],
            made["ratios"]["image: published without its slow sum / refpix"],
        ),
    ]  # fmt: skip
    where = pictures["machine"]
    cpu = re.sub(r"\(R\)|\(TM\)", "", where["cpu"])
    return "\n".join(
        [
            f"| CPU time, one thread of {cpu} | before | refpix | times less |",
            "|---|---:|---:|---:|",
            *(
                f"| {what} | {before:,.{1 if before < 1000 else 0}f} {unit} | {ours:.1f} {unit} "
                f"| **{ratio:.1f}** |"
                for what, unit, before, ours, ratio in rows
            ),
            "",
        ]
    )


def rewrite(readme: Path, name: str, text: str) -> None:
    """Replaces what lies between the two markers of that name."""
    before = readme.read_text("utf-8")
    marked = re.compile(MARKED.format(name, name), re.DOTALL)
    after, found = marked.subn(lambda match: match[1] + text + match[2], before)
    if found != 1:
        raise SystemExit(f"{readme.name}: expected one pair of {name!r} markers, found {found}")
    readme.write_text(after, "utf-8")


def rewrite_all(readme: Path, reports: dict[str, dict]) -> None:
    """Puts every table into the README."""
    rewrite(readme, "bench-head", head_table(reports))
    rewrite(readme, "bench", table(reports["refhcm"]))
    rewrite(readme, "bench-masks", mask_table(reports["masks"]))
    rewrite(readme, "bench-jobs", job_table(reports))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plot", type=Path, default=ROOT / "docs" / "bench.svg")
    parser.add_argument("--readme", type=Path, default=ROOT / "README.md")
    options = parser.parse_args()
    reports = {path.stem: json.loads(path.read_text("utf-8")) for path in RESULTS.glob("*.json")}
    draw(reports["refhcm"], options.plot)
    rewrite_all(options.readme, reports)


if __name__ == "__main__":
    main()
