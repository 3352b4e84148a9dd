"""Figures as PNG files; matplotlib is loaded when the first is made, and its global state left alone."""

from pathlib import Path
from typing import Any

from qsynth.files.atomic import atomic_file
from qsynth.files.picture import png

DPI = 130
NOTE_WIDTH = 720


def new_figure(width: float, height: float) -> Any:
    """An empty figure of so many inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Any, path: Path) -> None:
    """Write the PNG whole or not at all."""
    with atomic_file(path) as file:
        file.write(png(figure, DPI))


def shrink(path: Path, folder: Path) -> None:
    """A copy of a PNG file in ``folder``, at most 720 pixels wide: the column that MLflow gives a description."""
    from PIL import Image

    folder.mkdir(exist_ok=True)
    with Image.open(path) as image, atomic_file(folder / path.name) as file:
        image.thumbnail((NOTE_WIDTH, image.height))
        image.save(file, format="png")
