"""How each vendor's PennyLane plugin is told which machine to use.

Credentials are the vendor's own: an account saved with qiskit-ibm-runtime, ``IONQ_API_KEY``, the AWS configuration.
"""

import os
from collections.abc import Callable
from typing import Any

from qsynth.errors import DeviceError, StudyError, did_you_mean

FAKE = "Fake"
IONQ_KEY = "IONQ_API_KEY"


def plugin_arguments(device: str, backend: str | None, account: str | None) -> dict[str, Any]:
    """Keyword arguments of ``qp.device(device, ...)`` for a vendor's machine or simulator.

    Args:
        backend: ``FakeManilaV2`` (a recorded IBM processor), ``ibm_torino``, ``aria-1``, ``braket_dm``, a device ARN.
        account: name under which qiskit-ibm-runtime has saved an account; left out: its default one.

    Raises:
        QsynthError: a backend for a device that takes none, none for one that needs it, or an unknown one.
    """
    if account is not None and device != "qiskit.remote":
        raise StudyError(f"engine.account must be left out on {device}; got {account!r}")
    if device == "qiskit.remote":
        if backend is None:
            raise StudyError("engine.backend must name a processor on qiskit.remote, e.g. FakeManilaV2 or ibm_torino")
        return {"backend": _recorded(backend) if backend.startswith(FAKE) else _ibm(backend, account)}
    if device.startswith("ionq.") and not os.environ.get(IONQ_KEY):
        raise DeviceError(f"engine {device} needs an API key in the environment variable {IONQ_KEY}")
    if backend is None:
        return {}
    if device not in BACKENDS:
        raise StudyError(f"engine.backend must be left out on {device}; got {backend!r}")
    return BACKENDS[device](backend)


def machine_qubits(arguments: dict[str, Any]) -> int | None:
    """Qubits of the machine in a plugin's arguments, where they say."""
    return getattr(arguments.get("backend"), "num_qubits", None)


def _recorded(name: str) -> Any:
    """A processor as IBM recorded it: its coupling map, gates and errors."""
    from qiskit_ibm_runtime import fake_provider

    known = [each for each in dir(fake_provider) if each.startswith(FAKE) and each != "FakeProviderForBackendV2"]
    if name not in known:
        raise StudyError(f"engine.backend must be a recorded processor; got {name!r}.{did_you_mean(name, known)}")
    return getattr(fake_provider, name)()


def _ibm(name: str, account: str | None) -> Any:
    from qiskit_ibm_runtime import QiskitRuntimeService

    return QiskitRuntimeService(name=account).backend(name)


def _aer(backend: str) -> dict[str, Any]:
    """Aer's simulator with a recorded processor's errors, which belong to that processor's own gates."""
    if not backend.startswith(FAKE):
        return {"backend": backend}
    from qiskit_aer.noise import NoiseModel

    processor = _recorded(backend)
    model = NoiseModel.from_backend(processor)
    return {"noise_model": model, "basis_gates": model.basis_gates}


BACKENDS: dict[str, Callable[[str], dict[str, Any]]] = {
    "qiskit.aer": _aer,
    "qiskit.basicsim": lambda backend: {"backend": backend},
    "braket.local.qubit": lambda backend: {"backend": backend},
    "braket.aws.qubit": lambda backend: {"device_arn": backend},
    "ionq.simulator": lambda backend: {"noise_model": backend},
    "ionq.qpu": lambda backend: {"backend": backend},
}
# Machines behind these are scarce or billed: two trials must not share one.
HARDWARE = ("qiskit.remote", "braket.aws.qubit", "ionq.qpu")
# What installs the devices that are not there without it.
PLUGINS = {
    "lightning.gpu": "'.[gpu]'",
    "qiskit.aer": "'.[ibm]'",
    "qiskit.basicsim": "'.[ibm]'",
    "qiskit.remote": "'.[ibm]'",
    "braket.local.qubit": "'.[braket]'",
    "braket.aws.qubit": "'.[braket]'",
    "ionq.simulator": "'.[ionq]'",
    "ionq.qpu": "'.[ionq]'",
}
