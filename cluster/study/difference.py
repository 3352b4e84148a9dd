"""In what a study's file is another than the study that a run is of."""

import json
from contextlib import suppress
from typing import Any

from cluster.study.study import Study
from qsynth.data.tabular import CsvData
from qsynth.errors import QsynthError, shown
from qsynth.files.content import read_content


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """A study's settings under their dotted paths."""
    found: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, dict) and value:
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value if isinstance(value, str) else json.dumps(value)
    return found


def differences(run: Study, file: Study) -> list[str]:
    """Settings that the run has otherwise than the file, each with both values; and whether its rows are others."""
    mine, other = flat(run.model_dump(mode="json")), flat(file.model_dump(mode="json"))
    if isinstance(run.data, CsvData) and isinstance(file.data, CsvData):
        del mine["data.path"], other["data.path"]  # the run has a copy of its own
    found = [
        f"{name} {_said(mine.get(name))}, not {_said(other.get(name))}"
        for name in dict.fromkeys((*mine, *other))
        if mine.get(name) != other.get(name)
    ]
    if isinstance(run.data, CsvData) and isinstance(file.data, CsvData):
        with suppress(QsynthError):  # the file's table may be gone: the run has its copy
            if read_content(run.data.file) != read_content(file.data.file):
                found.append(f"the rows of {run.data.file}, not those of {file.data.file}")
    return found


def _said(value: str | None) -> str:
    return "nothing" if value is None else shown(value)[1:-1]
