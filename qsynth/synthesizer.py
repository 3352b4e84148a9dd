"""The public face: a trained generator that makes rows in the units of the original data."""

import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import SupportsIndex, get_args

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from qsynth.config import parse
from qsynth.data.dataset import Instance
from qsynth.data.labels import stratified
from qsynth.data.scaling import Scaling
from qsynth.data.source import DataSource
from qsynth.errors import DataError, DivergedError, FileError, NotFittedError, StudyError, did_you_mean
from qsynth.files.tensor_file import TensorFile
from qsynth.gan.generator import Generator
from qsynth.population.best import KeepBest
from qsynth.population.health import REMEDIES, RealRows, ailments
from qsynth.population.population import Population
from qsynth.population.snapshot import Keep, Snapshot
from qsynth.population.training_statistics import TrainingStatistics
from qsynth.population.trial import TrialConfig
from qsynth.rng import checked_seed, normal
from qsynth.space.controls import Controls
from qsynth.space.hyperparameters import controls

FILE = TensorFile("qsynth-model-1", "a qsynth model")
LABEL = "label"
STREAM_SAMPLE = 100
MAX_ROWS = 10_000_000
BATCH = 4096

logger = logging.getLogger(__name__)


def check_count(name: str, value: int, most: float = math.inf) -> None:
    """Refuse what is no number of things.

    Raises:
        StudyError: it is not a whole number, below 1, or above ``most``.
    """
    if not isinstance(value, SupportsIndex) or not 1 <= value <= most:
        limits = f"in 1..{most:,}" if most < math.inf else "at least 1"
        raise StudyError(f"{name} must be {limits}; got {value!r}")


def check_fit(
    data: object, n_iterations: int, seed: int, evaluate_every: int, on_evaluation: object, keep: Keep
) -> None:
    """Find out what is wrong with the arguments of ``fit`` before any work.

    Raises:
        DataError: rows instead of a source of data.
        StudyError: a number or a choice that is none of those allowed, or no function to tell of evaluations.
    """
    if not isinstance(data, DataSource):
        raise DataError(
            f"data must be a source such as TableData(name='iris') or CsvData(path='rows.csv', label='class'); got a "
            f"{type(data).__name__}"
        )
    for name, value in (("n_iterations", n_iterations), ("evaluate_every", evaluate_every)):
        check_count(name, value)
    if keep not in get_args(Keep):
        raise StudyError(f"keep must be best or last; got {keep!r}.{did_you_mean(str(keep), get_args(Keep))}")
    if not callable(on_evaluation):
        raise StudyError(f"on_evaluation must be a function; got {on_evaluation!r}")
    checked_seed(seed)


def check_config(config: object) -> None:
    """Refuse what is no trial's config.

    Raises:
        StudyError: something else.
    """
    if not isinstance(config, TrialConfig):
        raise StudyError(f"config must be a TrialConfig such as TrialConfig(n_qubits=4); got {config!r}")


