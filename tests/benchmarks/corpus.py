"""CSV files of other people's packages, as they ship: how many are taken, and one line for each that is not.

Run as ``python -m tests.benchmarks.corpus``.
"""

import importlib.util
import json
import time
import warnings
from pathlib import Path

from qsynth.errors import QsynthError
from qsynth.tables.inference import infer_schema
from qsynth.tables.reading import read_rows
from qsynth.tables.schema import MAX_CLASSES, Schema

PACKAGES = {
    "statsmodels": "datasets",
    "palmerpenguins": "",
    "vega_datasets": "_data",
    "sklearn": "datasets/data",
    "causaldata": "",
    "pingouin": "datasets",
}
RESULT = Path(__file__).parent / "results" / "corpus.json"


def csv_files(package: str, folder: str) -> list[Path]:
    """The package's CSV files outside of its tests, each content once: a file and its compressed form are one."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return []
    root = Path(spec.submodule_search_locations[0]) / folder
    found = [path for pattern in ("*.csv", "*.csv.gz") for path in sorted(root.rglob(pattern))]
    return [path for path in found if "tests" not in path.relative_to(root).parts]


def take(path: Path) -> Schema:
    """The schema of a file as it is, with its last column as the target if that holds classes.

    Raises:
        QsynthError: it is not taken.
    """
    frame = read_rows(path).frame
    last = frame.columns[-1]
    schema, _ = infer_schema(frame)
    if schema.column(last).kind in ("category", "boolean") and 2 <= frame[last].nunique() <= MAX_CLASSES:
        schema, _ = infer_schema(frame, last)
    labelled = schema.labelled(frame)
    numbers = schema.encode(labelled)
    schema.check(schema.decode(numbers, schema.labels(labelled), seed=0)[list(frame.columns)])
    return schema


def main() -> None:
    """Read all, print what became of each, and write it down."""
    rows = []
    for package, folder in PACKAGES.items():
        for path in csv_files(package, folder):
            start, reason, schema = time.perf_counter(), "", None
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                try:
                    schema = take(path)
                except QsynthError as error:
                    reason = str(error).replace(f"{path}: ", "").replace(str(path), path.name)
            row = {"package": package, "file": path.name, "taken": schema is not None, "reason": reason}
            if schema is not None:
                row |= {"rows": schema.n_rows, "columns": len(schema.columns), "target": schema.target}
            rows.append({**row, "seconds": round(time.perf_counter() - start, 2)})
            said = f"taken, {row['rows']} x {row['columns']}, target {row['target']}" if schema is not None else reason
            print(f"{package:15} {path.name:45} {said}", flush=True)
    taken = sum(bool(row["taken"]) for row in rows)
    print(f"{taken} of {len(rows)} are taken")
    RESULT.write_text(json.dumps({"taken": taken, "files": len(rows), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
