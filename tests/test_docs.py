"""The documents: links lead somewhere, commands exist, examples run, numbers are measured."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import typer.main

from refpix.cli import app

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "bench" / "README.md"])
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMANDS = typer.main.get_command(app)


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives a page's headings."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", page.read_text("utf-8")), re.MULTILINE)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)|[`*]", r"\1", text) for text in headings)
    return {re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-") for text in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text("utf-8")):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_their_options_exist(page):
    text = page.read_text("utf-8").replace("\\\n", " ")
    text = re.sub(r"\n +(?=\[--)", " ", text)
    for line in re.findall(r"(?:^ +\$? ?|^\$ |^|`)refpix ([a-z][^`\n]*)", text, re.MULTILINE):
        command, known = COMMANDS, False
        for word in line.partition("#")[0].split():
            if word in getattr(command, "commands", {}):
                command, known = command.commands[word], True
            elif option := re.match(r"\[?(--?[a-zA-Z][\w-]*)", word):
                options = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
                assert not known or option[1] in options, line


def test_examples_of_the_readme_run(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    ran = 0
    for language, source in FENCED.findall(README.read_text("utf-8")):
        if language == "python" and not re.search(r"RefCocoM|device=", source):  # no data, no GPU
            exec(source, {})
            ran += 1
    assert ran >= 2


def test_numbers_of_the_readme_are_those_of_the_benches(tmp_path):
    pytest.importorskip("matplotlib")
    from bench import plot

    reports = {
        path.stem: json.loads(path.read_text("utf-8")) for path in plot.RESULTS.glob("*.json")
    }
    copy = tmp_path / "README.md"
    copy.write_bytes(README.read_bytes())
    plot.rewrite_all(copy, reports)
    assert copy.read_text("utf-8") == README.read_text("utf-8")