class QGANSynthesizer:
    """A quantum GAN for one data set.

    >>> synthesizer = QGANSynthesizer(TrialConfig(n_qubits=4))
    >>> synthesizer.fit(TableData(name="iris"), n_iterations=500, seed=0)   # doctest: +SKIP
    >>> synthesizer.sample(100, seed=1)                                     # doctest: +SKIP

    Args:
        config: circuit, losses and hyperparameters.
    """

    def __init__(self, config: TrialConfig) -> None:
        check_config(config)
        self.config = config
        self._about: dict[str, object] | None = None
        self._generator: Tensor | None = None
        self._network: Generator | None = None
        self._scaling: Scaling | None = None
        self.history: list[dict[str, float]] = []

    def fit(
        self,
        data: DataSource,
        n_iterations: int = 500,
        seed: int = 0,
        evaluate_every: int = 25,
        on_evaluation: Callable[[dict[str, float]], None] = lambda _: None,
        keep: Keep = "best",
    ) -> "QGANSynthesizer":
        """Train one trial under the config's constant hyperparameters.

        ``history`` keeps iteration, losses, score and utilities at each evaluation, and 1 under ``ailment.NAME`` for
        each ailment (:mod:`qsynth.population.health`) that its iterations showed; the first time, what helps is logged.

        Args:
            keep: which generator becomes the synthesizer's: that of the evaluation with the best score, or the last.
                The best is the default because adversarial training circles its goal rather than to rest there: its
                last iteration is no better than any other late one. What selects is the score against the validation
                rows, which is therefore a little optimistic; test rows are never looked at.

        Raises:
            QsynthError: the data or an argument can't be used, or training diverged.
        """
        check_fit(data, n_iterations, seed, evaluate_every, on_evaluation, keep)
        instance = data.instance(seed, held_out=False)
        population = Population(self.config, instance.n_features, instance.n_classes, 1)
        population.reset([0], [instance], [seed])
        self.history = []
        real = RealRows.of([instance])
        untrained, best = population.snapshot(0), KeepBest(population)
        for start in range(0, n_iterations, evaluate_every):
            statistics = population.advance(min(evaluate_every, n_iterations - start))
            if population.diverged[0]:
                raise DivergedError(
                    f"training diverged within {start + evaluate_every} iterations; lower the learning rates"
                )
            card = population.evaluate()
            entry = {
                "iteration": float(population.iterations[0]),
                "loss_generator": float(statistics.loss_generator[0]),
                "loss_critic": float(statistics.loss_critic[0]),
                "score": float(card.score[0]),
                **{f"utility.{name}": float(value[0]) for name, value in card.utilities.items()},
            }
            for name in self._seen(statistics, real):
                entry[f"ailment.{name}"] = 1.0
            self.history.append(entry)
            on_evaluation(entry)
            best.look(card.score.numpy(), ~population.diverged)
        kept = population.snapshot(0) if keep == "last" else best.snapshots.get(0, untrained)
        return self._adopt(kept, instance)

    def _seen(self, statistics: TrainingStatistics, real: RealRows) -> list[str]:
        """Names of the ailments at this evaluation; a hint about what was not seen before is logged."""
        found = [name for name, lanes in ailments(statistics, real, np.zeros(1)).items() if lanes[0]]
        for name in found:
            if not any(f"ailment.{name}" in entry for entry in self.history):
                logger.warning("%s: %s", name, REMEDIES[name])
        return found

    @classmethod
    def from_snapshot(cls, config: TrialConfig, snapshot: Snapshot, instance: Instance) -> "QGANSynthesizer":
        """The synthesizer of a trial that was trained elsewhere, e.g. by an agent."""
        return cls(config)._adopt(snapshot, instance)

    def sample(self, n_rows: int, seed: int = 0, label: str | None = None) -> pd.DataFrame:
        """Synthetic rows: the original columns, in original units, and a column ``label``.

        Args:
            n_rows: how many.
            label: a class name to generate only that class; else the training data's class shares.

        Raises:
            QsynthError: not fitted, an absurd number of rows, or an unknown label.
        """
        x, y = self.sample_scaled(n_rows, seed, label)
        about, scaling = self._fitted(), self._scaling
        assert scaling is not None
        frame = pd.DataFrame(scaling.inverse(x), columns=list(about["feature_names"]))  # type: ignore[call-overload]
        frame[LABEL] = np.array(about["class_names"], dtype=object)[y]
        return frame

    def sample_scaled(self, n_rows: int, seed: int = 0, label: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Synthetic rows in the generator's scaled space (rows x n_features), and class indices (rows)."""
        about = self._fitted()
        check_count("n_rows", n_rows, MAX_ROWS)
        names: list[str] = about["class_names"]  # type: ignore[assignment]
        if label is not None and not (isinstance(label, str) and label in names):
            raise StudyError(f"label must be a class of the data; got {label!r}.{did_you_mean(str(label), names)}")
        shares = np.array(about["class_shares"]) if label is None else np.eye(len(names))[names.index(label)]
        y = stratified(shares, n_rows)
        assert self._generator is not None
        assert self._network is not None
        using, n_noise = self._controls(), self._network.n_noise
        eye, key = torch.eye(len(names)), torch.tensor(checked_seed(seed))
        parts = []
        with torch.no_grad():
            for batch, start in enumerate(range(0, n_rows, BATCH)):
                onehot = eye[torch.as_tensor(y[start : start + BATCH])]
                z = normal(key, STREAM_SAMPLE, torch.tensor(batch), len(onehot) * n_noise)
                parts.append(self._network.sample(self._generator, z.reshape(len(onehot), -1), onehot, using))
        return torch.cat(parts).numpy(), y

    def save(self, path: Path | str) -> None:
        """Write one safetensors file (no pickle), atomically.

        Raises:
            QsynthError: not fitted, or it can't be written.
        """
        learned = self._fitted()
        assert self._generator is not None
        about = {"config": self.config.model_dump(mode="json"), "learned": learned, "history": self.history}
        FILE.write(path, {"generator": self._generator}, about)

    @classmethod
    def load(cls, path: Path | str) -> "QGANSynthesizer":
        """Read what :meth:`save` wrote.

        Raises:
            QsynthError: no such file, or not a model.
        """
        with FILE.reading(path) as (tensors, about):
            model = cls(parse(TrialConfig, about["config"], source=str(path)))
            learned = about["learned"]
            model._install(learned, tensors["generator"], Scaling.from_dict(learned["scaling"]))
            # Files from before kept none.
            model.history = [{str(name): float(value) for name, value in e.items()} for e in about.get("history", [])]
        return model

    def report(self) -> dict[str, object]:
        """What was learned, from what, and, of what ``fit`` trained, how it scored at each evaluation."""
        about = self._fitted()
        keys = ("instance", "iteration", "hyperparameters", "feature_names", "class_names", "class_shares")
        return {key: about[key] for key in keys} | {"history": self.history}

    def _adopt(self, snapshot: Snapshot, instance: Instance) -> "QGANSynthesizer":
        about: dict[str, object] = {
            "instance": snapshot.instance,
            "iteration": snapshot.iteration,
            "hyperparameters": snapshot.hyperparameters,
            "feature_names": list(instance.feature_names),
            "class_names": list(instance.class_names),
            "class_shares": [float(share) for share in instance.class_shares],
            "n_features": instance.n_features,
            "scaling": instance.scaling.to_dict(),
        }
        self._install(about, snapshot.generator, instance.scaling)
        return self

    def _install(self, about: dict[str, object], generator: Tensor, scaling: Scaling) -> None:
        n_classes = len(about["class_names"])  # type: ignore[arg-type]
        n_features = int(about["n_features"])  # type: ignore[call-overload]
        network = self.config.build_generator(self.config.circuit(), n_features, n_classes)
        if generator.shape != (network.layout.size,):
            raise FileError(
                f"a model's generator must have {network.layout.size} parameters; got {tuple(generator.shape)}"
            )
        self._about, self._generator, self._network, self._scaling = about, generator, network, scaling

    def _controls(self) -> Controls:
        """Of the hyperparameters that the trial ended with; what an old model's file lacks is at its default."""
        config, learned = self.config, self._fitted()["hyperparameters"]
        values = {name: config.default(name) for name in config.used} | learned  # type: ignore[operator]
        arrays = {name: np.array([float(values[name])]) for name in config.used}
        return controls(arrays, config.capacity).of_lane(0)

    def _fitted(self) -> dict[str, object]:
        if self._about is None:
            raise NotFittedError("the synthesizer must be fitted first: call fit")
        return self._about
