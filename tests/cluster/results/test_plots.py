import subprocess
import sys
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from numpy.typing import NDArray

from cluster.results.figure import shrink
from cluster.results.plots import plot_marginals, plot_schedule, plot_training
from qsynth.errors import QsynthError

HISTORY = [{"sampled_steps": 12.0 * step, "score": 0.4, "return": 0.1} for step in (1, 2, 3)]
ORANGE = (0xD5, 0x5E, 0x00)  # the agent's lines and the synthetic data's


def mask_of(path: Path, colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Where a picture has a colour: ``height x width``."""
    image = np.round(255 * matplotlib.image.imread(path)[..., :3]).astype(int)
    found: NDArray[np.bool_] = np.abs(image - colour).max(axis=-1) <= 2
    return found


def pixels_of(path: Path, colour: tuple[int, int, int]) -> int:
    return int(mask_of(path, colour).sum())


def test_files_are_whole_or_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "scores.png"
    plot_training(HISTORY, target)
    before = target.read_bytes()

    def fail(self: Path, target: Path) -> None:
        raise OSError("disk")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk"):
        plot_training(HISTORY[:1], target)
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("n_hyperparameters", [1, 3, 4, 7])
def test_schedule_draws_every_panel(tmp_path: Path, n_hyperparameters: int) -> None:
    rng = np.random.default_rng(2)
    schedules = {f"lr_{i}": np.exp(rng.normal(-7, 1, (4, 6))) for i in range(n_hyperparameters)}
    scales = dict.fromkeys(schedules, "log") | {"lr_0": "linear"}
    plot_schedule(schedules, rng.uniform(0, 1, (4, 6)), tmp_path / "schedule.png", scales)  # type: ignore[arg-type]
    assert pixels_of(tmp_path / "schedule.png", ORANGE) > 100
    assert pixels_of(tmp_path / "schedule.png", (0x00, 0x72, 0xB2)) > 100 * n_hyperparameters


def test_schedule_refuses_zero_on_a_log_scale(tmp_path: Path) -> None:
    zero = np.zeros((2, 4))
    with pytest.raises(QsynthError, match="lr_g must be positive"):
        plot_schedule({"lr_g": zero}, zero, tmp_path / "schedule.png", {"lr_g": "log"})
    assert not list(tmp_path.iterdir())


def test_marginals_put_synthetic_outliers_in_the_outer_bins(tmp_path: Path) -> None:
    real = np.random.default_rng(3).normal(0, 1, (200, 1))
    plot_marginals(real, np.full((200, 1), 1e6), ["x"], tmp_path / "above.png")
    plot_marginals(real, np.full((200, 1), -1e6), ["x"], tmp_path / "below.png")
    halfway = matplotlib.image.imread(tmp_path / "above.png").shape[1] / 2
    tall = {}
    for name in ("above", "below"):
        tall[name] = int(np.argmax(mask_of(tmp_path / f"{name}.png", ORANGE).sum(axis=0)))
    assert tall["below"] < halfway / 4
    assert tall["above"] > halfway * 7 / 4


def test_marginals_have_a_column_of_panels_per_class(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    real, synthetic, y = rng.normal(0, 1, (60, 3)), rng.normal(0, 1, (60, 3)), np.arange(60) % 3
    plot_marginals(real, synthetic, ["a", "b", "c"], tmp_path / "by_class.png", y, y, ["p", "q", "r"])
    plot_marginals(real, synthetic, ["a", "b", "c"], tmp_path / "pooled.png")
    plot_marginals(real, synthetic, ["a", "b", "c"], tmp_path / "many.png", np.arange(60), np.arange(60))
    height = {path.stem: matplotlib.image.imread(path).shape[0] for path in tmp_path.iterdir()}
    assert height["by_class"] > 2 * height["pooled"]
    assert height["many"] == height["pooled"]


def test_marginals_survive_missing_values_constants_and_an_empty_class(tmp_path: Path) -> None:
    real = np.column_stack([np.ones(8), [np.nan, *range(7)]])
    labels = np.arange(8) % 2
    plot_marginals(real, real[:3], ["one", "two"], tmp_path / "m.png", labels, np.zeros(3, dtype=int))
    assert (tmp_path / "m.png").exists()


def test_marginals_of_many_features_show_the_most_different_first(tmp_path: Path) -> None:
    real = np.tile(np.random.default_rng(5).normal(0, 1, (50, 1)), (1, 40))
    for different in (33, 2):
        synthetic = real.copy()
        synthetic[:, different] += 1
        plot_marginals(real, synthetic, ["x"] * 40, tmp_path / f"{different}.png")
    plot_marginals(real, real, ["x"] * 40, tmp_path / "none.png")
    drawn = {path.stem: path.read_bytes() for path in tmp_path.iterdir()}
    assert drawn["33"] == drawn["2"] != drawn["none"]


def test_marginals_need_a_name_for_each_feature(tmp_path: Path) -> None:
    with pytest.raises(QsynthError, match="got 2 real, 2 synthetic and 1 names"):
        plot_marginals(np.zeros((3, 2)), np.zeros((3, 2)), ["x"], tmp_path / "m.png")


def test_training_skips_iterations_in_which_no_episode_ended(tmp_path: Path) -> None:
    history = [{"sampled_steps": 10.0 * i, "score": 0.1 * i, "return": 0.2 * i} for i in range(1, 6)]
    gap = {"sampled_steps": 60.0, "score": None, "return": None}
    nothing = {"sampled_steps": 60.0}  # as of an iteration in which all populations were lost
    plot_training([*history, gap, nothing], tmp_path / "gap.png")
    plot_training(history, tmp_path / "whole.png")
    assert (tmp_path / "gap.png").read_bytes() == (tmp_path / "whole.png").read_bytes()
    with pytest.raises(QsynthError, match="one or more training iterations"):
        plot_training([], tmp_path / "none.png")


def test_small_copies_fit_into_mlflows_column(tmp_path: Path) -> None:
    plot_training(HISTORY, tmp_path / "scores.png")
    full = matplotlib.image.imread(tmp_path / "scores.png").shape
    for _ in range(2):  # as when a study is resumed
        shrink(tmp_path / "scores.png", tmp_path / "small")
    height, width, _ = matplotlib.image.imread(tmp_path / "small" / "scores.png").shape
    assert width == 720 < full[1]
    assert height / width == pytest.approx(full[0] / full[1], rel=0.01)


def test_matplotlib_is_loaded_late_and_pyplot_never(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, cluster.results.plots as p\n"
        "assert 'matplotlib' not in sys.modules\n"
        "p.plot_training([{'sampled_steps': 1.0, 'score': 0.5, 'return': 0.1}], pathlib.Path(sys.argv[1]))\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "t.png")], check=True, timeout=60)
    assert (tmp_path / "t.png").exists()


def test_names_may_be_anything(tmp_path: Path) -> None:
    """Formulas in names would end in a traceback, or in other names."""
    rng = np.random.default_rng(3)
    real, synthetic, y = rng.normal(size=(40, 2)), rng.normal(size=(40, 2)), np.arange(40) % 2
    for name in ("$0-$50K", "_", "数据"):
        plot_marginals(real, synthetic, [name, "$x_{$"], tmp_path / "rows.png", y, y, (name, "<$a$>"))
        assert pixels_of(tmp_path / "rows.png", ORANGE) > 100
    scales = {"$0-$50K": "log"}
    plot_schedule({"$0-$50K": np.ones((2, 4))}, np.ones((2, 4)), tmp_path / "schedule.png", scales)  # type: ignore[arg-type]
    assert pixels_of(tmp_path / "schedule.png", ORANGE) > 100
