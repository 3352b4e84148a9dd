"""What a user should know of a study's circuit."""

from cluster.study.study import Study
from qsynth.circuits.structure import MAX_QUBITS_SAMPLED, Structure
from qsynth.population.inspection import has_circuit, inspect


def structure(study: Study) -> Structure:
    """The structure of the study's circuit, for its data.

    Raises:
        QsynthError: the data can't be read, or doesn't fit the circuit.
    """
    instance = study.data.instance(0, held_out=True)
    return inspect(study.trial, instance.n_features, instance.n_classes)


def remarks(found: Structure) -> list[str]:
    """What a circuit's user should know, a line each."""
    if found.dead is None:
        return [f"effects and outputs are looked at up to {MAX_QUBITS_SAMPLED} qubits; got {found.n_qubits}"]
    return list(found.warnings)


def circuit_remarks(study: Study) -> list[str]:
    """The same of a study's circuit, if its generator has one."""
    return (
        remarks(structure(study)) if has_circuit(study.trial) else [f"generator {study.trial.generator.kind} has none"]
    )
