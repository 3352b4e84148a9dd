"""Jobs on Ray actors: what goes wrong in them is said in one line."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from cluster.comparison.job import ComparisonJob, held_out_problem
from cluster.comparison.pool import JobPool
from cluster.comparison.rivals.random_search import RANDOM_SEARCH
from cluster.machines.session import ray_session
from cluster.study.placement import Placement
from cluster.study.study import load_study
from qsynth.errors import QsynthError


def test_a_population_that_can_not_be_set_up_says_why(tmp_path: Path, tiny: dict[str, Any]) -> None:
    rows, file = tmp_path / "rows.csv", tmp_path / "study.yaml"
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["a", "b"])
    table.assign(y=["p", "q"] * 30).to_csv(rows, index=False)
    data = {"kind": "csv", "path": str(rows), "label": "y", "n_features": 2, "n_train": 12}
    file.write_text(yaml.safe_dump(tiny | {"data": data}))
    study = load_study(str(file))
    rows.unlink()
    job = ComparisonJob(
        rival=RANDOM_SEARCH, problem=held_out_problem(study.name, 0, {}), runs=1, marks=(1,), context=""
    )
    with ray_session(None, study.name):
        pool = JobPool(
            study.environment(compiled=False),
            lambda: {Placement(place="cpu", n_lanes=2, gpus=0, qpus=0, memory=0, most=None): 1},
            study.name,
        )
        with pytest.raises(QsynthError, match=r"^a population can't be set up: .*rows\.csv.*") as refused:
            pool.play([job], lambda place, record: None)
    assert "\n" not in str(refused.value)
