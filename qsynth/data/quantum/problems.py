"""The quantum data sets, by name."""

from qsynth.data.quantum.cluster_ising import ClusterIsingRing
from qsynth.data.quantum.entanglement import EntanglementClasses
from qsynth.data.quantum.hydrogen import HydrogenMolecule
from qsynth.data.quantum.ising import IsingChain
from qsynth.data.quantum.problem import QuantumProblem
from qsynth.data.quantum.xxz import XXZChain
from qsynth.registry import Registry

PROBLEMS: Registry[type[QuantumProblem]] = Registry("quantum data set")
PROBLEMS.register("ising")(IsingChain)
PROBLEMS.register("xxz")(XXZChain)
PROBLEMS.register("cluster_ising")(ClusterIsingRing)
PROBLEMS.register("h2")(HydrogenMolecule)
PROBLEMS.register("entanglement")(EntanglementClasses)
