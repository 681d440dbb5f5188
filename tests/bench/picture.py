"""The picture of a benchmark: how long each way takes, and how the cost of a dry run grows."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.bench.figures import Results
    from tests.bench.growth import Curve

SETTINGS: Any = {"svg.fonttype": "none", "svg.hashsalt": "seatrial", "font.family": "sans-serif", "font.size": 9}
HAND, OURS = "#8a8f98", "#1f6feb"


def draw(results: Results, curves: Sequence[Curve], out: Path) -> None:
    """Write `out`, an SVG with a bar for each way (median, lowest to highest) and a line for each curve."""
    # Imported here, because it takes long and only the session that draws has it.
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("svg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    parts = ([_bars] if results else []) + [_line(curve) for curve in curves]
    with mpl.rc_context(SETTINGS):
        height = 0.32 * len(results) + 1.0 if results else 2.4
        figure, axes = plt.subplots(len(parts), figsize=(7.5, height + 2.2 * len(curves)), squeeze=False)
        for part, axis in zip(parts, axes[:, 0], strict=True):
            part(axis, results)
            axis.spines[["top", "right"]].set_visible(False)
        figure.tight_layout()
        figure.savefig(out, metadata={"Date": None}, facecolor="white")
        plt.close(figure)


def _bars(axis: Any, results: Results) -> None:
    names = list(results)[::-1]
    times = [[run.seconds for run in results[name]] for name in names]
    middle = [median(one) for one in times]
    spread = [
        [m - min(one) for m, one in zip(middle, times, strict=True)],
        [max(one) - m for m, one in zip(middle, times, strict=True)],
    ]
    colours = [OURS if name.startswith(("nox,", "seatrial,")) else HAND for name in names]
    bars = axis.barh(names, middle, xerr=spread, color=colours, error_kw={"lw": 0.8})
    axis.bar_label(bars, fmt="%.2f", padding=4)
    axis.set_xlabel("seconds")


def _line(curve: Curve) -> Any:
    def line(axis: Any, _: Results) -> None:
        axis.plot([n for n, _ in curve.points], [timed.seconds for _, timed in curve.points], "o-", color=OURS)
        axis.set_ylim(bottom=0)
        axis.set_title(f"dry run, by {curve.name}", loc="left")
        axis.set_xlabel(curve.unit)
        axis.set_ylabel("seconds")

    return line
