"""The classical twin is the study's GAN without its circuit, trained as long, and the best of its decisions."""

import numpy as np
import torch

from qsynth.data.gaussian import GaussianFamily
from rl_envs.agents import Hold
from rl_envs.classical_twin import ClassicalTwin
from rl_envs.config import make_tuner
from rl_envs.rollout import Assignment, play
from tests.rl_envs.tiny import environment

LABELS = np.zeros(400, dtype=np.int64)


def longer() -> tuple[ClassicalTwin, GaussianFamily]:
    config = environment(n_decisions=6, iterations_per_decision=25)
    fidelity = {"diversity": 0, "balance": 0, "utility": 0, "novelty": 0, "n_rows": 128}
    config = config.replaced(trial=config.trial.replaced(score=fidelity).model_dump())
    return ClassicalTwin(config), config.data  # type: ignore[return-value]


def test_it_learns_its_instance() -> None:
    twin, data = longer()
    instances = [data.instance(number, held_out=True) for number in range(3)]
    made = [twin.fit(instance, 3).sample(LABELS, 1) for instance in instances]
    missed = [[abs(rows.mean() - each.test.x.mean()) for each in instances] for rows in made]
    assert sum(np.argmin(row) == place for place, row in enumerate(missed)) >= 2, missed


def test_it_is_the_trial_of_its_settings_but_for_the_generator() -> None:
    config = environment(n_decisions=3, iterations_per_decision=4)
    instance = config.data.instance(0, held_out=True)
    trial = config.trial.replaced(generator={"kind": "classical"}, search_space={})
    tuner = make_tuner(config.replaced(trial=trial), 1)
    play(tuner, lambda _: Hold(), [Assignment(instance, 9)], keep="best")
    fitted = ClassicalTwin(config).fit(instance, 9)
    expected = tuner.population.sample(0, torch.ones(400, 1), 7).numpy()
    np.testing.assert_array_equal(fitted.sample(LABELS, 7), expected)
    assert np.abs(fitted.sample(LABELS, 8) - expected).max() > 1e-3
    circuit = make_tuner(config, 1).population.generator.layout.size
    assert abs(fitted.population.generator.layout.size - circuit) <= circuit / 2


def test_it_is_the_best_of_its_decisions() -> None:
    config = environment(n_decisions=3, iterations_per_decision=4)
    trial = config.trial.replaced(generator={"kind": "classical"}, search_space={})
    tuner, kept, best = make_tuner(config.replaced(trial=trial), 1), [], []
    for seed in range(6):
        instance = config.data.instance(seed, held_out=True)
        [episode] = play(tuner, lambda _: Hold(), [Assignment(instance, seed)])
        best.append(4 * (1 + int(np.argmax(episode.scores[1:]))))
        kept.append(int(ClassicalTwin(config).fit(instance, seed).population.iterations[0]))
    assert kept == best
    assert min(best) < 12
