"""What a trial's circuit can do and what it costs, found before the trial is trained."""

import torch
from torch import Tensor
from torch.func import vmap

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.ledger import Work
from qsynth.circuits.structure import N_MODELS, N_SAMPLES, Start, Structure, examine
from qsynth.gan.quantum import Circuit, QuantumGenerator
from qsynth.gan.update import STREAM_GENERATOR
from qsynth.trial import TrialConfig


def inspect(config: TrialConfig, n_features: int, n_classes: int) -> Structure:
    """The structure of the generator's circuit with all layers of the capacity; its start is at the defaults.

    Circuits are counted for the whole capacity too, because rows and critic updates out of use are executed as well.

    Args:
        n_features: of the data, scaled: as many outputs are used.
        n_classes: of the data.

    Raises:
        QsynthError: more features than outputs, or the engine can't be made here.
    """
    config.check_outputs(n_features)
    ansatz, capacity = ANSAETZE[config.ansatz].encoded(config.encoder), config.capacity

    def start(circuit: Circuit) -> Start:
        return _start(config, QuantumGenerator(circuit, n_features, capacity.latent_dim, n_classes))

    return examine(
        ansatz,
        config.n_qubits,
        capacity.n_layers,
        config.readout,
        n_features,
        start,
        _work(config),
        config.engine.shots,
    )


def _work(config: TrialConfig) -> Work:
    engine, capacity = config.circuit(), config.capacity
    outputs = engine.cost((capacity.n_critic + 1) * capacity.batch_size)
    gradient = engine.cost(capacity.batch_size, gradient=True)
    return Work(outputs.circuits, gradient.circuits, engine.method, (outputs + gradient).shots or None)


def _start(config: TrialConfig, generator: QuantumGenerator) -> Start:
    """Untrained generators, each with noise for rows of one class."""
    capacity, defaults = config.capacity, config.defaults
    latent_mask = (torch.arange(capacity.latent_dim) < defaults.latent_dim).float()
    layer_mask = (torch.arange(capacity.n_layers) < defaults.n_layers).float()
    seeds = torch.arange(N_MODELS)
    z = torch.randn(N_MODELS, N_SAMPLES, capacity.latent_dim, generator=torch.Generator().manual_seed(0))
    onehot = torch.eye(generator.n_classes)[seeds % generator.n_classes, None].expand(-1, N_SAMPLES, -1)

    def angles(seed: Tensor, noise: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        return generator.angles(generator.initial(seed, STREAM_GENERATOR), noise, labels, latent_mask)

    inputs, weights = vmap(angles)(seeds, z, onehot)
    return Start(inputs, weights, layer_mask)
