"""A process ends when it is told to, whatever it is in the middle of."""

import os
import signal

from bot.runtime import shutdown


def test_a_signal_in_the_middle_of_waiting_ends_the_wait() -> None:
    before = {number: signal.getsignal(number) for number in shutdown.SIGNALS}
    try:
        stop = shutdown.event()
        with stop._cond:  # type: ignore[attr-defined]  # what wait() holds when it begins and ends
            os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(10)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
