"""How long a study will take, found by doing a little of it here."""

import time
from collections.abc import Callable, Mapping

from cluster.study.placement import Placement
from cluster.study.study import Study
from qsynth.population.population import Population

# Compiled programs against eager ones with 16 lanes and more, 2 to 8 qubits: 4 to 10 times (tests/benchmarks/speed.py).
COMPILED_GAIN = 4.0
LANES = 16
REPETITIONS = 3


def study_seconds(study: Study, sizes: Mapping[Placement, int], compiled: bool) -> float | None:
    """Seconds of all trials of a study, a population on a processor like this one, to within a factor of 2 or so.

    GAN iterations and evaluations of a small eager population are timed, the fastest of a few counts. None where that
    would cost shots on a device, or computes elsewhere than on a CPU.

    Raises:
        QsynthError: the engine can't be made here, or the data can't be used.
    """
    if study.trial.engine.shots is not None or any(kind.gpus for kind in sizes):
        return None
    instance = study.data.instance(0, held_out=True)
    lanes = min(LANES, *(kind.n_lanes for kind in sizes))
    population = Population(study.trial, instance.n_features, instance.n_classes, lanes)
    population.reset(range(lanes), [instance] * lanes, list(range(lanes)))
    population.evaluate()  # calibrates, which is done once an instance
    per_iteration = _fastest(lambda: population.advance(1)) / lanes
    per_evaluation = _fastest(population.evaluate) / lanes
    episode, gain = study.episode, COMPILED_GAIN if compiled else 1.0
    per_trial = (episode.n_decisions + 1) * per_evaluation + study.iterations_per_run * per_iteration
    return study.budget.n_trials * per_trial / gain / sum(sizes.values())


def _fastest(work: Callable[[], object]) -> float:
    """CPU seconds; what other processes do to the caches in between makes only some of the repetitions slower."""
    seconds = []
    for _ in range(REPETITIONS):
        began = time.process_time()
        work()
        seconds.append(time.process_time() - began)
    return min(seconds)


def describe_seconds(seconds: float | None) -> str:
    """Such an estimate for people, rounded as coarsely as it is known."""
    if seconds is None:
        return "in a time that depends on the device"
    if seconds < 90:
        return f"about {max(1, round(seconds / 10)) * 10} s"
    if seconds < 90 * 60:
        return f"about {seconds / 60:.0f} min"
    return f"about {seconds / 3600:.1f} h"
