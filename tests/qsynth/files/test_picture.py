"""Texts of pictures are what they say."""

import io
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from qsynth.files.picture import add_legend, png


def drawn(text: str) -> np.ndarray:
    """Brightness of a picture that holds one text."""
    figure = Figure(figsize=(3, 1))
    figure.text(0.05, 0.4, text, fontsize=14)
    with Image.open(io.BytesIO(png(figure, 100))) as image:
        return np.asarray(image.convert("L"))


@pytest.mark.parametrize("text", ["$0-$50K", "$x_{$", "$$", "\\frac{$1$", "^_{}$a$"])
def test_a_dollar_is_no_formula(text: str) -> None:
    picture = drawn(text)
    assert picture.min() < 100, "it is drawn"
    assert not np.array_equal(picture, drawn(text.replace("$", ""))), "its dollars are too"


def test_letters_that_the_font_lacks_are_no_warning() -> None:
    assert drawn("数据 🙂 नमस्ते").min() < 100


def ticks_of(figure: Any, axis: str) -> list[bool]:
    """Whether a formula is one, for each label of an axis."""
    axes = figure.axes[0]
    return [text.get_parse_math() for text in getattr(axes, f"get_{axis}ticklabels")()]


def test_names_along_an_axis_are_literal_and_powers_of_ten_are_not() -> None:
    figure = Figure()
    axes = figure.subplots()
    axes.plot([1, 2, 3], [0.001, 1, 1000])
    axes.set_yscale("log")
    axes.set_xticks([1, 2], ["$a$", "$0-$50K"])
    axes.set_title("$b$")
    png(figure, 50)
    assert ticks_of(figure, "x") == [False, False]
    assert all(ticks_of(figure, "y"))
    assert not axes.title.get_parse_math()
    assert any("mathdefault" in text.get_text() for text in axes.yaxis.findobj(Text))


def test_a_legend_has_every_name_as_it_is() -> None:
    figure = Figure()
    axes = figure.subplots()
    names = ["_hidden", "$0-$50K", "plain", "_child0"]
    lines = [axes.plot([0, 1], [place, 1])[0] for place in range(4)]
    add_legend(axes, list(zip(lines, names, strict=True)), loc="upper left")
    png(figure, 50)
    legend = axes.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == names
    assert not any(text.get_parse_math() for text in legend.get_texts())
    assert [handle.get_color() for handle in legend.legend_handles] == [line.get_color() for line in lines]
