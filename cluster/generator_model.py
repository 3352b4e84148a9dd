"""A trained generator as an MLflow model without pickles: a safetensors file, and this module to load it with."""

import os
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from cluster.tracking_store import CLIENT_SETTINGS
from qsynth.synthesizer import LABEL, QGANSynthesizer

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
            made.append(self._synthesizer.sample(asked["n_rows"], asked.get("seed", 0), asked.get(LABEL)))
        return pd.concat(made, ignore_index=True)


def _load_pyfunc(data_path: str) -> GeneratorModel:
    """The entry point that MLflow asks a ``loader_module`` for."""
    return GeneratorModel(QGANSynthesizer.load(data_path))


def write_model(model: Path, folder: Path, metadata: dict[str, Any]) -> None:
    """Write ``folder`` in MLflow's model format; an older one is replaced.

    Args:
        model: what ``QGANSynthesizer.save`` wrote.
        metadata: JSON that ``MLmodel`` keeps.

    Raises:
        QsynthError: not a model.
        OSError: the folder can't be written.
    """
    for name, value in CLIENT_SETTINGS.items():
        os.environ.setdefault(name, value)
    from mlflow.models import ModelSignature
    from mlflow.pyfunc import save_model
    from mlflow.types import ColSpec, Schema

    about = QGANSynthesizer.load(model).report()
    names: list[str] = about["feature_names"]  # type: ignore[assignment]
    classes: list[str] = about["class_names"]  # type: ignore[assignment]
    asked = [ColSpec("long", "n_rows"), ColSpec("long", "seed", required=False)]
    asked.append(ColSpec("string", LABEL, required=False))
    made = [*(ColSpec("double", name) for name in names), ColSpec("string", LABEL)]
    shutil.rmtree(folder, ignore_errors=True)
    save_model(
        folder,
        loader_module=__name__,
        data_path=str(model),
        signature=ModelSignature(Schema(asked), Schema(made)),
        input_example=pd.DataFrame({"n_rows": [EXAMPLE_ROWS], "seed": [0], LABEL: [classes[0]]}),
        pip_requirements=[f"qsynth=={version('qsynth')}"],
        metadata=metadata,
    )
