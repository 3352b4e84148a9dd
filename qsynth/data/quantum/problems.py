"""The quantum data sets, by name."""

from qsynth.data.quantum.ising import IsingChain
from qsynth.data.quantum.problem import QuantumProblem
from qsynth.data.quantum.xxz import XXZChain
from qsynth.registry import Registry

PROBLEMS: Registry[type[QuantumProblem]] = Registry("quantum data set")
PROBLEMS.register("ising")(IsingChain)
PROBLEMS.register("xxz")(XXZChain)
