"""``qsynth train``: one quantum GAN, under constants, a trained agent, or a schedule."""

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from cluster.cli.output import emit
from cluster.cli.tables import print_rows
from cluster.comparison.beside import TrainedGan, measure_rows
from cluster.comparison.rivals.rows_rival import yardsticks_of
from cluster.comparison.rows_summary import RowsSummary, summarise_rows
from cluster.results.explanation import Explanation, plot_explanation
from cluster.study.study import Study, changed, load_study
from cluster.system.files import check_outputs
from cluster.system.progress import StudyProgress
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.data.dataset import Instance
from qsynth.errors import QsynthError, did_you_mean
from qsynth.rng import checked_seed
from qsynth.space.hyperparameters import checked
from qsynth.synthesizer import QGANSynthesizer
from rl_envs.agents import Agent, Schedule, TrainedAgent
from rl_envs.config import make_tuner
from rl_envs.pretrained import agent_file
from rl_envs.replay import Replay, ScheduleFile
from rl_envs.rollout import SPENT, Assignment, Episode, play
from rl_envs.tuner import Tuner


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """Where things go, and who chooses the hyperparameters; by default the study's stay.

    Attributes:
        out: the model's file.
        agent: a shipped agent's name, or a file.
        replay: a schedule's file.
        settings: constants, NAME=VALUE.
        plot: PNG of real against synthetic marginals.
        schedule: JSON of what was chosen.
        explain: PNG of what the agent chose, and why.
    """

    out: Path
    seed: int
    agent: str | None
    replay: Path | None
    settings: list[str]
    plot: Path | None
    schedule: Path | None
    explain: Path | None

    def check(self) -> None:
        """Find out what is wrong before any work.

        Raises:
            QsynthError: options that exclude each other, or a file that can't be written.
        """
        chosen = [
            name
            for name, given in (("--agent", self.agent), ("--replay", self.replay), ("--set", self.settings))
            if given
        ]
        if len(chosen) > 1:
            raise QsynthError(
                f"{chosen[1]} must be left out with {chosen[0]}, which chooses the hyperparameters itself"
            )
        if self.explain is not None and self.agent is None:
            raise QsynthError("--explain needs --agent: nobody else looks at the training")
        checked_seed(self.seed)
        written = [path for path in (self.out, self.plot, self.schedule, self.explain) if path is not None]
        check_outputs(written, [] if self.replay is None else [self.replay])


def run_train(name: str, options: TrainOptions, as_json: bool) -> None:
    """Train, write what was asked for, and say how it went.

    Raises:
        QsynthError: a study, an agent, a schedule or a path that can't be used; or training ended early.
    """
    import torch

    torch.set_num_threads(1)
    options.check()
    study = load_study(name)
    study.check()
    study, constants = _constants(study, options.settings)
    tuner = make_tuner(study.environment(compiled=False), 1)
    agent = _agent(options, constants, tuner)
    instance = study.data.instance(options.seed, held_out=False)
    explanation = Explanation(agent) if options.explain is not None and isinstance(agent, TrainedAgent) else None
    with StudyProgress(enabled=not as_json) as progress:
        for remark in getattr(agent, "remarks", []):
            progress.note(f"agent: {remark}")
        stage = progress.stage("train", study.iterations_per_run)

        class Watched:
            """The agent, reporting at each decision."""

            name = agent.name
            begin = staticmethod(agent.begin)

            @staticmethod
            def decide(observation: Any, values: Any, share: float) -> Any:
                stage.update(round(share * study.iterations_per_run), score=float(tuner.score[0]))
                if explanation is not None:
                    explanation.look(observation, values)
                return agent.decide(observation, values, share)

        assignments = [Assignment(instance, options.seed)]
        began = time.process_time()
        try:
            [episode] = play(tuner, lambda _: Watched(), assignments, test=True, snapshots=True, keep="best")
        except KeyboardInterrupt:
            print("stopped by SIGINT; nothing was written", file=sys.stderr)
            raise
        seconds = time.process_time() - began
        stage.update(study.iterations_per_run, score=float(episode.scores[-1]))
    if episode.reason not in SPENT:
        raise QsynthError(f"training ended early ({episode.reason}); lower the learning rates, or raise gp_weight")
    rows = _rows(study, tuner, agent.name, instance, options.seed, seconds)
    kept = episode.snapshot
    assert kept is not None
    model = QGANSynthesizer.from_snapshot(study.trial, kept, instance)
    model.save(options.out)
    if options.plot is not None:
        from cluster.tuning.deliver import plot_model

        plot_model(model, instance, study.n_synthetic, options.seed, options.plot)
    if options.schedule is not None:
        schedule_of(episode, f"{agent.name} in {instance.key}, seed {options.seed}").write(options.schedule)
    if explanation is not None and options.explain is not None:
        plot_explanation(explanation, episode, study.trial.search_space, options.explain)
    summary = {
        "model": str(options.out),
        "study": study.name,
        "instance": instance.key,
        "iterations": study.iterations_per_run,
        "kept": kept.iteration,
        "ended": episode.reason,
        "agent": agent.name,
        "scores": [float(score) for score in episode.scores],
        "test_score": episode.test_score,
        "test": episode.test_raw,
        "rows": None if rows is None else rows.to_dict(),
        "hyperparameters": {name: kept.hyperparameters[name] for name in episode.schedule},
    }
    if as_json:
        emit(summary)
        return
    console = Console()
    console.print(
        f"{instance.key}: score {episode.scores[0]:.3f} -> {episode.scores[1:].max():.3f} after {kept.iteration} of "
        f"{study.iterations_per_run} iterations, which is kept; test {episode.test_score:.3f}",
        soft_wrap=True,
    )
    console.print(", ".join(f"{key} {value:.4g}" for key, value in episode.test_raw.items()) + " on the test rows")
    if rows is not None:
        print_rows(console, rows)
    console.print(f"model: {options.out}", soft_wrap=True, highlight=False, markup=False)


