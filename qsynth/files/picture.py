"""Figures as PNG pictures, whose texts are what they say and nothing else."""

import io
import warnings
from collections.abc import Sequence
from typing import Any


def png(figure: Any, dpi: int) -> bytes:
    """A matplotlib figure as a PNG file's bytes.

    Names come from people's data: a ``$`` is no formula, and a letter that the font lacks is an empty box, without a
    warning.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    _no_formulas(figure)
    figure.set_dpi(dpi)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        warnings.filterwarnings("ignore", "Matplotlib currently does not support", UserWarning)
        FigureCanvasAgg(figure).print_png(buffer)
    return buffer.getvalue()


def add_legend(axes: Any, keys: Sequence[tuple[Any, str]], **style: Any) -> None:
    """A legend of artists and their names; matplotlib's own leaves out, without a word, names that begin with ``_``."""
    made = axes.legend([artist for artist, _ in keys], [str(place) for place in range(len(keys))], **style)
    for text, (_, name) in zip(made.get_texts(), keys, strict=True):
        text.set_text(name)


def _no_formulas(figure: Any) -> None:
    """Every text of a figure literal, but for the powers of ten that matplotlib itself writes on logarithmic axes."""
    from matplotlib.text import Text
    from matplotlib.ticker import LogFormatter

    own = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            for formatter, ticks in (
                (axis.get_major_formatter(), axis.get_major_ticks),
                (axis.get_minor_formatter(), axis.get_minor_ticks),
            ):
                if isinstance(formatter, LogFormatter):
                    own |= {text for tick in ticks() for text in tick.findobj(Text)}
    for text in figure.findobj(Text):
        if text not in own:
            text.set_parse_math(False)
