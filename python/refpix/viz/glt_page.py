"""MSCOCO-GLT's statistics as one HTML page: no scripts, nothing from the network."""

from __future__ import annotations

import base64
import html
import math
import re
from collections.abc import Mapping, Sequence

from refpix.datasets.glt_info import GltInfo
from refpix.viz.glt import Example, Examples
from refpix.viz.glt_statistics import figures_of

__all__ = ["statistics_page"]

_CSS = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1240px; padding: 16px; background: #fff; color: #23262b;
  font: 16px/1.5 system-ui, "DejaVu Sans", Verdana, Arial, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 8px 0; }
h2 { font-size: 1.2rem; margin: 32px 0 8px; border-bottom: 2px solid #2a6f97; }
h3 { font-size: 1rem; margin: 20px 0 4px; }
p { max-width: 72ch; margin: 8px 0; }
.grid { display: grid; gap: 20px; align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(min(330px, 100%), 1fr)); }
figure { margin: 0; min-width: 0; }
svg { display: block; width: 100%; height: auto; max-width: 480px; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: 3px 10px; text-align: right; border-bottom: 1px solid #d5d9e0;
  white-space: nowrap; }
thead th { white-space: normal; vertical-align: bottom; }
th:first-child { text-align: left; }
tr.lowest td:last-child { font-weight: bold; color: #8a4b00; }
.strip { display: flex; flex-wrap: wrap; gap: 4px; }
.strip img { display: block; width: 72px; height: 72px; }
.sheet { display: grid; gap: 12px 20px;
  grid-template-columns: repeat(auto-fill, minmax(min(310px, 100%), 1fr)); }
.sheet figcaption { font-size: .875rem; font-weight: bold; }
.note { color: #565c66; font-size: .875rem; overflow-wrap: anywhere; }
@media (max-width: 600px) {
  th, td { padding: 3px 4px; }
  table { font-size: .7rem; }
}
"""

# What a browser enforces: styles and pictures of the page itself, and nothing else.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def statistics_page(
    infos: Sequence[GltInfo],
    examples: Sequence[Examples] = (),
    *,
    figures: Mapping[str, bytes] | None = None,
) -> str:
    """One page with tables, figures and examples.

    It holds all that it shows, forbids the browser to fetch anything, and reads well on a
    telephone.

    Args:
        infos: of `describe_glt`.
        examples: of `choose_examples`.
        figures: SVG of `figures_of`, if they are made already.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    made = figures_of(infos) if figures is None else figures
    body = [
        "<h1>MSCOCO-GLT: classes and attributes by split</h1>",
        *(f'<p class="note">{_text(_about(info))}</p>' for info in infos),
        "<h2>Splits</h2>",
        *(_table(info) for info in infos),
        "<h2>Attributes: how uneven</h2>",
        f"<p>{_text(_std_words(infos))}</p>",
        _figure(made, "attribute-std", "Standard deviation of attribute shares by split"),
        "<h2>Classes</h2>",
        *_grids(infos, made, "classes"),
        "<h2>Attributes</h2>",
        "<p>All splits have the same scale. Attributes are in the order of their split.</p>",
        *_grids(infos, made, "attributes"),
        *(part for one in examples for part in _examples(one)),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>MSCOCO-GLT statistics</title>\n<style>{_CSS}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _text(words: str) -> str:
    return html.escape(words, quote=True)


def _about(info: GltInfo) -> str:
    about = f"{info.path}: {len(info.classes)} classes"
    if info.faults:
        about += f"; {len(info.faults)} malformed objects are left out, the first: {info.faults[0]}"
    return about


def _number(value: float, form: str) -> str:
    return "-" if math.isnan(value) else format(value, form)


def _table(info: GltInfo) -> str:
    known = [one.attribute_std for one in info.splits if not math.isnan(one.attribute_std)]
    head = ("split", "objects", "largest class", "smallest class", "ratio", "attribute std")
    rows = []
    for one in info.present:
        cells = (
            f"{one.objects:,}",
            f"{int(one.class_counts.max()):,}",
            f"{int(one.class_counts.min()):,}",
            _number(one.imbalance, ",.1f"),
            _number(one.attribute_std, ".4f"),
        )
        lowest = ' class="lowest"' if known and one.attribute_std == min(known) else ""
        data = "".join(f"<td>{cell}</td>" for cell in cells)
        rows.append(f'<tr{lowest}><th scope="row">{_text(one.name)}</th>{data}</tr>')
    columns = "".join(f'<th scope="col">{name}</th>' for name in head)
    return (
        f'<h3>{_text(info.path.parent.name)}</h3><div class="table"><table>'
        f"<thead><tr>{columns}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _std_words(infos: Sequence[GltInfo]) -> str:
    words = (
        "The standard deviation of the attributes' shares in all attributes of a split; objects "
        "have several attributes, so that it cannot be zero."
    )
    for info in infos:
        known = [one for one in info.splits if not math.isnan(one.attribute_std)]
        if known:
            low = min(known, key=lambda one: one.attribute_std)
            words += f" In {info.path.parent.name} it is lowest in {low.name}"
            words += f" ({low.attribute_std:.4f})."
    return words


def _grids(infos: Sequence[GltInfo], made: Mapping[str, bytes], kind: str) -> list[str]:
    found = []
    for info in infos:
        folder = info.path.parent.name
        figures = [
            _figure(made, f"{kind}-{folder}-{one.split}", f"{one.name}: {kind} by number")
            for one in info.present
        ]
        found.append(f'<h3>{_text(folder)}</h3><div class="grid">{"".join(figures)}</div>')
    return found


def _figure(made: Mapping[str, bytes], name: str, label: str) -> str:
    """A figure's SVG as part of the page: ids get the figure's name, as pages want them unique."""
    svg = made[f"{name}.svg"].decode("utf-8")
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'(\bid="|xlink:href="#|url\(#)', rf"\1{_slug(name)}-", svg)
    svg = re.sub(
        r'^(<svg[^>]*?) width="[^"]*" height="[^"]*"',
        rf'\1 role="img" aria-label="{_text(label)}"',
        svg,
    )
    return f"<figure>{svg}</figure>"


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)


def _examples(examples: Examples) -> list[str]:
    found = [f"<h2>Examples: {_text(examples.split)}</h2>"]
    if examples.faults:
        number, first = len(examples.faults), examples.faults[0]
        found.append(f'<p class="note">{number} crops could not be read: {_text(str(first))}</p>')
    found += ["<h3>By class</h3>", _sheet(examples.classes)]
    found += ["<h3>By group of attributes</h3>", _sheet(examples.groups)]
    return found


def _class_name(name: str, examples: Sequence[Example]) -> str:
    return name if examples else f"{name} (none)"


def _sheet(rows: Mapping[str, Sequence[Example]]) -> str:
    figures = []
    for name, examples in rows.items():
        shown = _text(_class_name(name, examples))
        images = "".join(map(_image, examples))
        figures.append(
            f'<figure><figcaption>{shown}</figcaption><div class="strip">{images}</div></figure>'
        )
    return f'<div class="sheet">{"".join(figures)}</div>'


def _image(example: Example) -> str:
    data, words = base64.b64encode(example.jpeg()).decode("ascii"), _text(example.text)
    return (
        f'<img width="72" height="72" src="data:image/jpeg;base64,{data}" alt="{words}" '
        f'title="{words}">'
    )
