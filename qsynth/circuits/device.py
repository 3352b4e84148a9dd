"""Any PennyLane device as an engine: simulators, noise models, hardware."""

import functools
import hashlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import Any

import numpy as np
import pennylane as qp
import torch
from cachetools import LRUCache
from torch import Tensor

from qsynth.circuits.ansatz import Ansatz
from qsynth.circuits.bridge import Expectations
from qsynth.circuits.ledger import Ledger
from qsynth.circuits.options import DeviceOptions
from qsynth.circuits.program import GATES
from qsynth.circuits.readout import PauliWords, find_readout
from qsynth.circuits.spend import Spend
from qsynth.circuits.vendors import machine_qubits, plugin_arguments
from qsynth.errors import DeviceError, QsynthError, StudyError

SEEDED = ("default.qubit", "default.mixed", "lightning.qubit", "lightning.gpu", "lightning.kokkos")
KEPT_RESULTS = 100_000
METHODS = {"spsa": qp.gradients.spsa_grad}


def known_devices() -> list[str]:
    """Names of the PennyLane devices that are installed here."""
    return sorted(entry.name for entry in entry_points(group="pennylane.plugins"))


def has_device(name: str) -> bool:
    """Whether a PennyLane device of this name is installed."""
    return name in known_devices()


def why_not(name: str, n_qubits: int, options: DeviceOptions) -> str | None:
    """Why a device can't be used here, or None if it can."""
    if not has_device(name):
        return "its plugin is not installed"
    try:
        _made(name, n_qubits, options)
    except Exception as error:  # a plugin may raise anything when its hardware or library is absent
        return " ".join(str(error).split())
    return None


