"""What others published of their quantum generators, beside what ours do on the same problems.

    python -m tests.benchmarks.outside --out tests/benchmarks/results/outside.json

- ``payoff``: a generator that qiskit-finance trained, angles and all, in our two engines.
- ``binomial``: issue 1452 of qiskit-aqua: binomial(3, 1/2) from 1,000 samples on two qubits.
- ``loading``: log-normal, triangular and bimodal on three qubits, 20,000 samples [Zoufal, Lucchi & Woerner 2019].
- ``style``: the 3-D normal distribution of Bravo-Prieto et al. 2022, with their kind of circuit: three qubits, every
  angle affine in the noise; covariance [[.5, .1, .25], [.1, .5, .1], [.25, .1, .5]] / 16, 10,000 samples.

Ten seeds each (a seed is another sample and another start), lanes of one population; validation rows choose the moment,
the law itself reports. ``loading`` accepts what Zoufal et al. accept: 500 generated values whose Kolmogorov-Smirnov
distance to 500 of the data is at most 0.0859, the 95 % bound. Beside each stands the classical generator of the same
number of parameters, which learns in the same way; its numbers are rounded to the grid.

The binomial and ``style`` learn without a critic, by energy distance (``loss: energy``); ``loading`` has a critic:
20,000 training rows in every iteration would take an hour.

``style`` reports relative entropies per axis of histograms of 100 bins on [-1, 1], 100,000 rows each, where an empty
bin counts as a hundredth of a row; they move several-fold with bins and rows, so Kolmogorov-Smirnov distances stand
beside them, and what a second real sample would get.

Learning rates and lengths were chosen on training seeds 100 and up; reported are held-out seeds 0 to 9. Writes the JSON
file and the tables beside it, each with what was not beaten.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats

from qsynth.circuits.device import PennyLaneEngine
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.data.dataset import Instance, Split, instance_key, instance_stream
from qsynth.data.discrete import Bimodal, Binomial, DiscreteData, LogNormal, Triangular
from qsynth.data.scaling import Scaling
from qsynth.population.population import Population
from qsynth.population.trial import TrialConfig
from tests.benchmarks import machine
from tests.benchmarks.outside_tables import BOUND, markdown
from tests.benchmarks.training import classical_twin, closest, n_parameters, sampled, train
from tests.qsynth.circuits import qiskit_finance

SEEDS = tuple(range(10))
FIRST_START = 500
LOADED = (LogNormal(), Triangular(), Bimodal())
N_COMPARED = 500
COVARIANCE = np.array([[0.5, 0.1, 0.25], [0.1, 0.5, 0.1], [0.25, 0.1, 0.5]]) / 16
N_TRAIN, N_ROWS, N_BINS = 10_000, 100_000, 100
FIDELITY_ONLY = {"kind": "untrained", "diversity": 0.0, "balance": 0.0, "utility": 0.0, "n_rows": 4096}
SHARED = {"beta1": 0.5, "n_critic": 3, "weight_average": 0.9}
N_STEPS, EVERY, DECAY = 600, 50, 0.1

Floats = NDArray[np.float64]


def without_critic(trial: TrialConfig) -> TrialConfig:
    """The same generator, trained by energy distance."""
    batch = {"batch_size": 128}
    defaults = trial.defaults.model_dump() | batch | {"lr_generator": 0.03, "weight_average": 0.98}
    return trial.replaced(loss="energy", capacity=trial.capacity.model_dump() | batch, defaults=defaults)


def born(n_qubits: int, n_layers: int) -> TrialConfig:
    """A Born machine, and how it is trained."""
    capacity = {"latent_dim": 1, "n_layers": n_layers, "critic_width": 32, "batch_size": 128, "n_critic": 3}
    defaults = SHARED | {
        "latent_dim": 1,
        "n_layers": n_layers,
        "batch_size": 128,
        "lr_generator": 0.01,
        "lr_critic": 0.03,
    }
    return TrialConfig.model_validate(
        {
            "n_qubits": n_qubits,
            "ansatz": "ry_rx_cnot",
            "encoder": "angle_y",
            "generator": {"kind": "born"},
            "capacity": capacity,
            "defaults": defaults,
            "score": FIDELITY_ONLY,
        }
    )


def style() -> TrialConfig:
    """The style generator, and how it is trained."""
    capacity = {"latent_dim": 3, "n_layers": 2, "critic_width": 32, "batch_size": 64, "n_critic": 3}
    defaults = SHARED | {"latent_dim": 3, "n_layers": 2, "batch_size": 64, "lr_generator": 0.03, "lr_critic": 0.01}
    return TrialConfig.model_validate(
        {"n_qubits": 3, "ansatz": "style", "capacity": capacity, "defaults": defaults, "score": FIDELITY_ONLY}
    )


def payoffs() -> list[dict[str, Any]]:
    """The published generator's payoff by both engines."""
    ansatz, n_qubits = qiskit_finance.ANSATZ, qiskit_finance.N_QUBITS
    engines = (
        StatevectorEngine(ansatz, n_qubits, 1, dtype=torch.float64, readout="probabilities"),
        PennyLaneEngine(ansatz, n_qubits, 1, "default.qubit", readout="probabilities"),
    )
    found = [(engine.name, qiskit_finance.payoff(qiskit_finance.probabilities(engine))) for engine in engines]
    return [{"engine": name, "payoff": value, "published": qiskit_finance.PAYOFF} for name, value in found]


