"""A trial as data: tensors in safetensors, the rest in JSON; nothing is pickled."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import Tensor

from qsynth.files.tensor_file import TensorFile

FILE = TensorFile("qsynth-snapshot-1", "a trial's snapshot")
Keep = Literal["best", "last"]  # of a trial: the decision with the best validation score, or its end


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Everything that a trial needs to go on.

    Attributes:
        tensors: parameters and optimiser moments, name -> tensor.
        hyperparameters: present values, name -> number.
        instance: key of the instance that the trial learns.
        seed: of the trial's random streams.
        iteration: GAN iterations done.
    """

    tensors: dict[str, Tensor]
    hyperparameters: dict[str, float]
    instance: str
    seed: int
    iteration: int

    @property
    def generator(self) -> Tensor:
        """The generator's parameters to make rows with: their average where the trial keeps one."""
        return self.tensors.get("average", self.tensors["generator"])

    def save(self, path: Path) -> None:
        """Write to one safetensors file, atomically.

        Raises:
            QsynthError: it can't be written.
        """
        about = {
            "hyperparameters": self.hyperparameters,
            "instance": self.instance,
            "seed": self.seed,
            "iteration": self.iteration,
        }
        FILE.write(path, self.tensors, about)

    @classmethod
    def load(cls, path: Path) -> "Snapshot":
        """Read a file that :meth:`save` wrote.

        Raises:
            QsynthError: not such a file.
        """
        with FILE.reading(path) as (tensors, about):
            return cls(
                tensors=tensors,
                hyperparameters={str(name): float(value) for name, value in about["hyperparameters"].items()},
                instance=str(about["instance"]),
                seed=int(about["seed"]),
                iteration=int(about["iteration"]),
            )
