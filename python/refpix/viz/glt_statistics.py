"""MSCOCO-GLT's distributions as figures: classes, attributes, how uneven the attributes are.

A figure is a small matplotlib one of a fixed size, made without pyplot and under settings of its
own. Text in SVG stays text.

Source: what is shown is the published dataset page's (figure 4); how, is ours.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import numpy as np
import numpy.typing as npt

from refpix.datasets.glt_info import GltInfo, GltSplitInfo
from refpix.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["attribute_figure", "class_figure", "figures_of", "picture_of", "std_figure"]

Kind = Literal["svg", "png"]

#: Groups of classes by frequency, and "no objects".
COLOURS: Final = ("#2a6f97", "#e09f3e", "#9e2a2b", "#8d99ae")
INK: Final = "#23262b"
_FAINT: Final = "#d5d9e0"
_GROUPS: Final = ("many", "medium", "few")
_LONGEST_NAME = 22
#: For machines without the first: as wide, or narrower.
_FONTS: Final = b"font-family: 'DejaVu Sans', Verdana, Arial, sans-serif"
_WIDTH = 4.4  # inches; 10 pt are then read well on a telephone too

_STYLE: Final[dict[str, Any]] = {
    "font.family": ["DejaVu Sans"],  # comes with matplotlib, so that sizes are known
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.edgecolor": "#9aa1ac",
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,  # names are data
    "svg.fonttype": "none",
    "svg.hashsalt": "refpix",
    "figure.constrained_layout.use": True,
}


@contextmanager
def style() -> Iterator[None]:
    """Matplotlib's settings for these figures, for as long as it takes.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError as e:
        raise MissingExtraError("figures of statistics", "matplotlib", "plots") from e
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(cast(Any, _STYLE))
        yield


def class_figure(info: GltSplitInfo, classes: Sequence[str]) -> Figure:
    """How many objects each class has: a bar for each, in the order of the labels.

    Args:
        info: of a split.
        classes: names by class; long ones are cut.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    with style():
        figure, axes = _empty(1.35 + 0.19 * len(classes))
        places = np.arange(len(classes))
        counts = info.class_counts
        for group in (*range(len(_GROUPS)), -1):
            ours = info.class_frequencies == group
            if ours.any():
                label = _GROUPS[group] if group >= 0 else None
                axes.barh(places[ours], counts[ours], 0.72, color=COLOURS[group], label=label)
        most = max(int(counts.max()), 1)
        for place, count in zip(places.tolist(), counts.tolist(), strict=True):
            axes.text(count + most * 0.015, place, f"{count:,}", va="center", size=7.5)
        axes.set_yticks(places, [_cut(name) for name in classes], size=8)
        axes.set_ylim(len(classes) - 0.4, -0.6)
        axes.set_xlim(0, most * 1.2)
        axes.set_xlabel("objects")
        axes.set_ylabel("class, the largest of all data first")
        axes.set_title(f"{info.name}: {info.objects:,} objects", loc="left", weight="bold")
        _thousands(axes, "x")
        if axes.get_legend_handles_labels()[0]:
            title = "objects of the class in training"
            figure.legend(
                loc="outside lower center", ncols=3, title=title, frameon=False, fontsize=8.5
            )
        return figure


def attribute_figure(info: GltSplitInfo, highest: float | None = None) -> Figure:
    """How many objects have each attribute, the most frequent first.

    Args:
        info: of a split.
        highest: of the vertical axis, as a share of all; None fits it. One for several splits
            makes them comparable.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    with style():
        figure, axes = _empty(2.9, grid="y")
        counts = np.sort(info.attribute_counts)[::-1]
        shares = 100 * counts / counts.sum() if counts.any() else counts
        if len(shares):
            axes.stairs(shares, fill=True, color=COLOURS[0])
            axes.set_xlim(0, len(shares))
        else:
            axes.set_xticks([])
        top = 100 * highest if highest else float(shares.max(initial=0))
        axes.set_ylim(0, top * 1.08 or 1)
        std = info.attribute_std
        text = "no attributes" if math.isnan(std) else f"standard deviation {std:.4f}"
        axes.text(0.97, 0.9, text, transform=axes.transAxes, ha="right", size=9)
        axes.set_xlabel("attributes, the most frequent first")
        axes.set_ylabel("share of all attributes (%)")
        axes.set_title(f"{info.name}: {len(counts)} attributes", loc="left", weight="bold")
        return figure


