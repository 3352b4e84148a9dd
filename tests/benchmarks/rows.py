"""What rows are worth: the circuit's beside its classical twin's, the yardsticks' and a second real sample's.

    pip install '.[benchmarks]'
    python -m tests.benchmarks.rows --out tests/benchmarks/results/rows.json

Eight families of instances: the bundled tables, and four tables that no decision has seen
(:mod:`tests.benchmarks.tables`). On the same held-out instances (24 of each), with the same labels, the same fresh
noise and the same selection (a GAN's best decision on validation rows), everybody's rows are measured with the present
score and with the old one, whose 0 is an untrained generator; with the share of rows that are nearer to a training row
than to an equally large sample that nobody learned from (1/2 for real rows); and with the CPU time that they took.

GANs: the preset's recipe under the shipped agent, its mean schedule, the shipped network that sees the problem and no
feedback, tuned constants and rates (TTUR, both tuned with 64 trials on training instances), defaults; the same without
a critic; the classical twin; and the recipe before (exact circuits against a critic) at its defaults.

Numbers that are in the file already are kept. Printed are the goals that were missed.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from cluster.comparison.job import held_out_problem
from cluster.comparison.rivals.mean_schedule import MeanSchedule
from cluster.comparison.rivals.rival import Course
from cluster.study.study import Study, changed, load_study
from qsynth.data.dataset import Instance
from qsynth.metrics.memorisation import memorisation
from qsynth.metrics.score import Scorecard
from qsynth.population.population import Population
from qsynth.population.trial import TrialConfig
from qsynth.yardsticks.registry import YARDSTICKS
from rl_envs.agents import Agent, Hold, LaneValues, Schedule, TrainedAgent
from rl_envs.config import make_tuner
from rl_envs.exam import fresh_seeds
from rl_envs.pretrained import agent_file
from rl_envs.rollout import Assignment, Episode, play
from rl_envs.schedule_search import Family, search_schedule
from rl_envs.tuner import Tuner
from tests.benchmarks import machine
from tests.benchmarks.rows_tables import AGENT, CEILING, MEAN, NETWORK, OLD, markdown
from tests.benchmarks.tables import UNTOUCHED, study_of

PRESETS = ("iris", "wine", "breast_cancer", "qubit_calibrations")
SEARCH_TRIALS = 64
OLD_SCORE = {"kind": "untrained"}
SPACE = {"lr_generator": {"kind": "float", "low": 0.0003, "high": 0.3, "log": True}}  # a study must have one

Floats = NDArray[np.float64]


class Made(NamedTuple):
    """Somebody's rows: fresh noise x problems x rows x features, and the CPU seconds that they took."""

    rows: NDArray[np.float32]
    seconds: float


def families(folder: Path) -> dict[str, Study]:
    """Studies by name; tables are written to ``folder``."""
    studies = {name: load_study(name) for name in PRESETS}
    return studies | {table.__name__: study_of(table, folder) for table in UNTOUCHED}


def before(trial: TrialConfig) -> dict[str, Any]:
    """Changes that make a study's trial what it was before: exact circuits, shifted inputs, a critic alone."""
    sizes = {"latent_dim": 4, "n_layers": 3, "critic_width": 32, "batch_size": 32, "n_critic": 4}
    rates = {"lr_generator": 0.01, "lr_critic": 0.005, "gp_weight": 1.0, "beta1": 0.5}
    return {
        "trial": {
            "n_qubits": trial.n_qubits,
            "ansatz": "strongly_entangling",
            "capacity": sizes,
            "defaults": rates | sizes | {"n_critic": 3},
            "qnn": trial.qnn.model_dump(),
            "score": trial.score.model_dump(),
            "search_space": SPACE,
        }
    }


def assignments(study: Study, n_problems: int) -> list[Assignment]:
    """The problems, as trials."""
    problems = [held_out_problem(study.name, number, {}) for number in range(n_problems)]
    return [Assignment(study.data.instance(p.number, held_out=True), p.seed, p.number) for p in problems]


