"""The folder of one study's run: where everything lies, and how it is found again."""

import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from cluster.files import atomic_write_text
from cluster.study import Study
from qsynth.config import parse, read_yaml
from qsynth.errors import QsynthError

DEFAULT_ROOT = Path("qsynth-runs")


@dataclass(frozen=True)
class RunDirectory:
    """Paths of a run. ``path.name`` is the run's name, in MLflow too."""

    path: Path

    @property
    def study_file(self) -> Path:
        """The resolved study."""
        return self.path / "study.yaml"

    @property
    def checkpoints(self) -> Path:
        """The agent's training."""
        return self.path / "checkpoints"

    @property
    def stages(self) -> Path:
        """Results of finished stages."""
        return self.path / "stages"

    @property
    def plots(self) -> Path:
        """PNG files."""
        return self.path / "plots"

    @property
    def result(self) -> Path:
        """The final table as JSON."""
        return self.path / "result.json"

    @property
    def report(self) -> Path:
        """The report as Markdown."""
        return self.path / "report.md"

    @property
    def agent(self) -> Path:
        """The trained agent."""
        return self.path / "agent.safetensors"

    @property
    def model(self) -> Path:
        """The generator that made the synthetic data."""
        return self.path / "model.safetensors"

    @property
    def mlflow_model(self) -> Path:
        """The same generator as a folder in MLflow's model format."""
        return self.path / "generator"

    @property
    def device_model(self) -> Path:
        """The generator that was fine-tuned on hardware, in a study with such a stage."""
        return self.path / "model-device.safetensors"

    @property
    def synthetic(self) -> Path:
        """The synthetic data set."""
        return self.path / "synthetic.csv"

    @property
    def default_tracking_uri(self) -> str:
        """The embedded MLflow store, shared by the runs beside this one."""
        return f"sqlite:///{(self.path.parent / 'mlflow.db').absolute()}"

    def load_study(self) -> Study:
        """The study that this run is of."""
        return parse(Study, read_yaml(self.study_file), source=str(self.study_file))


def create(root: Path, study: Study) -> RunDirectory:
    """A new run's folder, ``<study>-<time>`` below ``root``, with the resolved study in it.

    Raises:
        QsynthError: the folder can't be written.
    """
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for suffix in ("", *(f"-{number}" for number in range(2, 100))):
        run = RunDirectory(root / f"{study.name}-{stamp}{suffix}")
        try:
            run.path.mkdir(parents=True)
            break
        except FileExistsError:
            if not root.is_dir():
                raise QsynthError(f"output directory {root} must be a directory") from None
        except OSError as error:
            raise QsynthError(f"output directory {root} must be writable: {error.strerror}") from None
    try:
        run.stages.mkdir()
        run.plots.mkdir()
        text = yaml.safe_dump(study.model_dump(mode="json"), sort_keys=False)
        atomic_write_text(run.study_file, text)
    except OSError as error:
        raise QsynthError(f"output directory {root} must be writable: {error.strerror}") from None
    return run


def find(root: Path, study: str) -> RunDirectory:
    """The run to resume: the latest of a study below ``root``.

    Raises:
        QsynthError: there is none.
    """
    runs = sorted(
        (path.parent for path in root.glob("*/study.yaml") if path.parent.name.startswith(f"{study}-")),
        key=lambda path: path.stat().st_mtime,
    )
    matching = [path for path in runs if RunDirectory(path).load_study().name == study]
    if not matching:
        raise QsynthError(f"--resume needs an earlier run of {study!r} below {root}; found none")
    return RunDirectory(matching[-1])
