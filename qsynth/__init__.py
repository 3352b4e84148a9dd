"""qsynth: training data for quantum neural networks, from quantum GANs that an RL agent tunes while they train.

What is listed here is imported when it is first asked for, so that ``import qsynth`` alone imports no torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qsynth.circuits.ansatz import ANSAETZE, Ansatz
    from qsynth.circuits.encoder import ENCODERS, Encoder
    from qsynth.circuits.readout import READOUTS
    from qsynth.data.bundled import TABLES
    from qsynth.data.dataset import Instance, Split
    from qsynth.data.discrete import DiscreteData
    from qsynth.data.gaussian import GaussianFamily
    from qsynth.data.images import DigitImages
    from qsynth.data.mixtures import MixtureFamily
    from qsynth.data.quantum.bitstrings import GroundStateBits
    from qsynth.data.quantum.source import QuantumData
    from qsynth.data.scaling import Scaling
    from qsynth.data.source import DataSource
    from qsynth.data.sources import SOURCES
    from qsynth.data.table import Table
    from qsynth.data.tabular import CsvData, TableData
    from qsynth.errors import (
        CircuitError,
        CompilationError,
        DataError,
        DeviceError,
        DivergedError,
        FileError,
        MemoryLimitError,
        NotFittedError,
        PluginError,
        QsynthError,
        StudyError,
    )
    from qsynth.metrics.metric import Metric, MetricSetting
    from qsynth.metrics.registry import METRICS
    from qsynth.population.recommended import recommended_trial
    from qsynth.population.trial import TrialConfig
    from qsynth.synthesizer import QGANSynthesizer
    from qsynth.yardsticks.registry import YARDSTICKS
    from qsynth.yardsticks.yardstick import Yardstick

_MODULES = {
    "qsynth.circuits.ansatz": ("ANSAETZE", "Ansatz"),
    "qsynth.circuits.encoder": ("ENCODERS", "Encoder"),
    "qsynth.circuits.readout": ("READOUTS",),
    "qsynth.data.bundled": ("TABLES",),
    "qsynth.data.dataset": ("Instance", "Split"),
    "qsynth.data.discrete": ("DiscreteData",),
    "qsynth.data.gaussian": ("GaussianFamily",),
    "qsynth.data.images": ("DigitImages",),
    "qsynth.data.mixtures": ("MixtureFamily",),
    "qsynth.data.quantum.bitstrings": ("GroundStateBits",),
    "qsynth.data.quantum.source": ("QuantumData",),
    "qsynth.data.scaling": ("Scaling",),
    "qsynth.data.source": ("DataSource",),
    "qsynth.data.sources": ("SOURCES",),
    "qsynth.data.table": ("Table",),
    "qsynth.data.tabular": ("CsvData", "TableData"),
    "qsynth.errors": (
        *("CircuitError", "CompilationError", "DataError", "DeviceError", "DivergedError", "FileError"),
        *("MemoryLimitError", "NotFittedError", "PluginError", "QsynthError", "StudyError"),
    ),
    "qsynth.metrics.metric": ("Metric", "MetricSetting"),
    "qsynth.metrics.registry": ("METRICS",),
    "qsynth.population.recommended": ("recommended_trial",),
    "qsynth.population.trial": ("TrialConfig",),
    "qsynth.synthesizer": ("QGANSynthesizer",),
    "qsynth.yardsticks.registry": ("YARDSTICKS",),
    "qsynth.yardsticks.yardstick": ("Yardstick",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "ANSAETZE",
    "ENCODERS",
    "METRICS",
    "READOUTS",
    "SOURCES",
    "TABLES",
    "YARDSTICKS",
    "Ansatz",
    "CircuitError",
    "CompilationError",
    "CsvData",
    "DataError",
    "DataSource",
    "DeviceError",
    "DigitImages",
    "DiscreteData",
    "DivergedError",
    "Encoder",
    "FileError",
    "GaussianFamily",
    "GroundStateBits",
    "Instance",
    "MemoryLimitError",
    "Metric",
    "MetricSetting",
    "MixtureFamily",
    "NotFittedError",
    "PluginError",
    "QGANSynthesizer",
    "QsynthError",
    "QuantumData",
    "Scaling",
    "Split",
    "StudyError",
    "Table",
    "TableData",
    "TrialConfig",
    "Yardstick",
    "recommended_trial",
]


if not TYPE_CHECKING:  # to whoever checks types, other names are unknown

    def __getattr__(name: str) -> Any:
        """One of the names in ``__all__``, which is kept from then on."""
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        member = getattr(importlib.import_module(_MODULE_OF[name]), name)
        globals()[name] = member
        return member


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
