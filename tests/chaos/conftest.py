"""The table, which is printed at the end, and written to $QSYNTH_CHAOS_TABLE if that is set."""

import os
from pathlib import Path

import pytest

from tests.chaos.fault_table import FaultTable
from tests.chaos.tuned_run import TunedRun

TABLE = FaultTable()


@pytest.fixture
def table() -> FaultTable:
    """What a test adds its fault to."""
    return TABLE


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> TunedRun:
    """A run that nothing happened to."""
    run = TunedRun(tmp_path_factory.mktemp("undisturbed"))
    run.start()
    run.ends(0)
    return run


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    if TABLE.rows:
        terminalreporter.section("faults")
        terminalreporter.write(TABLE.markdown())
        if os.environ.get("QSYNTH_CHAOS_TABLE"):
            Path(os.environ["QSYNTH_CHAOS_TABLE"]).write_text(TABLE.markdown())
