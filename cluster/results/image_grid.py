"""Real images beside synthetic ones."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cluster.results.figure import new_figure, save_figure
from qsynth.errors import QsynthError

Floats = NDArray[np.floating[Any]]

PER_LINE = 8
MIN_LINES = 4
GAP = 1
INCHES = 0.42


def plot_images(
    real: Floats,
    synthetic: Floats,
    shape: tuple[int, int],
    path: Path,
    real_y: NDArray[Any],
    synthetic_y: NDArray[Any],
    class_names: Sequence[str],
) -> None:
    """The first images of every class, real ones on the left, synthetic ones on the right, eight a line.

    Classes come in their order; where there are fewer than four, each has several lines. A place without an image stays
    blank. Grey levels run from the first percentile of the real pixels (white) to the last (black); what lies beyond is
    cut off.

    Args:
        real: ``n x pixels``, line by line, in original units.
        synthetic: ``m x pixels``.
        shape: height and width of an image.
        path: the PNG file.
        real_y: class indices of the real images, ``n``.
        synthetic_y: class indices of the synthetic images, ``m``.
        class_names: name of class 0, 1, ...

    Raises:
        QsynthError: rows that are not images of this shape.
    """
    height, width = shape
    if not real.shape[1] == synthetic.shape[1] == height * width:
        found = f"rows of {real.shape[1]} real and {synthetic.shape[1]} synthetic pixels"
        raise QsynthError(f"images must have {height} x {width} pixels; got {found}")
    lines = -(-MIN_LINES // len(class_names))
    across, down = PER_LINE * (width + GAP), lines * len(class_names) * (height + GAP)
    unit = INCHES / (width + GAP)
    figure = new_figure(2 * across * unit + 1.2, down * unit + 0.7)
    low, high = np.percentile(real, (1, 99))
    sides = (("real", real, real_y), ("synthetic", synthetic, synthetic_y))
    for axes, (title, rows, y) in zip(figure.subplots(1, 2), sides, strict=True):
        images = [rows[y == label].reshape(-1, height, width) for label in range(len(class_names))]
        sheet = np.concatenate([_sheet(each, lines, shape) for each in images])
        axes.imshow(sheet, cmap="Greys", vmin=low, vmax=high, interpolation="nearest")
        axes.set_title(title, fontsize=10)
        axes.spines[:].set_visible(False)
        axes.set_xticks([])
        middles = (np.arange(len(class_names)) + 0.5) * lines * (height + GAP) - 0.5
        axes.set_yticks(middles, class_names if title == "real" else [""] * len(class_names), fontsize=9)
        axes.tick_params(length=0)
    save_figure(figure, path)


def _sheet(images: Floats, lines: int, shape: tuple[int, int]) -> Floats:
    """The first images (``n x height x width``) in lines of eight, with NaN between them and where there is none."""
    height, width = shape
    sheet = np.full((lines, height + GAP, PER_LINE, width + GAP), np.nan)
    for place, image in enumerate(images[: lines * PER_LINE]):
        sheet[place // PER_LINE, :height, place % PER_LINE, :width] = image
    return sheet.reshape(lines * (height + GAP), PER_LINE * (width + GAP))
