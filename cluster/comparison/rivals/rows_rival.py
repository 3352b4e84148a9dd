"""What is measured beside the rivals: rows that nobody tunes."""

from cluster.comparison.rivals.rival import Plan, Rival, Setting
from qsynth.yardsticks.registry import YARDSTICKS
from qsynth.yardsticks.yardstick import Yardstick
from rl_envs.classical_twin import ClassicalTwin, has_circuit
from rl_envs.config import EnvironmentConfig


def rows_rival(yardstick: Yardstick) -> Rival:
    """A yardstick among the rivals: it asks for no training."""
    return Rival(name=yardstick.name, plan=_nothing, detail=yardstick.about, only_once=True, rows=yardstick)


def yardsticks_of(environment: EnvironmentConfig) -> list[Yardstick]:
    """All yardsticks, and the classical twin of a GAN that has a circuit."""
    twin: list[Yardstick] = [ClassicalTwin(environment)] if has_circuit(environment) else []
    return [*twin, *(YARDSTICKS[name] for name in YARDSTICKS)]


def _nothing(setting: Setting) -> Plan:
    yield from ()
