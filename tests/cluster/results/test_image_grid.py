from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from cluster.results.image_grid import plot_images
from qsynth.data.images import DigitImages
from qsynth.errors import QsynthError


def grey(path: Path) -> np.ndarray:
    """Brightness of a picture, ``height x width``, from 0 for black to 1 for white."""
    image: np.ndarray = matplotlib.image.imread(path)[..., :3].mean(axis=-1)
    return image


def ink(path: Path) -> tuple[float, float]:
    """Mean darkness of most of the left and of the right half, below the titles and right of the class names."""
    page = 1 - grey(path)[60:, 60:]
    share = int(0.4 * page.shape[1])
    return float(page[:, :share].mean()), float(page[:, -share:].mean())


def test_real_images_are_on_the_left_and_synthetic_ones_on_the_right(tmp_path: Path) -> None:
    y = np.arange(40) % 2
    black, white = np.full((40, 16), 1.0), np.zeros((40, 16))
    real = np.vstack([black[:20], white[:20]])
    plot_images(real, white, (4, 4), tmp_path / "white.png", y, y, ("a", "b"))
    plot_images(real, 7 * black, (4, 4), tmp_path / "black.png", y, y, ("a", "b"))
    left, right = ink(tmp_path / "white.png")
    assert left > 0.2
    assert right < 0.02
    left_again, right = ink(tmp_path / "black.png")
    assert left_again == pytest.approx(left, abs=0.02)
    assert right > 0.5, "pixels beyond the real ones are black, not another scale"


def test_every_class_has_its_own_line(tmp_path: Path) -> None:
    """Class k has images of brightness k / 9: lines darken from the top to the bottom."""
    y = np.repeat(np.arange(10), 8)
    rows = np.repeat(y[:, None] / 9.0, 64, axis=1)
    plot_images(rows, rows, (8, 8), tmp_path / "lines.png", y, y, tuple("0123456789"))
    page = 1 - grey(tmp_path / "lines.png")[50:-10, 60:-20]
    bands = [band.mean() for band in np.array_split(page, 10)]
    assert (np.diff(bands) > 0).all()


def test_an_image_is_shown_upright_and_whole(tmp_path: Path) -> None:
    """One image, of which the first three pixels of the last line are black."""
    corner = np.zeros((1, 64))
    corner[0, 56:59] = 1.0
    y = np.zeros(1, dtype=int)
    plot_images(corner, np.zeros((1, 64)), (8, 8), tmp_path / "corner.png", y, y, ("",))
    dark = np.argwhere(grey(tmp_path / "corner.png")[40:] < 0.1)
    height, width = np.ptp(dark, axis=0) + 1
    assert width / height == pytest.approx(3, rel=0.25)
    assert dark[:, 1].max() < 0.1 * grey(tmp_path / "corner.png").shape[1]


def test_classes_without_synthetic_images_stay_blank(tmp_path: Path) -> None:
    instance = DigitImages(classes=(0, 1)).instance(0, held_out=False)
    images, y = instance.scaling.inverse(instance.train.x), instance.train.y
    plot_images(images, images[y == 1], (8, 8), tmp_path / "half.png", y, y[y == 1], instance.class_names)
    left, right = ink(tmp_path / "half.png")
    assert right < 0.7 * left


def test_rows_that_are_no_images_are_refused(tmp_path: Path) -> None:
    y = np.zeros(3, dtype=int)
    with pytest.raises(QsynthError, match="must have 4 x 4 pixels; got rows of 64 real and 16 synthetic pixels"):
        plot_images(np.zeros((3, 64)), np.zeros((3, 16)), (4, 4), tmp_path / "no.png", y, y, ("a",))
    assert not list(tmp_path.iterdir())


def test_classes_may_have_any_name(tmp_path: Path) -> None:
    rows, y = np.random.default_rng(0).uniform(size=(8, 16)), np.arange(8) % 2
    plot_images(rows, rows, (4, 4), tmp_path / "images.png", y, y, ("$0-$50K", "$x_{$"))
    assert ink(tmp_path / "images.png")[0] > 0.03
