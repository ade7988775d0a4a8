"""Ctrl-C is held up while an answer is kept, once, and never lost."""

from __future__ import annotations

import signal
import threading

import pytest

from firstread.cli.running import stop_waits


def stopped(times: int, *, done: list[str], fails: bool = False) -> None:
    """A block in which Ctrl-C comes so often before it is done."""
    with stop_waits():
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)
        if fails:
            raise OSError
        done.append("kept")


@pytest.mark.parametrize(("times", "kept"), [(1, ["kept"]), (2, [])])
def test_a_stop_is_heard_when_the_block_has_ended_and_a_second_one_at_once(
    times: int, kept: list[str]
) -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        stopped(times, done=done)
    assert done == kept
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_stop_is_heard_though_the_block_failed() -> None:
    with pytest.raises(KeyboardInterrupt):
        stopped(1, done=[], fails=True)


def test_who_ignores_stops_goes_on() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stop_waits():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_than_the_main_one_goes_on() -> None:
    done = []

    def work() -> None:
        with stop_waits():
            done.append("kept")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == ["kept"]
