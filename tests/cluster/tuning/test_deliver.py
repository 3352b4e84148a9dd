"""What a finished study looks like in MLflow, and that its generator can be loaded and served from there."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import numpy as np
import pandas as pd
import pytest

from cluster.comparison.comparison_result import ComparisonResult
from cluster.results.plots import plot_training
from cluster.study import run_directory
from cluster.study.run_directory import RunDirectory
from cluster.study.study import Study
from cluster.tracking.dataset_input import real_dataset
from cluster.tracking.store import TrackingStore
from cluster.tracking.tags import study_tags
from cluster.tracking.tracker import Tracker
from cluster.tuning.contender import Contender
from cluster.tuning.deliver import IMAGES, deliver, plot_model, trials_log
from cluster.tuning.study_result import StudyResult
from qsynth.config import parse
from qsynth.data.tabular import TableData
from qsynth.errors import QsynthError
from qsynth.population.training_statistics import TrainingStatistics
from qsynth.synthesizer import QGANSynthesizer
from rl_envs.agents import Agent, Hold, Schedule
from rl_envs.config import make_tuner
from rl_envs.rollout import Assignment, Episode, play
from tests.cluster.comparison.made import comparison, rival_result
from tests.cluster.comparison.test_importance import SPACE, matters, played
from tests.cluster.conftest import TINY

pytestmark = [
    pytest.mark.filterwarnings(
        "ignore:The ``noload`` loader strategy is deprecated:sqlalchemy.exc.SADeprecationWarning"
    ),
]
AGENTS: dict[str, Agent] = {"agent": Schedule({"lr_generator": 0.03}, 0.3), "defaults": Hold()}
PLOTS = ("schedule", "marginals", "training")
COMPARED = ("budgets", "rows", "curves", "leads", "importance", "fronts")
HISTORY = [{"sampled_steps": 12.0, "score": 0.4, "return": 0.1, "trials": 4.0, "failures": 0.0, "seconds": 1.0}]


@dataclass(frozen=True)
class Delivered:
    """A study that was delivered, and where."""

    uri: str
    run: RunDirectory
    result: StudyResult
    trials: dict[str, list[Episode]]

    @property
    def client(self) -> Any:
        return TrackingStore(self.uri, "qsynth", self.run.path.name).client()

    def runs(self, role: str) -> dict[str, Any]:
        """Runs by name."""
        found = self.client.search_runs(["1"], f"tags.`qsynth.role` = '{role}'")
        return {run.info.run_name: run for run in found}


def contender_of(run: RunDirectory) -> Contender:
    """An agent whose training left a file."""
    return Contender(
        name="agent",
        agent=None,
        searched=None,
        file=run.agent,
        spent={"trials": 4.0},
        draw=lambda path: plot_training(HISTORY, path),
        caption="Training the agent.",
    )


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Delivered:
    """A study played in this process."""
    folder = tmp_path_factory.mktemp("delivered")
    shutil.copy(empty_database, folder / "mlflow.db")
    uri = f"sqlite:///{folder}/mlflow.db"
    study = parse(Study, TINY | {"description": "two columns of iris"}, source="tiny")
    run = run_directory.create(folder / "runs", study)
    tracker = Tracker(run.path, uri, "qsynth", run.path.name)
    tags = study_tags(study, "statevector", "it fits", "eager")
    tracker.start_study({"seed": 0}, tags)
    tracker.log_dataset(real_dataset(study.data))
    tuner = make_tuner(study.environment(compiled=False), 2)
    held_out = [Assignment(study.data.instance(index, held_out=True), 90 + index) for index in range(2)]
    trials = {
        name: play(tuner, lambda _, agent=agent: agent, held_out, test=True, snapshots=True, keep="best")  # type: ignore[misc]
        for name, agent in AGENTS.items()
    }
    log = trials_log(study, run, tracker, tags)
    for name, episodes in trials.items():
        sick = replace(episodes[0], ailments={"collapse": 2}, recoveries={3: "shrink"})
        shown = [sick, *(replace(episode, ailments={}) for episode in episodes[1:])]
        log.log(name, shown)
    run.agent.write_bytes(b"an agent")
    tests = {name: [episode.test_score or 0.0 for episode in episodes] for name, episodes in trials.items()}
    found = with_trials(replace(comparison(tests), beside=(rival_result("mixture", [0.2, 0.3]),)))
    found.write(run.comparison)
    result = deliver(study, run, tracker, found, contender_of(run), trials["agent"], None)
    assert tracker.close("FINISHED") == 0
    return Delivered(uri, run, result, trials)


def with_trials(made: ComparisonResult) -> ComparisonResult:
    """With trials of the first rival, and others that it was tuned with."""
    first, kept = made.rivals[0], played(matters, n_problems=2)
    records = tuple(replace(mine, trials=its.trials) for mine, its in zip(first.records, kept, strict=True))
    rivals = (replace(first, records=records), *made.rivals[1:])
    return replace(made, rivals=rivals, spaces={"a": SPACE}, searched=tuple(played(matters)))


def test_the_parent_run_reads_well(delivered: Delivered) -> None:
    [(name, parent)] = delivered.runs("study").items()
    tags = parent.data.tags
    assert name == delivered.run.path.name
    expected = {"study": "tiny", "description": "two columns of iris", "data": "iris", "n_qubits": "3"}
    expected |= {"ansatz": "ry_rx_cnot", "engine": "statevector", "tuned": "lr_generator, n_critic"}
    assert tags.items() >= expected.items()
    assert tags["mlflow.source.name"] == "qsynth tune tiny"
    note = tags["mlflow.note.content"]
    assert "| **agent** |" in note
    assert "beyond doubt matters rate. (240 trials on 8 problems.)" in note
    best = max(range(2), key=lambda number: delivered.trials["agent"][number].scores[1:].max())
    trial = delivered.runs("trial")[f"agent held-out {best}"].info
    page = f"#/experiments/{trial.experiment_id}/runs/{trial.run_id}?workflowType=machine_learning"
    assert note.startswith(f"Best trial of the agent: [held-out {best}]({page}), validation ")
    for plot in (*PLOTS, *COMPARED):
        address = f"get-artifact?path=plots/small/{plot}.png&run_uuid={parent.info.run_id}"
        assert f"]({address})" in note
        assert f"](plots/{plot}.png)" in delivered.run.note.read_text()
    assert delivered.run.report.read_text().count("data:image/png;base64,") == len(PLOTS) + len(COMPARED)
    stored = {
        item.path
        for folder in ("", "plots", "plots/small", "generator")
        for item in delivered.client.list_artifacts(parent.info.run_id, folder)
    }
    files = {
        "study.yaml",
        "report.html",
        "report.md",
        "result.json",
        "synthetic.csv",
        "agent.safetensors",
        "generator/MLmodel",
    }
    assert stored >= files | {
        f"{folder}/{plot}.png" for folder in ("plots", "plots/small") for plot in (*PLOTS, *COMPARED)
    }
    final = {each.rival.name: each.test[1] for each in delivered.result.comparison.summary.rivals}
    for rival, test in final.items():
        stored = [parent.data.metrics[f"final_score{end}/{rival}"] for end in ("", "_low", "_high")]
        assert stored == pytest.approx([test.value, test.low, test.high])
    assert parent.data.metrics["best_score"] == pytest.approx(max(test.value for test in final.values()))
    assert StudyResult.read(delivered.run).to_dict() == delivered.result.to_dict()


def test_what_ailed_a_trial_and_its_treatment_are_found_by_tags(delivered: Delivered) -> None:
    trials = delivered.runs("trial")
    sick, well = trials["agent held-out 0"], trials["agent held-out 1"]
    assert (sick.data.tags["ailments"], well.data.tags["ailments"]) == ("collapse", "none")
    assert sick.data.tags["recoveries"] == "shrink before decision 3"
    assert "recoveries" not in well.data.tags
    assert sick.data.metrics["ailment/collapse"] == 2 * 2  # iterations
    assert "ailment/collapse" not in well.data.metrics


def test_a_study_of_images_shows_them(tmp_path: Path, empty_database: Path) -> None:
    uri = f"sqlite:///{shutil.copy(empty_database, tmp_path)}"
    study = parse(Study, TINY | {"data": {"kind": "digits", "classes": [3, 5], "n_features": 2}}, source="digits")
    run = run_directory.create(tmp_path / "runs", study)
    tracker = Tracker(run.path, uri, "qsynth", run.path.name)
    tracker.start_study({"seed": 0}, study_tags(study, "statevector", "it fits", "eager"))
    tuner = make_tuner(study.environment(compiled=False), 1)
    held_out = [Assignment(study.data.instance(0, held_out=True), 90)]
    [episode] = play(tuner, lambda _: Hold(), held_out, test=True, snapshots=True)
    run.agent.write_bytes(b"an agent")
    deliver(study, run, tracker, comparison({"agent": [0.5]}), contender_of(run), [episode], None)
    assert tracker.close("FINISHED") == 0
    note = run.note.read_text()
    for plot in (*PLOTS, *IMAGES):
        assert f"](plots/{plot}.png)" in note
        assert (run.plots / f"{plot}.png").read_bytes().startswith(b"\x89PNG")
    model, alone = QGANSynthesizer.load(run.model), tmp_path / "alone.png"
    plot_model(model, held_out[0].instance, study.n_synthetic, study.seed, alone)
    assert alone.read_bytes() == (run.plots / "images.png").read_bytes(), "qsynth train --plot draws the same"


def test_every_course_of_a_trial_is_stored(delivered: Delivered) -> None:
    [parent] = delivered.runs("study").values()
    trials = delivered.runs("trial")
    assert set(trials) == {f"{name} held-out {number}" for name in AGENTS for number in range(2)}
    trial, episode = trials["agent held-out 1"], delivered.trials["agent"][1]
    tags = trial.data.tags
    assert tags["mlflow.parentRunId"] == parent.info.run_id
    expected = {"study": "tiny", "data": "iris", "rival": "agent", "instance": episode.instance, "reason": "budget"}
    assert tags.items() >= expected.items()
    assert f"test score **{episode.test_score:.3f}**" in tags["mlflow.note.content"]

    assert tags["mlflow.source.name"] == "qsynth tune tiny"
    [used] = trial.inputs.dataset_inputs
    assert used.dataset.name == "iris"
    assert (trial.info.start_time, trial.info.end_time) == (round(1000 * episode.began), round(1000 * episode.ended))
    assert trial.info.end_time > trial.info.start_time
    assert [item.path for item in delivered.client.list_artifacts(trial.info.run_id)] == ["schedule.png"]
    assert f"![schedule](get-artifact?path=schedule.png&run_uuid={trial.info.run_id})" in tags["mlflow.note.content"]

    def history(key: str) -> list[tuple[int, float]]:
        stored = delivered.client.get_metric_history(trial.info.run_id, key)
        return sorted((metric.step, metric.value) for metric in stored)

    courses = {"score": (episode.scores, [0, 2, 4, 6])}
    courses |= {f"scorecard/{name}": (values, [0, 2, 4, 6]) for name, values in episode.raw.items()}
    courses |= {f"utility/{name}": (values, [0, 2, 4, 6]) for name, values in episode.utilities.items()}
    stays = {name for name, values in episode.schedule.items() if np.ptp(values) == 0}
    assert set(episode.schedule) > stays > set()
    courses |= {
        f"hyperparameters/{name}": (values[:1], [0]) if name in stays else (values, [0, 2, 4])
        for name, values in episode.schedule.items()
    }
    courses |= {f"training/{name}": (values, [2, 4, 6]) for name, values in episode.training.items()}
    assert courses.keys() > {f"training/{name}" for name in TrainingStatistics.__dataclass_fields__}
    for key, (values, steps) in courses.items():
        assert [step for step, _ in history(key)] == steps, key
        assert [value for _, value in history(key)] == pytest.approx(list(values)), key
    assert trial.data.metrics["test/score"] == pytest.approx(episode.test_score)
    assert trial.data.metrics["test/fidelity"] == pytest.approx(episode.test_raw["fidelity"])
    assert set(trial.data.params) == {"seed"} | {
        f"{'start' if name in episode.schedule else 'constant'}.{name}" for name in episode.snapshot.hyperparameters
    }


def test_the_data_sets_are_listed(delivered: Delivered) -> None:
    [parent] = delivered.runs("study").values()
    used = {each.tags[0].value: each.dataset for each in parent.inputs.dataset_inputs}
    real, synthetic = used["training"], used["synthetic"]
    assert (real.name, real.source_type, json.loads(real.profile)["num_rows"]) == ("iris", "code", 150)
    columns = [column["name"] for column in json.loads(real.schema)["mlflow_colspec"]]
    assert columns == list(pd.read_csv(delivered.run.synthetic).columns)
    assert json.loads(synthetic.source) == {"uri": str(delivered.run.synthetic)}
    assert json.loads(synthetic.profile) == {"num_rows": 50, "num_elements": 250}


def test_other_contents_have_another_digest() -> None:
    first, other = (real_dataset(TableData(name=name)) for name in ("iris", "wine"))
    assert first.digest == real_dataset(TableData(name="iris", n_train=20)).digest != other.digest


REQUESTS = pd.DataFrame({"n_rows": [7, 3], "seed": [5, 6], "label": ["virginica", None]})


def expected_rows(delivered: Delivered) -> pd.DataFrame:
    model = QGANSynthesizer.load(delivered.run.model)
    return pd.concat([model.sample(7, {"label": "virginica"}, 5), model.sample(3, random_state=6)], ignore_index=True)


@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_the_registered_generator_makes_the_same_rows(delivered: Delivered, monkeypatch: pytest.MonkeyPatch) -> None:
    import mlflow

    monkeypatch.setattr("pickle.Unpickler", None)
    monkeypatch.setattr("pickle.load", None)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", delivered.uri)
    for address in ("models:/qsynth-tiny@best", "models:/qsynth-tiny/1"):
        model = mlflow.pyfunc.load_model(address)
        pd.testing.assert_frame_equal(model.predict(REQUESTS), expected_rows(delivered))
    plain = model.predict(pd.DataFrame({"n_rows": [4]}))
    pd.testing.assert_frame_equal(plain, QGANSynthesizer.load(delivered.run.model).sample(4, random_state=0))
    assert [column.name for column in model.metadata.get_output_schema().inputs] == list(plain.columns)
    with pytest.raises(QsynthError, match="label must be a class"):
        model.predict(pd.DataFrame({"n_rows": [4], "label": ["rose"]}))


def test_the_model_folder_holds_no_pickle(delivered: Delivered) -> None:
    files = [path for path in delivered.run.mlflow_model.rglob("*") if path.is_file()]
    kinds = {path.suffix for path in files}
    assert kinds == {"", ".yaml", ".txt", ".json", ".safetensors"}
    assert [path.name for path in files if not path.suffix] == ["MLmodel"]
    for path in files:
        assert path.read_bytes()[:1] != b"\x80", path  # where every pickle of protocol 2 and later begins
        assert path.read_bytes()[:2] != b"PK", path
    assert "loader_module: cluster.results.generator_model" in (delivered.run.mlflow_model / "MLmodel").read_text()


@pytest.fixture
def serving(delivered: Delivered, tmp_path: Path) -> Iterator[str]:
    """The address of ``mlflow models serve``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", "models:/qsynth-tiny@best"]
    command += ["--port", str(port), "--env-manager", "local", "--workers", "1"]
    root = str(Path(__file__).parents[3])
    environment = {**os.environ, "MLFLOW_TRACKING_URI": delivered.uri, "PYTHONPATH": root}
    environment |= {"MLFLOW_DISABLE_TELEMETRY": "true", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with (tmp_path / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, cwd=tmp_path, start_new_session=True
        )
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        with suppress(URLError, OSError):
            return urlopen(f"{address}/ping", timeout=2).status == 200  # type: ignore[no-any-return]
        return False

    try:
        wait_for(answers, tmp_path / "serve.log", process)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(condition: Callable[[], bool], log: Path, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 200
    while not condition():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.5)


@pytest.mark.slow
def test_mlflow_serves_the_generator(delivered: Delivered, serving: str) -> None:
    asked = json.dumps({"dataframe_split": REQUESTS.to_dict("split", index=False)}).encode()
    request = Request(f"{serving}/invocations", asked, {"Content-Type": "application/json"})
    answer = pd.DataFrame(json.loads(urlopen(request, timeout=60).read())["predictions"])
    pd.testing.assert_frame_equal(answer, expected_rows(delivered), check_exact=False, check_dtype=False)
