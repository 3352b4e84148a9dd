"""What a browser makes of the page.

    pytest -m browser tests/qsynth/quality/test_in_browser.py

Needs a Chromium (``$QSYNTH_CHROMIUM``, or one on the PATH). The screenshot is kept in ``$QSYNTH_PAGES``, if it is set.
"""

import json
import os
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import colormaps
from PIL import Image

from tests.qsynth.quality.conftest import CLASSES, NASTY

CHROMIUM = os.environ.get("QSYNTH_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here"),
]
WIDTH, HEIGHT = 1250, 5200
LISTEN = "<script>var said = []; alert = said.push.bind(said); onerror = text => said.push(text);</script>"
LOOK = """<script>addEventListener("load", () => {
  const found = {
    said, title: document.title, text: document.body.innerText,
    images: [...document.images].map(image => [image.complete, image.naturalWidth, image.width]),
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  };
  document.documentElement.dataset.found = JSON.stringify(found);
});</script>"""


def chromium(page: Path, *arguments: str) -> str:
    """What it prints after it loaded a page without a window."""
    assert CHROMIUM is not None
    profile = page.with_name(f"{page.stem}-profile")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}"]
    command = [CHROMIUM, *options, f"--window-size={WIDTH},{HEIGHT}", *arguments, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


class Root(HTMLParser):
    """What was left at the root of a page."""

    found: dict[str, Any]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "html":
            self.found = json.loads(dict(attrs).get("data-found") or "{}")


def test_names_show_as_they_are_and_pictures_load(nasty_page: Path, tmp_path: Path) -> None:
    """On a copy that lets scripts run, its own and any that came with the data."""
    text = nasty_page.read_text(encoding="utf-8")
    policy = next(line for line in text.splitlines() if "Content-Security-Policy" in line)
    copy = tmp_path / "copy.html"
    copy.write_text(text.replace(policy, LISTEN).replace("</body>", LOOK + "</body>"), encoding="utf-8")
    root = Root()
    root.feed(chromium(copy, "--virtual-time-budget=5000", "--dump-dom"))
    assert root.found["said"] == []
    assert root.found["title"] == "What the synthetic rows are worth"
    for name in (*NASTY, *CLASSES, "<i>SMOTE</i> $x$"):
        assert name in root.found["text"], name
    assert len(root.found["images"]) == 8
    assert all(complete and natural > 100 and width > 100 for complete, natural, width in root.found["images"])
    assert root.found["overflow"] == 0, "no part of the page is wider than the window"


def test_the_page_as_it_is_shows_its_pictures(nasty_page: Path, tmp_path: Path) -> None:
    """Under its own policy, which nothing but pictures inside passes: a dark red is of the pairs' picture alone."""
    picture = Path(os.environ.get("QSYNTH_PAGES") or tmp_path) / "quality-report.png"
    chromium(nasty_page, f"--screenshot={picture}")
    with Image.open(picture) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    dark_red = np.round(255 * np.array(colormaps["RdBu_r"](1.0)[:3]))
    assert (np.abs(pixels - dark_red).max(axis=-1) < 5).sum() > 5000
    assert (pixels[:, :, 0] < 250).any(axis=1).nonzero()[0].max() > 3000, "down to its end"