def trained(trial: TrialConfig, instances: Sequence[Instance]) -> Population:
    """A lane for each instance, as the validation rows prefer it."""
    population = Population(trial, instances[0].n_features, instances[0].n_classes, len(instances))
    seeds = [FIRST_START + lane for lane in range(len(instances))]
    train(population, instances, seeds, N_STEPS, EVERY, closest, DECAY)
    return population


def loaded(
    trial: TrialConfig, data: Sequence[DiscreteData], held_out: bool, seeds: Sequence[int]
) -> list[dict[str, Any]]:
    """Generators of grid values, a row for each target and seed, all of them lanes of one population."""
    chosen = [(each, seed, each.instance(seed, held_out)) for each in data for seed in seeds]
    population = trained(trial, [instance for _, _, instance in chosen])
    size = n_parameters(trial, 1, 1)
    return [
        {"target": each.target.kind, "generator": trial.generator.kind, "parameters": size, "seed": seed}
        | compared(each, instance, values(population, lane, each, instance))
        for lane, (each, seed, instance) in enumerate(chosen)
    ]


def values(population: Population, lane: int, data: DiscreteData, instance: Instance) -> NDArray[np.int64]:
    """A lane's numbers, rounded to the grid."""
    rows = instance.scaling.inverse(sampled(population, lane, np.zeros(N_ROWS, dtype=np.int64), seed=lane))
    return np.rint(rows[:, 0]).clip(0, data.n_values - 1).astype(np.int64)


def compared(data: DiscreteData, instance: Instance, made: NDArray[np.int64]) -> dict[str, Any]:
    """Generated values (n) with the law, with the training sample, and as Zoufal et al. compare them."""
    law, found = data.probabilities(), shares(made, data)
    seen = shares(np.rint(instance.scaling.inverse(instance.train.x)[:, 0]).astype(np.int64), data)
    other = np.rint(instance.scaling.inverse(instance.test.x)[:N_COMPARED, 0]).astype(np.int64)
    few = float(np.abs(np.cumsum(shares(made[:N_COMPARED], data) - shares(other, data))).max())
    return {
        "ks": float(np.abs(np.cumsum(found - law)).max()),
        "relative_entropy": float(stats.entropy(found, law)),
        "relative_entropy_to_sample": float(stats.entropy(found, seen)) if seen.all() else None,
        "ks_of_500": few,
        "accepted": float(few <= BOUND),
    }


