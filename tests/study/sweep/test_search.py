"""The table of trials is a function of the description, whoever computes it."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.study.store.files import write_json
from pipeline.study.store.fingerprint import ROOT, write_fingerprints
from pipeline.study.sweep.plan import SweepPlan
from pipeline.study.sweep.search import FinishedTrials, Search
from tests.study import fakes
from tests.study.checked import said

TRIALS = 24
"""Of real processes; some eight are random, and the others depend on results."""
FEW = 14
PRUNING = {"percentile": 50.0, "startup_trials": 4, "warmup_steps": 2}


def study(**changes):
    described = {
        "sweep__budgets__multigoal__trials": FEW,
        "sweep__search__lag": 3,
        "sweep__search__pruning": PRUNING,
    }
    return fakes.study(**described | changes)


@pytest.fixture(autouse=True)
def checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    write_fingerprints(["sweep"])


class Shuffled:
    """A backend that computes up to so many jobs at once and finishes any of them."""

    def __init__(self, at_once: int, seed: int) -> None:
        self.at_once = at_once
        self.random = random.Random(seed)
        self.most = 0

    def run(self, jobs, *, folder, on_record):
        begun, running = set(), []
        while True:
            for name in [name for name in jobs if name not in begun]:
                if len(running) < self.at_once:
                    begun.add(name)
                    running.append(name)
            if not running:
                return
            self.most = max(self.most, len(running))
            name = running.pop(self.random.randrange(len(running)))
            yield name, fakes.judged(jobs[name])


def searched(backend, folder=Path("none"), **changes):
    plan = SweepPlan(said(study(**changes), "sweep", "sql"))
    files = FinishedTrials(folder)
    search = Search(plan, files)
    for _ in search.compute(backend, lambda *_: None):
        pass
    return [search.over[number] for number in range(len(search.over))]


class TestSearch:
    @pytest.mark.parametrize("members", [2, 6])
    def test_does_not_depend_on_who_is_over_first(self, tmp_path, members):
        together = {"execution__members_per_process": members}
        if members == 6:
            together["sweep__budgets__multigoal__trials"] = FEW + 1
        alone = searched(Shuffled(1, 0), tmp_path / "alone", **together)
        assert len(alone) >= FEW
        assert {trial.state for trial in alone} == {"COMPLETE", "PRUNED", "FAIL"}
        for seed in range(3):
            backend = Shuffled(4, seed)
            folder = tmp_path / str(seed)
            assert searched(backend, folder, **together) == alone
            assert backend.most == 4 * 2 // members or backend.most > 1

    def test_as_many_trials_as_the_lag_and_one_go_on_at_once(self, tmp_path):
        for lag in (0, 1, 5):
            backend = Shuffled(99, 0)
            searched(backend, tmp_path / str(lag), sweep__search__lag=lag)
            assert backend.most == lag + 1

    def test_more_trials_later_are_the_same_as_all_at_once(self, tmp_path):
        fewer = searched(Shuffled(2, 0), tmp_path, sweep__budgets__multigoal__trials=7)
        backend = Shuffled(2, 1)
        later = searched(backend, tmp_path)
        assert later[:7] == fewer
        assert later == searched(Shuffled(2, 0), tmp_path / "other")

    def test_what_a_trial_tries_depends_on_results_up_to_the_lag(self, tmp_path):
        plan = SweepPlan(said(study(), "sweep", "sql"))
        over = {trial.number: trial for trial in searched(Shuffled(1, 0), tmp_path)}
        search = Search(plan, FinishedTrials(tmp_path))
        for _ in search.compute(Shuffled(1, 0), lambda *_: None):
            pass
        before = search.asked[:12]
        first = plan.asked(12, over, before)
        turned = dict(over)
        del turned[9], turned[10], turned[11]
        assert plan.asked(12, turned, before) == first
        turned[8] = over[5]
        assert plan.asked(12, turned, before) != first

    @pytest.mark.parametrize(
        "damage",
        [
            lambda text: text[: len(text) // 2],
            lambda text: text.replace('"COMPLETE"', '"PRUNED"'),
            lambda text: "",
            lambda text: "{}",
            lambda text: "[1]",
        ],
    )
    def test_a_damaged_trial_is_computed_again(self, tmp_path, damage):
        whole = searched(Shuffled(1, 0), tmp_path)
        complete = next(t.number for t in whole if t.state == "COMPLETE")
        file = tmp_path / f"trial_{complete}.json"
        content = file.read_text()
        file.write_text(damage(content))
        assert searched(Shuffled(1, 0), tmp_path) == whole
        assert file.read_text() == content

    def test_a_trial_that_tried_something_else_is_not_used(self, tmp_path):
        searched(Shuffled(1, 0), tmp_path, sweep__search__seed=2)
        assert searched(Shuffled(1, 0), tmp_path) == searched(
            Shuffled(1, 0), tmp_path / "other"
        )


# ------------------------------------------------------------------ real processes

PROGRAM = """
import json, sys
from pipeline.study.sweep.run import run_sweep
from pipeline.study.tracking import live
from tests.study import fakes
fakes.Live.runs = []
live.LiveRun = fakes.Live
run_sweep(json.load(open(sys.argv[1])), "small", work=fakes.judge)
"""
KILLS = 20


def start(trials: int = TRIALS, workers: int = 2) -> "subprocess.Popen[bytes]":
    """A sweep in a process of its own, in this folder."""
    described = said(study(sweep__budgets__multigoal__trials=trials), "sweep", "sql")
    write_json(Path("said.json"), described, sort=False)
    named = {"MAXENT_PROGRESS": "off", "MAXENT_WORKERS": str(workers)}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "said.json"],
        env={**os.environ, **named, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
    )


def tables(process: "subprocess.Popen[bytes]") -> dict[str, bytes]:
    """What a sweep has written when it is over."""
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors.decode()
    files = sorted(Path("results/sweep/sql").rglob("*.*"))
    return {path.name: path.read_bytes() for path in files}


def workers_of(process: "subprocess.Popen[bytes]") -> list[int]:
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(pid) for pid in listed.split()]


def killed(process: "subprocess.Popen[bytes]", blows: random.Random) -> int:
    """Kill a sweep's workers, or it itself, until it is over; returns how often."""
    count = 0
    while process.poll() is None:
        time.sleep(blows.uniform(0.1, 1.0))
        workers = workers_of(process) if process.poll() is None else []
        if workers:
            count += 1
            blow = blows.choice([process.pid, blows.choice(workers)])
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(blow, signal.SIGKILL)
            if blow == process.pid:
                break
    process.communicate()
    return count


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Goes to a new folder that `check` has been in."""

    def go(name: str) -> None:
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        write_fingerprints(["sweep"])

    return go


@pytest.mark.slow
def test_tables_are_the_same_with_one_worker_and_after_kills_and_growth(elsewhere):
    elsewhere("one worker")
    undisturbed = tables(start(workers=1))
    assert len(undisturbed["trials.csv"].splitlines()) == 1 + TRIALS
    elsewhere("grown")
    fewer = tables(start(trials=9))
    grown = tables(start())
    assert grown["trials.csv"].startswith(fewer["trials.csv"])
    assert grown == undisturbed
    elsewhere("killed")
    pace = Path(".checkpoints/sweep@sql/pace")
    pace.parent.mkdir(parents=True)
    pace.write_text("0.15")
    blows, count = random.Random(1), 0
    while count < KILLS:
        count += (fresh := killed(start(), blows))
        assert fresh, "it was over before it could be killed: let it be slower"
    pace.unlink()
    assert tables(start()) == undisturbed