class Trained:
    """GANs of one recipe on a study's problems."""

    def __init__(self, study: Study, problems: list[Assignment]) -> None:
        self.study, self.problems = study, problems
        self.tuner: Tuner = make_tuner(study.environment(compiled=True), len(problems))

    def rows(self, agent: Agent) -> tuple[Made, list[Episode]]:
        """Rows of the GANs that an agent's trials leave behind, and their course."""
        began = time.process_time()
        episodes = play(self.tuner, lambda _: agent, self.problems, keep="best")
        population = self.tuner.population
        fresh = np.array([fresh_seeds(each.problem) for each in self.problems]).T
        made = [
            np.stack([population.sample(lane, population.labels[lane], int(s)).numpy() for lane, s in enumerate(seeds)])
            for seeds in fresh
        ]
        return Made(np.stack(made), time.process_time() - began), episodes

    def tuned(self, family: Family) -> Agent:
        """Constants, or rates and their ratio, tuned on training instances."""
        study = self.study
        instances = [study.data.instance(number, held_out=False) for number in range(study.n_instances)]

        def scores(agent_for: Callable[[slice], Schedule], wanted: list[Assignment]) -> list[float]:
            return [float(each.scores[-1]) for each in play(self.tuner, agent_for, wanted)]

        space, defaults = study.trial.search_space, study.defaults()
        best, _ = search_schedule(space, defaults, instances, SEARCH_TRIALS, family, study.seed + 1, scores)
        return best.schedule(family)

    def agent(self, name: str) -> Agent:
        """A shipped one."""
        return TrainedAgent.load(agent_file(name), self.tuner.features, self.tuner.actions)


class MeanSchedules:
    """In each problem's lane the agent's mean schedule on the other problems."""

    name = MEAN

    def __init__(self, study: Study, episodes: Sequence[Episode]) -> None:
        courses = [Course([], {name: values.tolist() for name, values in each.schedule.items()}) for each in episodes]
        others = [courses[:lane] + courses[lane + 1 :] for lane in range(len(courses))]
        space, n = study.trial.search_space, study.episode.n_decisions
        self._lanes = [MeanSchedule(space, each, n) for each in others]

    def begin(self, n_lanes: int) -> LaneValues:
        """What the first decision sets."""
        return _joined([lane.begin(1) for lane in self._lanes])

    def decide(self, observation: NDArray[Any], values: LaneValues, progress: float) -> LaneValues:
        """The schedules' values."""
        return _joined([lane.decide(observation[:1], values, progress) for lane in self._lanes])


def _joined(lanes: Sequence[LaneValues]) -> LaneValues:
    return {name: np.concatenate([lane[name] for lane in lanes]) for name in lanes[0]}


def yardstick_rows(name: str, instances: Sequence[Instance], labels: NDArray[np.int64], numbers: Sequence[int]) -> Made:
    """A yardstick's."""
    began = time.process_time()
    fitted = [YARDSTICKS[name].fit(each, number) for each, number in zip(instances, numbers, strict=True)]
    fresh = np.array([fresh_seeds(number) for number in numbers]).T
    made = [[f.sample(y, int(s)) for f, y, s in zip(fitted, labels, seeds, strict=True)] for seeds in fresh]
    return Made(np.array(made, dtype=np.float32), time.process_time() - began)