def _rows(study: Study, tuner: Tuner, agent: str, instance: Instance, seed: int, seconds: float) -> RowsSummary | None:
    """The GAN's rows beside those of yardsticks that learn the same instance; None where rows cost a device's shots.

    Args:
        seconds: CPU seconds that its training took.
    """
    if not isinstance(tuner.population.engine, StatevectorEngine):
        return None
    gan = TrainedGan(agent, "what was trained here", tuner.population)
    others = yardsticks_of(study.environment(compiled=False))
    mine, *beside = measure_rows(study.trial, study.name, [instance], [gan, *others], seed, "test")
    mine = replace(mine, records=tuple(replace(record, cpu_seconds=seconds) for record in mine.records))
    return summarise_rows([mine], beside, agent, 1, [study.name])


def schedule_of(episode: Episode, source: str) -> ScheduleFile:
    """What was in force in a trial, decision by decision."""
    return ScheduleFile(
        source=source, hyperparameters={name: tuple(values.tolist()) for name, values in episode.schedule.items()}
    )


def _agent(options: TrainOptions, constants: dict[str, float], tuner: Tuner) -> Agent:
    if options.agent is not None:
        return TrainedAgent.load(agent_file(options.agent), tuner.features, tuner.actions)
    if options.replay is None:
        return Schedule(dict(constants), name="constants")
    file = ScheduleFile.read(options.replay)
    if unknown := [name for name in file.hyperparameters if name not in tuner.values]:
        raise QsynthError(f"{options.replay} must set hyperparameters that the study's trials have; got {unknown[0]}")
    try:
        for name, values in file.hyperparameters.items():
            checked({name: np.array(values)}, len(values), tuner.population.config, tuner.values)
    except QsynthError as error:
        raise QsynthError(f"{options.replay} does not fit the study: {error}") from None
    return Replay(file)


def _constants(study: Study, settings: list[str]) -> tuple[Study, dict[str, float]]:
    """The settings as numbers, and the study whose trials are built with what they need."""
    from qsynth.space.hyperparameters import NAMES, SPARED, Hyperparameters

    values: dict[str, float] = {}
    for setting in settings:
        name, _, text = setting.partition("=")
        if name not in NAMES:
            raise QsynthError(f"--set must name a hyperparameter; got {name!r}.{did_you_mean(name, NAMES)}")
        try:
            values[name] = float(text)
            if not math.isfinite(values[name]):
                raise ValueError
        except ValueError:
            raise QsynthError(f"--set {name} must be a finite number after '='; got {setting!r}") from None
    convert: Callable[[str, float], Any] = lambda name, value: (  # noqa: E731
        int(value) if Hyperparameters.model_fields[name].annotation is int and value == int(value) else value
    )
    before, given = study.trial.defaults.model_dump(), {name: convert(name, value) for name, value in values.items()}
    changed(study, {"trial.defaults": before | given})
    spared = {name: value for name, value in given.items() if name in SPARED}
    study = changed(study, {"trial.defaults": before | spared})
    idle = [name for name in values if name not in study.trial.tunable]
    if idle:
        raise QsynthError(f"--set must name a hyperparameter that the study's kinds have; got {idle[0]!r}")
    return study, {name: value for name, value in values.items() if name in study.trial.used}
