"""The plots of docs/performance.md."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from growth import BATCHES, LEVELS, RULES
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

mpl.use("Agg")
# The same figures give the same file.
mpl.rcParams["svg.hashsalt"] = "auditwire"
mpl.rcParams["svg.fonttype"] = "none"


def draw(figures: Mapping[str, float], folder: Path) -> None:
    """Writes rules.svg (cost of deciding by number of rules) and batches.svg (cost of an event by batch size)."""
    figure, axes = pyplot.subplots(figsize=(7, 3.6), layout="constrained")
    axes.plot(RULES, [figures[f"rules {size}"] for size in RULES], marker="o", color="#1f6f8b")
    axes.set(xlabel="rules", ylabel="µs an event", title="Deciding: cost by number of rules", xlim=0, ylim=0)
    _save(figure, axes, folder / "rules.svg")
    figure, axes = pyplot.subplots(figsize=(7, 3.6), layout="constrained")
    for level, color in zip(LEVELS, ("#1f6f8b", "#c05a2b", "#5b7d3a"), strict=True):
        costs = [figures[f"{level} batch {size}"] / size for size in BATCHES]
        axes.plot(BATCHES, costs, marker="o", color=color, label=level)
    axes.set(xscale="log", xlabel="events a batch", ylabel="µs an event", ylim=0)
    axes.set_title("Everything but the network: cost by size of batch")
    axes.set_xticks(BATCHES, [str(size) for size in BATCHES])
    axes.minorticks_off()
    axes.legend(frameon=False)
    _save(figure, axes, folder / "batches.svg")


def _save(figure: Figure, axes: Axes, path: Path) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