def std_figure(infos: Sequence[GltInfo]) -> Figure:
    """The standard deviation of attribute shares of every split that has attributes.

    The lowest of each set is in another colour: Test-GBL was made to be it.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    with style():
        names, values, colours = _std_rows(infos)
        figure, axes = _empty(1.25 + 0.3 * max(len(names), 1))
        most = max(values, default=1)
        axes.barh(range(len(values)), values, 0.66, color=colours)
        for place, value in enumerate(values):
            axes.text(value + most * 0.015, place, f"{value:.4f}", va="center", size=8.5)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(max(len(names), 1) - 0.4, -0.6)
        axes.set_xlim(0, most * 1.22)
        axes.set_xlabel("standard deviation of attribute shares")
        axes.set_ylabel("split")
        axes.set_title("How uneven attributes are", loc="left", weight="bold")
        return figure


def _std_rows(infos: Sequence[GltInfo]) -> tuple[list[str], list[float], list[str]]:
    names: list[str] = []
    values: list[float] = []
    colours: list[str] = []
    for info in infos:
        known = [one for one in info.splits if not math.isnan(one.attribute_std)]
        least = min((one.attribute_std for one in known), default=0)
        for one in known:
            both = len(infos) > 1 and one.split in ("test_bl", "test_bbl")
            names.append(f"{one.name} ({info.path.parent.name})" if both else one.name)
            values.append(one.attribute_std)
            colours.append(COLOURS[1] if one.attribute_std == least else COLOURS[0])
    return names, values, colours


def figures_of(infos: Sequence[GltInfo], kinds: Sequence[Kind] = ("svg",)) -> dict[str, bytes]:
    """All figures as files, by name; those of splits without objects are left out.

    Args:
        infos: of `describe_glt`.
        kinds: of file, the endings of the names.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    found: dict[str, bytes] = {}

    def add(name: str, figure: Figure) -> None:
        for kind in kinds:
            found[f"{name}.{kind}"] = picture_of(figure, kind)

    highest = _highest_share(infos)
    add("attribute-std", std_figure(infos))
    for info in infos:
        for one in info.present:
            name = f"{info.path.parent.name}-{one.split}"
            add(f"classes-{name}", class_figure(one, info.classes))
            add(f"attributes-{name}", attribute_figure(one, highest))
    return found


def picture_of(figure: Figure, kind: Kind, *, dpi: float = 200) -> bytes:
    """A figure as a file; the same figure gives the same bytes.

    Args:
        figure: of this module.
        kind: ``"svg"`` or ``"png"``.
        dpi: of PNG.
    """
    metadata: dict[str, Any] = {"Software": None}
    if kind == "svg":
        metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with style(), io.BytesIO() as buffer:
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=metadata)
        content = buffer.getvalue()
    figure.set_layout_engine("none")  # it is laid out now: half of the work for another file
    return content.replace(b"font-family: 'DejaVu Sans'", _FONTS) if kind == "svg" else content


def _empty(height: float, grid: Literal["x", "y"] = "x") -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, height))
    axes = figure.add_subplot()
    axes.tick_params(length=0)
    axes.grid(axis=grid, color=_FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def _thousands(axes: Axes, axis: Literal["x", "y"]) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    which = axes.xaxis if axis == "x" else axes.yaxis
    which.set_major_locator(MaxNLocator(4, integer=True))
    which.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _highest_share(infos: Sequence[GltInfo]) -> float:
    """The largest share that an attribute has in any split."""
    found: list[npt.NDArray[np.float64]] = [
        one.attribute_counts / one.attribute_counts.sum()
        for info in infos
        for one in info.splits
        if one.attribute_counts.any()
    ]
    return max((float(shares.max()) for shares in found), default=0.0)
