"""CPU time of the population: `pytest tests/benchmarks -m benchmark -o addopts=""`.

One GAN iteration is n_critic = 5 critic updates and one generator update of batch 64, circuit of 4 layers, critic
32-32; the peers are the loops that a PennyLane user writes, in the same run.
"""

import pennylane as qp
import pytest
import torch

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.data.gaussian import GaussianFamily
from qsynth.population import Population
from qsynth.trial import TrialConfig

pytestmark = [pytest.mark.benchmark, pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(900)]
SIZES = {"latent_dim": 2, "n_layers": 4, "critic_width": 32, "batch_size": 64, "n_critic": 5}


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("n_lanes", [1, 16, 64])
@pytest.mark.parametrize("n_qubits", [2, 4, 8])
def test_population(benchmark, n_qubits: int, n_lanes: int, compiled: bool) -> None:  # type: ignore[no-untyped-def]
    torch.set_num_threads(1)
    config = TrialConfig.model_validate(
        {
            "n_qubits": n_qubits,
            "capacity": SIZES,
            "defaults": SIZES,
            "score": {"diversity": 0, "balance": 0, "utility": 0},
        }
    )
    population = Population(config, 1, 1, n_lanes, compiled)
    instance = GaussianFamily().instance(0, False)
    population.reset(range(n_lanes), [instance] * n_lanes, range(n_lanes))
    population.advance(2)
    benchmark.pedantic(population.advance, args=(5,), rounds=5)
    benchmark.extra_info["ms_per_trial_iteration"] = 1e3 * benchmark.stats["median"] / 5 / n_lanes


@pytest.mark.parametrize("method", ["default.qubit/backprop", "lightning.qubit/adjoint"])
@pytest.mark.parametrize("n_qubits", [2, 4, 8])
def test_pennylane_loop(benchmark, n_qubits: int, method: str) -> None:  # type: ignore[no-untyped-def]
    torch.set_num_threads(1)
    ansatz, n_layers, batch, n_critic = ANSAETZE["ry_rx_cnot"], 4, 64, 5
    device, _, differentiation = method.partition("/")

    @qp.qnode(qp.device(device, wires=n_qubits), interface="torch", diff_method=differentiation)
    def circuit(angles: torch.Tensor, weights: torch.Tensor) -> object:
        qp.AngleEmbedding(angles, wires=range(n_qubits))
        for index in range(n_layers):
            ansatz.layer(index, angles, weights[index], n_qubits)
        return qp.expval(qp.Z(0))

    linear = torch.nn.Linear(2, n_qubits)
    weights = torch.nn.Parameter(0.1 * torch.randn(n_layers, ansatz.n_layer_weights(n_qubits)))
    critic = torch.nn.Sequential(
        torch.nn.Linear(1, 32),
        torch.nn.LeakyReLU(0.2),
        torch.nn.Linear(32, 32),
        torch.nn.LeakyReLU(0.2),
        torch.nn.Linear(32, 1),
    )
    of_generator = torch.optim.Adam([*linear.parameters(), weights], lr=3e-3, betas=(0.5, 0.9))
    of_critic = torch.optim.Adam(critic.parameters(), lr=3e-3, betas=(0.5, 0.9))

    def fake() -> torch.Tensor:
        return circuit(linear(torch.randn(batch, 2)), weights).float()[:, None]  # type: ignore[no-any-return]

    def iteration() -> None:
        for _ in range(n_critic):
            real, made, mix = 0.2 * torch.randn(batch, 1), fake().detach(), torch.rand(batch, 1)
            between = (mix * real + (1 - mix) * made).requires_grad_()
            [slope] = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
            penalty = torch.relu(slope.norm(dim=1) - 1).square().mean()
            of_critic.zero_grad()
            (critic(made).mean() - critic(real).mean() + penalty).backward()
            of_critic.step()
        of_generator.zero_grad()
        (-critic(fake()).mean()).backward()
        of_generator.step()

    iteration()
    benchmark.pedantic(iteration, rounds=5)
    benchmark.extra_info["ms_per_trial_iteration"] = 1e3 * benchmark.stats["median"]
