"""The process that starts the service's other processes again when they die."""

import os
import sys
import time
from contextlib import suppress

from cluster.service.drivers import end_dead
from cluster.service.roles import start_role
from cluster.service.service import SUPERVISOR, Service, changing
from qsynth.errors import QsynthError

LOOK_SECONDS = 2.0
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
SETTLE_SECONDS = 30.0  # after which `qsynth up` has written down that this process runs
STEADY_SECONDS = 120.0  # a process that has run for so long is not in a crash loop


class Supervisor:
    """Looks after the service of this machine until it is ended, or another supervisor has taken over."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._waits: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._started: dict[str, float] = {}

    def run(self) -> None:
        """Look until there is nothing to look after."""
        while self.look():
            time.sleep(LOOK_SECONDS)

    def look(self) -> bool:
        """Start what died, each time after a longer wait if it dies again soon.

        Returns:
            Whether this process is still needed.
        """
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        try:
            service = Service.kept()
        except QsynthError:  # a disk's fault, or somebody's; whoever mends the file is looked after again
            return True
        if service is None or SUPERVISOR not in service.processes or service.processes[SUPERVISOR].pid != os.getpid():
            return time.monotonic() - self._began < SETTLE_SECONDS
        if dead := [role for role in service.dead if self._is_due(role)]:
            with suppress(QsynthError):  # a command changes the service just now
                self._start(dead)
        return True

    def _is_due(self, role: str) -> bool:
        now = time.monotonic()
        if role not in self._due:
            steady = now - self._started.get(role, now) > STEADY_SECONDS
            self._waits[role] = FIRST_WAIT if steady else min(2 * self._waits.get(role, FIRST_WAIT / 2), LONGEST_WAIT)
            self._due[role] = now + self._waits[role]
        return now >= self._due[role]

    def _start(self, roles: list[str]) -> None:
        with changing():
            service = Service.kept()
            if service is None:
                return
            for role in roles:
                if not service.lives(role):
                    print(f"{time.strftime('%F %T')} {role} has died; it is started again", flush=True)
                    end_dead(service, [role])
                    service = service.having({role: start_role(service, role)}).keep()
                    self._started[role] = time.monotonic()
                self._due.pop(role, None)


if __name__ == "__main__":
    Supervisor().run()
    sys.exit(0)
