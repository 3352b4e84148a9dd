"""A GPU against a CPU core: ``pytest tests/benchmarks/test_gpu.py -o addopts=""``.

A GAN iteration of whole populations; and of PennyLane's simulators the time of an adjoint gradient of the sum of <Z> on
all wires, 3 layers, one row. Where a GPU, or memory for the state on
either side, is missing, a case is skipped with the reason. ``--benchmark-json FILE`` keeps the numbers.
"""

import shutil
import subprocess
from typing import Any

import pennylane as qp
import pytest
import torch
from pennylane import numpy as np

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.engine import gradient_bytes, machine_bytes
from tests.benchmarks.peers.population import PopulationPeer

pytestmark = [pytest.mark.benchmark, pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(900)]
ANSATZ, LAYERS = ANSAETZE["strongly_entangling"], 3


def gpu_bytes() -> int:
    """Free memory of the first GPU; 0 without one."""
    if shutil.which("nvidia-smi") is None:
        return 0
    command = ["nvidia-smi", "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(said.stdout.split()[0]) << 20 if said.returncode == 0 and said.stdout.strip() else 0


def made(name: str, n_qubits: int) -> Any:
    """A device that is present and has the memory."""
    on_gpu = name == "lightning.gpu"
    if on_gpu:
        pytest.importorskip("pennylane_lightning.lightning_gpu", reason="pennylane-lightning-gpu is not installed")
    free = gpu_bytes() if on_gpu else machine_bytes()
    if on_gpu and not free:
        pytest.skip("no CUDA GPU here")
    if gradient_bytes(n_qubits) > free:
        pytest.skip(f"the gradient takes {gradient_bytes(n_qubits) >> 30} GiB of {free >> 30} GiB")
    try:
        return qp.device(name, wires=n_qubits)
    except Exception as error:  # lightning.gpu's constructor raises anything when CUDA's libraries do not fit
        pytest.skip(f"{name} can't be made here: {error}")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU")
@pytest.mark.parametrize(("place", "n_lanes"), [("cpu", 64), *(("cuda", 4**power) for power in range(3, 8))])
def test_population(benchmark, place: str, n_lanes: int) -> None:  # type: ignore[no-untyped-def]
    """Trial-iterations per second on 4 qubits; compiled on one CPU core, as CUDA graphs on the GPU."""
    torch.set_num_threads(1)
    with torch.device(place):
        made = PopulationPeer(place == "cpu", 4, n_lanes)
    made.iterate(3)
    benchmark.pedantic(made.iterate, args=(10,), rounds=5)  # it ends with its statistics on the CPU
    benchmark.extra_info["trial_iterations_per_s"] = 10 * n_lanes / benchmark.stats["median"]


@pytest.mark.parametrize("n_qubits", range(12, 29, 2))
@pytest.mark.parametrize("name", ["lightning.qubit", "lightning.gpu"])
def test_adjoint_gradient(benchmark, name: str, n_qubits: int) -> None:  # type: ignore[no-untyped-def]
    if gpu_bytes() == 0:
        pytest.skip("no CUDA GPU here, so there is nothing to compare with")

    @qp.qnode(made(name, n_qubits), diff_method="adjoint")
    def circuit(weights: Any) -> Any:
        qp.AngleEmbedding([0.1] * n_qubits, wires=range(n_qubits))
        for index in range(LAYERS):
            ANSATZ.layer(index, None, weights[index], n_qubits)
        return qp.expval(qp.sum(*(qp.Z(wire) for wire in range(n_qubits))))

    shape = LAYERS, ANSATZ.n_layer_weights(n_qubits)
    weights = np.array(np.random.default_rng(0).normal(size=shape), requires_grad=True)
    differentiate = qp.grad(circuit)
    benchmark.pedantic(differentiate, args=(weights,), rounds=3, warmup_rounds=1)
    benchmark.extra_info["n_qubits"] = n_qubits
    assert differentiate(weights).shape == shape
