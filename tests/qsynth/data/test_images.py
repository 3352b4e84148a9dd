import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from qsynth.config import Config, parse
from qsynth.data.images import DigitImages, pooled
from qsynth.data.sources import DataConfig
from qsynth.errors import QsynthError


class Study(Config):
    data: DataConfig


def test_rows_are_the_images_of_scikit_learn() -> None:
    instance = DigitImages().instance(0, held_out=False)
    images = instance.scaling.inverse(instance.train.x)
    known = {row.tobytes(): int(label) for row, label in zip(load_digits().data, load_digits().target, strict=True)}
    assert instance.image_shape == (8, 8)
    assert [known[row.tobytes()] for row in np.round(images)] == instance.train.y.tolist()
    assert (instance.train.x.min(), instance.train.x.max()) == pytest.approx((-0.9, 0.9))
    assert instance.feature_names[8 * 3 + 5] == "pixel_3_5"


def test_classes_are_as_asked_and_in_that_order() -> None:
    data = DigitImages(classes=(7, 1), n_train=60)
    instance = data.instance(0, held_out=False)
    assert (instance.class_names, instance.key) == (("7", "1"), "digits-71#0")
    assert len(data.table().x) == 179 + 182
    top = instance.train.x.reshape(-1, 8, 8)[:, 0, 2:6].mean(axis=1)
    assert top[instance.train.y == 0].mean() > top[instance.train.y == 1].mean() + 0.3, "a 7 has a bar on top"


def test_small_images_are_averages_of_squares() -> None:
    images = np.arange(2 * 64, dtype=float).reshape(2, 8, 8)
    small = pooled(images, 4)
    assert small.shape == (2, 4, 4)
    assert small[1, 2, 3] == images[1, 4:6, 6:8].mean()
    np.testing.assert_array_equal(pooled(images, 8), images)
    instance = DigitImages(size=4, classes=(0, 1)).instance(0, held_out=False)
    assert (instance.image_shape, instance.n_features, instance.key) == ((4, 4), 16, "digits-01-4x4#0")


def test_pixels_that_are_always_black_are_outputs_too() -> None:
    instance = DigitImages(classes=(0, 1)).instance(0, held_out=False)
    black = np.ptp(instance.train.x, axis=0) == 0
    assert black.any()
    painted = instance.scaling.inverse(np.full((1, 64), 0.9))
    np.testing.assert_allclose(painted, 16)


def test_components_come_back_as_images_one_can_tell_apart() -> None:
    instance = DigitImages(n_features=12, n_train=300).instance(0, held_out=False)
    full = DigitImages(n_train=300).instance(0, held_out=False)
    assert instance.n_features == 12
    assert instance.image_shape == (8, 8)
    again = instance.scaling.inverse(instance.test.x)
    assert again.shape == (len(instance.test), 64)
    model = LogisticRegression(max_iter=1000).fit(full.scaling.inverse(full.train.x), full.train.y)
    assert model.score(again, instance.test.y) > 0.75


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"classes": [0, 0]}, r"data\.classes: must name every digit once; got \[0, 0\]"),
        ({"classes": [10]}, "less than or equal to 9"),
        ({"classes": []}, "at least 1 item"),
        ({"size": 5}, "4 or 8"),
        ({"n_features": 65}, "less than or equal to 64"),
    ],
)
def test_what_it_cannot_do_is_said(values: dict[str, object], message: str) -> None:
    with pytest.raises(QsynthError, match=message):
        parse(Study, {"data": {"kind": "digits", **values}}, source="study")
