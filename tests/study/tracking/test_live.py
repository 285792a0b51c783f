import queue
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.study.tracking.failures import StoreError
from pipeline.study.tracking.live import LiveRun, tracked
from pipeline.study.tracking.store import Store
from pipeline.study.tracking.writer import PARENT
from tests.projects import environment
from tests.study import fakes
from tests.study.tracking.store import client, history, runs

PATIENCE_SECONDS = 60
LIVE = "pipeline.study.tracking.live"
STORE = "pipeline.study.tracking.store"


def open_run(key="k1", stage="explore", children=("seed 0", "seed 1")):
    return LiveRun.open(
        study="tiny",
        stage=stage,
        run="sql",
        key=key,
        children=children,
        params={"key": key, "task_name": "multigoal", "algorithm": {"kind": "sql"}},
    )


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    monkeypatch.setattr(f"{LIVE}.SECONDS_BETWEEN_WRITES", 0.05)
    monkeypatch.setattr(f"{LIVE}.SECONDS_AFTER_A_FAILURE", 0.05)


@pytest.mark.usefixtures("checkout")
class TestALiveRun:
    def test_can_be_read_while_it_is_open(self):
        live = open_run()
        live.log("seed 0", 100, {"train/return": 1.5})
        waited_until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < waited_until:
            found = runs().get("explore@sql seed 0")
            if found is not None and "train/return" in found.data.metrics:
                break
            time.sleep(0.1)
        assert found.info.status == "RUNNING"
        assert history("explore@sql seed 0", "train/return") == [(100, 1.5)]
        live.close("FINISHED")

    def test_is_a_parent_with_one_child_per_seed(self):
        open_run().close("FINISHED")
        children = runs()
        parent = children.pop("explore@sql")
        assert parent.data.params == {"task": "multigoal", "algorithm.kind": "sql"}
        assert parent.data.tags["maxent.key"] == "k1"
        assert children.keys() == {"explore@sql seed 0", "explore@sql seed 1"}
        for number, (_, child) in enumerate(sorted(children.items())):
            assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
            assert child.data.params == {"seed": str(number)}
            assert child.info.status == "FINISHED"

    def test_shows_the_mean_over_seeds_where_every_seed_has_a_value(self):
        live = open_run()
        live.log("seed 0", 1, {"q": 1.0})
        live.log("seed 1", 1, {"q": 2.0})
        live.log("seed 0", 2, {"q": 9.0})
        live.log("seed 1", 2, {"q": float("nan")})
        live.close("FINISHED")
        assert history("explore@sql", "q") == [(1, 1.5)]

    def test_has_the_times_at_which_it_measured(self):
        before = time.time_ns() // 1_000_000
        live = open_run()
        live.log("seed 0", 1, {"q": 1.0})
        after = time.time_ns() // 1_000_000
        live.close("FINISHED")
        run_id = runs()["explore@sql seed 0"].info.run_id
        (point,) = client().get_metric_history(run_id, "q")
        assert before <= point.timestamp <= after

    def test_goes_on_after_an_interruption_and_doubles_nothing(self):
        live = open_run()
        for seed in ("seed 0", "seed 1"):
            live.log(seed, 1, {"q": 1.0})
            live.log(seed, 2, {"q": 2.0})
        live.close("KILLED")
        interrupted = runs()
        live = open_run()
        for step in (1, 2, 3):  # from the checkpoint, the first two are told again
            for seed in ("seed 0", "seed 1"):
                live.log(seed, step, {"q": float(step)})
        live.close("FINISHED")
        for name, run in runs().items():
            assert run.info.run_id == interrupted[name].info.run_id
            assert run.info.status == "FINISHED"
            assert history(name, "q") == [(1, 1.0), (2, 2.0), (3, 3.0)]

    def test_replaces_a_finished_run_with_its_key(self):
        live = open_run()
        live.log("seed 0", 1, {"q": 1.0})
        live.close("FINISHED")
        first = runs()
        open_run().close("FINISHED")
        second = runs()
        assert second.keys() == first.keys()
        for name, run in second.items():
            assert run.info.run_id != first[name].info.run_id
            assert run.data.metrics == {}

    def test_leaves_runs_with_other_keys_alone(self):
        open_run("k1").close("FINISHED")
        first = runs()["explore@sql"].info.run_id
        open_run("k2").close("FINISHED")
        info = client().get_run(first).info
        assert (info.status, info.lifecycle_stage) == ("FINISHED", "active")


