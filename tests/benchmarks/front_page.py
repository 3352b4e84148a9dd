"""The picture on the first page: real rows against synthetic ones, and what the agent did to make them.

    python -m tests.benchmarks.front_page --out tests/benchmarks/results/front_page.png

Trains one GAN as `qsynth train wine --agent default` does, and draws as many synthetic rows as there are test rows,
which neither the GAN nor the agent has seen. Below, the hyperparameters that the agent moved most, and the score on
the validation rows; a dot marks the moment that was kept.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cluster.results.figure import new_figure, save_figure
from cluster.results.plots import COLOURS, EMPHASIS, REAL
from cluster.study.study import Study, load_study
from qsynth.data.dataset import Instance
from qsynth.synthesizer import QGANSynthesizer
from rl_envs.agents import TrainedAgent
from rl_envs.config import make_tuner
from rl_envs.pretrained import DEFAULT, agent_file
from rl_envs.rollout import Assignment, Episode, play

SEED = 0
SHOWN = {
    "lr_generator": "generator's learning rate",
    "lr_critic": "critic's learning rate",
    "fidelity_weight": "weight of the energy distance",
}
MARKERS = ("o", "s", "^")
FONT = 11


def trained(study: Study) -> tuple[Episode, QGANSynthesizer, Instance]:
    """One trial under the shipped agent, its kept generator, and the instance that it learned."""
    tuner = make_tuner(study.environment(compiled=False), 1)
    agent = TrainedAgent.load(agent_file(DEFAULT), tuner.features, tuner.actions)
    instance = study.data.instance(SEED, held_out=False)
    [episode] = play(tuner, lambda _: agent, [Assignment(instance, SEED)], snapshots=True, keep="best")
    assert episode.snapshot is not None
    return episode, QGANSynthesizer.from_snapshot(study.trial, episode.snapshot, instance), instance


def draw(episode: Episode, model: QGANSynthesizer, instance: Instance, n_iterations: int, path: Path) -> None:
    """Two panels of rows above, the schedule below."""
    figure = new_figure(11.0, 6.8)
    rows, schedule = figure.subfigures(2, 1, height_ratios=[1.4, 1.0], hspace=0.06)
    real = instance.test
    x, y = model.sample_scaled(len(real.x), random_state=SEED)
    panels = rows.subplots(1, 2, sharex=True, sharey=True)
    for panel, title, its_x, its_y in (
        (panels[0], f"{len(real.x)} real wines that it has not seen", real.x, real.y),
        (panels[1], f"{len(x)} synthetic wines", x, y),
    ):
        scatter(panel, its_x, its_y, instance.n_classes)
        panel.set_title(title, fontsize=FONT + 2, loc="left")
        panel.set_xlabel("first principal component", fontsize=FONT)
    panels[0].set_ylabel("second principal component", fontsize=FONT)
    names = [f"cultivar {index + 1}" for index in range(instance.n_classes)]
    panels[1].legend(names, loc="lower right", fontsize=FONT, frameon=False, handletextpad=0.2)
    schedule.suptitle("What the agent chose while the GAN trained", fontsize=FONT + 2, x=0.005, ha="left")
    lines = schedule.subplots(1, len(SHOWN) + 1)
    iterations = np.linspace(0, n_iterations, len(episode.scores))
    for axes, (name, title) in zip(lines, SHOWN.items(), strict=False):
        values = np.append(episode.schedule[name], episode.schedule[name][-1])
        axes.step(iterations, values, where="post", color=COLOURS[0], linewidth=2.4)
        axes.set_yscale("log")
        axes.set_title(title, fontsize=FONT, loc="left")
    score(lines[-1], iterations, np.asarray(episode.scores))
    for axes in lines:
        axes.set_xlabel("GAN iteration", fontsize=FONT)
        axes.set_xlim(0, iterations[-1])
        tidy(axes)
    for axes in lines[:-1]:
        plain_decades(axes)
    for axes in panels:
        tidy(axes)
    save_figure(figure, path)


def scatter(axes: Any, x: NDArray[np.floating[Any]], y: NDArray[np.integer[Any]], n_classes: int) -> None:
    """Rows in their first two components, a colour and a shape a class."""
    for index, colour in enumerate((COLOURS[0], EMPHASIS, COLOURS[1])[:n_classes]):
        mine = x[y == index]
        axes.scatter(
            mine[:, 0],
            mine[:, 1],
            s=46,
            c=colour,
            marker=MARKERS[index],
            alpha=0.85,
            edgecolors="white",
            linewidths=0.7,
        )


def score(axes: Any, iterations: NDArray[np.floating[Any]], scores: NDArray[np.floating[Any]]) -> None:
    """The score at every decision; the kept moment is marked."""
    best = int(np.argmax(scores))
    axes.plot(iterations, scores, color=EMPHASIS, linewidth=2.4)
    axes.plot(iterations[best], scores[best], "o", color=EMPHASIS, markersize=9)
    axes.annotate(
        "kept", (iterations[best], scores[best]), (0, -30), textcoords="offset points", ha="center", fontsize=FONT
    )
    axes.set_ylim(0, 1.08)
    axes.set_title("validation score", fontsize=FONT, loc="left")


def tidy(axes: Any) -> None:
    """Light axes."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(which="both", labelsize=FONT - 2, color=REAL)
    axes.grid(color="#EBEBEB", linewidth=0.8)
    axes.set_axisbelow(True)


def plain_decades(axes: Any) -> None:
    """Ticks at 1, 2 and 5 of each decade, as plain numbers."""
    from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    out, study = parser.parse_args().out, load_study("wine")
    draw(*trained(study), study.iterations_per_run, out)


if __name__ == "__main__":
    main()
