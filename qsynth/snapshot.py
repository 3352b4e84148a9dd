"""A trial as data: tensors in safetensors, the rest in JSON; nothing is pickled."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor

from qsynth.errors import QsynthError

FORMAT = "qsynth-snapshot-1"


@dataclass(frozen=True)
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

    def save(self, path: Path) -> None:
        """Write to one safetensors file, atomically."""
        about = {
            "hyperparameters": self.hyperparameters,
            "instance": self.instance,
            "seed": self.seed,
            "iteration": self.iteration,
        }
        temporary = path.with_name(f".{path.name}.part")
        safetensors.torch.save_file(
            self.tensors, temporary, metadata={"format": FORMAT, "about": json.dumps(about, sort_keys=True)}
        )
        os.replace(temporary, path)

    @classmethod
    def load(cls, path: Path) -> "Snapshot":
        """Read a file that :meth:`save` wrote.

        Raises:
            QsynthError: not such a file.
        """
        try:
            with safetensors.safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                if metadata.get("format") != FORMAT:
                    raise QsynthError(f"{path} must be a trial's snapshot ({FORMAT})")
                about = json.loads(metadata["about"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return cls(
                tensors,
                {str(name): float(value) for name, value in about["hyperparameters"].items()},
                str(about["instance"]),
                int(about["seed"]),
                int(about["iteration"]),
            )
        except (
            OSError,
            safetensors.SafetensorError,
            LookupError,
            ArithmeticError,
            ValueError,
            TypeError,
            AttributeError,
        ) as error:
            if isinstance(error, QsynthError):
                raise
            raise QsynthError(f"{path} can't be read as a trial's snapshot: {' '.join(str(error).split())}") from None
