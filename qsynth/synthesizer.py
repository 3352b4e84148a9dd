"""The public face: a synthesizer that learns a table, or a data source, and makes rows in the same form."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from torch import Tensor

from qsynth.data.dataset import Instance
from qsynth.data.source import DataSource
from qsynth.errors import NotFittedError, StudyError
from qsynth.execution.steady import steady
from qsynth.files.tensor_file import TensorFile
from qsynth.population.snapshot import Keep, Snapshot
from qsynth.population.trial import TrialConfig
from qsynth.quality.quality_report import QualityReport, assess
from qsynth.rng import checked_seed, derived_seed
from qsynth.synthesis.beside import yardstick_rows
from qsynth.synthesis.diary import Diary, Entry
from qsynth.synthesis.instance_model import InstanceModel
from qsynth.synthesis.learning import SCORE, learn_table, rows_of
from qsynth.synthesis.settings import MAX_ROWS, check_config, check_count, check_fit, default_config
from qsynth.synthesis.table_fit import QUANTUM
from qsynth.synthesis.table_model import TableModel
from qsynth.synthesis.training import Training
from qsynth.synthesis.training_table import training_table
from qsynth.tables.reading import Rows
from qsynth.tables.schema import Schema

FILE = TensorFile("qsynth-model-1", "a qsynth model")
REPORT_SEED = 1 << 42

Where = Mapping[str | int, object]
Table = pd.DataFrame | Path | str | Rows


class QGANSynthesizer(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A quantum GAN for one table.

    >>> synthesizer = QGANSynthesizer(random_state=0)
    >>> synthesizer.fit(penguins, target="species")                 # doctest: +SKIP
    >>> synthesizer.sample(200, where={"species": "Gentoo"})        # doctest: +SKIP

    Args:
        config: circuit, losses and hyperparameters. Left out: four qubits and the recipe that measured best
            (:func:`qsynth.population.recommended.recommended_trial`), without a critic, which is quicker.
        method: ``quantum`` for the circuit, the name of a yardstick (Gaussian mixture, tied Gaussian, kernel density)
            for that, or ``auto`` for what is best on the validation rows. For tables only.
        n_iterations: of the GAN.
        evaluate_every: iterations between evaluations.
        keep: the generator of the last evaluation, or of the one with the best validation score.
        random_state: of the split, the networks, the noise, and of samples; None draws another each time.
        verbose: whether to say on standard error what is done; None: if that is a terminal.

    Attributes:
        history: iteration, losses, score and utilities at each evaluation, and, of a table, a last entry with the score
            of the rows and of the yardsticks beside them.
        notes: what was done and what is suspicious about the table, a line each.

    Raises:
        StudyError: a config that is none.
    """

    def __init__(
        self,
        config: TrialConfig | None = None,
        *,
        method: str = QUANTUM,
        n_iterations: int = 200,
        evaluate_every: int = 25,
        keep: Keep = "last",
        random_state: int | None = None,
        verbose: bool | None = None,
    ) -> None:
        check_config(config)
        self.config, self.method, self.n_iterations, self.evaluate_every = config, method, n_iterations, evaluate_every
        self.keep, self.random_state, self.verbose = keep, random_state, verbose
        self._model: TableModel | InstanceModel | None = None
        self._n_samples, self._seed = 0, 0
        self.history: list[Entry] = []
        self.notes: list[str] = []

    def fit(
        self,
        data: Table | DataSource,
        target: str | int | None = None,
        *,
        schema: Schema | None = None,
        on_evaluation: Callable[[Entry], None] = lambda _: None,
    ) -> Self:
        """Learn a table, or the instance of a data source that ``random_state`` names.

        Interrupted (Ctrl-C), it keeps the best that it had by then, unless there was nothing yet.

        Args:
            data: rows, a file of rows (CSV, TSV, Parquet, gzip), what ``read_rows`` made of one, or a source of data.
            target: the column that holds the classes, or the number to predict; None: there is none.
            schema: what the columns are; None: what they look like.
            on_evaluation: is given each entry of ``history``.

        Raises:
            QsynthError: the data or a setting can't be used, or training diverged.
        """
        check_fit(self.get_params(), on_evaluation)
        seed = int(np.random.SeedSequence().generate_state(1)[0]) if self.random_state is None else self.random_state
        diary = Diary(self.verbose, self.n_iterations, on_evaluation)
        try:
            with steady():
                learned = self._learn(data, target, schema, seed, diary)
        finally:
            diary.close()
        self._model, self._seed, self._n_samples = learned, seed, 0
        self.history, self.notes = diary.history, diary.notes
        return self

    def _learn(
        self, data: Table | DataSource, target: str | int | None, schema: Schema | None, seed: int, diary: Diary
    ) -> TableModel | InstanceModel:
        config, train = self._config(), partial(self._train, seed=seed, diary=diary)
        if isinstance(data, DataSource):
            if target is not None or schema is not None:
                raise StudyError("target and schema must be left out with a source, which has its own")
            instance = data.instance(seed, held_out=False)
            return InstanceModel.of(config, train(config, instance), instance)
        model = learn_table(rows_of(data, target), target, schema, config, self.method, seed, diary, train)
        diary.note(self.chosen_by)
        return model

    @property
    def chosen_by(self) -> str:
        """Who chooses the hyperparameters, and why."""
        return "hyperparameters are constants, which measured better than the shipped agent"

    def sample(self, n_rows: int = 100, where: Where | None = None, random_state: int | None = None) -> pd.DataFrame:
        """Synthetic rows in the form of what was learned: names, order, dtypes, ranges, class shares.

        Args:
            n_rows: how many.
            where: what columns are to be: a value, a list of values, or a pair ``(low, high)`` with None for an open
                end. Classes of the target are asked of the generator; other columns choose among what it makes.
            random_state: of the noise; None: other rows at each call, the same in each run of a seeded fit.

        Raises:
            QsynthError: not fitted, an absurd number of rows, or conditions that can't be met.
        """
        model = self._fitted()
        check_count("n_rows", n_rows, MAX_ROWS)
        with steady():
            return model.sample(int(n_rows), where, self._noise(random_state))

    def sample_scaled(
        self, n_rows: int, where: Where | None = None, random_state: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Of a source: rows in the generator's scaled space (rows x n_features), and class indices (rows).

        Raises:
            QsynthError: as :meth:`sample`, or a table was learned.
        """
        model = self._fitted()
        if not isinstance(model, InstanceModel):
            raise StudyError("a model of a table has no scaled rows; use sample")
        check_count("n_rows", n_rows, MAX_ROWS)
        with steady():
            return model.scaled(int(n_rows), where, self._noise(random_state))

    def training_table(self, real: Table, n_rows: int = 200, random_state: int | None = None) -> pd.DataFrame:
        """Real rows and synthetic ones, to train a QNN on: :func:`qsynth.synthesis.training_table.training_table`.

        Args:
            real: the rows that were learned.
            n_rows: synthetic rows, every class alike.
            random_state: of the noise, as in :meth:`sample`.

        Raises:
            QsynthError: not fitted to a table with classes, rows of another form, or an absurd number of them.
        """
        model = self._of_table("training_table")
        check_count("n_rows", n_rows, MAX_ROWS)
        with steady():
            return training_table(model, rows_of(real).frame, int(n_rows), self._noise(random_state))

    def report(self, real: Table, held_out: Table | None = None, n_rows: int | None = None) -> QualityReport:
        """What the model's rows are worth beside real ones: score, fidelity, utility, novelty, each with its floor.

        Args:
            real: the rows that were learned.
            held_out: real rows that were not, if there are any.
            n_rows: synthetic rows to look at; left out: as many as real ones.

        Raises:
            QsynthError: not fitted to a table, or rows of another form.
        """
        model = self._of_table("report")
        frame = model.schema.labelled(rows_of(real).frame)
        other = None if held_out is None else model.schema.labelled(rows_of(held_out).frame)
        made = self.sample(n_rows or len(frame), random_state=REPORT_SEED)
        beside = yardstick_rows(model.schema, frame, len(made), self._seed)
        return assess(frame, made, model.schema, other, seed=self._seed, yardsticks=beside, scores=self.scores)

    @property
    def scores(self) -> dict[str, float]:
        """Of a table: qsynth's score of the rows and of the yardsticks', by name; a second real sample has 1."""
        last = self.history[-1] if self.history else {}
        return {name.removeprefix(SCORE): value for name, value in last.items() if name.startswith(SCORE)}

    @property
    def schema(self) -> Schema | None:
        """What the table's columns are; None for a source."""
        model = self._fitted()
        return model.schema if isinstance(model, TableModel) else None

    def description(self) -> dict[str, object]:
        """What was learned, from what, and how it scored at each evaluation."""
        learned = self._fitted().description()
        return learned | ({} if self.schema is None else {"notes": self.notes}) | {"history": self.history}

    def save(self, path: Path | str) -> None:
        """Write one safetensors file (no pickle), atomically.

        Raises:
            QsynthError: not fitted, or it can't be written.
        """
        FILE.write(path, *self._state())

    @classmethod
    def load(cls, path: Path | str) -> "QGANSynthesizer":
        """Read what :meth:`save` wrote.

        Raises:
            QsynthError: no such file, or not a model.
        """
        made = QGANSynthesizer()
        with FILE.reading(path) as (tensors, about), steady():
            made._restore(tensors, about, str(path))
        return made

    @classmethod
    def from_snapshot(cls, config: TrialConfig, snapshot: Snapshot, instance: Instance) -> "QGANSynthesizer":
        """The synthesizer of a trial that was trained elsewhere, e.g. by an agent."""
        made = QGANSynthesizer(config)
        made._model = InstanceModel.of(config, snapshot, instance)
        return made

    def __getstate__(self) -> dict[str, Any]:
        """Parameters, and what was learned as its file would hold it."""
        state = dict(vars(self))
        state["_model"] = None if self._model is None else self._state()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        learned = state["_model"]
        self.__dict__.update(state | {"_model": None})
        if learned is not None:
            with steady():
                tensors, about = learned
                self._restore(tensors, about, "a pickled model")

    def _state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        tensors, about = self._fitted().state()
        return tensors, about | {"history": self.history, "notes": self.notes, "seed": self._seed}

    def _restore(self, tensors: Mapping[str, Tensor], about: Mapping[str, Any], source: str) -> None:
        kind = TableModel if about.get("kind") == "table" else InstanceModel
        self._model = kind.of_state(tensors, about, source)
        # Files from before kept none of these.
        self.history = [{str(name): float(value) for name, value in e.items()} for e in about.get("history", [])]
        self.notes, self._seed = [str(note) for note in about.get("notes", [])], checked_seed(about.get("seed", 0))
        if self.config is None:
            made = self._model.maker if isinstance(self._model, TableModel) else self._model
            self.config = getattr(getattr(made, "generator", None), "config", None)

    def _config(self) -> TrialConfig:
        return default_config() if self.config is None else self.config

    def _noise(self, random_state: int | None) -> int:
        if random_state is not None:
            return checked_seed(random_state)
        if self.random_state is None:
            return int(np.random.SeedSequence().generate_state(1)[0])
        self._n_samples += 1
        return derived_seed(self._seed, self._n_samples)

    def _train(self, config: TrialConfig, instance: Instance, seed: int, diary: Diary) -> Snapshot:
        return Training(self.n_iterations, self.evaluate_every, self.keep, diary).run(config, instance, seed)

    def _of_table(self, what: str) -> TableModel:
        model = self._fitted()
        if not isinstance(model, TableModel):
            raise StudyError(f"{what} needs a model of a table; of a source, `description` says what was learned")
        return model

    def _fitted(self) -> TableModel | InstanceModel:
        if self._model is None:
            raise NotFittedError("the synthesizer must be fitted first: call fit")
        return self._model
