"""Quantum data sets as families of instances."""

from functools import lru_cache
from typing import Annotated, Final, Literal, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from qsynth.data.dataset import instance_stream
from qsynth.data.quantum.problem import Columns, GroundStateProblem, QuantumProblem
from qsynth.data.quantum.problems import PROBLEMS
from qsynth.data.quantum.vqe import N_LAYERS, found_angles
from qsynth.data.table import Table
from qsynth.data.tabular import TabularConfig

Features = Literal["observables", "vqe"]

MOST_SHOTS: Final = 1_000_000
_STATES, _FEATURES = 10, 11  # uses of an instance's stream


class QuantumData(TabularConfig):
    """A table of quantum states, made on the spot without a network, always the same for the same settings.

    Attributes:
        name: a registered quantum data set; its class in this room says what the states are and what is measured.
        n_qubits: of each state; None is as many as are usual for the data set.
        n_rows: states in the table.
        shots: outcomes of each measurement that a row's columns are estimated from; None is as many as are usual.
        features: ``observables`` are estimated from shots; ``vqe`` are the angles that a variational eigensolver found
            for the state's Hamiltonian, with exact gradients.
        data_seed: another one is another table.
    """

    kind: Literal["quantum"] = "quantum"
    name: str
    n_qubits: Annotated[int, Field(ge=1)] | None = None
    n_rows: Annotated[int, Field(ge=40, le=100_000)] = 1000
    shots: Annotated[int, Field(ge=2, le=MOST_SHOTS)] | None = None
    features: Features = "observables"
    data_seed: Annotated[int, Field(ge=0, lt=2**31)] = 0

    @field_validator("name")
    @classmethod
    def _is_registered(cls, name: str) -> str:
        _ = PROBLEMS[name]
        return name

    @model_validator(mode="after")
    def _suits_the_data_set(self) -> Self:
        allowed = self.problem.qubits
        if self.n_qubits is not None and self.n_qubits not in allowed:
            bounds = f"{allowed[0]}" if len(allowed) == 1 else f"{allowed[0]} to {allowed[-1]}"
            raise ValueError(f"n_qubits must be {bounds} with {self.name}; got {self.n_qubits}")
        if self.features == "vqe" and not isinstance(self.problem, GroundStateProblem):
            raise ValueError(f"features must be observables with {self.name}, which has no Hamiltonian; got 'vqe'")
        if self.features == "vqe" and self.shots is not None:
            raise ValueError(f"shots must be left out with features vqe, whose gradients are exact; got {self.shots}")
        return self

    @property
    def problem(self) -> QuantumProblem:
        """What the states are."""
        return PROBLEMS[self.name]()

    @property
    def title(self) -> str:
        angles = "-vqe" if self.features == "vqe" else ""
        return f"{self.name}-{self.n_qubits or self.problem.usual_qubits}{angles}"

    def table(self) -> Table:
        problem = self.problem
        return _made(
            self.name,
            self.n_qubits or problem.usual_qubits,
            self.n_rows,
            self.shots or problem.usual_shots,
            self.features,
            self.data_seed,
        )


def state_stream(data_seed: int) -> np.random.Generator:
    """The random numbers that choose the states."""
    return instance_stream(data_seed, held_out=False, use=_STATES)


@lru_cache(maxsize=8)
def _made(name: str, n_qubits: int, n_rows: int, shots: int, features: Features, seed: int) -> Table:
    problem = PROBLEMS[name]()
    chance, errors = state_stream(seed), instance_stream(seed, held_out=False, use=_FEATURES)
    if features == "vqe" and isinstance(problem, GroundStateProblem):
        points = problem.points(n_rows, chance)
        names = tuple(f"angle_{layer}_{wire}" for layer in range(N_LAYERS) for wire in range(n_qubits))
        angles = found_angles(problem.terms(n_qubits), points.coefficients, problem.reference(n_qubits), errors)
        columns, y = Columns(angles, names), points.y
    else:
        drawn = problem.drawn(n_qubits, n_rows, chance)
        columns, y = problem.measured(drawn.states, n_qubits, shots, errors), drawn.y
    return Table(x=columns.x, y=y, feature_names=columns.names, class_names=problem.class_names)