class PennyLaneEngine:
    """Executes an :class:`Ansatz` on a PennyLane device, with the same arguments and shapes as the statevector engine.

    Values and gradients come from PennyLane, one trial at a time: under ``torch.func.vmap`` the lanes are a loop. The
    circuits of a batch go to the device together. On simulators that take a seed, what finite shots find is a function
    of the arguments alone, so that a study repeats; hardware has no seed, of course.

    ``ledger`` counts circuits and shots as the device reports them. ``fingerprint`` is empty: what a device executes is
    not compiled.

    Raises:
        QsynthError: the device can't be made here, has too few qubits, or does not support the differentiation.
    """

    def __init__(
        self,
        ansatz: Ansatz,
        n_qubits: int,
        n_layers: int,
        device: str,
        options: DeviceOptions | None = None,
        readout: str | PauliWords = "z",
    ) -> None:
        self.name, self.n_qubits, self.n_layers = device, n_qubits, n_layers
        self.options = DeviceOptions() if options is None else options
        self.shots = self.options.shots
        self.n_inputs = ansatz.n_inputs(n_qubits, n_layers)
        self.n_layer_weights = ansatz.n_layer_weights(n_qubits)
        self._readout = find_readout(readout, n_qubits)
        self.n_outputs = self._readout.n_outputs(n_qubits)
        self.fingerprint = ""
        self.ledger = Ledger()
        self._ansatz = ansatz
        try:
            self._device = _made(device, n_qubits, self.options)
        except QsynthError:
            raise
        except Exception as error:  # as in why_not
            reason = " ".join(str(error).split())
            raise DeviceError(f"engine {device!r} can't be used here: {reason}") from None
        self.method = self._differentiation()
        # The circuits of a gradient include those of its value, which need not be paid for twice.
        self._results: Any = LRUCache(KEPT_RESULTS) if self.method in ("parameter-shift", "spsa") else None

    def expectations(self, inputs: Tensor, weights: Tensor, layer_mask: Tensor) -> Tensor:
        """Batch x outputs; arguments as in ``StatevectorEngine.expectations``."""
        return Expectations.apply(inputs, weights, layer_mask, self)  # type: ignore[no-any-return, no-untyped-call]

    def values(self, inputs: Tensor, weights: Tensor, layers: list[int]) -> Tensor:
        """Batch x outputs with the given layers; nothing is differentiable."""
        traced = self._results is not None  # as for a gradient, which then finds these very circuits
        with torch.set_grad_enabled(traced), self._running(inputs, weights, layers) as run:
            found: Tensor = run(*(part.detach().requires_grad_(traced) for part in (inputs, weights)))
        return found.detach()

    def vector_jacobian(
        self, inputs: Tensor, weights: Tensor, layers: list[int], factors: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Gradients for inputs and weights of the sum of ``factors`` (batch x outputs) times the values.

        Rows whose factors are 0, e.g. those beyond a trial's batch size, are not executed.
        """
        used = factors.any(dim=1)
        all_inputs, of_weights = torch.zeros_like(inputs), torch.zeros_like(weights)
        if not used.any():
            return all_inputs, of_weights
        with torch.enable_grad(), self._running(inputs, weights, layers) as run:
            at = inputs[used].detach().requires_grad_(), weights.detach().requires_grad_()
            values = run(*at)
            if values.requires_grad:  # not so where all layers are off and nothing is embedded
                found = torch.autograd.grad(values, at, factors[used], allow_unused=True)
                all_inputs[used], of_weights = (
                    torch.zeros_like(place) if gradient is None else gradient
                    for gradient, place in zip(found, at, strict=True)
                )
        return all_inputs, of_weights

    def cost(self, n_rows: int, gradient: bool = False) -> Spend:
        """What the values of ``n_rows`` inputs, or in addition their gradients, will cost with all layers on."""
        value, slope = self._circuits_per_row
        circuits = n_rows * (slope if gradient else value)
        return Spend(circuits, circuits * (self.options.shots or 0))

    @functools.cached_property
    def _circuits_per_row(self) -> tuple[int, int]:
        """Circuits for one row's values and, in addition, for its gradient."""
        inputs = torch.linspace(0.1, 0.9, self.n_inputs, dtype=torch.float64, requires_grad=True)
        shape = self.n_layers, self.n_layer_weights
        weights = torch.linspace(0.2, 0.8, shape[0] * shape[1], dtype=torch.float64).reshape(shape).requires_grad_()
        with torch.enable_grad():  # whoever asks: parameters are told from constants by it
            tapes = self._tapes(inputs, weights, list(range(self.n_layers)))
        settings, _ = qp.transforms.split_non_commuting(tapes[0])
        value = len(tapes) * len(settings)
        for tape in tapes:  # the strengths of errors are parameters too, but fixed ones
            tape.trainable_params = qp.math.get_trainable_indices(tape.get_parameters(trainable_only=False))
        if self.method == "parameter-shift":
            return value, value // len(tapes) * sum(len(qp.gradients.param_shift(tape)[0]) for tape in tapes)
        return value, value * {"backprop": 1, "adjoint": 2, "spsa": 2 * self.options.spsa.directions}[self.method]

    @contextmanager
    def _running(self, inputs: Tensor, weights: Tensor, layers: list[int]) -> Iterator[Any]:
        """A function of (inputs, weights) that executes circuits, which are booked when the block ends."""
        digest = hashlib.blake2b(repr(layers).encode(), digest_size=4)
        for tensor in (inputs, weights):
            digest.update(tensor.detach().numpy().tobytes())
        seed = int.from_bytes(digest.digest(), "big") >> 1
        device = self._seeded(seed)
        how: dict[str, Any] = {}
        if self.method == "spsa":
            spsa = self.options.spsa
            how = {"h": spsa.step, "num_directions": spsa.directions, "sampler_rng": np.random.default_rng(seed)}

        def run(rows: Tensor, layer_weights: Tensor) -> Tensor:
            tapes = [tape for row in rows for tape in self._tapes(row, layer_weights, layers)]
            results: Any = qp.execute(
                tapes,
                device,
                diff_method=METHODS.get(self.method, self.method),
                interface="torch",
                cache=self._results,
                gradient_kwargs=how,
            )
            # PennyLane gives a single measurement's result bare.
            parts = [each if isinstance(each, tuple | list) else (each,) for each in results]
            found = torch.stack([self._readout.outputs(each) for each in parts]).to(inputs.dtype)
            if self.options.zero_noise is None:
                return found
            scales = torch.as_tensor(self.options.zero_noise.weights, dtype=found.dtype)
            return torch.einsum("s,rso->ro", scales, found.unflatten(0, (len(rows), len(scales))))

        with self.ledger.counting(device), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Cached execution with finite shots")  # just what is wanted here
            yield run

    def _tapes(self, row: Tensor, weights: Tensor, layers: list[int]) -> list[Any]:
        """One row's circuit, at every scale of the noise."""

        def circuit() -> None:
            self._ansatz.embed(row, self.n_qubits)
            for index in layers:
                self._ansatz.apply(index, row, weights[index], self.n_qubits)

        options = self.options
        operations = qp.tape.make_qscript(circuit)().operations
        measured = self._readout.measurements(self.n_qubits)
        tapes = [qp.tape.QuantumScript(operations, measured, shots=options.shots)]
        if options.noise is not None or options.zero_noise is not None or self.name.startswith("lightning."):
            # Errors belong to gates, so templates are taken apart first; and adjoint gradients of lightning 0.45 are 0
            # where it meets the inverse of a PauliRot.
            tapes, _ = qp.transforms.decompose(tapes[0], gate_set={*GATES, "GlobalPhase"})
        if options.zero_noise is not None:
            tapes = options.zero_noise.folded(tapes[0])
        return tapes if options.noise is None else [options.noise.disturbed(tape, self.n_qubits) for tape in tapes]

    def _seeded(self, seed: int) -> Any:
        """The device, drawing its shots from ``seed`` where it can."""
        if self.options.shots is None:
            return self._device
        if self.name == "qiskit.aer":
            self._device.run_args["seed_simulator"] = seed
        if self.name not in SEEDED:
            return self._device
        return _made(self.name, self.n_qubits, self.options, seed=seed)

    def _differentiation(self) -> str:
        """The way to gradients: the study's, or the cheapest that the device has."""
        wanted, shots = self.options.differentiation, self.options.shots
        analytic = [
            method
            for method in ("backprop", "adjoint")
            if shots is None and self._device.supports_derivatives(qp.devices.ExecutionConfig(gradient_method=method))
        ]
        if wanted == "best":
            return next(iter(analytic), "parameter-shift")
        if wanted in ("backprop", "adjoint") and wanted not in analytic:
            on = self.name if shots is None else f"{self.name} with {shots} shots"
            raise StudyError(f"differentiation must be one that {on} supports, e.g. 'best'; got {wanted!r}")
        return wanted


def _made(name: str, n_qubits: int, options: DeviceOptions, **more: Any) -> Any:
    arguments = plugin_arguments(name, options.backend, options.account)
    size = machine_qubits(arguments)
    if size is not None and n_qubits > size:
        raise DeviceError(f"n_qubits must be at most the {size} of {options.backend}; got {n_qubits}")
    if options.zero_noise is not None and name.startswith("qiskit."):
        arguments["optimization_level"] = 0  # or else the transpiler undoes the folding
    return qp.device(name, wires=n_qubits, **arguments, **more)
