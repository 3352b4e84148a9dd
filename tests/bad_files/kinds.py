"""Every kind of file that the product reads: a good one, ways to damage it, and all that is done with it."""

import json
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import yaml

from cluster.cli.bar import latest_conclusion
from cluster.comparison.compared_agent import compared_agents
from cluster.comparison.comparison_result import ComparisonResult
from cluster.comparison.job_result import JobResultFile
from cluster.comparison.report import report_html
from cluster.comparison.report_folder import write_report as write_comparison_report
from cluster.comparison.rivals.retrained import whole_schedule
from cluster.ray_tune.searched import SearchedTrial, SearchedTrials
from cluster.results.device_result import DeviceResult
from cluster.service.daemon import DaemonProcess
from cluster.service.roles import _commands
from cluster.service.service import Offer, Service
from cluster.study.curriculum import load_curriculum
from cluster.study.run_directory import RunDirectory, create, find
from cluster.study.study import load_study
from cluster.system.attempt_lock import LOCK_NAME, AttemptLock
from cluster.system.environment import environment as environment_of
from cluster.system.files import read_json_object
from cluster.system.home import HOME, log_in_to_tracking
from cluster.tracking.delivery import Delivery
from cluster.tracking.journal import JOURNAL_NAME, OFFSET_NAME, Cursor, Journal
from cluster.tracking.runs import CACHE_NAME
from cluster.tracking.store import STORE_NAME, TrackingStore
from cluster.training.checkpoints import MANIFEST_NAME, STATE_NAME, CheckpointStore
from cluster.training.pretraining_state import ExaminationResult, PretrainingState
from cluster.tuning.study_result import StudyResult
from qsynth.circuits.spend import Spend
from qsynth.config import parse
from qsynth.data.table_file import read_table
from qsynth.data.tabular import TableData
from qsynth.experiment.active_learning.active import ActiveResult
from qsynth.experiment.active_learning.rows_saved import saving
from qsynth.experiment.experiment import CellKey, ExperimentFolder, check
from qsynth.experiment.plan import ExperimentPlan, load_plan
from qsynth.experiment.report import write_report as write_experiment_report
from qsynth.experiment.summary import summarise
from qsynth.files.json_text import read_json
from qsynth.population.snapshot import Snapshot
from qsynth.population.trial import TrialConfig
from qsynth.synthesizer import QGANSynthesizer
from qsynth.tables.inference import infer_schema
from qsynth.tables.reading import read_rows
from qsynth.tables.schema import Schema
from rl_envs.config import make_tuner
from rl_envs.policy import PolicyConfig, PolicyFile, PolicyNetwork, save_policy
from rl_envs.replay import Replay, ScheduleFile
from tests.bad_files import damage
from tests.cluster.comparison.made import comparison
from tests.cluster.conftest import TINY
from tests.qsynth.experiment.made import cell_of
from tests.rl_envs.tiny import SPACE, environment, instances

