"""Somebody's own GAN, whose learning rates the shipped agent moves: does it help there?

    python -m tests.benchmarks.own_loop --out tests/benchmarks/results/own_loop.json

The loop is written as PennyLane's and PyTorch's tutorials write one, and knows nothing of qsynth but three lines: a
:class:`ScheduleAgent`, its ``step``, and the learning rates that come back. A Wasserstein GAN with gradient penalty
learns 200 rows of two moons; its generator is a PennyLane circuit (4 qubits, backpropagation) or a small network. Three
sets of constants, good ones found by a grid on a seed of their own, and ten times lower and higher ones; from each, the
constants to the end, and the agent: alone; told what it can be told of the problem and of the losses; and kept within a
third and three times the constants. What ends is scored on 1,000 fresh rows: 1 - (energy distance / that of untrained
generators). Differences are paired by seed.
"""

import argparse
import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pennylane as qp
import torch
from scipy.stats import trim_mean
from sklearn.datasets import make_moons
from torch import Tensor, nn

from rl_envs.schedule_agent import ScheduleAgent
from tests.benchmarks import machine

N_ROWS, N_TEST, BATCH, N_NOISE = 200, 1000, 32, 2
N_CRITIC, PENALTY = 1, 1.0
GRID = ((0.003, 0.01, 0.03), (0.003, 0.01, 0.03))
GRID_SEED = 1000
STARTS = {"good": 1.0, "ten times lower": 0.1, "ten times higher": 10.0}
LOWEST, HIGHEST = 1e-4, 0.3
ARMS = ("constants", "agent", "agent, told more", "agent, kept near")
# What the loop has of the hyperparameters that the agent knows: no loss but the critic's.
FIXED = {"fidelity_weight": 0.3, "adversarial_weight": 1.0, "diversity_weight": 0.0}
# By the names and on the scales of rl_envs.problem.
PROBLEM = {
    "rows": float(np.log10(N_ROWS) - 2),
    "features": -0.5,
    "classes": -1.0,
    "rarest": 1.0,
    "mixing": -1.0,
    "critic": -1.0,
    "shot_noise": -1.0,
}


class Circuit(nn.Module):
    """Noise to rows: the means of Z on two of four qubits, stretched by a trained factor."""

    def __init__(self, n_qubits: int = 4, n_layers: int = 3) -> None:
        super().__init__()
        device = qp.device("default.qubit", wires=n_qubits)

        @qp.qnode(device, interface="torch", diff_method="backprop")
        def circuit(inputs: Tensor, weights: Tensor) -> list[Any]:
            for layer in range(n_layers):
                for qubit in range(n_qubits):
                    qp.RY(inputs[:, qubit % N_NOISE], wires=qubit)
                    qp.RX(weights[layer, qubit, 0], wires=qubit)
                    qp.RY(weights[layer, qubit, 1], wires=qubit)
                for qubit in range(n_qubits):
                    qp.CNOT(wires=[qubit, (qubit + 1) % n_qubits])
            return [qp.expval(qp.PauliZ(0)), qp.expval(qp.PauliZ(1))]

        self._circuit = circuit
        self.weights = nn.Parameter(0.1 * torch.randn(n_layers, n_qubits, 2))
        self.stretch = nn.Parameter(torch.ones(2))

    def forward(self, z: Tensor) -> Tensor:
        """Rows x 2."""
        return torch.stack(list(self._circuit(z, self.weights)), dim=1).float() * self.stretch


def network() -> nn.Module:
    """Noise to rows without a circuit."""
    return nn.Sequential(nn.Linear(N_NOISE, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 2), nn.Tanh())


GENERATORS: dict[str, Callable[[], nn.Module]] = {"PennyLane": Circuit, "PyTorch": network}


def moons(n: int, seed: int) -> Tensor:
    """Rows in about [-1, 1]."""
    x, _ = make_moons(n, noise=0.08, random_state=seed)
    return torch.tensor((x - np.array([0.5, 0.25])) / 1.7, dtype=torch.float32)


def energy(x: Tensor, y: Tensor) -> float:
    """Energy distance of two samples (Szekely & Rizzo 2013)."""
    return float(2 * torch.cdist(x, y).mean() - torch.cdist(x, x).mean() - torch.cdist(y, y).mean())


def norm(parameters: Any) -> float:
    """Of the gradient."""
    return float(torch.sqrt(sum((each.grad**2).sum() for each in parameters if each.grad is not None)))


def told(arm: str, rates: dict[str, float]) -> dict[str, Any]:
    """What an agent is given besides the learning rates."""
    if arm == "agent, kept near":
        return {"limits": {name: (max(LOWEST, rate / 3), min(HIGHEST, rate * 3)) for name, rate in rates.items()}}
    limits = {"limits": dict.fromkeys(rates, (LOWEST, HIGHEST))}
    return limits | ({"fixed": FIXED, "problem": PROBLEM} if arm == "agent, told more" else {})