def wait_until(condition):
    waited_until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < waited_until
        time.sleep(0.05)


def open_sweep():
    return open_run(stage="sweep", children=())


def try_one(live, number, *, over=True):
    """What a sweep says of a trial."""
    name = f"trial {number}"
    live.child(name, f"{name} · alpha {number / 2}", {"alpha": number / 2})
    for step in (1, 2):
        live.log(name, step, {"q": float(step)})
    if over:
        live.ended(name, "FINISHED", {"state": "COMPLETE"})


@pytest.mark.usefixtures("checkout")
class TestASweep:
    def test_has_trials_that_it_opens_as_it_goes_on(self):
        live = open_sweep()
        try_one(live, 7)
        live.log("trial 7", 3, {"q": 3.0})
        live.close("FINISHED")
        found = runs()
        assert found["sweep@sql"].data.metrics == {}, "a mean over trials is none"
        trial = found["trial 7 · alpha 3.5"]
        assert trial.data.tags["maxent.child"] == "trial 7"
        assert trial.data.params == {"alpha": "3.5", "state": "COMPLETE"}
        assert history(trial.info.run_name, "q") == [(1, 1.0), (2, 2.0), (3, 3.0)]

    def test_says_at_once_how_a_trial_ended(self):
        live = open_sweep()
        try_one(live, 0, over=False)
        live.ended("trial 0", "KILLED", {"state": "PRUNED", "reason": "too low"})
        try_one(live, 1, over=False)
        name = "trial 0 · alpha 0.0"
        waited_until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < waited_until:
            if name in runs() and runs()[name].info.status == "KILLED":
                break
            time.sleep(0.1)
        assert runs()[name].data.params["reason"] == "too low"
        assert runs()["trial 1 · alpha 0.5"].info.status == "RUNNING"
        live.close("FINISHED")
        assert runs()[name].info.status == "KILLED"
        assert runs()["trial 1 · alpha 0.5"].info.status == "FINISHED"

    def test_goes_on_with_the_same_trials_after_an_interruption(self):
        live = open_sweep()
        try_one(live, 0)
        try_one(live, 1, over=False)
        live.close("KILLED")
        interrupted = {name: run.info.run_id for name, run in runs().items()}
        live = open_sweep()
        for number in (0, 1, 2):
            try_one(live, number)
        live.describe("trial 1", {"best": True})
        live.describe(PARENT, {"best.trial": 1})
        live.log(PARENT, 2, {"best/q": 2.0})
        live.close("FINISHED")
        found = runs()
        assert len(found) == 4
        for name, run_id in interrupted.items():
            assert found[name].info.run_id == run_id
        for name in found.keys() - {"sweep@sql"}:
            assert found[name].info.status == "FINISHED"
            assert history(name, "q") == [(1, 1.0), (2, 2.0)]
        assert found["trial 1 · alpha 0.5"].data.params["best"] == "true"
        assert found["sweep@sql"].data.params["best.trial"] == "1"
        assert history("sweep@sql", "best/q") == [(2, 2.0)]

    def test_keeps_what_it_said_first(self, capsys):
        live = open_sweep()
        try_one(live, 0)
        live.describe("trial 0", {"state": "FAIL"})
        try_one(live, 1)
        live.close("FINISHED")
        trial = runs()["trial 0 · alpha 0.0"]
        assert trial.data.params["state"] == "COMPLETE"
        assert "trial 1 · alpha 0.5" in runs()
        assert capsys.readouterr().err == ""

    @pytest.mark.parametrize("call", ["make_child", "describe", "finish", "log"])
    def test_gets_everything_once_a_store_answers(self, monkeypatch, capsys, call):
        failures = [False, True, False, True]
        original = getattr(Store, call)

        def fail(store, *given, **named):
            answer = original(store, *given, **named)
            if failures and failures.pop(0):
                raise StoreError("the answer got lost")
            return answer

        monkeypatch.setattr(Store, call, fail)
        live = open_sweep()
        for number in range(6):
            try_one(live, number)
            time.sleep(0.1)
        wait_until(lambda: not failures and len(runs()) == 7)
        live.close("FINISHED")
        children = [run for name, run in runs().items() if name != "sweep@sql"]
        assert len(children) == 6
        for trial in children:
            assert trial.info.status == "FINISHED"
            assert trial.data.params.keys() == {"alpha", "state"}
            assert history(trial.info.run_name, "q") == [(1, 1.0), (2, 2.0)]
        assert capsys.readouterr().err.count("the answer got lost") == 1


