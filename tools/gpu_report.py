"""What ran on a GPU: from a run's files to the table in docs/gpu-validation.md.

    gpu_report.py collect DIR          on the machine with the GPU: DIR/report.json and report.md
    gpu_report.py record REPORT.json   here: into bench/results/gpu_tests.json and the table
    gpu_report.py table [--check]      writes the table anew, or fails if it is not up to date

Needs nothing but Python. The table's rows are the kernels that have a cuda.cu, and the files of
tests/gpu; nobody edits it by hand.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "gpu-validation.md"
RECORD = ROOT / "bench" / "results" / "gpu_tests.json"
BEGIN, END = "<!-- tools/gpu_report.py: begin -->", "<!-- tools/gpu_report.py: end -->"
TOOLS = ("memcheck", "racecheck", "initcheck")
COUNTS = ("passed", "failed", "skipped")


def count_tests(path: Path) -> dict[str, dict]:
    """Tests by file, from pytest's JUnit XML: counts, and names of the first that failed."""
    found: dict[str, dict] = {}
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        # A file that could not be imported has no class, and its own name for a test's.
        module = case.get("classname") or case.get("name") or ""
        parts = [part for part in module.split(".") if not part[:1].isupper()]
        file = found.setdefault("/".join(parts) + ".py", dict.fromkeys(COUNTS, 0))
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            file["failed"] += 1
            file.setdefault("failures", [])
            if len(file["failures"]) < 5:
                file["failures"].append(case.get("name"))
        else:
            file["skipped" if "skipped" in kinds else "passed"] += 1
    return found


def read_sanitizer(path: Path) -> str:
    """``clean``, or what a log of compute-sanitizer says instead."""
    text = path.read_text(errors="replace")
    found = re.findall(r"SUMMARY: (\d+) (errors?|hazards?)", text)
    if not found:
        return "did not finish"
    many = sum(int(number) for number, _ in found)
    if many:
        return f"{many} {found[0][1]}"
    ran = re.search(r"^(\d+) cases run, .* 0 wrong$", text, re.MULTILINE)
    return "clean" if ran and int(ran[1]) else "the cases failed"


def collect(folder: Path) -> dict:
    """The report of a run by tools/test_gpu.sh."""
    files: dict[str, dict] = {}
    for name in ("gpu-tests.xml", "kernel-tests.xml"):
        if (folder / name).is_file():
            files |= count_tests(folder / name)
    sanitizers = {
        tool: read_sanitizer(folder / f"sanitizer-{tool}.log")
        if (folder / f"sanitizer-{tool}.log").is_file()
        else "not run"
        for tool in TOOLS
    }
    machine = json.loads((folder / "machine.json").read_text())
    return {"machine": machine, "files": files, "sanitizers": sanitizers}


def summary(report: dict) -> str:
    """The report as a table, for the terminal."""
    machine = report["machine"]
    lines = [
        f"{machine['gpu']}, driver {machine['driver']}, commit {machine['commit']}, "
        f"{machine['date']}",
        "",
        "| tests | passed | failed | skipped |",
        "|---|---|---|---|",
    ]
    for name, file in sorted(report["files"].items()):
        lines.append(f"| {name} | " + " | ".join(str(file[count]) for count in COUNTS) + " |")
        lines += [f"|   {failure} | | failed | |" for failure in file.get("failures", ())]
    lines += ["", "| compute-sanitizer | |", "|---|---|"]
    lines += [f"| {tool} | {result} |" for tool, result in report["sanitizers"].items()]
    return "\n".join(lines) + "\n"


def cuda_kernels() -> list[str]:
    """Kernels that have a cuda.cu."""
    return sorted(path.parent.name for path in (ROOT / "csrc" / "kernels").glob("*/cuda.cu"))


def other_parts() -> list[str]:
    """Files of tests/gpu that are of no kernel with a cuda.cu: what they are named after."""
    names = (path.stem.removeprefix("test_") for path in (ROOT / "tests" / "gpu").glob("test_*.py"))
    return sorted(set(names) - set(cuda_kernels()))


