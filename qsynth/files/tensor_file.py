"""Tensors and what is said of them, in one safetensors file: replaced atomically, read without unpickling."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from qsynth.errors import DataError, FileError, QsynthError, StudyError
from qsynth.files.atomic import atomic_write_bytes
from qsynth.files.content import as_path, check_regular
from qsynth.files.json_text import parse_json

# What reading a damaged or forged file can raise: from the file itself, its JSON, or what the reader builds of them.
MALFORMED = (
    OSError,
    safetensors.SafetensorError,
    LookupError,
    ArithmeticError,
    ValueError,
    TypeError,
    AttributeError,
    MemoryError,  # of sizes that no such file has
    RuntimeError,  # torch's, for tensors of other shapes, and Python's recursion limit, for JSON nested too deeply
)


@dataclass(frozen=True)
class TensorFile:
    """A kind of file.

    Attributes:
        format: the name and version that its metadata carry.
        what: what it holds, for messages ("a trained agent").
    """

    format: str
    what: str

    def write(self, path: Path | str, tensors: Mapping[str, Tensor], about: Any) -> None:
        """Replace ``path`` by ``tensors`` and ``about`` (JSON).

        Raises:
            QsynthError: it can't be written; what was there before is still there.
        """
        path = as_path(path)
        contiguous = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        try:
            metadata = {"format": self.format, "about": json.dumps(about, sort_keys=True)}
            # Not save_file, whose files only their owner can read, whatever the umask.
            atomic_write_bytes(path, safetensors.torch.save(contiguous, metadata))
        except (OSError, safetensors.SafetensorError) as error:
            raise FileError(f"{path} can't be written: {' '.join(str(error).split())}") from None

    @contextmanager
    def reading(self, path: Path | str) -> Iterator[tuple[dict[str, Tensor], Any]]:
        """The tensors and the JSON of ``path``; what the body then trips over is the file's fault as well.

        Raises:
            QsynthError: no such file, one of another kind, or contents that do not hold together.
        """
        path = check_regular(path)
        try:
            with safetensors.safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                if metadata.get("format") != self.format:
                    raise FileError(f"{path} must be {self.what} ({self.format})")
                about = parse_json(metadata["about"], f"{path} can't be read as {self.what}: its description")
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            yield tensors, about
        except (StudyError, DataError) as error:
            raise FileError(str(error)) from None
        except QsynthError:
            raise
        except MALFORMED as error:
            raise FileError(f"{path} can't be read as {self.what}: {' '.join(str(error).split())}") from None
