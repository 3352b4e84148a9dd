"""What a run's journal holds, beside what MLflow's store has of it."""

import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

Value = tuple[str | None, str, int, float, int]  # trial, key, step, value, milliseconds


@dataclass(frozen=True)
class Records:
    """A run's values, and the states of its MLflow runs."""

    journal: frozenset[Value]
    stored: tuple[Value, ...]
    states: tuple[str, ...]

    @property
    def lost(self) -> int:
        """Values that MLflow does not have."""
        return len(self.journal - set(self.stored))

    @property
    def duplicates(self) -> int:
        """Values that MLflow has again, under another time, though the run reported them once."""
        reported = Counter(each[:4] for each in self.journal)
        return sum(max(0, count - reported[each]) for each, count in Counter(each[:4] for each in self.stored).items())

    @property
    def orphans(self) -> int:
        """Runs that count as running."""
        return sum(state in ("RUNNING", "SCHEDULED") for state in self.states)

    @property
    def repeated(self) -> float:
        """Iterations of the agent's training in all, over those that count."""
        steps = [each[2] for each in self.journal if each[1] == "training/sampled_steps"]
        return len(steps) / len(set(steps)) if steps else 1.0


def records(run: Path, database: Path) -> Records:
    """Of a run's folder, and the store that it was recorded in."""
    journal = set()
    for line in (run / "journal.jsonl").read_text(errors="replace").splitlines():
        try:
            record = json.loads(line)
        except ValueError:  # torn by a kill
            continue
        body = record["body"]
        if record["kind"] == "metrics":
            for key, value in body["metrics"].items():
                journal.add((body["trial"], key, body["step"], float(value), record["time"]))
    with closing(sqlite3.connect(database)) as store:
        tagged = "select run_uuid from tags where key = 'qsynth.study' and value = ?"
        trials = dict(store.execute("select run_uuid, value from tags where key = 'qsynth.trial'").fetchall())
        found = store.execute(
            f"select run_uuid, key, step, value, timestamp from metrics where run_uuid in ({tagged})", (run.name,)
        ).fetchall()
        states = store.execute(f"select status from runs where run_uuid in ({tagged})", (run.name,)).fetchall()
    stored = tuple((trials.get(uuid), key, step, float(value), time) for uuid, key, step, value, time in found)
    return Records(frozenset(journal), stored, tuple(state for (state,) in states))
