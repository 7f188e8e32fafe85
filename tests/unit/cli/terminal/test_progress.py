"""Progress of long work, on standard error."""

import pytest

from auditwire_cli.terminal.progress import Occasionally, progress


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_quick_work_says_nothing_and_slow_work_not_too_much(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    say = Occasionally(5, clock)

    for second in range(13):
        clock.now = float(second)
        say(f"at {second} s")

    assert capsys.readouterr() == ("", "at 5 s\nat 10 s\n")


def test_there_is_progress_where_nobody_draws(capsys: pytest.CaptureFixture[str]) -> None:
    for total, shown in ((200, "1,000 events, 25 %\n"), (None, "1,000 events\n")):
        with progress(total, clock=(clock := Clock())) as advance:
            advance(10, "100 events")
            clock.now = 6.0
            advance(50, "1,000 events")
        assert capsys.readouterr() == ("", shown)