def shares(made: NDArray[np.int64], data: DiscreteData) -> Floats:
    """Of each value of the grid."""
    return np.bincount(made, minlength=data.n_values) / len(made)


def correlated(seed: int, held_out: bool) -> Instance:
    """Samples of the 3-D normal distribution, one class, as they are."""

    def sample(use: int, size: int) -> Split:
        rows = instance_stream(seed, held_out, use).multivariate_normal(np.zeros(3), COVARIANCE, size)
        return Split(rows.astype(np.float32), np.zeros(size, dtype=np.int64))

    train_, reserve, validation, test = (sample(use, N_TRAIN) for use in range(1, 5))
    names = ("x", "y", "z")
    key = instance_key("normal-3d", seed, held_out)
    return Instance(
        key=key,
        train=train_,
        reserve=reserve,
        validation=validation,
        test=test,
        class_names=("all",),
        feature_names=names,
        scaling=Scaling.identity(3),
    )


def styled(trial: TrialConfig, held_out: bool, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Generators of the 3-D normal distribution, a row for each seed."""
    population = trained(trial, [correlated(seed, held_out) for seed in seeds])
    size, labels = n_parameters(trial, 3, 1), np.zeros(N_ROWS, dtype=np.int64)
    return [
        {"generator": trial.generator.kind, "parameters": size, "seed": seed}
        | of_axes(sampled(population, lane, labels, seed=lane))
        for lane, seed in enumerate(seeds)
    ]


def of_axes(rows: Floats) -> dict[str, Any]:
    """Rows (n x 3) with the 3-D normal distribution."""
    real = np.random.default_rng(0).multivariate_normal(np.zeros(3), COVARIANCE, len(rows))
    edges, sd = np.linspace(-1, 1, N_BINS + 1), np.sqrt(np.diag(COVARIANCE))
    correlation = np.corrcoef(rows.T)
    return {
        "relative_entropy": [
            float(stats.entropy(_histogram(real[:, axis], edges), _histogram(rows[:, axis], edges)))
            for axis in range(3)
        ],
        "ks": [float(stats.kstest(rows[:, axis], stats.norm(0, sd[axis]).cdf).statistic) for axis in range(3)],
        "sd": rows.std(axis=0).tolist(),
        "correlation": [float(correlation[pair]) for pair in ((0, 1), (0, 2), (1, 2))],
    }


def _histogram(numbers: Floats, edges: Floats) -> Floats:
    return np.histogram(numbers, edges)[0] + 0.01


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    out: Path = parser.parse_args().out
    torch.set_num_threads(1)
    small, large, correlating = without_critic(born(2, 2)), born(3, 3), without_critic(style())
    coins = [DiscreteData(target=Binomial(), n_qubits=2, n_train=1000)]
    targets = [DiscreteData(target=target) for target in LOADED]
    second = [{"generator": "real rows", "parameters": 0, "seed": 0} | of_axes(_real())]
    result = {
        "payoff": payoffs(),
        "binomial": [row for trial in _pair(small, 1) for row in loaded(trial, coins, True, SEEDS)],
        "loading": [row for trial in _pair(large, 1) for row in loaded(trial, targets, True, SEEDS)],
        "style": second + [row for trial in _pair(correlating, 3) for row in styled(trial, True, SEEDS)],
    }
    machine.write(out, {"benchmark": "outside"} | result)
    out.with_suffix(".md").write_text(markdown(result))
    print(markdown(result))


def _pair(trial: TrialConfig, n_features: int) -> tuple[TrialConfig, TrialConfig]:
    return trial, classical_twin(trial, n_features, 1)


def _real() -> Floats:
    return np.random.default_rng(1).multivariate_normal(np.zeros(3), COVARIANCE, N_ROWS)


if __name__ == "__main__":
    main()
