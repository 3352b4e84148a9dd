"""What people see: the pages of Ray's dashboard and of MLflow while two studies share a service, and after.

    pytest -m browser tests/cluster/service/test_pages.py

Needs the Python package playwright and a Chromium (``$QSYNTH_CHROMIUM``, or one on the PATH). The screenshots are kept
in ``$QSYNTH_PAGES``, if it is set.
"""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.tracking.store import VIEW
from tests.cluster.running import Running

CHROMIUM = os.environ.get("QSYNTH_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


class Browser:
    """Pages, their text, and pictures of them."""

    def __init__(self, context: Any, folder: Path) -> None:
        self._page, self._folder = context.new_page(), folder

    def text(self, url: str, expected: str, picture: str, buttons: tuple[str, ...] = ()) -> str:
        """What a page says once it says ``expected`` and ``buttons`` are pressed; kept as ``picture``.png."""
        self._page.goto(url)
        self._page.get_by_text(expected).first.wait_for(timeout=60_000)
        for button in buttons:
            self._page.get_by_role("button", name=button, exact=True).click()
        self._page.wait_for_timeout(1500)
        self._page.screenshot(path=str(self._folder / f"{picture}.png"))
        return str(self._page.inner_text("body"))


@pytest.fixture
def browser(running: Running, tmp_path: Path) -> Iterator[Browser]:
    sync_api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium here")
    folder = Path(os.environ.get("QSYNTH_PAGES") or tmp_path)
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        token = Path(running.up["token"]).read_text().strip()
        login = {"username": "me", "password": token, "origin": running.up["tracking_uri"]}
        context = chromium.new_context(viewport={"width": 1700, "height": 950}, http_credentials=login)
        cookie = {"name": "ray-authentication-token", "value": token}
        context.add_cookies([cookie | {"url": running.up["dashboard"]}])
        yield Browser(context, folder)
        chromium.close()


def test_two_studies_share_a_service_and_show_it(running: Running, browser: Browser, tiny: dict[str, Any]) -> None:
    tiny["resources"]["n_runners"] = None
    tiny["episode"] = {"n_decisions": 5, "iterations_per_decision": 5}
    for name, trials in (("first", 500), ("second", 100)):
        tiny |= {"name": name, "budget": tiny["budget"] | {"agent_trials": trials, "search_share": 0.03}}
        (running.folder / f"{name}.yaml").write_text(yaml.safe_dump(tiny))
    first = running.json("submit", running.folder / "first.yaml")["run"]
    running.wait(first, lambda found: "train agent" in found["last_line"])
    second = running.json("submit", running.folder / "second.yaml")["run"]
    running.wait(second, lambda found: "train agent" in found["last_line"])
    log = running.json("logs", first)["log"]
    assert "2 populations of 4 trials" in log
    assert "from now on 1 population of " in log

    dashboard, mlflow = running.up["dashboard"], running.up["tracking_uri"]
    jobs = browser.text(f"{dashboard}/#/jobs", second, "ray-jobs")
    assert first in jobs
    assert {"first", "second"} <= set(jobs.split())
    actors = browser.text(f"{dashboard}/#/actors", f"{second}:agent-population-1", "ray-actors")
    assert f"{first}:agent-population-" in actors

    for run in (first, second):
        assert running.wait(run, lambda found: found["status"] != "RUNNING")["status"] == "SUCCEEDED"
    parent, child, experiment = _runs(running.tracking(), second)
    runs = f"{mlflow}/#/experiments/{experiment}/runs"
    browser.text(f"{runs}?{VIEW}", second, "mlflow-runs", ("Close",))
    page = browser.text(f"{runs}/{parent}?{VIEW}", "test scores", "mlflow-parent", ("Expand description",))
    assert all(f"\n{name}\t" in page for name in ("agent", "defaults", "tuned constants"))
    browser.text(f"{runs}/{child}?{VIEW}", "rival", "mlflow-child")


def _runs(client: Any, name: str) -> tuple[str, str, str]:
    """Ids of a study's run, of one of its trials' and of their experiment."""
    experiment = client.get_experiment_by_name("qsynth")
    assert experiment is not None
    [parent] = client.search_runs([experiment.experiment_id], f"attributes.run_name = '{name}'")
    deadline = time.monotonic() + 60
    while not (
        children := client.search_runs([experiment.experiment_id], f"tags.mlflow.parentRunId = '{parent.info.run_id}'")
    ):
        assert time.monotonic() < deadline
    return parent.info.run_id, children[0].info.run_id, experiment.experiment_id
