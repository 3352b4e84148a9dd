"""``qsynth fit``: a model of a user's own table."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cluster.cli.output import emit
from cluster.system.files import check_outputs
from qsynth.synthesis.settings import default_config
from qsynth.synthesizer import QGANSynthesizer
from qsynth.tables.reading import read_rows
from rl_envs.tuned_synthesizer import TunedSynthesizer


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """What is learned, how, and where the model goes.

    Attributes:
        target: the column of classes, or the number to predict.
        out: the model's file.
        method: ``quantum``, a yardstick's name, or ``auto``.
        agent: a shipped agent's name, or a file; None: constants.
        qubits: of the circuit.
        iterations: of the GAN.
        seed: of everything random; None: another each time.
        report: HTML page.
    """

    target: str | None
    out: Path
    method: str
    agent: str | None
    qubits: int
    iterations: int
    seed: int | None
    report: Path | None

    def check(self, rows: str) -> None:
        """Find out what is wrong before any work.

        Raises:
            QsynthError: a file that can't be written, or is named twice.
        """
        check_outputs([path for path in (self.out, self.report) if path is not None], [Path(rows)])


def run_fit(rows: str, options: FitOptions, as_json: bool) -> None:
    """Read, learn, save, and say how it went.

    Raises:
        QsynthError: rows, a setting or a path that can't be used; or training ended early.
    """
    import torch

    torch.set_num_threads(1)
    options.check(rows)
    config = default_config(options.qubits)
    tuned: Callable[..., QGANSynthesizer] = (
        QGANSynthesizer if options.agent is None else partial(TunedSynthesizer, agent=options.agent)
    )
    model = tuned(
        config,
        method=options.method,
        n_iterations=options.iterations,
        random_state=options.seed,
        verbose=not as_json,
    )
    read = read_rows(rows, options.target)
    began = time.process_time()
    try:
        model.fit(read, options.target)
    except KeyboardInterrupt:
        print("stopped by SIGINT; nothing was written", file=sys.stderr)
        raise
    seconds = time.process_time() - began
    model.save(options.out)
    paths = {"model": str(options.out)}
    if options.report is not None:
        model.report(read.frame).to_html(options.report)
        paths["report"] = str(options.report)
    if as_json:
        emit({**paths, "scores": model.scores, "cpu_seconds": round(seconds, 2), "notes": model.notes})
        return
    for what, where in paths.items():
        print(f"{what}: {where}")
