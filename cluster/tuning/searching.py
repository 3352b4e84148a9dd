"""A study's search in its agent's place, and the schedule that it found."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from cluster.comparison.rivals.agent_run import agent_rival
from cluster.comparison.rivals.retrained import whole_schedule
from cluster.ray_tune.search_plan import SearchPlan
from cluster.ray_tune.search_plot import plot_search
from cluster.ray_tune.search_run import SearchRun
from cluster.ray_tune.searched import SearchedTrials
from cluster.ray_tune.tracking import TrialTracking
from cluster.study.run_directory import RunDirectory
from cluster.study.search import Search
from cluster.study.study import Study
from cluster.system.interrupt import InterruptGuard
from cluster.system.progress import StudyProgress
from cluster.tracking.tracker import Tracker
from cluster.tuning.contender import Contender
from rl_envs.replay import Replay, ScheduleFile


@dataclass(frozen=True, kw_only=True)
class Searching:
    """The search of one run.

    Attributes:
        tags: of the study.
    """

    study: Study
    search: Search
    run: RunDirectory
    tracker: Tracker
    progress: StudyProgress
    guard: InterruptGuard
    tags: Mapping[str, str]

    def execute(self, *, compiled: bool, most: int) -> Contender:
        """What was found, by this attempt or an earlier one.

        Args:
            compiled: whether candidates' workers compile their updates.
            most: candidates at a time.

        Raises:
            Interrupted: a signal came; candidates that are over are kept.
            QsynthError: nothing was found.
        """
        study, name = self.study, f"search {self.search.name}"
        plan = SearchPlan(study, self.search, study.seed + 1009 * self.tracker.attempt_lock.attempt)
        lanes = self.search.lanes_per_trial
        self.progress.note(
            f"{name}: up to {plan.n_whole:,} candidates on {lanes} training instances each, in Ray Tune, as many "
            "trials as the agent would train on"
        )
        found = SearchRun(
            plan=plan,
            folder=self.run.path / "tune",
            file=self.run.searched,
            callbacks=(TrialTracking(self.tracker, self.tags, name),),
            stage=self.progress.stage(name, plan.decisions),
            asked=lambda: self.guard.requested is not None,
        ).execute(compiled=compiled, most=most)
        self.guard.check()
        return self._contender(name, found)

    def _contender(self, name: str, found: SearchedTrials) -> Contender:
        study, best = self.study, found.best()
        schedule = whole_schedule(best.schedule, study.episode.n_decisions)
        schedule = schedule.replaced(source=f"{name} of {self.run.path.name}")
        schedule.write(self.run.schedule)
        lanes = self.search.lanes_per_trial
        decisions = found.decisions * lanes
        iterations = decisions * study.episode.iterations_per_decision
        spent = {
            "candidates": float(len(found.trials)),
            "decisions": float(decisions),
            "GAN iterations": float(iterations),
            "circuits": float(sum(each.circuits for each in found.trials)),
        }
        space = study.trial.search_space
        self.tracker.log({"search/best_score": best.score, "search/candidates": len(found.trials)}, step=decisions)
        return Contender(
            name=name,
            agent=None,
            searched=agent_rival(
                name,
                Replay(schedule),
                f"Ray Tune's {self.search.name} on {lanes} training instances: {_described(schedule)}",
                iterations,
                identity=json.dumps(schedule.model_dump(mode="json")["hyperparameters"], sort_keys=True),
            ),
            file=self.run.schedule,
            spent=spent,
            draw=lambda path: plot_search(found.trials, space, path),
            caption="What was tried, and its score on training instances.",
        )


def _described(schedule: ScheduleFile) -> str:
    """First and last values in words."""
    parts = []
    for name, values in sorted(schedule.hyperparameters.items()):
        moved = f" -> {values[-1]:.3g}" if len(set(values)) > 1 else ""
        parts.append(f"{name}={values[0]:.3g}{moved}")
    return ", ".join(parts)
