import io
import sys

import pytest
from rich.console import Console

from pipeline.study.training import progress
from pipeline.study.training.progress import Progress


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def make() -> Progress:
    return Progress("explore@sql", members=4, steps=600, score="return")


class TestPlain:
    def test_a_short_stage_is_one_line_at_its_end(self, clock, capsys):
        with make() as shown:
            shown.advance("all", 600, members=4, replayed=False)
            assert capsys.readouterr().out == ""
        (line,) = capsys.readouterr().out.splitlines()
        assert line.startswith("explore@sql: done after 0:00:00, step 600 of 600")

    def test_there_is_at_most_one_line_a_minute(self, clock, capsys):
        with make() as shown:
            for step in range(1, 601):  # a step a second is ten minutes
                clock.now += 1
                shown.advance("all", step, members=4, replayed=False)
        assert len(capsys.readouterr().out.splitlines()) == 10 + 1

    def test_a_line_says_step_pace_score_and_time_left(self, clock, capsys):
        with make() as shown:
            clock.now += 60
            shown.scored(-123.456)
            shown.advance("first", 150, members=2, replayed=False)
            shown.advance("second", 150, members=2, replayed=False)
            clock.now += 60
            shown.advance("first", 300, members=2, replayed=False)
        line = capsys.readouterr().out.splitlines()[1]
        assert "step 225 of 600, 8 steps/s of all members, return -123" in line
        assert line.endswith("0:03:20 left")

    def test_what_comes_from_a_checkpoint_is_done_but_no_pace(self, clock):
        with make() as shown:
            clock.now += 0.1
            shown.advance("all", 500, members=4, replayed=True)
            clock.now += 9.9
            shown.advance("all", 510, members=4, replayed=False)
        assert shown.per_second == pytest.approx(4.0)

    def test_the_pace_is_that_of_the_last_minute(self, clock):
        with make() as shown:
            clock.now += 3600
            shown.advance("all", 1, members=4, replayed=False)
            for step in range(2, 102):
                clock.now += 1
                shown.advance("all", step, members=4, replayed=False)
        assert shown.per_second == pytest.approx(4.0)

    def test_a_stage_that_fails_says_where_it_stopped(self, clock, capsys):
        shown = make().__enter__()
        shown.advance("all", 60, members=4, replayed=False)
        shown.__exit__(KeyError, KeyError(), None)
        assert "stopped after 0:00:00, step 60 of 600" in capsys.readouterr().out


class TestLive:
    def test_a_terminal_shows_stage_members_steps_pace_and_score(self, monkeypatch):
        monkeypatch.setenv("MAXENT_PROGRESS", "live")
        screen = io.StringIO()
        monkeypatch.setattr(
            "rich.progress.get_console",
            lambda: Console(file=screen, force_terminal=True, width=100),
        )
        with make() as shown:
            shown.scored(2.5)
            shown.advance("all", 150, members=4, replayed=False)
        text = screen.getvalue()
        for part in ("explore@sql", "4 members", "150/600", "steps/s", "return 2.5"):
            assert part in text

    @pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
    def test_a_terminal_without_unicode_has_plain_lines(self, monkeypatch, encoding):
        monkeypatch.setenv("MAXENT_PROGRESS", "live")
        screen = io.TextIOWrapper(io.BytesIO(), encoding)
        monkeypatch.setattr(sys, "stdout", screen)
        with make() as shown:
            shown.advance("all", 600, members=4, replayed=False)
        assert screen.buffer.getvalue().startswith(b"explore@sql: done after 0:00:00")

    def test_nothing_is_said_when_it_is_off(self, monkeypatch, capsys):
        monkeypatch.setenv("MAXENT_PROGRESS", "off")
        with make() as shown:
            shown.advance("all", 150, members=4, replayed=False)
        assert capsys.readouterr().out == ""