class Judge:
    """Measures rows with both scores."""

    def __init__(self, study: Study, instances: Sequence[Instance]) -> None:
        self._instances, self._populations = instances, {}
        for name, kind in {"score": {}, "old score": OLD_SCORE}.items():
            trial = changed(study, {f"trial.score.{key}": value for key, value in kind.items()}).trial
            first = instances[0]
            population = Population(trial, first.n_features, first.n_classes, len(instances))
            population.reset(range(len(instances)), instances, range(len(instances)))
            self._populations[name] = population
        self.labels: NDArray[np.int64] = population.labels.argmax(dim=-1).numpy()

    def measure(self, made: Made) -> dict[str, Any]:
        """Values by problem, the mean over the fresh noise."""

        def cards_of(population: Population) -> list[Scorecard]:
            return [population.measure(torch.as_tensor(rows), "test") for rows in made.rows]

        found = self._found(cards_of)
        found["cpu_seconds"] = made.seconds / len(self._instances)
        found["memorisation"] = [
            float(np.mean([memorisation(rows[place], each.train.x, each.reserve.x) for rows in made.rows]))
            for place, each in enumerate(self._instances)
        ]
        return found

    def real(self) -> dict[str, Any]:
        """The same of the second real samples, each row once."""

        def cards_of(population: Population) -> list[Scorecard]:
            cards = [population.measure_reserve(instance, "test") for instance in self._instances]
            joined = [
                {term: torch.cat([values[term] for values in of]) for term in of[0]}
                for of in ([card.utilities for card in cards], [card.raw for card in cards])
            ]
            return [Scorecard(torch.cat([card.score for card in cards]), *joined)]

        held_out = [np.concatenate([each.validation.x, each.test.x]) for each in self._instances]
        found = self._found(cards_of) | {"cpu_seconds": 0.0}
        found["memorisation"] = [
            memorisation(each.reserve.x, each.train.x, rows)
            for each, rows in zip(self._instances, held_out, strict=True)
        ]
        return found

    def _found(self, cards_of: Callable[[Population], list[Scorecard]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, population in self._populations.items():
            cards = cards_of(population)
            found[name] = np.mean([np.nan_to_num(card.score.numpy()) for card in cards], axis=0).tolist()
            of_terms = {term: [card.utilities[term].numpy() for card in cards] for term in cards[0].utilities}
            found[f"{name} terms"] = {term: np.mean(each, axis=0).tolist() for term, each in of_terms.items()}
        return found


def measured(study: Study, n_problems: int, found: dict[str, dict[str, Any]]) -> None:
    """Enter everybody's numbers on a family who is not in ``found`` already."""
    problems = assignments(study, n_problems)
    instances, numbers = [each.instance for each in problems], [each.problem for each in problems]
    judge, recipe = Judge(study, instances), Trained(study, problems)

    def enter(name: str, make: Callable[[], Made]) -> None:
        if name not in found:
            found[name] = judge.measure(make())
            print(f"{study.name}: {name} {np.mean(found[name]['score']):.3f}", flush=True)

    for name in (each for each in YARDSTICKS if not YARDSTICKS[each].ceiling):
        enter(name, partial(yardstick_rows, name, instances, judge.labels, numbers))
    found.setdefault(CEILING, judge.real())
    episodes: list[Episode] = []
    if not {AGENT, MEAN} <= set(found):
        made, episodes = recipe.rows(recipe.agent("default"))
        enter(AGENT, lambda: made)
    enter(MEAN, lambda: recipe.rows(MeanSchedules(study, episodes))[0])
    enter(NETWORK, lambda: recipe.rows(recipe.agent("no_feedback"))[0])
    enter("defaults", lambda: recipe.rows(Hold())[0])
    enter("tuned constants", lambda: recipe.rows(recipe.tuned("constants"))[0])
    enter("tuned TTUR", lambda: recipe.rows(recipe.tuned("ttur"))[0])
    bare: dict[str, dict[str, Any]] = {
        "without a critic": {"trial.loss": "energy", "trial.search_space": SPACE},
        "classical twin": {"trial.generator": {"kind": "classical"}, "trial.search_space": SPACE},
        OLD: before(study.trial),
    }
    for name, changes in bare.items():
        enter(name, lambda changes=changes: Trained(changed(study, changes), problems).rows(Hold())[0])  # type: ignore[misc]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    parser.add_argument("--problems", type=int, default=24)
    parser.add_argument("--families", help="some of them, with commas between")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    result: dict[str, Any] = json.loads(asked.out.read_text())["families"] if asked.out.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        for name, study in families(Path(folder)).items():
            if asked.families is None or name in asked.families.split(","):
                measured(study, asked.problems, result.setdefault(name, {}))
                machine.write(asked.out, {"benchmark": "rows", "problems": asked.problems, "families": result})
    text = markdown(result)
    asked.out.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
