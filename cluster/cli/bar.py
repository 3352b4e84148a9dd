"""What a study's GAN has to beat, before anything is trained, and what its latest run has found."""

from pathlib import Path

import numpy as np

from cluster.comparison.beside import measure_rows
from cluster.study.study import Study
from cluster.system.files import read_json_object
from qsynth.circuits.engine import STATEVECTOR, choose
from qsynth.circuits.statevector import MAX_QUBITS
from qsynth.yardsticks.registry import YARDSTICKS

N_INSTANCES = 2


def describe_bar(study: Study) -> str:
    """The best yardstick on validation rows of training instances; no GAN is trained, and no test row is touched."""
    if study.trial.n_qubits > MAX_QUBITS:
        return f"not measured: what an untrained generator is worth takes at most {MAX_QUBITS} qubits"
    # What a device costs is not spent on this.
    simulated = choose(study.trial.engine, study.trial.n_qubits).name == STATEVECTOR
    trial = study.trial if simulated else study.trial.on({"name": STATEVECTOR})
    instances = [study.data.instance(number, held_out=False) for number in range(N_INSTANCES)]
    yardsticks = [YARDSTICKS[name] for name in YARDSTICKS]
    found = measure_rows(trial, study.name, instances, yardsticks, study.seed, "validation")
    scores = {each.name: float(np.mean([record.marks[1].test for record in each.records])) for each in found}
    best = max((each.name for each in found if not each.ceiling), key=lambda name: scores[name])
    ceilings = "".join(f"; {each.name} {scores[each.name]:.3f}" for each in found if each.ceiling)
    return f"the bar is {best}: {scores[best]:.3f} on validation rows of {N_INSTANCES} instances{ceilings}"


def latest_conclusion(study: str, folder: Path) -> str:
    """What the latest run of a study in a folder has concluded about its rows."""
    results = sorted(folder.glob("*/result.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in results:
        found = read_json_object(path)
        try:
            if study in found["iterations_per_run"] and found["rows"]:
                return f"{found['rows']['conclusion']} ({path.parent})"
        except (KeyError, TypeError):
            continue  # of an earlier version, or something else
    return f"none in {folder} yet: qsynth tune {study}"
