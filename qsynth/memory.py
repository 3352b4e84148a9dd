"""How much memory a population takes, estimated before it is made."""

import os

from qsynth.circuits import engine as engines
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.trial import TrialConfig


def machine_bytes() -> int:
    """Memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def population_bytes(config: TrialConfig, n_features: int, n_classes: int, n_train: int, n_lanes: int) -> int:
    """Memory that circuits' states take at most, in one population; exact to about a third.

    Args:
        n_features: of the data, scaled.
        n_classes: of the data.
        n_train: real rows that a trial learns from.
    """
    capacity, score = config.capacity, config.score
    circuit = engines.build(config.engine, config.ansatz, config.n_qubits, capacity.n_layers, config.readout)
    if isinstance(circuit, StatevectorEngine):
        fake = max(capacity.n_critic * capacity.batch_size, score.n_rows)
        trial = max(circuit.state_bytes(capacity.batch_size, True), circuit.state_bytes(fake, False))
    else:
        trial = engines.gradient_bytes(config.n_qubits)  # one circuit at a time
    if score.utility and n_classes > 1:
        n_qubits = config.qnn_qubits(n_features, n_classes)
        qnn = engines.build(engines.EngineConfig(), config.qnn.ansatz, n_qubits, config.qnn.n_layers)
        if isinstance(qnn, StatevectorEngine):
            trial = max(trial, config.qnn.n_starts * qnn.state_bytes(n_train + score.n_rows, True))
    return n_lanes * trial
