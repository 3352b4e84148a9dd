"""Which engine executes a study's circuits, and why."""

import os
from collections.abc import Sequence
from typing import NamedTuple

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.device import PennyLaneEngine, has_device, known_devices, why_not
from qsynth.circuits.noise import DEVICE as NOISY
from qsynth.circuits.options import DeviceOptions
from qsynth.circuits.readout import PauliWords
from qsynth.circuits.sampling import MAX_SHOTS
from qsynth.circuits.statevector import MAX_QUBITS, StatevectorEngine, check_size, human_bytes, statevector_bytes
from qsynth.circuits.vendors import FAKE, HARDWARE, PLUGINS
from qsynth.errors import DeviceError, MemoryLimitError, StudyError, did_you_mean

AUTO, STATEVECTOR, GPU = "auto", "statevector", "lightning.gpu"


class EngineConfig(DeviceOptions):
    """``auto``, ``statevector``, or the name of a PennyLane device such as ``lightning.qubit``.

    Attributes:
        fallback: whether a device that can't be used here is replaced by what ``auto`` would choose; otherwise the
            study insists on it.
    """

    name: str = AUTO
    fallback: bool = False

    @property
    def is_remote(self) -> bool:
        """Whether circuits leave this machine, for one that is scarce or billed."""
        return self.name in HARDWARE and not (self.backend or "").startswith(FAKE)

    @property
    def needs_qpu(self) -> bool:
        """Whether two trials must not use the device at the same time."""
        return self.name in HARDWARE


class EngineChoice(NamedTuple):
    """The engine's name, and the reason in words."""

    name: str
    reason: str


def choose(config: EngineConfig, n_qubits: int) -> EngineChoice:
    """The engine that a study with ``n_qubits`` qubits gets.

    Raises:
        QsynthError: an unknown device, shots that the statevector engine can't draw, noise on a noiseless one, or more
            memory than the machine has.
    """
    if config.noise is not None:
        if config.name not in (AUTO, NOISY):
            raise StudyError(f"engine.noise needs engine {NOISY}, or auto; got {config.name!r}")
        _check_memory(2 * n_qubits)
        return EngineChoice(NOISY, "the study asks for noise")
    if config.name == AUTO:
        return _automatic(config, n_qubits)
    if config.name == STATEVECTOR:
        check_size(n_qubits)
        _check_shots(config)
        return EngineChoice(STATEVECTOR, "the study asks for it")
    if not has_device(config.name) and not (config.fallback and config.name in PLUGINS):
        names = [AUTO, STATEVECTOR, *known_devices(), *PLUGINS]
        install = f" Install it with: pip install {PLUGINS[config.name]}" if config.name in PLUGINS else ""
        raise DeviceError(
            f"engine must be a PennyLane device here; got {config.name!r}.{install or did_you_mean(config.name, names)}"
        )
    if config.fallback:
        reason = why_not(config.name, n_qubits, config)
        if reason is not None:
            chosen = _automatic(config, n_qubits)
            return EngineChoice(chosen.name, f"{config.name} can't be used here ({reason}); {chosen.reason}")
    if not config.is_remote:
        _check_memory(2 * n_qubits if config.name == NOISY else n_qubits)
    return EngineChoice(config.name, "the study asks for it")


def _automatic(config: EngineConfig, n_qubits: int) -> EngineChoice:
    """By ``tests/benchmarks/results/crossover.json``: values and gradients of batches from 8 rows are fastest on the
    statevector engine at nearly every size that it takes (gradients at 2 qubits and the largest batches at 16 are not,
    by a little), exact or with shots; only single rows below 8 qubits are not."""
    # A study that asks for shots and for a differentiation wants its gradients from shots too.
    if n_qubits <= MAX_QUBITS and (config.shots is None or config.differentiation == "best"):
        _check_shots(config)
        how = "analytic" if config.shots is None else f"{config.shots} shots"
        return EngineChoice(STATEVECTOR, f"{n_qubits} qubits, {how}: measured fastest up to {MAX_QUBITS} qubits")
    _check_memory(n_qubits)
    if config.shots is not None:
        return EngineChoice("default.qubit", f"the study asks for {config.shots} shots")
    above = f"{n_qubits} qubits are above the statevector engine's {MAX_QUBITS}"
    reason = why_not(GPU, n_qubits, DeviceOptions())
    if reason is None:
        return EngineChoice(GPU, above)
    return EngineChoice("lightning.qubit", f"{above}, and {GPU} can't be used here ({reason})")


def build(
    config: EngineConfig,
    ansatz: str,
    n_qubits: int,
    n_layers: int,
    readout: str | PauliWords = "z",
    encoder: str | None = None,
    patterns: Sequence[str] = (),
) -> StatevectorEngine | PennyLaneEngine:
    """The chosen engine for an ansatz with at most ``n_layers`` layers; ``encoder`` None is the ansatz's own.

    Args:
        patterns: ansaetze of further patterns (:meth:`Ansatz.with_patterns`); ``n_layers`` counts each pattern.
    """
    name = choose(config, n_qubits).name
    template = ANSAETZE[ansatz].encoded(encoder).with_patterns([ANSAETZE[pattern] for pattern in patterns])
    if name == STATEVECTOR:
        return StatevectorEngine(template, n_qubits, n_layers, readout=readout, shots=config.shots)
    return PennyLaneEngine(template, n_qubits, n_layers, name, config, readout)


def _check_shots(config: EngineConfig) -> None:
    """Of the statevector engine."""
    if config.shots is None:
        return
    if config.shots > MAX_SHOTS:
        raise StudyError(
            f"shots must be at most {MAX_SHOTS:,} on the statevector engine, which draws each; got {config.shots:,}. "
            f"Without shots it is exact"
        )
    if config.differentiation != "best":
        raise StudyError(
            f"differentiation must be 'best' on the statevector engine with shots, whose gradients are exact; got "
            f"{config.differentiation!r}, which default.qubit has"
        )


def gradient_bytes(n_qubits: int) -> int:
    """Memory of an adjoint gradient of <Z> on every qubit: about 16 * 2^n * (observables + 3) bytes."""
    return statevector_bytes(n_qubits) * (n_qubits + 3)


def machine_bytes() -> int:
    """Memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _check_memory(n_qubits: int) -> None:
    needed, present = gradient_bytes(n_qubits), machine_bytes()
    if needed > present:
        raise MemoryLimitError(
            f"n_qubits must fit in memory; got {n_qubits}, whose gradient takes {human_bytes(needed)} "
            f"({human_bytes(statevector_bytes(n_qubits))} a state) of this machine's {human_bytes(present)}"
        )
