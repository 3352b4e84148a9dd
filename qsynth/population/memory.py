"""How much memory a population takes, estimated before it is made."""

from qsynth.circuits.engine import gradient_bytes
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.population.measures import build_qnn
from qsynth.population.teaching import build_lesson
from qsynth.population.trial import TrialConfig
from qsynth.qnn.lesson import N_STEPS

NUMBER_BYTES = 4
# Measured: of parameters, with gradients and Adam's moments; of what hidden layers make of rows, which critics keep for
# second derivatives.
PARAMETER_COPIES = 7
CRITIC_COPIES = 7
GENERATOR_COPIES = 3
DISTANCE_COPIES = 4  # of what there is for each pair of rows
LESSON_COPIES = 2 * N_STEPS  # of the states of a QNN that learns, with their gradients


def population_bytes(config: TrialConfig, n_features: int, n_classes: int, n_train: int, n_lanes: int) -> int:
    """Memory that circuits' states and networks take at most, in one population; exact to about a factor of two.

    Args:
        n_features: of the data, scaled.
        n_classes: of the data.
        n_train: real rows that a trial learns from.
    """
    capacity, score = config.capacity, config.score
    circuit = config.circuit()
    if isinstance(circuit, StatevectorEngine):
        fake = max(capacity.n_critic * capacity.batch_size, score.n_rows)
        options = config.generator
        learned, made = (options.circuit_rows(n, n_classes) for n in (capacity.batch_size, fake))
        trial = max(
            circuit.state_bytes(learned * options.n_passes, gradient=True), circuit.state_bytes(made, gradient=False)
        )
    else:
        trial = gradient_bytes(config.n_qubits)  # one circuit at a time
    if score.utility and n_classes > 1:
        qnn = build_qnn(config, n_features, n_classes).model.circuit
        if isinstance(qnn, StatevectorEngine):
            trial = max(trial, config.qnn.n_starts * qnn.state_bytes(n_train + score.n_rows, gradient=True))
    lesson = build_lesson(config, n_features, n_classes)
    if lesson is not None and isinstance(lesson.circuit, StatevectorEngine):
        trial += LESSON_COPIES * lesson.circuit.state_bytes(capacity.batch_size, gradient=True)
    generator = config.build_generator(circuit, n_features, n_classes)
    critic = config.build_critic(n_features, n_classes)
    learned, active = generator.layout.size, GENERATOR_COPIES * generator.row_size
    if critic is not None:
        learned, active = learned + critic.layout.size, active + CRITIC_COPIES * critic.row_size
    numbers = PARAMETER_COPIES * learned + capacity.batch_size * active + n_train * generator.refresh_size
    if critic is None or "fidelity_weight" in config.used:
        rows = config.generator.loss_rows(capacity.batch_size, config.n_qubits, n_classes)
        numbers += DISTANCE_COPIES * rows * (rows + n_train)
    return n_lanes * (trial + NUMBER_BYTES * numbers)
