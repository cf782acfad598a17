"""The picture in docs/autoscaling.md: pods and slots in use for every load, and the model beside the test cluster."""

from itertools import pairwise
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from simulate.loads import LOADS, Load
from simulate.measured import BEFORE, measured, modelled
from simulate.model import Cluster, Pool, Settings

FILE = Path(__file__).resolve().parents[2] / "docs" / "autoscaling.svg"
WANTED, READY, WORK, PLAIN = "#1f77b4", "#2ca02c", "#ff9d3c", "#888888"
#: Points of a line: more than can be seen make a large file.
POINTS = 100


def draw(settings: Settings) -> Path:
    """Draw the picture into the docs; the same every time."""
    # A salt and no date: the same file whenever it is drawn.
    with mpl.rc_context({"svg.hashsalt": "rowlock", "svg.fonttype": "none", "font.size": 8, "axes.titlesize": 9}):
        figure, axes = plt.subplots(4, 2, figsize=(9.5, 9), layout="constrained")
        places = list(axes.flat)
        for place, (name, load) in zip(places, LOADS.items(), strict=False):
            _load(place, name, load, settings)
        _beside_the_cluster(places[len(LOADS)])
        figure.legend(*places[0].get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False)
        figure.savefig(FILE, metadata={"Date": None})
        plt.close(figure)
    return FILE


def _load(place: Axes, name: str, load: Load, settings: Settings) -> None:
    outcome = Pool(settings, Cluster(), seed=0).run(load.tasks(0), load.seconds)
    samples = outcome.samples[:: int(load.seconds / POINTS)]
    minutes = [round(sample.time / 60, 2) for sample in samples]
    # What the work needs: running and waiting tasks over the slots of a pod, as far as the pool may grow.
    needed = [min(settings.max, (sample.waiting + sample.running) / settings.concurrency) for sample in samples]
    place.fill_between(minutes, needed, step="post", color=WORK, alpha=0.5, linewidth=0, label="work, in pods")
    place.step(minutes, [sample.wanted for sample in samples], where="post", color=WANTED, lw=1, label="pods wanted")
    place.step(minutes, [sample.ready for sample in samples], where="post", color=READY, lw=1, label="pods ready")
    place.set_title(f"{name}: {load.about}; 95 % wait {outcome.wait(0.95):.0f} s at most", loc="left")
    place.set_xlabel("minutes")
    place.set_ylim(0)


def _beside_the_cluster(place: Axes) -> None:
    seen = measured()
    for seed in range(20):
        found = modelled(seen, seed).samples
        changes = [after for before, after in pairwise(found) if before.ready != after.ready]
        times, ready = [BEFORE, *(sample.time for sample in changes)], [0, *(sample.ready for sample in changes)]
        times = [time - BEFORE for time in times]
        place.step(
            times, ready, where="post", color=PLAIN, alpha=0.25, lw=0.7, label="" if seed else "ready, model (20 runs)"
        )
    times = [time for time, _, _ in seen.samples]
    place.step(times, [wanted for _, wanted, _ in seen.samples], where="post", color=WANTED, lw=1)
    place.step(
        times, [ready for _, _, ready in seen.samples], where="post", color=READY, lw=1.6, label="ready, test cluster"
    )
    place.set_title(f"test cluster: {len(seen.tasks)} tasks of {seen.tasks[0].seconds:.0f} s, a slot a pod", loc="left")
    place.set_xlabel("seconds since the first submit")
    place.set_xlim(-5, seen.samples[-1][0] + 20)
    place.legend(frameon=False, loc="center", fontsize=7)