def train(
    make: Callable[[], nn.Module], rates: dict[str, float], seed: int, n_decisions: int, n_iterations: int, arm: str
) -> tuple[float, dict[str, list[float]]]:
    """The test score at the end, and the learning rates on the way."""
    torch.manual_seed(seed)
    real, held, test = moons(N_ROWS, seed), moons(N_ROWS, seed + 10_000), moons(N_TEST, seed + 20_000)
    generator, critic = (
        make(),
        nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)),
    )
    with torch.no_grad():
        untrained = energy(generator(torch.randn(N_TEST, N_NOISE)), test)
    optimisers = {
        "lr_generator": torch.optim.Adam(generator.parameters(), rates["lr_generator"], (0.5, 0.9)),
        "lr_critic": torch.optim.Adam(critic.parameters(), rates["lr_critic"], (0.5, 0.9)),
    }
    tuner = ScheduleAgent("default", rates, n_decisions=n_decisions, **told(arm, rates))
    course: dict[str, list[float]] = {name: [] for name in rates}
    for _ in range(n_decisions):
        sums = np.zeros(6)
        for _ in range(n_iterations):
            for _ in range(N_CRITIC):
                x = real[torch.randint(len(real), (BATCH,))]
                fake = generator(torch.randn(BATCH, N_NOISE)).detach()
                between = (x + torch.rand(BATCH, 1) * (fake - x)).requires_grad_()
                [slope] = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
                gap = critic(x).mean() - critic(fake).mean()
                penalty = (torch.relu(slope.norm(dim=1) - 1) ** 2).mean()
                optimisers["lr_critic"].zero_grad()
                loss_critic = -gap + PENALTY * penalty
                loss_critic.backward()
                critic_norm = norm(critic.parameters())
                optimisers["lr_critic"].step()
            optimisers["lr_generator"].zero_grad()
            loss = -critic(generator(torch.randn(BATCH, N_NOISE))).mean()
            loss.backward()
            measured = (
                loss.detach(),
                loss_critic.detach(),
                gap.detach(),
                penalty.detach(),
                norm(generator.parameters()),
                critic_norm,
            )
            sums += np.array([float(value) for value in measured]) / n_iterations
            optimisers["lr_generator"].step()
        with torch.no_grad():
            fake = generator(torch.randn(N_TEST, N_NOISE))
            score = min(1.0, max(0.0, 1 - energy(fake, held) / untrained))
            spread = float(fake.std(dim=0).mean() / real.std(dim=0).mean())
        names = ("loss.generator", "loss.critic", "critic.gap", "critic.penalty")
        names += ("gradient.generator", "gradient.critic")
        for name, optimiser in optimisers.items():
            course[name].append(optimiser.param_groups[0]["lr"])
        if arm != "constants":
            values = tuner.step(
                dict(zip(names, sums, strict=True)) | {"score": score, "utility.fidelity": score, "fake.spread": spread}
            )
            for name, optimiser in optimisers.items():
                optimiser.param_groups[0]["lr"] = values[name]
    with torch.no_grad():
        return 1 - energy(generator(torch.randn(N_TEST, N_NOISE)), test) / untrained, course


def measure(kind: str, n_seeds: int, n_decisions: int, n_iterations: int) -> Iterator[dict[str, Any]]:
    """Constants and the agent from each start."""
    make, began = GENERATORS[kind], time.process_time()
    names = ("lr_generator", "lr_critic")
    grid = {
        rates: train(make, dict(zip(names, rates, strict=True)), GRID_SEED, n_decisions, n_iterations, "constants")[0]
        for rates in itertools.product(*GRID)
    }
    best = dict(zip(names, max(grid, key=lambda rates: grid[rates]), strict=True))
    for start, factor in STARTS.items():
        rates = {name: float(np.clip(rate * factor, LOWEST, HIGHEST)) for name, rate in best.items()}
        scores: dict[str, list[float]] = {arm: [] for arm in ARMS}
        last: dict[str, dict[str, float]] = {}
        for seed, arm in itertools.product(range(n_seeds), ARMS):
            found, course = train(make, rates, seed, n_decisions, n_iterations, arm)
            scores[arm].append(found)
            last[arm] = {name: values[-1] for name, values in course.items()}
        row = {"generator": kind, "start": start, "rates": rates, "last_rates": last, "arms": {}, "scores": scores}
        for arm, each in scores.items():
            gains = np.array(each) - np.array(scores["constants"])
            row["arms"][arm] = {
                "score": round(float(trim_mean(each, 0.25)), 3),
                "gain": round(float(np.median(gains)), 3),
                "better": int((gains > 0).sum()),
            }
        print(kind, start, row["arms"], flush=True)
        yield row
    print(f"{kind}: {time.process_time() - began:.0f} CPU s", flush=True)


def main() -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    parser.add_argument("--generators", nargs="+", choices=GENERATORS, default=list(GENERATORS))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--decisions", type=int, default=20)
    parser.add_argument("--iterations", type=int, default=15, help="GAN iterations of a decision")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    result = {"seeds": asked.seeds, "decisions": asked.decisions, "iterations": asked.iterations}
    rows: list[dict[str, Any]] = []
    for kind in asked.generators:
        for row in measure(kind, asked.seeds, asked.decisions, asked.iterations):
            rows.append(row)
            machine.write(asked.out, {"benchmark": "own_loop", **result, "rows": rows})


if __name__ == "__main__":
    main()
