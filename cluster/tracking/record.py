"""A line of a journal, and whether what it says can be sent."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import PurePosixPath
from typing import Any, Literal, get_args

from cluster.system.attempt_lock import DIGITS
from cluster.tracking.dataset_input import DatasetInput
from cluster.tracking.store import checked_key, checked_name
from qsynth.errors import QsynthError
from qsynth.files.json_text import plain_json

LARGEST = 2**53  # of steps and times, which databases keep in 64 bits
Status = Literal["FINISHED", "KILLED", "FAILED"]
DATASET = {field.name for field in fields(DatasetInput)}
Body = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Record:
    """One line of a journal. ``time`` is in milliseconds since 1970; ``body`` is JSON."""

    seq: int
    attempt: int
    time: int
    kind: str
    body: dict[str, Any]

    def line(self) -> bytes:
        """The record as it is stored, with its newline."""
        return json.dumps(vars(self), separators=(",", ":")).encode() + b"\n"

    @property
    def sendable(self) -> bool:
        """Whether its body is one of its kind's, with names that MLflow takes and paths that stay in the folder."""
        try:
            trial = self.body.get("trial")
            return (trial is None or bool(checked_name("trial", trial))) and _KINDS[self.kind](self.body)
        except (QsynthError, LookupError, TypeError, AttributeError):
            return False


def parse_line(line: bytes) -> Record | None:
    """The record in a line; None when a fault of the disk, or somebody, made something else of it."""
    if not line.startswith(b"{"):  # whatever it is, it is not worth a closer look
        return None
    try:
        record = Record(**plain_json(line))
    except (ValueError, TypeError):
        return None
    whole = all(type(each) is int and 0 <= each <= LARGEST for each in (record.seq, record.attempt, record.time))
    whole = whole and record.attempt < 10**DIGITS
    return record if whole and isinstance(record.kind, str) and isinstance(record.body, dict) else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _are_texts(values: Mapping[str, object]) -> bool:
    return all(isinstance(value, str) for value in values.values())


def _have_names(values: Mapping[str, object]) -> bool:
    """Raises QsynthError where one is no name that MLflow takes."""
    return all(checked_key(key) for key in values)


def _stays(path: str) -> bool:
    """Whether a relative path stays below where it begins."""
    parts = PurePosixPath(path)
    return "\0" not in path and not parts.is_absolute() and ".." not in parts.parts


def _is_start(body: Body) -> bool:
    return all(_are_texts(body[part]) and _have_names(body[part]) for part in ("params", "tags"))


def _is_metrics(body: Body) -> bool:
    step, values = body["step"], body["metrics"]
    numbers = isinstance(step, int) and abs(step) <= LARGEST and all(map(_is_number, values.values()))
    return numbers and _have_names(values)


def _is_model(body: Body) -> bool:
    model = body["model"]
    texts = {name: model[name] for name in ("name", "folder", "description")}
    named = bool(checked_name("model", model["name"])) and _are_texts(texts) and _are_texts(model["tags"])
    return named and _stays(body["path"]) and _stays(model["folder"]) and _is_number(model["score"])


_KINDS: Mapping[str, Callable[[Body], bool]] = {
    "start": _is_start,
    "metrics": _is_metrics,
    "tags": lambda body: _are_texts(body["tags"]) and _have_names(body["tags"]),
    "artifact": lambda body: _stays(body["path"]) and _stays(body["folder"]),
    "note": lambda body: isinstance(body["markdown"], str),
    "dataset": lambda body: set(body["dataset"]) == DATASET and _are_texts(body["dataset"]),
    "model": _is_model,
    "end": lambda body: body["status"] in get_args(Status),
}
