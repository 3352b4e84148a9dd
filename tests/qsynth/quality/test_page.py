"""The page as text: everything inside it, and nothing from the data that a browser would take for its own."""

import base64
import io
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from qsynth.quality.quality_report import assess
from qsynth.tables.inference import infer_schema
from tests.qsynth.quality.conftest import CLASSES, NASTY, Make


class Read(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_names_are_words_of_the_page(nasty_page: Path) -> None:
    read = Read(nasty_page.read_text(encoding="utf-8"))
    for name in (*NASTY, *CLASSES, "<i>SMOTE</i> $x$", "</title>"):
        assert name in read.words, name
    assert {tag for tag, _ in read.tags} <= {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "div", "figure", "figcaption", "small"),
        *("span", "img", "table", "tr", "th", "td", "ul", "li"),
    }


def test_nothing_is_loaded_and_nothing_runs(nasty_page: Path) -> None:
    for tag, attributes in Read(nasty_page.read_text(encoding="utf-8")).tags:
        assert tag not in ("script", "link", "iframe", "object")
        assert not [name for name in attributes if name.startswith("on") or name == "href"]
        assert (attributes.get("src") or "data:image/png;base64,").startswith("data:image/png;base64,")
    assert "default-src 'none'" in nasty_page.read_text(encoding="utf-8")


def test_pictures_come_first_and_are_pictures(nasty_page: Path) -> None:
    text = nasty_page.read_text(encoding="utf-8")
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', text)
    assert len(pictures) == 3 + 5, "bars, pairs, plane, and one of each column of numbers or dates"
    assert text.index("data:image/png") < text.index("<table")
    for picture in pictures:
        with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
            pixels = np.asarray(image.convert("L"))
        assert pixels.std() > 5, "not blank"


def test_every_number_has_its_sentence(law: Make, tmp_path: Path) -> None:
    schema, _ = infer_schema(law(60, 1), "class")
    report = assess(law(60, 1), law(60, 2), schema, law(30, 3))
    report.to_html(tmp_path / "report.html")
    words = "".join(Read((tmp_path / "report.html").read_text(encoding="utf-8")).words)
    for number in report.numbers:
        assert number.meaning in words
        assert f"{number.value:.3f}" in words


@pytest.mark.parametrize(("n_columns", "n_pictures"), [(24, 24), (40, 24)])
def test_of_many_columns_those_that_differ_most_are_shown(n_columns: int, n_pictures: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = [f"x{at}" for at in range(n_columns)]
    real, synthetic = (pd.DataFrame(rng.normal(size=(50, n_columns)), columns=names) for _ in range(2))
    synthetic["x17"] += 5
    assess(real, synthetic, infer_schema(real)[0]).to_html(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert text.count("<figure>") == n_pictures
    assert '<figcaption><span class="name">x17</span>' in text
    assert ("that differ most</p>" in text) == (n_columns > 24)


def test_bars_are_as_long_as_their_numbers(law: Make) -> None:
    """The picture is of the numbers: a worse one is another picture."""
    from qsynth.quality.number import Number
    from qsynth.quality.pictures import SYNTHETIC, bars_picture

    def orange(value: float) -> int:
        number = Number(key="k", title="t", value=value, reference=0.5, meaning="", beside={"other": 0.7})
        with Image.open(io.BytesIO(bars_picture([number]))) as image:
            pixels = np.asarray(image.convert("RGB")).astype(int)
        wanted = [int(SYNTHETIC[at : at + 2], 16) for at in (1, 3, 5)]
        return int((np.abs(pixels - wanted).max(axis=-1) < 3).sum())

    sizes: Callable[[float], float] = lambda value: orange(value) / orange(1.0)  # noqa: E731
    assert sizes(0.5) == pytest.approx(0.5, abs=0.03)
    assert sizes(0.25) == pytest.approx(0.25, abs=0.03)


def test_levels_have_bars_as_long_as_their_shares(law: Make, tmp_path: Path) -> None:
    real = pd.DataFrame({"数": ["甲"] * 60 + ["<乙>"] * 20})
    synthetic = pd.DataFrame({"数": ["甲"] * 20 + ["<乙>"] * 60})
    assess(real, synthetic, infer_schema(real, None, {"数": "category"})[0]).to_html(tmp_path / "report.html")
    read = Read((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert {"甲", "<乙>"} <= set(read.words)
    bars = [found["style"] or "" for _, found in read.tags if found.get("class") == "bar"]
    assert [bar.split(";")[0] for bar in bars] == ["width:100.0%", "width:33.3%", "width:33.3%", "width:100.0%"]
