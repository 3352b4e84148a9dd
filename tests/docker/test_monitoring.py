"""The dashboard and the alerts speak of metrics that exist, and of the same ones."""

import json
import re
from typing import Any

import pytest
import yaml

from cluster.training.gauges import COUNTERS, GAUGES
from tests.docker import DOCKER

# What the studies export, by the names that Ray gives it.
STUDY_METRICS = {f"ray_{name}" for name in GAUGES} | {f"ray_{name}_total" for name in COUNTERS}
# What Ray 2.60 and Prometheus export themselves.
OTHER_METRICS = {
    "up",
    "ray_actors",
    "ray_node_cpu_utilization",
    "ray_node_disk_free",
    "ray_node_disk_usage",
    "ray_node_gpus_utilization",
    "ray_node_mem_total",
    "ray_node_mem_used",
    "ray_object_store_memory",
}
DASHBOARD: dict[str, Any] = json.loads((DOCKER / "grafana" / "dashboards" / "qsynth.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
[GROUP] = yaml.safe_load((DOCKER / "prometheus" / "rules.yaml").read_text(encoding="utf-8"))["groups"]
PROVISIONED = DOCKER / "grafana" / "provisioning"
ALERTING = yaml.safe_load((PROVISIONED / "alerting" / "qsynth.yaml").read_text(encoding="utf-8"))


def metrics(expression: str) -> set[str]:
    """The metrics that a PromQL expression names."""
    return set(re.findall(r"\b(?:ray_\w+|up)\b", expression))


def expressions(panel: dict[str, Any]) -> list[str]:
    return [target["expr"] for target in panel["targets"]]


def test_the_dashboard_is_the_provisioned_one() -> None:
    assert (DASHBOARD["uid"], DASHBOARD["title"]) == ("qsynth", "qsynth")
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    [source] = yaml.safe_load((PROVISIONED / "datasources" / "prometheus.yaml").read_text(encoding="utf-8"))[
        "datasources"
    ]
    used = [panel["datasource"] for panel in PANELS] + [
        target["datasource"] for panel in PANELS for target in panel["targets"]
    ]
    assert all(place == {"type": source["type"], "uid": source["uid"]} for place in used)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: f"{panel['title']} {panel['type']}")
def test_a_panel_shows_metrics_that_exist(panel: dict[str, Any]) -> None:
    assert panel["description"]
    for expression in expressions(panel):
        named = metrics(expression)
        assert named
        assert named <= STUDY_METRICS | OTHER_METRICS
        for counter in (name for name in named if name.endswith("_total") and name in STUDY_METRICS):
            assert re.search(rf"(?:rate|increase)\({counter}\b", expression), f"{counter} is a counter: show its rate"
        if named & STUDY_METRICS:
            assert 'study=~"$study"' in expression


def test_no_metric_is_left_out() -> None:
    shown = {name for panel in PANELS for expression in expressions(panel) for name in metrics(expression)}
    alerting = {name for rule in GROUP["rules"] for name in metrics(rule["expr"])}
    assert shown | alerting == STUDY_METRICS | OTHER_METRICS


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert all(0 <= x < 24 for x, _ in cells)
        taken |= cells


def test_grafana_and_prometheus_alert_alike() -> None:
    [group] = ALERTING["groups"]
    ours = {rule["alert"]: (rule["expr"], rule.get("for", "0s"), rule["labels"]) for rule in GROUP["rules"]}
    theirs = {}
    for rule in group["rules"]:
        query, condition = rule["data"]
        assert rule["condition"] == condition["refId"]
        assert condition["model"]["expression"] == query["refId"]
        theirs[rule["title"]] = (query["model"]["expr"], rule["for"], rule["labels"])
    assert theirs == ours


def test_the_alerts_are_the_promised_ones() -> None:
    rules = {rule["alert"]: rule["expr"] for rule in GROUP["rules"]}
    assert rules["StudyStandsStill"].endswith("(ray_qsynth_empty_iterations) >= 2")
    assert rules["TrialsDiverge"].endswith("> 0.2")
    assert rules["TrackingLags"].endswith("(ray_qsynth_journal_lag_seconds) > 60")
    for rule in GROUP["rules"]:
        assert metrics(rule["expr"]) <= STUDY_METRICS | OTHER_METRICS
        assert rule["annotations"]["summary"]
