"""Points of a phase diagram that a learner may have measured: each query runs circuits on a device."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator
from sklearn.neighbors import KNeighborsRegressor

from qsynth.circuits.device import PennyLaneEngine
from qsynth.circuits.engine import STATEVECTOR, EngineConfig, choose
from qsynth.circuits.spend import Spend
from qsynth.circuits.sweep import N_STEPS, sweep_angles, sweep_ansatz
from qsynth.config import Config
from qsynth.data.dataset import Split
from qsynth.data.quantum.operators import along_chain
from qsynth.data.quantum.problem import GroundStateProblem, Points
from qsynth.data.quantum.problems import PROBLEMS
from qsynth.experiment.active_learning.pools import Floats, Places, starting_places
from qsynth.registry import Registry

N_NEIGHBOURS = 3
_TEST, _POINTS = 13, 14  # streams of random numbers


@dataclass(frozen=True)
class Chain:
    """The terms of a Hamiltonian whose ground states a sweep from ``-sum_i X_i`` prepares.

    Attributes:
        name: of the quantum data set.
        letters: of each term's words along the chain, in the order of the data set's terms.
        ring: whether the chain is closed.
    """

    name: str
    letters: tuple[str, ...]
    ring: bool

    def words(self, n_qubits: int) -> list[list[str]]:
        """Of each term."""
        return [along_chain(letters, n_qubits, ring=self.ring) for letters in self.letters]


CHAINS: Registry[Chain] = Registry("chain that a sweep prepares", own_name=lambda each: each.name)
CHAINS.register("ising")(Chain("ising", ("ZZ", "X"), ring=False))
CHAINS.register("cluster_ising")(Chain("cluster_ising", ("ZXZ", "X", "ZZ"), ring=True))


class CircuitsConfig(Config):
    """A phase diagram, and the device that measures its points.

    Attributes:
        chain: a name in ``CHAINS``.
        engine: a PennyLane device with shots, a simulator or a machine; it counts what it runs.
        n_points: places of a pool.
        n_test: points of the same law, measured once and not at a learner's expense.
        budget: shots that a learner may spend; left out: as many as it likes.
    """

    chain: str
    n_qubits: int = Field(4, ge=3, le=8)
    engine: EngineConfig = EngineConfig(name="lightning.qubit", shots=20)
    n_points: int = Field(200, ge=20, le=10_000)
    n_test: int = Field(200, ge=20, le=10_000)
    budget: int | None = Field(None, ge=1)

    @field_validator("chain")
    @classmethod
    def _is_registered(cls, chain: str) -> str:
        _ = CHAINS[chain]
        return chain

    @model_validator(mode="after")
    def _counts_shots(self) -> Self:
        if self.engine.shots is None:
            raise ValueError("engine.shots must be given, as a measurement takes shots; got none")
        if self.n_qubits not in self.problem.qubits:
            raise ValueError(f"n_qubits must be one of {list(self.problem.qubits)}; got {self.n_qubits}")
        if choose(self.engine, self.n_qubits).name == STATEVECTOR:
            raise ValueError(f"engine must be a PennyLane device such as 'lightning.qubit'; got {self.engine.name!r}")
        return self

    @property
    def problem(self) -> GroundStateProblem:
        """What is measured, and the phases."""
        problem = PROBLEMS[self.chain]()
        assert isinstance(problem, GroundStateProblem)  # as all chains are
        return problem


@dataclass(frozen=True, eq=False)
class Laboratory:
    """Prepares and measures points of a phase diagram.

    A sweep (:mod:`qsynth.circuits.sweep`) prepares about the ground state. What is measured are the words of the data
    set; a row has the mean over the words with the same letters, such as that of all bonds ``zz``, each in [-1, 1].
    """

    config: CircuitsConfig

    @property
    def letters(self) -> tuple[str, ...]:
        """Of each column, in alphabetical order, such as ``zz``."""
        return tuple(dict.fromkeys(self._word_letters))

    @cached_property
    def test(self) -> Split:
        """Measured points to test on."""
        points = self.points(_TEST, 0, self.config.n_test)
        return Split(self.measured(self.engine(), points.coefficients), points.y)

    def points(self, use: int, seed: int, n_points: int) -> Points:
        """Hamiltonians at random, with their phases."""
        return self.config.problem.points(n_points, np.random.default_rng([seed, use]))

    def engine(self) -> PennyLaneEngine:
        """A new one, whose ledger has nothing."""
        config = self.config
        name = choose(config.engine, config.n_qubits).name
        ansatz = sweep_ansatz(CHAINS[config.chain].words(config.n_qubits))
        return PennyLaneEngine(ansatz, config.n_qubits, N_STEPS, name, config.engine, tuple(self._words))

    def measured(self, engine: PennyLaneEngine, coefficients: NDArray[np.float64]) -> Floats:
        """Rows (points x columns) of Hamiltonians (points x terms); what a point shows does not depend on others."""
        driver = CHAINS[self.config.chain].letters.index("X")
        angles = torch.as_tensor(sweep_angles(coefficients, driver))
        nothing, layers = torch.zeros(N_STEPS, 0, dtype=torch.float64), list(range(N_STEPS))
        found = torch.cat([engine.values(row[None], nothing, layers) for row in angles]).numpy()
        kinds = np.array(self._word_letters)
        columns = [found[:, kinds == letters].mean(axis=1) for letters in self.letters]
        return np.stack(columns, axis=1).astype(np.float32)

    @cached_property
    def _words(self) -> list[str]:
        """What is measured, such as ``IZZI``."""
        return [
            "".join(letter if site in sites else "I" for site, letter in enumerate(readout.basis))
            for readout in self.config.problem.readouts(self.config.n_qubits)
            for sites in readout.sites
        ]

    @property
    def _word_letters(self) -> list[str]:
        return ["".join(sorted(word.replace("I", "").lower())) for word in self._words]


@dataclass(frozen=True, eq=False, kw_only=True)
class QueriedCircuits:
    """A pool of points of which nobody has a row before it is measured.

    What is known of a point beforehand are its couplings: a row that was not measured yet is guessed from the three
    measured points nearest to it, the nearer the more.
    """

    laboratory: Laboratory
    points: Points
    seed: int
    engine: PennyLaneEngine

    @classmethod
    def of(cls, laboratory: Laboratory) -> Callable[[int], "QueriedCircuits"]:
        """Makes the pool of a seed, with an account of its own."""

        def make(seed: int) -> QueriedCircuits:
            points = laboratory.points(_POINTS, seed, laboratory.config.n_points)
            return cls(laboratory=laboratory, points=points, seed=seed, engine=laboratory.engine())

        return make

    @property
    def n_classes(self) -> int:
        """Phases."""
        return len(self.laboratory.config.problem.class_names)

    @property
    def test(self) -> Split:
        """Measured points, the same for all seeds."""
        return self.laboratory.test

    @property
    def size(self) -> int:
        """How many points there are."""
        return len(self.points.y)

    @property
    def spent(self) -> Spend:
        """What the device has counted."""
        return self.engine.ledger.spent

    def start(self) -> Places:
        """Two points a phase."""
        return starting_places(self.points.y, self.seed)

    def query(self, places: Places) -> Split | None:
        """Measure points; None if the budget has no shots for all of them."""
        budget = self.laboratory.config.budget
        if budget is not None and (self.spent + self.engine.cost(len(places))).shots > budget:
            return None
        return Split(self.laboratory.measured(self.engine, self.points.coefficients[places]), self.points.y[places])

    def guesses(self, known: Places, rows: Split, places: Places) -> Floats:
        """Rows at places, from those measured."""
        couplings = self.points.coefficients
        model = KNeighborsRegressor(min(N_NEIGHBOURS, len(known)), weights="distance").fit(couplings[known], rows.x)
        return np.asarray(model.predict(couplings[places]), dtype=np.float32)
