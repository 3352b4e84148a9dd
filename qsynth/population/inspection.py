"""What a trial's circuit can do and what it costs, found before the trial is trained."""

import functools
import math

import numpy as np
import torch
from torch import Tensor
from torch.func import vmap

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.circuit import Circuit
from qsynth.circuits.ledger import Work
from qsynth.circuits.readout import find_readout
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.circuits.structure import (
    MAX_QUBITS_SAMPLED,
    N_MODELS,
    N_SAMPLES,
    Start,
    Structure,
    examine,
    without_effect,
)
from qsynth.errors import QsynthError, StudyError
from qsynth.gan.generator import Generator
from qsynth.gan.update import STREAM_GENERATOR
from qsynth.population.trial import TrialConfig
from qsynth.space.hyperparameters import controls


def inspect(config: TrialConfig, n_features: int, n_classes: int) -> Structure:
    """The structure of the generator's circuit with all layers of the capacity; its start is at the defaults.

    Circuits are counted for the whole capacity too, because rows and critic updates out of use are executed as well.

    Args:
        n_features: of the data, scaled: as many outputs are used.
        n_classes: of the data.

    Raises:
        QsynthError: a generator without a circuit, more features than outputs, or the engine can't be made here.
    """
    if not has_circuit(config):
        raise StudyError(f"generator must be one with a circuit to be looked at; got {config.generator.kind}")
    config.check_outputs(n_features)
    ansatz, capacity = ANSAETZE[config.ansatz].encoded(config.encoder), config.capacity
    readout = config.generator.readout(config.readout)
    n_outputs = find_readout(readout, config.n_qubits).n_outputs(config.n_qubits)

    def start(circuit: Circuit) -> Start:
        return _start(config, config.build_generator(circuit, n_features, n_classes), n_classes)

    return examine(
        ansatz,
        config.n_qubits,
        capacity.n_layers,
        readout,
        config.generator.outputs_used(n_features, n_outputs),
        start,
        _work(config, n_classes),
        config.engine.shots,
    )


def has_circuit(config: TrialConfig) -> bool:
    """Whether the generator has a circuit."""
    return config.generator.circuit_rows(1, 1) > 0


def dead_share(config: TrialConfig, n_features: int, n_layers: int) -> float:
    """Share of the circuit's parameters, its inputs among them, that no output in use depends on with ``n_layers``
    layers: 0 without a circuit, and not a number above 10 qubits or where the statevector engine can't read the ansatz.
    """
    if not has_circuit(config):
        return 0.0
    if config.n_qubits > MAX_QUBITS_SAMPLED:
        return math.nan
    ansatz, readout = ANSAETZE[config.ansatz].encoded(config.encoder), config.generator.readout(config.readout)
    n_outputs = find_readout(readout, config.n_qubits).n_outputs(config.n_qubits)
    try:
        engine = StatevectorEngine(ansatz, config.n_qubits, n_layers, torch.float64, readout)
    except QsynthError:
        return math.nan
    dead = without_effect(engine, config.generator.outputs_used(n_features, n_outputs))
    n_parameters = engine.n_inputs + n_layers * engine.n_layer_weights
    return (len(dead.inputs) + len(dead.weights)) / n_parameters


def _work(config: TrialConfig, n_classes: int) -> Work:
    engine, rows = config.circuit(), config.capacity.batch_size
    values = {name: config.default(name) for name in config.used}
    cost = functools.partial(config.cost, engine, n_classes=n_classes, values=values)
    outputs, gradient = cost(config.n_critic * rows) + cost(rows), cost(rows, gradient=True)
    return Work(outputs.circuits, gradient.circuits, engine.method, (outputs + gradient).shots or None)


def _start(config: TrialConfig, generator: Generator, n_classes: int) -> Start:
    """Untrained generators, each with noise for rows of one class."""
    using = controls({name: np.array([config.default(name)]) for name in config.used}, config.capacity)
    one = using.of_lane(0)
    seeds = torch.arange(N_MODELS)
    z = torch.randn(N_MODELS, N_SAMPLES, generator.n_noise, generator=torch.Generator().manual_seed(0))
    onehot = torch.eye(n_classes)[seeds % n_classes, None].expand(-1, N_SAMPLES, -1)

    def angles(seed: Tensor, noise: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        return generator.angles(generator.initial(seed, STREAM_GENERATOR), noise, labels, one)

    inputs, weights = vmap(angles)(seeds, z, onehot)
    return Start(inputs, weights, one.layer_mask)
