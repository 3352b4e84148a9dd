"""How much time and work faults may cost."""

import os

RECOVERY_SECONDS = 30.0  # on a machine that does nothing else
REPEATED = 1.1  # work in all over work that counts; no matter of the machine
MOST_BUSY = 10.0


def recovery_seconds() -> float:
    """How long anything may take to work again: longer where each core has more than one process to run, as it does
    nothing else there than wait its turn."""
    waiting = max(os.getloadavg()) / (os.cpu_count() or 1)
    return RECOVERY_SECONDS * min(max(1.0, waiting), MOST_BUSY)
