"""What training a QNN costs on hardware, in circuits."""

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.device import PennyLaneEngine
from qsynth.circuits.options import DeviceOptions
from qsynth.circuits.spend import Spend
from qsynth.qnn.fit import QNNConfig

SIMULATOR = "default.qubit"


def row_cost(config: QNNConfig, n_qubits: int, shots: int | None = None) -> Spend:
    """What one row in one step of an optimiser takes by parameter-shift: its value, and two circuits for every angle.

    That is ``1 + 2 * angles`` circuits, where angles are those of the layers and those of the encoder, through which
    the scale of the features gets its gradient; it is what a device with parameter-shift books. Gain and bias are
    classical and cost none, and the outputs of all classes are read from the same circuit. A fit takes this times the
    rows of a step times its steps.
    """
    options = DeviceOptions(differentiation="parameter-shift", shots=shots)
    ansatz = ANSAETZE[config.ansatz].encoded(config.encoder)
    engine = PennyLaneEngine(ansatz, n_qubits, config.n_layers, SIMULATOR, options)
    return engine.cost(1) + engine.cost(1, gradient=True)
