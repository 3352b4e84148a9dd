"""From how many qubits on which engine is faster, as measured here: what ``engine: auto`` goes by.

    python -m tests.benchmarks.crossover --out tests/benchmarks/results/crossover.json

Milliseconds of CPU time to execute a circuit for a batch of inputs (<Z> of every wire), and to get its gradient
for weights and inputs too, on one core: 3 layers of ``strongly_entangling``, batches of 1, 8 and 64, one lane and 16.
The statevector engine executes lanes and rows as one program, eagerly; PennyLane's devices one row after the other, as
the device engine calls them, but default.qubit with backpropagation takes a batch by broadcasting. With finite shots
the gradient is by parameter shift and is measured for a batch of 1 alone. A row costs the same in any batch on devices
that take one at a time, so those are measured with 1 and multiplied: such rows say ``"scaled": true``.
"""

import argparse
import functools
import time
import warnings
from collections.abc import Callable
from typing import Any

import pennylane as qp
import torch
from torch import Tensor
from torch.func import grad, vmap

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.statevector import MAX_QUBITS, StatevectorEngine
from tests.benchmarks import machine

ANSATZ, LAYERS, SHOTS = "strongly_entangling", 3, 1000
CASES = ((1, 1), (8, 1), (64, 1), (1, 16), (8, 16), (64, 16))  # batch, lanes
LARGEST = {"default.qubit": 16, "lightning.qubit": 20, "default.qubit, shots": 12, "lightning.qubit, shots": 12}
LIMIT_MS, STATE_COPIES, MAX_BYTES = 20_000.0, 60, 8 << 30


def cpu_ms(call: Callable[[], Any]) -> float:
    """Of one call: the best of three rounds of at least 0.2 s, after one to warm up."""
    call()
    best = float("inf")
    for _ in range(3):
        count, began = 0, time.process_time()
        while (spent := time.process_time() - began) < 0.2 or not count:
            call()
            count += 1
        best = min(best, 1e3 * spent / count)
        if spent > 5:
            break
    return best


def inputs(n_qubits: int, batch: int, lanes: int) -> tuple[Tensor, Tensor]:
    """Angles (lanes x batch x qubits) and weights (lanes x layers x ...)."""
    torch.manual_seed(n_qubits)
    return torch.randn(lanes, batch, n_qubits), torch.randn(lanes, LAYERS, ANSAETZE[ANSATZ].n_layer_weights(n_qubits))


def statevector(n_qubits: int, batch: int, lanes: int) -> dict[str, Any]:
    """This project's engine."""
    engine, on = StatevectorEngine(ANSAETZE[ANSATZ], n_qubits, LAYERS), torch.ones(LAYERS)
    angles, weights = inputs(n_qubits, batch, lanes)

    def run(x: Tensor, w: Tensor) -> Tensor:
        return engine.expectations(x, w, on)

    differentiate = vmap(grad(lambda x, w: run(x, w).sum(), argnums=(0, 1)))
    return {
        "ms": cpu_ms(lambda: vmap(run)(angles, weights)),
        "ms_gradient": cpu_ms(lambda: differentiate(angles, weights)),
    }


@functools.cache
def device(name: str, n_qubits: int, batch: int, lanes: int, shots: int | None) -> dict[str, Any]:
    """A PennyLane device."""
    ansatz = ANSAETZE[ANSATZ]
    method = "parameter-shift" if shots else {"default.qubit": "backprop", "lightning.qubit": "adjoint"}[name]
    broadcast = method == "backprop"
    if not broadcast and (batch, lanes) != (1, 1):
        one = device(name, n_qubits, 1, 1, shots)
        return {what: value * batch * lanes for what, value in one.items()} | {"scaled": True}

    @qp.qnode(qp.device(name, wires=n_qubits), interface="torch", diff_method=method)
    def circuit(x: Tensor, w: Tensor) -> Any:
        qp.AngleEmbedding(x, wires=range(n_qubits), rotation="X")
        for index in range(LAYERS):
            ansatz.layer(index, x, w[index], n_qubits)
        return [qp.expval(qp.Z(wire)) for wire in range(n_qubits)]

    node = qp.set_shots(circuit, shots=shots) if shots else circuit
    [angles], [weights] = inputs(n_qubits, batch, 1)
    rows = angles if broadcast else angles[0]

    def run() -> Any:
        with torch.no_grad():
            return node(rows, weights)

    def differentiate() -> Any:
        given = rows.clone().requires_grad_(), weights.clone().requires_grad_()
        return torch.autograd.grad(torch.stack(list(node(*given))).sum(), given)

    found = {"ms": cpu_ms(run), "ms_gradient": cpu_ms(differentiate)}
    return {what: value * lanes for what, value in found.items()} | ({"scaled": True} if lanes > 1 else {})


def measure(name: str, n_qubits: int, batch: int, lanes: int) -> dict[str, Any]:
    """One case; a reason where it is left out."""
    if name == "statevector":
        needed = lanes * batch * STATE_COPIES * 8 << n_qubits
        if needed > MAX_BYTES:
            return {"skipped": f"about {needed >> 30} GiB"}
        return statevector(n_qubits, batch, lanes)
    shots = SHOTS if name.endswith("shots") else None
    if name == "default.qubit" and batch * 60 * 16 << n_qubits > MAX_BYTES:
        return {"skipped": f"about {batch * 60 * 16 << n_qubits >> 30} GiB"}
    return device(name.partition(",")[0], n_qubits, batch, lanes, shots)


def crossovers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each case and quantity: the qubit numbers at which each engine is the fastest of its kind."""
    found = []
    for batch, lanes in CASES:
        for what in ("ms", "ms_gradient"):
            for kind, chosen in (("analytic", False), (f"{SHOTS} shots", True)):
                of_kind = [
                    row
                    for row in rows
                    if (row["batch"], row["lanes"]) == (batch, lanes)
                    and row["engine"].endswith("shots") == chosen
                    and what in row
                ]
                fastest: dict[str, list[int]] = {}
                for n_qubits in sorted({row["n_qubits"] for row in of_kind}):
                    best = min((row for row in of_kind if row["n_qubits"] == n_qubits), key=lambda row: row[what])
                    fastest.setdefault(best["engine"], []).append(n_qubits)
                found.append({"batch": batch, "lanes": lanes, "quantity": what, "kind": kind, "fastest": fastest})
    return found


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    parser.add_argument("--qubits", nargs="+", type=int, default=list(range(2, 21, 2)))
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    hopeless: set[tuple[str, int, int]] = set()
    for n_qubits in asked.qubits:
        for name, largest in ({"statevector": MAX_QUBITS} | LARGEST).items():
            for batch, lanes in CASES:
                if n_qubits > largest or (name, batch, lanes) in hopeless:
                    continue
                if name.endswith("shots") and (batch, lanes) != (1, 1):
                    continue
                row = {"engine": name, "n_qubits": n_qubits, "batch": batch, "lanes": lanes}
                row |= measure(name, n_qubits, batch, lanes)
                if row.get("ms_gradient", 0.0) > LIMIT_MS and not row.get("scaled"):
                    hopeless.add((name, batch, lanes))
                rows.append(row)
                print(row, flush=True)
    machine.write(asked.out, {"benchmark": "crossover", "rows": rows, "crossovers": crossovers(rows)})


if __name__ == "__main__":
    main()
