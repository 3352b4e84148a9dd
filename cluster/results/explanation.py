"""What an agent did in one trial, and which observations moved it."""

from pathlib import Path
from typing import Any

import numpy as np

from cluster.results.figure import new_figure, save_figure
from cluster.results.plots import EMPHASIS, REAL
from qsynth.space.search_space import Float, SearchSpace
from rl_envs.agents import LaneValues, TrainedAgent
from rl_envs.rollout import Episode

SHOWN = 5


class Explanation:
    """Collects, decision by decision, how much each observation moved each hyperparameter.

    Attributes:
        pushes: hyperparameter -> feature -> what each decision owes it (:meth:`TrainedAgent.contributions`).
    """

    def __init__(self, agent: TrainedAgent) -> None:
        self._agent = agent
        self.pushes: dict[str, dict[str, list[float]]] = {}

    def look(self, observation: np.ndarray, values: LaneValues) -> None:
        """Take in a decision of a population of one trial."""
        for name, shares in self._agent.contributions(observation, values).items():
            mine = self.pushes.setdefault(name, {})
            for feature, share in shares.items():
                mine.setdefault(feature, []).append(float(share[0]))

    def strongest(self, name: str) -> dict[str, list[float]]:
        """The features that moved a hyperparameter most over the run."""
        ranked = sorted(self.pushes[name].items(), key=lambda item: -float(np.abs(item[1]).sum()))
        return dict(ranked[:SHOWN])


def plot_explanation(explanation: Explanation, episode: Episode, space: SearchSpace, path: Path) -> None:
    """The score, each hyperparameter over the run, and beside it the observations that pushed it up or down."""
    names = sorted(explanation.pushes)
    n_decisions = len(episode.scores) - 1
    figure = new_figure(11.0, 1.6 * (1 + len(names)))
    grid = figure.subplots(1 + len(names), 2, gridspec_kw={"width_ratios": [1, 1]})
    score, legend = grid[0]
    score.plot(np.arange(n_decisions + 1), episode.scores, color=EMPHASIS, linewidth=2)
    score.set_title("validation score", loc="left", fontsize=9)
    legend.axis("off")
    legend.text(
        0, 0.5, "What pushed each hyperparameter up (red) or down (blue)\nat each decision", fontsize=9, va="center"
    )
    for (line, map_), name in zip(grid[1:], names, strict=True):
        # The last value holds up to the end of the run.
        held = np.append(episode.schedule[name], episode.schedule[name][-1])
        line.step(np.arange(n_decisions + 1), held, where="post", color=REAL)
        scale = space[name]
        if isinstance(scale, Float) and scale.log:
            line.set_yscale("log")
        line.set_title(name, loc="left", fontsize=9)
        _push_map(map_, explanation.strongest(name))
    for line in grid[:, 0]:
        line.set_xlim(0, n_decisions)
        line.tick_params(labelsize=8)
        line.spines[["top", "right"]].set_visible(False)
    grid[-1, 0].set_xlabel("decision", fontsize=9)
    grid[-1, 1].set_xlabel("decision", fontsize=9)
    save_figure(figure, path)


def _push_map(axes: Any, pushes: dict[str, list[float]]) -> None:
    shares = np.array(list(pushes.values()))
    limit = max(float(np.abs(shares).max()), 1e-9)
    axes.imshow(shares, aspect="auto", cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")
    axes.set_yticks(range(len(pushes)), list(pushes), fontsize=8)
    axes.tick_params(labelsize=8)
