"""The folder of one study's run: where everything lies, and how it is found again."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from cluster.study.study import Study, changed, read_study
from cluster.system.sqlite_file import sqlite_uri
from qsynth.data.tabular import CsvData
from qsynth.errors import FileError, QsynthError, shown
from qsynth.files.atomic import atomic_copy, atomic_write_text
from qsynth.files.yaml_file import read_yaml

PRIVATE = 0o700  # of folders: they hold rows of the user


@dataclass(frozen=True)
class RunDirectory:
    """Paths of a run. ``path.name`` is the run's name, in MLflow too."""

    path: Path

    @property
    def study_file(self) -> Path:
        """The resolved study."""
        return self.path / "study.yaml"

    @property
    def curriculum_file(self) -> Path:
        """The curriculum, in a run of one."""
        return self.path / "curriculum.yaml"

    @property
    def checkpoints(self) -> Path:
        """The agent's training."""
        return self.path / "checkpoints"

    @property
    def stages(self) -> Path:
        """Results of finished stages."""
        return self.path / "stages"

    @property
    def comparison(self) -> Path:
        """The results of the comparison on held-out problems."""
        return self.stages / "comparison.json"

    @property
    def records(self) -> Path:
        """What rivals have done so far in that comparison."""
        return self.stages / "records.jsonl"

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
        """The report: one HTML page."""
        return self.path / "report.html"

    @property
    def note(self) -> Path:
        """The report in short, as Markdown."""
        return self.path / "report.md"

    @property
    def agent(self) -> Path:
        """The trained agent."""
        return self.path / "agent.safetensors"

    @property
    def searched(self) -> Path:
        """What a search has tried so far, in a study that searches."""
        return self.stages / "search.json"

    @property
    def schedule(self) -> Path:
        """What that search found."""
        return self.path / "schedule.json"

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
        return sqlite_uri(self.path.parent / "mlflow.db")

    def load_study(self) -> Study:
        """The study that this run is of."""
        return read_study(self.study_file, str(self.study_file))

    def enlarge(self, trials: int | None, held_out: int | None) -> Study:
        """Raise the budget of a run, finished or not: a resume then does what is missing.

        Args:
            trials: ``budget.agent_trials`` from now on; None: as it is.
            held_out: ``budget.held_out``, likewise.

        Raises:
            QsynthError: less than the run has, or the folder can't be written.
        """
        study = self.load_study()
        budget = study.budget
        for name, asked, present in (
            ("--trials", trials, budget.agent_trials),
            ("--held-out", held_out, budget.held_out),
        ):
            if asked is not None and asked < present:
                raise FileError(f"{name} must be at least the run's {present:,} with --resume; got {asked:,}")
        larger = changed(study, {"budget.agent_trials": trials, "budget.held_out": held_out})
        if larger.budget != budget:
            values = read_yaml(self.study_file) | {"budget": larger.budget.model_dump(mode="json")}
            try:
                atomic_write_text(self.study_file, yaml.safe_dump(values, sort_keys=False))
                self.result.unlink(missing_ok=True)
            except OSError as error:
                raise FileError(f"{self.path} must be writable: {error.strerror}") from None
        return larger


def new_name(study: str) -> str:
    """A name for a run that begins now."""
    return f"{study}-{time.strftime('%Y%m%d-%H%M%S')}"


def create(root: Path, study: Study, name: str | None = None) -> RunDirectory:
    """A new run's folder below ``root``, with the resolved study and a copy of its data file in it.

    The copy is what the run, and a resume, reads: the original may change or be out of reach meanwhile.

    Args:
        name: the folder's, which must be new; left out: ``<study>-<time>``.

    Raises:
        QsynthError: the folder can't be written, or ``name`` is taken or no name.
    """
    if name is not None and Path(name).name != name:
        raise FileError(f"--run must be a folder's name, without a path; got {name!r}")
    wanted = name or new_name(study.name)
    for suffix in ("", *(f"-{number}" for number in range(2, 100))):
        run = RunDirectory(root / f"{wanted}{suffix}")
        try:
            root.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
            run.path.mkdir(mode=PRIVATE)
            break
        except FileExistsError:
            if not root.is_dir():
                raise FileError(f"output directory {root} must be a directory") from None
            if name is not None:
                raise FileError(f"--run must be a new name in {root}; got {name!r}. Go on with --resume") from None
        except OSError as error:
            raise FileError(f"output directory {root} must be writable: {error.strerror}") from None
    try:
        run.stages.mkdir()
        run.plots.mkdir()
        write_study(study, run.path)
    except OSError as error:
        raise FileError(f"output directory {root} must be writable: {error.strerror}") from None
    return run


def write_study(study: Study, folder: Path) -> None:
    """Write the resolved study as ``study.yaml`` into ``folder``, and its data file, if it has one, below ``data``.

    Raises:
        OSError: the folder can't be written, or is full.
    """
    values = study.model_dump(mode="json")
    if isinstance(study.data, CsvData):
        copy = folder / "data" / study.data.file.name
        copy.parent.mkdir()
        atomic_copy(study.data.file, copy)
        values["data"]["path"] = str(copy.relative_to(folder))
    atomic_write_text(RunDirectory(folder).study_file, yaml.safe_dump(values, sort_keys=False))


def named(root: Path, name: str) -> RunDirectory:
    """The run with a name.

    Raises:
        QsynthError: there is none.
    """
    run = RunDirectory(root / name)
    if Path(name).name != name or not os.path.isfile(run.study_file):
        raise FileError(f"--run must name a run below {root}; got {shown(name)}")
    return run


def find(root: Path, study: str) -> RunDirectory:
    """The run to resume: the latest of a study below ``root``.

    Raises:
        QsynthError: there is none.
    """
    runs = sorted((path.parent for path in root.glob("*/study.yaml")), key=lambda path: path.stat().st_mtime)
    for path in reversed(runs):
        if _study_name(path) == study:
            return RunDirectory(path)
    raise FileError(f"--resume needs an earlier run of {study!r} below {root}; found none")


def _study_name(run: Path) -> str | None:
    """Of the study that a run is of; None where that can't be read."""
    try:
        return str(read_yaml(RunDirectory(run).study_file).get("name"))
    except QsynthError:
        return None
