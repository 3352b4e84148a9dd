"""`qsynth compare`: bad input is refused, finished work is kept, and the report has everybody in it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from cluster.cli.app import main
from cluster.comparison.compared_agent import ComparedAgent
from cluster.comparison.comparison_result import ComparisonResult
from cluster.comparison.job import ComparisonJob, held_out_problem, starting_values
from cluster.comparison.job_result import JobResultFile
from cluster.comparison.plan import ComparisonPlan
from cluster.comparison.report import describe_unbeaten, report_html
from cluster.comparison.rival_result import RivalResult
from cluster.comparison.rivals.random_search import RANDOM_SEARCH
from cluster.comparison.rivals.registry import RIVALS
from cluster.comparison.study_comparison import StudyComparison
from cluster.comparison.summary import summarise
from cluster.comparison.tracking import log_comparison
from cluster.study.study import load_study
from cluster.system.interrupt import InterruptGuard
from cluster.system.progress import StudyProgress
from cluster.tracking.store import TrackingStore
from cluster.tracking.sync import sync
from qsynth.errors import QsynthError
from qsynth.yardsticks.registry import YARDSTICKS
from rl_envs.config import make_tuner
from rl_envs.policy import PolicyConfig, PolicyFile, PolicyNetwork, load_policy, save_policy
from tests.cluster.cli.test_app import call, refused
from tests.cluster.comparison.made import comparison, records, rival_result

POLICY = PolicyConfig(hidden=(4,))
TERMS = ("fidelity", "diversity", "balance", "utility", "novelty")


@pytest.fixture
def agent(tmp_path: Path, tiny_file: Path) -> Path:
    """An agent that fits the tiny study, and moves a lot."""
    tuner = make_tuner(load_study(str(tiny_file)).environment(compiled=False), 1)
    torch.manual_seed(0)
    network = PolicyNetwork(len(tuner.features), tuner.actions, POLICY)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_()
    path = tmp_path / "agent.safetensors"
    file = PolicyFile(
        features=tuple(tuner.features), search_space=tuner.actions, policy=POLICY, max_step=0.2, about={"trials": 50}
    )
    save_policy(path, network, file)
    return path


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--rivals", "randm"], "Did you mean 'random'?"),
        (["--rivals", ""], "--rivals must name somebody"),
        (["--rivals", "fine-tuned"], "needs --agent, to fine-tune it"),
        (["--rivals", "ttur"], "needs lr_generator and lr_critic"),
        (["--budgets", "1,x"], "--budgets must be whole numbers in 1..1024"),
        (["--budgets", "0,4"], "--budgets must be whole numbers"),
        (["--start", "defalts"], "Did you mean 'defaults'?"),
        (["--agent", "nobody.safetensors"], "nobody.safetensors"),
        (["--write-card"], "--write-card must be left out without --agent"),
        (["--tracking-uri", "./mlruns"], "tracking uri must look like"),
        (["--address", "127.0.0.1:9"], "no Ray cluster answers at '127.0.0.1:9'"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    tiny_file: Path,
    options: list[str],
    expected: str,
) -> None:
    out = tmp_path / "out"
    given = [] if "--rivals" in options else ["--rivals", "random"]
    assert expected in refused(monkeypatch, capsys, "compare", tiny_file, *given, *options, "--out", out)
    assert not out.exists()


def test_an_agent_with_nothing_to_do_in_a_study_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny: Any, agent: Path
) -> None:
    tiny["trial"]["search_space"] = {"critic_width": {"kind": "int", "low": 2, "high": 8}}
    study = tmp_path / "other.yaml"
    study.write_text(yaml.safe_dump(tiny))
    line = refused(monkeypatch, capsys, "compare", study, "--agent", agent, "--out", tmp_path / "out")
    assert "agent.safetensors: an agent must share a hyperparameter with the study" in line


def test_two_studies_of_one_name_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_file: Path
) -> None:
    arguments = ("compare", tiny_file, tiny_file, "--rivals", "random", "--out", tmp_path / "out")
    assert "studies must have different names" in refused(monkeypatch, capsys, *arguments)


def test_a_shot_budget_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny: dict[str, Any]
) -> None:
    tiny["episode"]["shot_budget"] = 100
    file = tmp_path / "shots.yaml"
    file.write_text(yaml.safe_dump(tiny))
    assert "shot_budget must be left out" in refused(monkeypatch, capsys, "compare", file, "--rivals", "random")


def test_tpe_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_file: Path
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    line = refused(monkeypatch, capsys, "compare", tiny_file, "--rivals", "tpe", "--out", tmp_path / "out")
    assert "pip install 'qsynth[compare]'" in line


@pytest.mark.timeout(900)
def test_a_comparison_from_beginning_to_end_and_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_file: Path, agent: Path
) -> None:
    out = tmp_path / "out"
    arguments = [
        "compare",
        tiny_file,
        "--agent",
        agent,
        "--rivals",
        "random,constants,pbt,prodigy,fine-tuned",
        "--search-trials",
        1,
    ]
    arguments += ["--budgets", "1,2", "--problems", 2, "--start", "random", "--out", out, "--write-card", "--json"]
    monkeypatch.setattr("sys.argv", ["qsynth", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code
    first = json.loads(capsys.readouterr().out)
    rivals = {each["name"]: each for each in first["rivals"]}
    robbed = {"agent, blind", "agent, constant action", "agent, shuffled observations", "agent, mean schedule"}
    assert set(rivals) == {"agent", "agent, fine-tuned", "random search", "tuned constants", "PBT", "Prodigy"} | robbed
    assert rivals["agent"]["prepared_iterations"] == rivals["agent, fine-tuned"]["prepared_iterations"] == 50 * 6
    assert rivals["agent, fine-tuned"]["test"]["1"] == rivals["agent"]["test"]["1"]  # one run can't have learned
    assert rivals["agent, fine-tuned"]["test"]["2"] != rivals["agent"]["test"]["2"]
    assert rivals["tuned constants"]["prepared_iterations"] == 4 * 6
    assert rivals["random search"]["spent"]["iterations"] == 2 * 2 * 6
    assert rivals["PBT"]["spent"]["iterations"] == (1 + 2) * 2 * 6
    assert set(rivals["PBT"]["test"]) == {"1", "2"}
    assert set(rivals["agent, blind"]["test"]) == {"1"}
    assert rivals["Prodigy"]["test"]["1"] != rivals["random search"]["test"]["1"]
    assert first["target"]["of"] == "tuned constants"
    assert json.loads((out / "comparison.json").read_text()) == {k: v for k, v in first.items() if k != "report"}
    again = {each["name"]: each for each in first["retrained"]}
    assert set(again) == {"agent"} | {f"{name}, retrained" for name in set(rivals) - robbed}
    assert again["agent"]["test"] == {"1": rivals["agent"]["test"]["1"]}
    assert set(again["PBT, retrained"]["test"]) == set(again["PBT, retrained"]["agent_better"]) == {"1", "2"}
    assert again["PBT, retrained"]["spent"]["iterations"] == 2 * 2 * 6
    # Whatever trial won, it had the same constants: one run tells of both budgets.
    assert again["tuned constants, retrained"]["spent"]["iterations"] == 2 * 6
    constants = again["tuned constants, retrained"]["test"]
    assert constants["1"] == constants["2"]
    matters, fronts = first["importance"]["tiny"], first["fronts"]["tiny"]
    assert matters["conclusion"].startswith("Nothing can be said: a regression on")
    assert matters["n_trials"] >= 2 * 2 + 2 * 2 + 4  # random search, tuned constants, and what these were tuned with
    assert fronts["trials"] == sum(each["spent"]["trials"] for each in rivals.values())
    assert {each["rival"] for each in fronts["circuits"]} <= set(rivals)
    report = Path(first["report"]).read_text()
    assert all(f"<td>{name}</td>" in report for name in {*rivals, *again})
    assert report.count("data:image/png;base64,") == 6
    beside = {each["name"]: each for each in first["rows"]["beside"]}
    assert set(beside) == {"classical twin", *YARDSTICKS}
    assert all(f"<td>{name}" in report for name in beside)
    assert first["rows"]["gan"]["score"]["value"] == pytest.approx(
        np.mean(list(rivals["agent"]["test_by_study"]["tiny"].values())[:1])
    )
    assert first["rows"]["conclusion"] in report.replace("&#x27;", "'")
    assert all(each["cpu_seconds"] > 0 and set(each["terms"]) == set(TERMS) for each in beside.values())

    about = load_policy(agent)[1].about
    assert about["trials"] == 50
    assert about["comparison"]["score"]["PBT"] == round(rivals["PBT"]["test"]["1"]["value"], 4)
    assert set(about["comparison"]["uses_to_pay"]) == set(rivals) - {"agent"}

    # What the card says makes no other agent of it.
    kept = (out / "records.jsonl").read_bytes()
    trained_again = sum(each["spent"]["trials"] for name, each in again.items() if name != "agent")
    assert len(kept.splitlines()) == 4 + 2 * (1 + 1 + 1 + 1 + 2 + 2) + 2 * len(robbed) + trained_again + 2 * len(beside)
    (out / "records.jsonl").write_bytes(kept[:-20])  # a kill tore the last line
    assert call(monkeypatch, *arguments) == 0
    assert untimed(json.loads(capsys.readouterr().out)) == untimed(first)
    again_kept = (out / "records.jsonl").read_bytes()
    assert [untimed(each) for each in lines(again_kept)] == [untimed(each) for each in lines(kept)]


def lines(records: bytes) -> list[Any]:
    return sorted((json.loads(line) for line in records.splitlines()), key=lambda record: record["key"])


def untimed(value: Any) -> Any:
    """Without CPU seconds, which differ from one time to the next."""
    if isinstance(value, dict):
        return {name: untimed(each) for name, each in value.items() if name != "cpu_seconds"}
    return [untimed(each) for each in value] if isinstance(value, list) else value


def found() -> ComparisonResult:
    rivals = (
        rival_result("agent", [0.7, 0.8, 0.9, 0.8], prepared=1000, curve=0.8),
        rival_result("<b>worse</b>", [0.1, 0.2, 0.3, 0.2], curve=0.3),
        rival_result("alike", [0.7, 0.8, 0.9, 0.8], runs=4, curve=0.8),
        rival_result("defaults", [0.95, 0.96, 0.97, 0.98], curve=0.6),
    )
    return replace(comparison({}), rivals=rivals, budgets=(1, 4))


def test_standings() -> None:
    table = {each.rival.name: each for each in found().summary.rivals}
    assert list(table) == ["defaults", "agent", "alike", "<b>worse</b>"]
    assert table["alike"].by_study == {"a": {4: pytest.approx(0.8)}}
    assert table["<b>worse</b>"].lead[1].value == 1.0
    assert table["<b>worse</b>"].families == {1: 1}
    assert table["defaults"].families == {1: 0}
    assert (table["<b>worse</b>"].seeds, table["alike"].seeds) == ({1: 4}, {4: 0})
    assert table["alike"].lead[4].value == 0.5
    assert table["defaults"].lead[1].value == 0.0
    assert found().summary.target == (0.6, "defaults")
    assert table["agent"].runs_to_target == 1.0
    assert table["<b>worse</b>"].runs_to_target is None
    # To 0.8 the agent takes one run, "alike" four: 1000 / (4 - 1) / 10 iterations.
    assert table["alike"].uses_to_pay == "34"
    assert table["<b>worse</b>"].uses_to_pay == "never reaches it"


def test_a_seed_is_won_by_the_mean_over_all_studies() -> None:
    rivals = [
        RivalResult(
            name=name,
            details={"a": "", "b": ""},
            preparations={"a": 0, "b": 0},
            shared=True,
            records=records("a", name, a) + records("b", name, b),
        )
        for name, a, b in [("agent", [0.9, 0.1, 0.5], [0.2, 0.5, 0.5]), ("other", [0.5, 0.5, 0.5], [0.5, 0.5, 0.4])]
    ]
    [_, other] = sorted(summarise(rivals, "agent", (1,), {"a": 10, "b": 10}, 2).rivals, key=lambda x: x.rival.name)
    assert other.seeds == {1: 2}


def test_an_agent_is_trained_once_for_all_studies_and_a_schedule_is_tuned_for_each() -> None:
    of_two = {"a": 100, "b": 100}
    once = RivalResult(name="agent", details={}, preparations=of_two, shared=True, records=())
    assert once.prepared == 100
    assert replace(once, shared=False).prepared == 200


def test_what_was_not_beaten_is_said_plainly() -> None:
    lines = describe_unbeaten(found().summary)
    assert [line.split(":")[0] for line in lines] == ["defaults, 1 run", "alike, 4 runs"]
    assert lines[0].endswith("; behind")
    alone = summarise([rival_result("agent", [0.8, 0.9]), rival_result("x", [0.1, 0.2])], "agent", (1,), {"a": 10}, 2)
    assert describe_unbeaten(alone)[0].startswith("Nothing")


def test_what_the_agent_spends_is_said() -> None:
    pair = rival_result("agent", [0.1, 0.2], runs=4), rival_result("x", [0.8, 0.9], runs=4)
    result = replace(comparison({}), rivals=pair, budgets=(4,))
    line = describe_unbeaten(result.summary)[0]
    assert line.startswith("x, 4 runs: the agent with 4 runs is better with probability 0.000")
    assert "one run" not in report_html(result, "t", {}, [])


def test_a_result_is_kept_whole(tmp_path: Path) -> None:
    path = tmp_path / "comparison.json"
    found().write(path)
    assert ComparisonResult.read(path) == found()
    assert ComparisonResult.read(path).to_dict() == found().to_dict()
    path.write_text("{}")
    with pytest.raises(QsynthError, match="must hold a comparison's results"):
        ComparisonResult.read(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [("--seeds", "--problems"), ("--search=8", "--search-trials"), ("--keep", "--return"), ("--card", "--write-card")],
)
def test_an_options_old_name_is_answered_with_its_new_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tiny_file: Path, old: str, new: str
) -> None:
    assert refused(monkeypatch, capsys, "compare", tiny_file, old, "2").endswith(f"Did you mean {new!r}?")


def test_problems_are_paired_whatever_order_they_were_played_in() -> None:
    mine, theirs = rival_result("agent", [0.2, 0.5, 0.8]), rival_result("x", [0.1, 0.4, 0.7])
    shuffled = replace(theirs, records=theirs.records[::-1])
    assert [
        each.lead[1].value for each in summarise([mine, shuffled], "agent", (1,), {"a": 10}, 2).rivals if each.lead
    ] == [1]


def test_another_table_by_the_same_name_is_another_comparison(
    tmp_path: Path, tiny: dict[str, Any], agent: Path
) -> None:
    rows = tmp_path / "rows.csv"
    tiny["data"] = {"kind": "csv", "path": str(rows), "label": "y", "n_features": 2, "n_train": 12}
    network, file = load_policy(agent)
    compared = ComparedAgent(name="agent", agents={}, policy=(network, file), identity="", trained=None, detail="")
    contexts = []
    for place, agents in (
        (0, ()),
        (0, ()),
        (1, ()),
        (1, (compared,)),
    ):
        random = np.random.default_rng(place)
        table = "".join(f"{random.random()},{random.random()},{'ab'[n % 2]}\n" for n in range(60))
        rows.write_text("u,v,y\n" + table)
        (tmp_path / "csv.yaml").write_text(yaml.safe_dump(tiny))
        study = load_study(str(tmp_path / "csv.yaml"))
        plan = ComparisonPlan(
            studies=(study,),
            agents=agents,
            rivals=(),
            budgets=(1,),
            n_problems=1,
            search_trials=1,
            retrain=False,
            random_start=False,
            keep="best",
        )
        made = StudyComparison(
            plan, study, JobResultFile(tmp_path / str(len(contexts))), StudyProgress(enabled=False), InterruptGuard()
        )
        contexts.append(made.context)
    assert contexts[0] == contexts[1]
    assert len(set(contexts)) == 3
    assert made.study.episode.max_step == file.max_step == 0.2  # others may move as far as the agent


def test_the_report_escapes_names() -> None:
    both = {"a": 10, "b": 10}
    of_b = [
        replace(
            each,
            details={"a": "", "b": ""},
            preparations={"a": 0, "b": 0},
            records=each.records + records("b", each.name, [0.1] * 4),
        )
        for each in comparison({"agent": [0.5] * 4, "<b>worse</b>": [0.1] * 4}).rivals
    ]
    result = replace(
        found(), rivals=tuple(of_b), retrained=tuple(of_b[1:]), budgets=(1,), iterations=both, decisions=both
    )
    page = report_html(result, "<title>", {}, ["a & b"])
    assert "<b>worse</b>" not in page
    assert "&lt;b&gt;worse&lt;/b&gt;" in page
    assert "a &amp; b" in page
    assert "<h2>a alone</h2>" in page


def test_random_starts_are_the_same_for_all_and_differ_between_problems(tiny_file: Path) -> None:
    space = load_study(str(tiny_file)).trial.search_space
    defaults = {"lr_generator": 0.003, "n_critic": 1.0}
    assert starting_values(space, defaults, False, 3) == defaults
    assert starting_values(space, defaults, True, 3) == starting_values(space, defaults, True, 3)
    assert starting_values(space, defaults, True, 3) != starting_values(space, defaults, True, 4)


def test_a_key_is_of_everything_that_matters() -> None:
    problem = held_out_problem("a", 0, {"x": 1.0})
    jobs = [
        ComparisonJob(rival=RANDOM_SEARCH, problem=problem, runs=1, marks=(1,), context="c"),
        ComparisonJob(rival=RANDOM_SEARCH, problem=problem, runs=1, marks=(1,), context="d"),
        ComparisonJob(rival=RANDOM_SEARCH, problem=problem, runs=4, marks=(1, 4), context="c"),
        ComparisonJob(
            rival=RANDOM_SEARCH, problem=held_out_problem("a", 0, {"x": 2.0}), runs=1, marks=(1,), context="c"
        ),
        ComparisonJob(
            rival=RANDOM_SEARCH, problem=held_out_problem("a", 1, {"x": 1.0}), runs=1, marks=(1,), context="c"
        ),
        ComparisonJob(rival=RIVALS["asha"], problem=problem, runs=1, marks=(1,), context="c"),
    ]
    assert len({job.key for job in jobs}) == len(jobs)
    assert jobs[0].key == ComparisonJob(rival=RANDOM_SEARCH, problem=problem, runs=1, marks=(1,), context="c").key


def test_a_record_file_has_one_writer(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    mine = JobResultFile(path)
    with pytest.raises(QsynthError, match="must have one writer; another live process holds"):
        JobResultFile(path)
    mine.close()
    JobResultFile(path).close()


def test_a_file_of_something_else_is_no_record_file(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text('{"key": 1}\n')
    with pytest.raises(QsynthError, match="must hold a comparison's records"):
        JobResultFile(path)


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated:sqlalchemy.exc.SADeprecationWarning")
def test_a_comparison_as_mlflow_shows_it(tmp_path: Path, uri: str) -> None:
    report = tmp_path / "compared" / "report.html"
    report.parent.mkdir()
    report.write_text("<p>who won</p>")
    mixture = rival_result("mixture, jittered", [0.6, 0.7, 0.8, 0.7])
    compared = replace(found(), beside=(mixture,))
    if log_comparison(compared, report, uri):  # a machine so slow that the last records were left for later
        assert sync(report.parent).skipped == 0
    client = TrackingStore(uri, "qsynth", "compared").client()
    [run] = client.search_runs([client.get_experiment_by_name("qsynth").experiment_id])
    assert run.data.metrics["agent/test"] == pytest.approx(0.8)
    assert run.data.metrics["bworseb/agent_better"] == 1.0
    assert run.data.params["studies"] == "a"
    assert run.data.metrics["rows/mixture jittered/test"] == pytest.approx(0.7)
    assert run.data.metrics["rows/mixture jittered/gan_above"] == pytest.approx(0.1)
    assert run.data.metrics["rows/gan/test"] == pytest.approx(0.8)
    assert compared.rows is not None
    assert run.data.tags["conclusion"] == compared.rows.conclusion
    assert [each.path for each in client.list_artifacts(run.info.run_id)] == ["report.html"]