class TestAStoreThatFails:
    def test_costs_one_line_and_nothing_else(self, checkout, monkeypatch, capsys):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        live = open_run()
        for step in range(100):
            live.log("seed 0", step, {"q": 1.0})
            time.sleep(0.005)
        live.close("FINISHED")
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.count("\n") == 1
        assert told.err.startswith(
            "warning: no live curves: the MLflow store http://127.0.0.1:9 does not"
        )

    def test_that_never_answers_is_not_asked_again_at_the_end(
        self, checkout, monkeypatch, capsys
    ):
        asked = []
        runs_opened = queue.Queue()

        def ask(uri):
            asked.append(uri)
            runs_opened.get(timeout=PATIENCE_SECONDS)._closing.set()
            raise TimeoutError("no answer")

        monkeypatch.setattr(f"{STORE}.ask", ask)
        live = open_run()
        runs_opened.put(live)
        live.close("FINISHED")
        assert len(asked) == 1
        assert capsys.readouterr().err.count("no answer") == 1

    def test_is_used_once_it_answers(self, checkout, monkeypatch):
        failures = iter([TimeoutError("no answer")] * 2)

        def ask(uri):
            if error := next(failures, None):
                raise error

        monkeypatch.setattr(f"{STORE}.ask", ask)
        live = open_run()
        waited_until = time.monotonic() + PATIENCE_SECONDS
        while not runs() and time.monotonic() < waited_until:
            live.log("seed 0", 1, {"q": 1.0})
            time.sleep(0.05)
        live.close("FINISHED")
        assert history("explore@sql seed 0", "q") == [(1, 1.0)]

    def test_gets_everything_once_it_answers(self, checkout, monkeypatch, capsys):
        failures = [True, True, False, True, False]
        original = Store.log

        def log(store, run_id, points):
            original(store, run_id, points)
            if points and failures and failures.pop(0):
                raise StoreError("the answer got lost")

        monkeypatch.setattr(Store, "log", log)
        live = open_run()
        for step in range(20):
            for seed in ("seed 0", "seed 1"):
                live.log(seed, step, {"q": float(step)})
            time.sleep(0.05)
        wait_until(lambda: not failures)
        live.close("FINISHED")
        expected = [(step, float(step)) for step in range(20)]
        for name in ("explore@sql", "explore@sql seed 0", "explore@sql seed 1"):
            assert history(name, "q") == expected
        assert capsys.readouterr().err.count("the answer got lost") == 1


STARTS = """
import sys, time
from pipeline.study.tracking.live import LiveRun
before = time.monotonic()
live = LiveRun.open(
    study="tiny", stage="explore", run=sys.argv[1], key=sys.argv[1],
    children=["seed 0"], params={},
)
took = time.monotonic() - before
live.log("seed 0", 1, {"q": 1.0})
live.close("FINISHED")
assert "torch" not in sys.modules
print(took)
"""


@pytest.mark.slow
def test_processes_may_open_a_new_store_at_the_same_time(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", STARTS, f"run_{number}"],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for process in started:
        took, warnings = process.communicate(timeout=300)
        assert (process.returncode, warnings) == (0, "")
        assert float(took) < 1.0, "training waits for MLflow"
    names = {f"explore@run_{number}" for number in range(4)}
    assert runs().keys() == names | {f"{name} seed 0" for name in names}
    (experiment,) = client().search_experiments()
    assert experiment.name == "tiny"
    assert experiment.artifact_location == (tmp_path / "mlartifacts").as_uri()
    assert not Path("mlruns").exists()


class TestTracked:
    @pytest.mark.parametrize(
        ("error", "status"), [(KeyboardInterrupt, "KILLED"), (ValueError, "FAILED")]
    )
    def test_mlflow_is_told_how_a_stage_ended(self, monkeypatch, error, status):
        monkeypatch.setattr(f"{LIVE}.LiveRun", fakes.Live)
        monkeypatch.setattr(fakes.Live, "runs", [], raising=False)
        described = {"study": "s", "stage": "explore", "run": "sql", "key": "0"}
        with pytest.raises(error), tracked(**described, children=[], params={}):
            raise error
        assert fakes.Live.runs[0].status == status
