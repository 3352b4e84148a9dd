"""What raises the ailments of `qsynth.population.health`: trials that do well, and a recipe known to fail.

    python -m tests.benchmarks.health --out tests/benchmarks/results/health.json

- ``iris`` and ``gaussian``: 64 trials each at the preset's defaults, each on a data set or split of its own, judged at
  every decision. All of them learn, so whatever is raised is a false alarm.
- ``gunduz2025``: 10 seeds of the first source paper's recipe, which drives every generator to +1 or -1, judged every
  100 of its 8,000 iterations. Given is the iteration by which each seed was found out.

Beside the alarms it gives the extremes of what is judged, which the thresholds lie between.
"""

import argparse
from typing import Any, NamedTuple

import numpy as np
import torch

from cluster.study.study import load_study
from qsynth.population.population import Population
from rl_envs.lane_health import LaneHealth
from tests.benchmarks import machine
from tests.benchmarks.report import table


class Watch(NamedTuple):
    """Trials of a preset to look at."""

    preset: str
    n_lanes: int
    n_decisions: int
    every: int
    compiled: bool = False


WELL = (Watch("iris", 64, 15, 20), Watch("gaussian", 64, 20, 25))
SICK = Watch("gunduz2025", 10, 80, 100, compiled=True)


def measure(watch: Watch) -> dict[str, Any]:
    """Alarms and extremes of what they are about, and when each lane first showed each ailment (0: never)."""
    study, lanes = load_study(watch.preset), range(watch.n_lanes)
    instances = [study.data.instance(lane, held_out=False) for lane in lanes]
    population = Population(study.trial, instances[0].n_features, instances[0].n_classes, watch.n_lanes, watch.compiled)
    population.reset(lanes, instances, list(lanes))
    care = LaneHealth(population)
    care.begin(lanes, instances)
    courses, raised = [], []
    for _ in range(watch.n_decisions):
        statistics = population.advance(watch.every)
        courses.append(
            {
                "saturation": statistics.saturation,
                "spread": statistics.spread / care.real.spread,
                "gradient_generator": statistics.gradient_generator,
                "gradient_critic": statistics.gradient_critic,
            }
        )
        raised.append(care.look(statistics))
    alarms = {name: np.array([each[name] for each in raised]) for name in raised[0]}
    values = {name: np.array([course[name] for course in courses]) for name in courses[0]}
    return {
        "preset": watch.preset,
        "looks": watch.n_lanes * watch.n_decisions,
        "alarms": {name: int(seen.sum()) for name, seen in alarms.items()},
        "lanes": {name: int(seen.any(axis=0).sum()) for name, seen in alarms.items()},
        "first": {
            name: np.where(seen.any(axis=0), (seen.argmax(axis=0) + 1) * watch.every, 0).tolist()
            for name, seen in alarms.items()
        },
        "extremes": {name: [float(value.min()), float(value.max())] for name, value in values.items()},
    }


def markdown(rows: list[dict[str, Any]]) -> str:
    """Alarms of all looks, by ailment; for the recipe that fails, when they came."""
    names = list(rows[0]["alarms"])
    alarms = [
        [row["preset"], str(row["looks"]), *(f"{row['alarms'][name]} ({row['lanes'][name]} trials)" for name in names)]
        for row in rows
    ]
    extremes = [
        [row["preset"], *(f"{low:.3g} to {high:.3g}" for low, high in row["extremes"].values())] for row in rows
    ]
    first = [[name, *(str(at or "-") for at in seen)] for name, seen in rows[-1]["first"].items()]
    seeds = [str(seed) for seed in range(SICK.n_lanes)]
    return "\n\n".join(
        (
            table(["alarms", "looks", *names], alarms),
            table(["least to most", *rows[0]["extremes"]], extremes),
            table(
                [f"{SICK.preset}: first seen by iteration, of {SICK.n_decisions * SICK.every}, by seed", *seeds], first
            ),
        )
    )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rows = [measure(watch) for watch in (*WELL, SICK)]
    machine.write(asked.out, {"benchmark": "health", "rows": rows})
    asked.out.with_suffix(".md").write_text(markdown(rows) + "\n")
    print(markdown(rows))


if __name__ == "__main__":
    main()
