"""Packages with a plugin, as pip would install them, for tests."""

from pathlib import Path

ANSATZ = """
import pennylane as qp
from qsynth import ANSAETZE, Ansatz


def layer(_index, _inputs, weights, n_qubits):
    for wire in range(n_qubits):
        qp.RY(weights[wire], wires=wire)
    for wire in range(n_qubits - 1):
        qp.CZ(wires=[wire, wire + 1])
    for wire in range(n_qubits):
        qp.RX(weights[wire], wires=wire)


ANSAETZE.register("mine")(Ansatz(name="mine", layer=layer, n_layer_weights=lambda n_qubits: n_qubits))
"""


def install(folder: Path, name: str, code: str, entry: str | None = None) -> None:
    """Put a distribution ``name`` 1.0 with one module into ``folder``, which is to be on Python's path.

    Args:
        entry: what the entry point names; left out: the module.
    """
    (folder / f"{name}.py").write_text(code)
    about = folder / f"{name}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[qsynth.plugins]\n{name} = {entry or name}\n")
    (about / "RECORD").write_text("")