Damage = Callable[[bytes, random.Random], bytes]
URI = "sqlite:///{}/mlflow.db"
ARMS = ("real", "balanced", "logistic regression")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of file.

    Attributes:
        file: its name in its folder.
        make: writes a good one, and what belongs to it, into an empty folder.
        read: all that the product does with it, given its path.
    """

    name: str
    file: str
    damage: Damage
    make: Callable[[Path], None]
    read: Callable[[Path], object]

    def good(self, folder: Path) -> Path:
        """The folder with a good one, made when it is first asked for."""
        place = folder / "good" / self.name
        if not place.exists():
            place.mkdir(parents=True)
            self.make(place)
        return place


def _frame(n: int = 60) -> pd.DataFrame:
    random = np.random.default_rng(0)
    species = np.array(["setosa", "virginica", "né"])[np.arange(n) % 3]
    x = random.normal(size=(n, 2)).round(3) + (np.arange(n) % 3)[:, None]
    when = pd.date_range("2024-01-01", periods=n, freq="D").strftime("%Y-%m-%d")
    sure = np.where(np.arange(n) % 2, "yes", "no")
    return pd.DataFrame({"length": x[:, 0], "width": x[:, 1], "when": when, "sure": sure, "species": species})


def _write_table(name: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        frame, path = _frame(), folder / name
        if name.endswith(".parquet"):
            frame.to_parquet(path)
        else:
            frame.to_csv(path, index=False, sep="\t" if ".tsv" in name else ",")

    return make


def _read_table(path: Path) -> None:
    for target in (None, "species"):
        rows = read_rows(path, target)
        schema, _ = infer_schema(rows.frame, target)
        Schema.from_json(schema.model_dump_json())
        schema.decode(schema.encode(rows.frame), np.zeros(len(rows.frame), dtype=np.int64), 0)
    read_table(path, "species")


def _write_study(folder: Path) -> None:
    _write_table("rows.csv")(folder)
    values = {**TINY, "data": {"kind": "csv", "path": "rows.csv", "label": "species", "n_features": 2, "n_train": 24}}
    (folder / "study.yaml").write_text(yaml.safe_dump(values))


def _read_study(path: Path) -> None:
    study = load_study(str(path))
    study.check()
    run = create(path.parent / "runs", study, "again")
    run.load_study()
    find(path.parent / "runs", study.name)


def _write_curriculum(folder: Path) -> None:
    _write_study(folder)
    tasks = {"one": {"study": str(folder / "study.yaml")}, "two": {"study": "iris", "after": 0.5}}
    values = {"name": "c", "tasks": tasks, "changes": {"n_instances": 3}, "trials": 100, "n_lanes": 4, "n_instances": 2}
    (folder / "curriculum.yaml").write_text(yaml.safe_dump(values))


def _read_curriculum(path: Path) -> None:
    curriculum = load_curriculum(str(path))
    curriculum.check()
    _ = curriculum.tiers
    curriculum.placement()


PLAN: dict[str, Any] = {
    "name": "small",
    "data": {"iris": {"kind": "table", "name": "iris"}},
    "regimes": [{"kind": "few_labels", "n_rows": 20}, {"kind": "imbalance", "ratio": 5, "n_majority": 20}],
    "arms": ["noise", "SMOTE"],
    "n_seeds": 2,
    "n_synthetic": 10,
}


def _write_plan(folder: Path) -> None:
    (folder / "plan.yaml").write_text(yaml.safe_dump(PLAN))


def _read_plan(path: Path) -> None:
    plan = load_plan(str(path))
    check(plan)
    ExperimentFolder(path.parent / "out", plan).missing()


def _plan() -> ExperimentPlan:
    return parse(ExperimentPlan, {**PLAN, "regimes": PLAN["regimes"][:1]}, source="plan")


def _write_cells(folder: Path) -> None:
    plan = _plan()
    random, labels = np.random.default_rng(0), np.arange(30) % 3
    names = [*(arm.name for arm in plan.all_arms()), "logistic regression"]
    rights = {name: (random.random((plan.n_seeds, 30)) > 0.3).astype(float) for name in names}
    cell = cell_of(rights, labels, data="iris", regime=plan.regimes[0].title)
    ExperimentFolder(folder, plan).keep(CellKey("iris", 0), cell)
    [made] = (folder / "cells").iterdir()
    made.rename(folder / "cells" / "iris.json")


def _read_cells(path: Path) -> None:
    plan = _plan()
    folder = path.parent if path.parent.name != "cells" else path.parent.parent
    [key] = [CellKey("iris", 0)]
    kept = ExperimentFolder(folder, plan)
    if _there(folder / "cells" / "iris.json"):
        (folder / "cells" / "iris.json").rename(kept._path(key))
    kept.missing()
    results = kept.results()
    if results:
        write_experiment_report(plan, summarise(plan, results), results, folder)


def _trial() -> TrialConfig:
    return TrialConfig(n_qubits=2)


def _write_model(method: str, target: str | None) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        made = QGANSynthesizer(method=method, n_iterations=2, random_state=0, verbose=False)
        made.fit(_frame(), target=target).save(folder / "model.safetensors")

    return make


def _write_source_model(folder: Path) -> None:
    made = QGANSynthesizer(_trial(), n_iterations=2, random_state=0, verbose=False)
    made.fit(TableData(name="iris", n_features=2, n_train=24)).save(folder / "model.safetensors")


def _read_model(path: Path) -> None:
    model = QGANSynthesizer.load(path)
    model.sample(7, random_state=0)
    model.sample(300)
    if model.schema is None:
        model.sample_scaled(5)
        names: list[str] = model.description()["class_names"]  # type: ignore[assignment]
        model.sample(3, where={"label": names[-1]})
    model.scores  # noqa: B018
    model.description()
    model.save(path.parent / "again.safetensors")


def _write_snapshot(folder: Path) -> None:
    made = make_tuner(environment(), 1)
    made.begin([0], instances(1), [0])
    made.population.snapshot(0).save(folder / "trial.safetensors")


def _read_snapshot(path: Path) -> None:
    snapshot = Snapshot.load(path)
    made = make_tuner(environment(), 1)
    made.population.restore(0, snapshot, instances(1)[0])
    made.population.advance(1)
    made.population.evaluate()


def _write_agent(folder: Path) -> None:
    tuner = make_tuner(environment(), 1)
    config = PolicyConfig(hidden=(8,), bins=2)
    network = PolicyNetwork(len(tuner.features), tuner.actions, config)
    about = {"trials": 10, "iterations": 100, "core_hours": 0.1, "study": "tiny"}
    file = PolicyFile(features=tuple(tuner.features), search_space=SPACE, policy=config, max_step=0.15, about=about)
    save_policy(folder / "mine.safetensors", network, file)


def _read_agent(path: Path) -> None:
    from rl_envs.agents import TrainedAgent
    from rl_envs.pretrained import agent_file, card

    card(str(path))
    tuner = make_tuner(environment(), 2)
    acting = TrainedAgent.load(agent_file(str(path)), tuner.features, tuner.actions)
    seen = np.zeros((2, len(tuner.features)), dtype=np.float32)
    acting.decide(seen, tuner.values, 0.0)
    acting.contributions(seen, tuner.values)
    study = parse_tiny()
    compared_agents([path], [study])


def parse_tiny() -> Any:
    """The smallest study."""
    from cluster.study.study import Study

    return parse(Study, TINY, source="tiny")


def _write_schedule(folder: Path) -> None:
    values = {"lr_generator": (0.01, 0.02, 0.03), "n_critic": (1.0, 2.0, 2.0)}
    ScheduleFile(source="me", hyperparameters=values).write(folder / "schedule.json")


def _read_schedule(path: Path) -> None:
    from cluster.cli.train import TrainOptions, _agent

    options = TrainOptions(
        out=path.parent / "model.safetensors",
        seed=0,
        agent=None,
        replay=path,
        settings=[],
        plot=None,
        schedule=None,
        explain=None,
    )
    options.check()
    tuner = make_tuner(environment(), 1)
    made = _agent(options, {}, tuner)
    assert isinstance(made, Replay)
    tuner.begin([0], instances(1), [0])
    tuner.step(made.decide(np.zeros((1, 1)), {}, 0.5))


def _write_checkpoint(folder: Path) -> None:
    store = CheckpointStore(folder)
    for steps in (1, 2):
        store.save(lambda made: (made / "weights").write_bytes(b"x" * 100), {"sampled_steps": steps, "history": []})
    newest = folder / "checkpoint-000002"
    for name in (MANIFEST_NAME, STATE_NAME):
        (newest / name).rename(folder / name)


def _read_checkpoint(path: Path) -> None:
    newest = path.parent / "checkpoint-000002"
    for name in (MANIFEST_NAME, STATE_NAME):
        (path.parent / name).rename(newest / name) if _there(path.parent / name) else None
    store = CheckpointStore(path.parent)
    found = store.latest()
    assert found is not None
    assert found.state["sampled_steps"] in (1, 2)
    store.save(lambda made: (made / "weights").write_bytes(b"y"), {"sampled_steps": 3, "history": []})


def _there(path: Path) -> bool:
    return path.is_symlink() or path.exists()


class _Nobody:
    """An MLflow that takes everything."""

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            return _Nobody() if name.startswith(("get", "create")) else _Page()

        return call

    data = property(lambda self: _Data())
    info = property(lambda self: _Info())
    version, lifecycle_stage, experiment_id, aliases = "1", "active", "1", property(lambda self: {})


class _Page(list[Any]):
    token = None


class _Data:
    params: ClassVar[dict[str, str]] = {}


class _Info:
    run_id, status, lifecycle_stage, artifact_uri = "a" * 32, "RUNNING", "active", "there"


def _write_journal(folder: Path) -> None:
    (folder / "report.html").write_text("<p>")
    store = TrackingStore.make(URI.format(folder), "e", "s")
    store.save(folder)
    journal = Journal(folder)
    for trial in (None, "t"):
        journal.append("start", {"trial": trial, "params": {"lr": "0.1"}, "tags": {"owner": "me"}})
        journal.append("metrics", {"trial": trial, "step": 3, "metrics": {"loss": 0.5}})
        journal.append("tags", {"trial": trial, "tags": {"a": "b"}})
        journal.append("artifact", {"trial": trial, "path": "report.html", "folder": ""})
        journal.append("note", {"trial": trial, "markdown": "![a](report.html)"})
        journal.append("end", {"trial": trial, "status": "FINISHED"})
    dataset = dict.fromkeys(("name", "digest", "source_type", "source", "schema", "profile", "context"), "x")
    journal.append("dataset", {"trial": None, "dataset": dataset})
    model = {"name": "m", "folder": "generator", "score": 0.5, "tags": {}, "description": "d"}
    journal.append("model", {"trial": None, "path": "report.html", "model": model})
    journal.close()
    cursor = Cursor(folder, store.label)
    cursor.read(2)
    cursor.advance()
    runs = {"store": store.label, "runs": {"parent": "a" * 32, "trials": {"t": "b" * 32}}}
    (folder / CACHE_NAME).write_text(json.dumps(runs))


def _read_journal(path: Path) -> None:
    folder = path.parent
    store = TrackingStore.load(folder)
    TrackingStore.make(store.uri, store.experiment, store.study)
    delivery = Delivery(folder, store)
    nobody = _Nobody()
    object.__setattr__(store, "client", lambda: nobody)
    while delivery.step():
        pass
    delivery.close_orphans()
    delivery.remaining()
    journal = Journal(folder)
    journal.append("tags", {"trial": None, "tags": {}})
    journal.close()
    assert any(record.kind == "tags" for record in Cursor(folder, "other").read(10**9))


def _read_lock(path: Path) -> None:
    for _ in range(2):
        lock = AttemptLock(path.parent)
        lock.check()
        lock.release()


def _comparison() -> ComparisonResult:
    scores = {"agent": (0.5, 0.6, 0.7), "defaults": (0.4, 0.4, 0.6), "random": (0.4, 0.5, 0.6)}
    return comparison(scores)


def _write_comparison(folder: Path) -> None:
    _comparison().write(folder / "comparison.json")


def _read_comparison(path: Path) -> None:
    found = ComparisonResult.read(path)
    found.to_dict()
    write_comparison_report(found, path.parent, "title", ["about"])
    report_html(found, "title", {}, [])


def _write_result(folder: Path) -> None:
    run = RunDirectory(folder)
    run.stages.mkdir()
    _comparison().write(run.comparison)
    spend, scores = Spend(1, 2), {"score": 0.5}
    device = DeviceResult(
        device="d",
        simulated=scores,
        before=scores,
        after=scores,
        scores=(0.5, 0.6),
        kept=1,
        reason="budget",
        estimated=spend,
        spent=spend,
        bill="nothing",
    )
    result = StudyResult(
        run="r", comparison=_comparison(), paths={"report": "r"}, training={"trials": 3.0}, device=device
    )
    result.write(run)


def _read_result(path: Path) -> None:
    found = StudyResult.read(RunDirectory(path.parent))
    found.to_dict()
    assert found.device is not None
    found.device.markdown()
    found.device.metrics()
    latest_conclusion("a", path.parent.parent)
    read_json_object(path)


def _write_search(folder: Path) -> None:
    schedule = {"lr_generator": (0.01, 0.02), "n_critic": (1.0, 2.0)}
    start = {name: values[0] for name, values in schedule.items()}
    trial = SearchedTrial(start=start, schedule=schedule, score=0.4, decisions=2, circuits=64, shots=0)
    SearchedTrials(trials=(trial, trial.replaced(score=0.5)), over=4).write(folder / "search.json")


def _read_search(path: Path) -> None:
    found = SearchedTrials.read(path)
    if found.over:
        assert found.decisions >= 0
        whole_schedule(found.best().schedule, 3)


def _write_records(folder: Path) -> None:
    records = JobResultFile(folder / "records.jsonl")
    for rival in _comparison().rivals:
        for record in rival.records:
            records.add(record)
    records.close()


def _read_records(path: Path) -> None:
    records = JobResultFile(path)
    try:
        for record in records.records.values():
            assert record.key
    finally:
        records.close()


def _write_curves(folder: Path) -> None:
    curves = {"random": [[0.5, 0.6, 0.7], [0.4, 0.6, 0.6]], "disagreement": [[0.5, 0.7], [0.4, 0.7]]}
    made = ActiveResult(
        data="iris", seeds=[0, 1], n_known=[6, 12, 18], curves=curves, circuits=[0, 0, 0], shots=[0, 0, 0]
    )
    (folder / "curves.json").write_text(json.dumps(made.to_dict()))


def _read_curves(path: Path) -> None:
    found = ActiveResult.from_dict(read_json(path))
    for strategy in found.curves:
        json.dumps(saving([found], strategy).to_dict())


def _write_service(folder: Path) -> None:
    gone = DaemonProcess(2**22, 1.0)  # above what Linux has
    made = Service(
        processes={"mlflow": gone, "ray": gone, "supervisor": gone},
        cluster="127.0.0.1:6379",
        offer=Offer(cpus=2, qpus=1, drivers=1, memory=10**9),
        dashboard="http://127.0.0.1:8265",
        tracking_uri="http://127.0.0.1:5000",
        out=str(folder / "runs"),
    )
    (folder / "service.json").write_text(json.dumps(asdict(made)))


def _read_service(path: Path) -> None:
    with environment_of({HOME: str(path.parent)}):
        log_in_to_tracking("http://127.0.0.1:1")
        kept = Service.kept()
        if kept is not None:
            assert kept.dead == [role for role in kept.roles if not kept.lives(role)]
            _ = kept.records_uri, kept.offer.options()
            _commands(kept)
            Service.load()


def _write_pretraining(folder: Path) -> None:
    state = PretrainingState(tier=1, trials=8, iterations=48.0, core_seconds=3.5, about={"name": "small"})
    state.examined.append(ExaminationResult(4, {"iris": 0.5}))
    (folder / "pretraining.json").write_text(json.dumps(asdict(state)))


def _read_pretraining(path: Path) -> None:
    state = PretrainingState.of(read_json(path))
    state.best()
    state.stale(2)
    json.dumps(asdict(state))
    state.begin(state.tier)


def _kind(name: str, file: str, how: Damage, make: Callable[[Path], None], read: Callable[[Path], object]) -> Kind:
    return Kind(name=name, file=file, damage=how, make=make, read=read)


KINDS = (
    _kind("csv", "rows.csv", damage.from_bytes, _write_table("rows.csv"), _read_table),
    _kind("tsv.gz", "rows.tsv.gz", damage.from_bytes, _write_table("rows.tsv.gz"), _read_table),
    _kind("parquet", "rows.parquet", damage.from_bytes, _write_table("rows.parquet"), _read_table),
    _kind("study", "study.yaml", damage.from_yaml, _write_study, _read_study),
    _kind(
        "a study's rows", "rows.csv", damage.from_bytes, _write_study, lambda p: _read_study(p.parent / "study.yaml")
    ),
    _kind("curriculum", "curriculum.yaml", damage.from_yaml, _write_curriculum, _read_curriculum),
    _kind("experiment", "plan.yaml", damage.from_yaml, _write_plan, _read_plan),
    _kind("cell", "cells/iris.json", damage.from_json, _write_cells, _read_cells),
    _kind("experiment's settings", "experiment.json", damage.from_json, _write_cells, _read_cells),
    _kind(
        "model of a table", "model.safetensors", damage.from_tensors, _write_model("quantum", "species"), _read_model
    ),
    _kind(
        "yardstick's model", "model.safetensors", damage.from_tensors, _write_model("tied Gaussian", None), _read_model
    ),
    _kind("model of a source", "model.safetensors", damage.from_tensors, _write_source_model, _read_model),
    _kind("snapshot", "trial.safetensors", damage.from_tensors, _write_snapshot, _read_snapshot),
    _kind("agent", "mine.safetensors", damage.from_tensors, _write_agent, _read_agent),
    _kind("schedule", "schedule.json", damage.from_json, _write_schedule, _read_schedule),
    _kind("manifest", MANIFEST_NAME, damage.from_json, _write_checkpoint, _read_checkpoint),
    _kind("checkpoint's state", STATE_NAME, damage.from_json, _write_checkpoint, _read_checkpoint),
    _kind("journal", JOURNAL_NAME, damage.from_json_lines, _write_journal, _read_journal),
    _kind("offset", OFFSET_NAME, damage.from_json, _write_journal, _read_journal),
    _kind("tracking store", STORE_NAME, damage.from_json, _write_journal, _read_journal),
    _kind("MLflow's runs", CACHE_NAME, damage.from_json, _write_journal, _read_journal),
    _kind("lock", LOCK_NAME, damage.from_bytes, _write_journal, _read_lock),
    _kind("comparison", "comparison.json", damage.from_json, _write_comparison, _read_comparison),
    _kind("result", "result.json", damage.from_json, _write_result, _read_result),
    _kind("search", "search.json", damage.from_json, _write_search, _read_search),
    _kind("learning curves", "curves.json", damage.from_json, _write_curves, _read_curves),
    _kind("service", "service.json", damage.from_json, _write_service, _read_service),
    _kind("pretraining's state", "pretraining.json", damage.from_json, _write_pretraining, _read_pretraining),
    _kind("records", "records.jsonl", damage.from_json_lines, _write_records, _read_records),
)
