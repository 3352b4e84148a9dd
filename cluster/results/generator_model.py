"""A trained generator as an MLflow model without pickles: a safetensors file, and this module to load it with."""

import json
import platform
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from qsynth.files.atomic import atomic_copy, atomic_write_json, atomic_write_text
from qsynth.synthesis.instance_model import LABEL
from qsynth.synthesizer import QGANSynthesizer

DATA = "data/model.safetensors"
EXAMPLE, SERVED_EXAMPLE = "input_example.json", "serving_input_example.json"
EXAMPLE_ROWS = 5


class GeneratorModel:
    """What ``mlflow.pyfunc.load_model`` wraps."""

    def __init__(self, synthesizer: QGANSynthesizer) -> None:
        self._synthesizer = synthesizer

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Synthetic rows in original units: the original columns and ``label``.

        Args:
            model_input: a request a row: ``n_rows``, and if wanted ``seed`` (else 0) and ``label`` (else the training
                data's class shares). The rows of all requests come one after another.
            params: none are known.

        Raises:
            QsynthError: an absurd number of rows, or an unknown label.
        """
        made = []
        for row in model_input.to_dict("records"):
            asked = {str(name): value for name, value in row.items() if not pd.isna(value)}
            where: dict[str | int, object] | None = {LABEL: asked[LABEL]} if LABEL in asked else None
            made.append(self._synthesizer.sample(asked["n_rows"], where, asked.get("seed", 0)))
        return pd.concat(made, ignore_index=True)


def _load_pyfunc(data_path: str) -> GeneratorModel:
    """The entry point that MLflow asks a ``loader_module`` for."""
    return GeneratorModel(QGANSynthesizer.load(data_path))


def write_model(model: Path, folder: Path, metadata: dict[str, Any]) -> None:
    """Write ``folder`` in MLflow's model format [https://mlflow.org/docs/latest/ml/model]; an older one is replaced.

    MLflow's own writer is not asked: importing it takes seconds and warns about things that are not ours.

    Args:
        model: what ``QGANSynthesizer.save`` wrote.
        metadata: JSON that ``MLmodel`` keeps.

    Raises:
        QsynthError: not a model.
        OSError: the folder can't be written.
    """
    about = QGANSynthesizer.load(model).description()
    names: list[str] = about["feature_names"]  # type: ignore[assignment]
    classes: list[str] = about["class_names"]  # type: ignore[assignment]
    shutil.rmtree(folder, ignore_errors=True)
    (folder / DATA).parent.mkdir(parents=True)
    atomic_copy(model, folder / DATA)
    example = {"columns": ["n_rows", "seed", LABEL], "data": [[EXAMPLE_ROWS, 0, classes[0]]]}
    atomic_write_json(folder / EXAMPLE, example)
    atomic_write_json(folder / SERVED_EXAMPLE, {"dataframe_split": example})
    atomic_write_text(folder / "requirements.txt", f"qsynth=={version('qsynth')}\n")
    python = {"python": platform.python_version(), "dependencies": ["-r requirements.txt"]}
    atomic_write_text(folder / "python_env.yaml", yaml.safe_dump(python))
    flavor = {
        "loader_module": __name__,
        "data": DATA,
        "env": {"virtualenv": "python_env.yaml"},
        "python_version": platform.python_version(),
    }
    asked = [
        _column("n_rows", "long"),
        _column("seed", "long", required=False),
        _column(LABEL, "string", required=False),
    ]
    made = [*(_column(name, "double") for name in names), _column(LABEL, "string")]
    description = {
        "flavors": {"python_function": flavor},
        "metadata": metadata,
        "mlflow_version": version("mlflow"),
        "saved_input_example_info": {
            "artifact_path": EXAMPLE,
            "serving_input_path": SERVED_EXAMPLE,
            "type": "dataframe",
            "pandas_orient": "split",
        },
        "signature": {"inputs": json.dumps(asked), "outputs": json.dumps(made), "params": None},
    }
    atomic_write_text(folder / "MLmodel", yaml.safe_dump(description))


def _column(name: str, kind: str, required: bool = True) -> dict[str, object]:
    return {"name": name, "type": kind, "required": required}
