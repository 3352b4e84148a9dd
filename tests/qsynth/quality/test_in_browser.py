"""What a browser makes of the page.

    pytest -m browser tests/qsynth/quality/test_in_browser.py

Needs the Python package playwright and a Chromium (``$QSYNTH_CHROMIUM``, or one on the PATH). The screenshot is kept in
``$QSYNTH_PAGES``, if it is set.
"""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.qsynth.quality.conftest import CLASSES, NASTY

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
CHROMIUM = os.environ.get("QSYNTH_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


def test_names_show_as_they_are_and_pictures_load(nasty_page: Path, tmp_path: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium here")
    asked: list[str] = []
    said: list[Any] = []
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1250, "height": 900})
        page.on("request", lambda request: asked.append(request.url))
        page.on("dialog", lambda dialog: said.append(dialog.message) or dialog.dismiss())
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(nasty_page.as_uri())
        folder = Path(os.environ.get("QSYNTH_PAGES") or tmp_path)
        page.screenshot(path=str(folder / "quality-report.png"), full_page=True)
        shown = page.inner_text("body")
        title = page.title()
        sizes = page.evaluate("[...document.images].map(image => [image.complete, image.naturalWidth, image.width])")
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        chromium.close()
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [nasty_page.as_uri()]
    assert title == "What the synthetic rows are worth"
    for name in (*NASTY, *CLASSES, "<i>SMOTE</i> $x$"):
        assert name in shown, name
    assert len(sizes) == 8
    assert all(complete and natural > 100 and width > 100 for complete, natural, width in sizes)
    assert overflow == 0, "no part of the page is wider than the window"
