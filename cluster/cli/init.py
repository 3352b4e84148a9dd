"""``qsynth init``: a study file for a table of one's own."""

import os
from pathlib import Path
from typing import Any

import yaml

from cluster.cli.output import emit
from cluster.study.study import load_study, presets
from cluster.system.files import check_writable
from qsynth.errors import QsynthError
from qsynth.files.atomic import atomic_write_text
from qsynth.tables.inference import infer_schema
from qsynth.tables.reading import read_rows

PATTERN, MOST_FEATURES, LEAST_TRAIN = "iris", 4, 8
LEARNED = 0.3  # of the rows, as are held back for as many of each other part


def run_init(rows: str, target: str | None, out: Path, as_json: bool) -> None:
    """Write a study to edit: the table, and the settings of a preset of its size.

    Raises:
        QsynthError: a table that can't be used, or a file that is there already.
    """
    check_writable(out)
    if out.exists():
        raise QsynthError(f"--out must be a new file; {out} is there already")
    read = read_rows(rows, target)
    schema, remarks = infer_schema(read.frame, target)
    study: dict[str, Any] = yaml.safe_load(presets()[PATTERN].read_text(encoding="utf-8"))
    n_rows, n_features = len(schema.labelled(read.frame)), min(MOST_FEATURES, len(schema.modelled))
    data: dict[str, Any] = {"kind": "csv", "path": os.path.realpath(rows)}
    if len(schema.classes) > 1:
        data["label"] = target
    data |= {"n_features": n_features, "n_train": max(LEAST_TRAIN, int(LEARNED * n_rows))}
    name = "".join(each if each.isalnum() or each in "-_" else "_" for each in Path(rows).stem) or "rows"
    study |= {"name": name, "description": f"{Path(rows).name}: {n_rows} rows, {len(schema.columns)} columns"}
    study["data"] = data
    text = "# Edit, then: qsynth train, tune or compare with this file.\n"
    atomic_write_text(out, text + yaml.safe_dump(study, sort_keys=False, allow_unicode=True, width=120))
    load_study(str(out)).check()
    notes = [remark.line for remark in (*read.remarks, *remarks)]
    if as_json:
        emit({"study": str(out), "notes": notes})
        return
    for note in notes:
        print(note)
    print(f"study: {out}")
