"""Signals: the first is remembered, the second ends at once, the third is the system's."""

import os
import signal

import pytest

from cluster.system.interrupt import EndedAtOnce, Interrupted, InterruptGuard


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_once_and_twice(signum: int, code: int, capfd: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signum)
    with InterruptGuard() as guard:
        guard.check()
        os.kill(os.getpid(), signum)
        assert "once more ends at once" in capfd.readouterr().err
        with pytest.raises(Interrupted) as first:
            guard.check()
        with pytest.raises(EndedAtOnce) as second:
            os.kill(os.getpid(), signum)
        assert not isinstance(second.value, Exception)  # libraries that go on after any error do not hold it up
        assert (first.value.exit_code, second.value.exit_code) == (code, code)
        assert signal.getsignal(signum) == before
    assert signal.getsignal(signum) == before
