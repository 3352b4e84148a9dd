"""The memory estimate against what a process really takes."""

import subprocess
import sys
from pathlib import Path

import pytest

from qsynth.circuits.engine import machine_bytes
from qsynth.population.memory import population_bytes
from qsynth.population.trial import TrialConfig

MEASURE = """
import re, sys
from pathlib import Path
from qsynth.data.gaussian import GaussianFamily
from qsynth.population.population import Population
from qsynth.population.trial import TrialConfig

config = TrialConfig.model_validate_json(sys.argv[1])
population = Population(config, 1, 1, 8)
instance = GaussianFamily().instance(0, held_out=False)
population.reset(range(8), [instance] * 8, range(8))

def status(what):  # not getrusage, whose peak a child inherits from a larger parent
    return 1024 * int(re.search(what + ": *([0-9]+)", Path("/proc/self/status").read_text().replace("\\t", " "))[1])

before = status("VmRSS")
population.advance(1)
print(status("VmHWM") - before)
"""


def config(sizes: dict[str, int] | None = None, **changes: object) -> TrialConfig:
    sizes = {"n_layers": 3, "batch_size": 32, "n_critic": 3, "critic_width": 8, "latent_dim": 2} | (sizes or {})
    score = {"diversity": 0, "balance": 0, "utility": 0, "n_rows": 64}
    return TrialConfig.model_validate({"capacity": sizes, "defaults": sizes, "score": score, **changes})


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize(
    "made",
    [
        config(n_qubits=11, ansatz="strongly_entangling"),
        config(n_qubits=11, ansatz="data_reuploading"),
        config(n_qubits=11, ansatz="iqp"),
        config({"critic_width": 128, "critic_layers": 8, "batch_size": 2048}, n_qubits=2),
        config({"critic_width": 128, "batch_size": 2048}, n_qubits=2, critic={"kind": "conv"}),
        config({"vae_width": 256, "vae_layers": 4, "batch_size": 1024}, n_qubits=2, generator={"kind": "vae"}),
    ],
    ids=["strongly_entangling", "data_reuploading", "iqp", "mlp", "conv", "vae"],
)
def test_the_estimate_is_about_what_is_taken(made: TrialConfig) -> None:
    command = [sys.executable, "-c", MEASURE, made.model_dump_json()]
    taken = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert 0.6 < population_bytes(made, 1, 1, 100, 8) / taken < 2


def test_lanes_and_the_qnn_count() -> None:
    one = population_bytes(config(n_qubits=10), 1, 1, 100, 1)
    assert population_bytes(config(n_qubits=10), 1, 1, 100, 7) == 7 * one
    assert one == pytest.approx(2 * population_bytes(config(n_qubits=9), 1, 1, 100, 1), rel=0.01)
    # From 11 on, layers are three matrices on groups of five wires instead of two, and each keeps a state.
    assert 2 * one < population_bytes(config(n_qubits=11), 1, 1, 100, 1) < 3 * one
    with_qnn = config(n_qubits=10, score={"utility": 1, "n_rows": 64})
    assert population_bytes(with_qnn, 1, 2, 100, 1) > one
    assert population_bytes(with_qnn, 1, 1, 100, 1) == one
    one_circuit, networks = 16 * 1024 * 13, 50_000
    on_device = population_bytes(config(n_qubits=10, engine={"name": "lightning.qubit"}), 1, 1, 100, 1)
    assert one_circuit < on_device < one_circuit + networks


def test_this_machine_has_memory() -> None:
    assert machine_bytes() > 2**28