def kernel_of(file: str) -> str:
    """The kernel whose tests a file holds: the longest name that it begins with."""
    stem = Path(file).stem.removeprefix("test_")
    names = [path.name for path in (ROOT / "csrc" / "kernels").iterdir() if path.is_dir()]
    fitting = [name for name in names if stem == name or stem.startswith(name + "_")]
    return max(fitting, key=len, default=stem)


def record(report: dict, stored: dict[str, dict]) -> dict[str, dict]:
    """The last run of each row, this one put in.

    Raises:
        ValueError: the report does not say which GPU and which commit it is of, or is of none.
    """
    machine = report["machine"]
    run = {key: machine.get(key) for key in ("gpu", "driver", "cuda_runtime", "commit", "date")}
    if not (run["gpu"] and run["commit"] and run["date"]):
        raise ValueError("a run without the name of its GPU, its commit and date is no evidence")
    if "emulated" in machine.get("architectures", ()):
        raise ValueError("an emulated run is no evidence of a GPU")
    rows = dict(stored)
    by_row: dict[str, dict[str, int]] = {}
    for file, counts in report["files"].items():
        row = by_row.setdefault(kernel_of(file), dict.fromkeys(COUNTS, 0))
        for count in COUNTS:
            row[count] += counts[count]
    for name in [*cuda_kernels(), *other_parts()]:
        row = by_row.get(name, {})
        if row.get("passed", 0) + row.get("failed", 0):
            rows[name] = run | row
            if name in cuda_kernels():
                rows[name]["sanitizers"] = report["sanitizers"]
    return rows


def outcome(run: dict | None) -> str:
    """A row's last cell."""
    if run is None:
        return "never"
    if not (run.get("gpu") and run.get("commit")):
        raise ValueError("a run must name its GPU and its commit")
    text = f"{run['passed']} tests passed"
    if run["failed"]:
        text = f"**{run['failed']} tests failed**, {run['passed']} passed"
    if run["skipped"]:
        text += f", {run['skipped']} skipped"
    tools = run.get("sanitizers", {})
    if tools:
        text += "; " + ", ".join(f"{tool}: {result}" for tool, result in tools.items())
    return f"{text}. {run['gpu']}, {run['commit']}, {run['date']}"


def checked_here(kernel: str) -> str:
    """How a kernel's CUDA code is tested without a GPU."""
    alone = ROOT / "tests" / "native" / f"emulate_{kernel}.cpp"
    text = f"[contract tests](../tests/kernels/test_{kernel}.py)"
    return text + (f", [by itself](../tests/native/{alone.name})" if alone.is_file() else "")


def table(stored: dict[str, dict]) -> str:
    """All rows, as Markdown."""
    lines = ["| kernel | emulated on the CPU | last run on a GPU |", "|---|---|---|"]
    for name in cuda_kernels():
        link = f"[`{name}`](../csrc/kernels/{name}/cuda.cu)"
        lines.append(f"| {link} | {checked_here(name)} | {outcome(stored.get(name))} |")
    lines += ["", "| other parts: tests | last run on a GPU |", "|---|---|"]
    for name in other_parts():
        link = f"[tests/gpu/test_{name}.py](../tests/gpu/test_{name}.py)"
        lines.append(f"| {link} | {outcome(stored.get(name))} |")
    return "\n".join(lines)


def with_table(page: str, stored: dict[str, dict]) -> str:
    """The page with its table written anew."""
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{table(stored)}\n{END}{after}"


def main() -> int:
    """Does what the module says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("collect").add_argument("folder", type=Path)
    commands.add_parser("record").add_argument("report", type=Path)
    commands.add_parser("table").add_argument("--check", action="store_true")
    options = parser.parse_args()
    if options.command == "collect":
        report = collect(options.folder)
        (options.folder / "report.json").write_text(json.dumps(report, indent=1) + "\n")
        (options.folder / "report.md").write_text(summary(report))
        print(summary(report))
        return 0
    stored = json.loads(RECORD.read_text())
    if options.command == "record":
        stored = record(json.loads(options.report.read_text()), stored)
        RECORD.write_text(json.dumps(stored, indent=1) + "\n")
    page = PAGE.read_text()
    wanted = with_table(page, stored)
    if getattr(options, "check", False):
        if page != wanted:
            print("docs/gpu-validation.md is not up to date: python tools/gpu_report.py table")
        return page != wanted
    PAGE.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
