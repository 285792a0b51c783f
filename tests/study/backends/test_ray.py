"""A real cluster of two nodes on this machine, of which one may be lost."""

import importlib
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Thread

import pytest

from pipeline.core.config.computation import Execution
from pipeline.study.backends.backend import WorkError, backend, check_backend
from pipeline.study.backends.node import about_here
from pipeline.study.errors import UserError
from pipeline.study.params.load import load_study
from pipeline.study.store.files import read_yaml, write_yaml
from pipeline.study.store.fingerprint import ROOT, write_fingerprints
from pipeline.study.sweep.run import run_sweep
from tests.stages.test_own_environments import MODULE, TASK
from tests.study import fakes
from tests.study.checked import check, said

pytestmark = pytest.mark.slow
EXECUTION = Execution(
    device="cpu", precision="float32", compile="never", threads=1, members_per_process=2
)
BAD = 99
SLOWLY = partial(fakes.slowly, fakes.count)
TRIALS = 24
PRUNING = {"percentile": 50.0, "startup_trials": 4, "warmup_steps": 2}
STAGES = (
    ("sweep", "sql"),
    ("sweep", "ddpg"),
    ("pretrain", "own"),
    ("finetune", "own"),
    ("explore", "sql_east"),
    ("explore", "sql_west"),
    ("compose", "both"),
)
PATIENCE_SECONDS = 60
JOBS = {name: fakes.job((2 * i, 2 * i + 1)) for i, name in enumerate("abcdef")}


@pytest.fixture(scope="module")
def nodes():
    """A cluster whose driver's node computes nothing, and two that do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))  # where the stand-ins are
        patch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        from ray.cluster_utils import Cluster

        alone = {"num_cpus": 0, "node_ip_address": "127.0.0.1"}
        cluster = Cluster(initialize_head=True, head_node_args=alone)
        for _ in range(2):
            cluster.add_node(num_cpus=1)
        yield cluster
        cluster.shutdown()


@pytest.fixture
def cluster(nodes, monkeypatch):
    monkeypatch.setenv("MAXENT_BACKEND", "ray")
    monkeypatch.setenv("MAXENT_RAY_ADDRESS", nodes.address)
    return nodes


def work(job, desk):
    """Of somebody who is slow, and cannot do every job."""
    return fakes.fail(job, desk) if BAD in job.seeds else SLOWLY(job, desk)


@pytest.fixture(scope="class")
def workers(nodes):
    """Who is asked by several tests, as by the jobs of one stage."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAXENT_BACKEND", "ray")
        patch.setenv("MAXENT_RAY_ADDRESS", nodes.address)
        with backend(EXECUTION, work=work, memory=2**20) as workers:
            yield workers


def alone(jobs=JOBS):
    """What comes out without anybody else."""
    results = {name: fakes.judged(job, fakes.count) for name, job in jobs.items()}
    return {name: (result.records, result.final) for name, result in results.items()}


class TestCluster:
    def test_goes_on_without_a_node_from_the_last_checkpoints(
        self, nodes, workers, tmp_path, capsys
    ):
        """And tells every record once, and each job in order."""
        jobs = {name: replace(job, steps=20) for name, job in JOBS.items()}
        lost, told = [nodes.add_node(num_cpus=1)], []

        def on_record(job, record, replayed):
            told.append((job, record.step))
            if lost and len({name for name, _ in told}) == 3:
                nodes.remove_node(lost.pop(), allow_graceful=False)

        running = workers.run(jobs, folder=tmp_path, on_record=on_record)
        results = {name: (r.records, r.final) for name, r in running}
        assert results == alone(jobs)
        for job in jobs:
            assert [step for name, step in told if name == job] == [*range(1, 21)]
        assert "a training process was lost" in capsys.readouterr().err

    def test_jobs_may_follow_from_results_while_others_are_computed(
        self, workers, tmp_path
    ):
        jobs, order = {"a": JOBS["a"]}, []
        for name, _ in workers.run(jobs, folder=tmp_path, on_record=lambda *_: None):
            order.append(name)
            if name == "a":
                jobs |= {"b": JOBS["b"], "c": JOBS["c"]}
        assert sorted(order) == ["a", "b", "c"]

    def test_an_exception_is_one_line_and_its_traceback_a_file(self, workers, tmp_path):
        jobs = {"bad": fakes.job((BAD, BAD))}
        with pytest.raises(WorkError, match="ZeroDivisionError: no such number"):
            dict(workers.run(jobs, folder=tmp_path, on_record=lambda *_: None))
        assert "in fail" in (tmp_path / "error.log").read_text()


PROGRAM = """
import sys
from pathlib import Path
from tests.study.backends import test_ray as t
with t.backend(t.EXECUTION, work=t.SLOWLY, memory=2**20) as workers:
    told = lambda *_: print("a record", flush=True)
    jobs = {name: t.replace(job, steps=10_000) for name, job in t.JOBS.items()}
    dict(workers.run(jobs, folder=Path(sys.argv[1]), on_record=told))
"""


def actors():
    """Processes of the cluster that compute for somebody."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            found += [process.name] * ("ray::Node" in (process / "cmdline").read_text())
    return found


def wait_until(condition):
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


class TestInterruption:
    def test_ctrl_c_leaves_nobody_behind_and_whoever_comes_next_goes_on(
        self, cluster, tmp_path, monkeypatch
    ):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        assert {process.stdout.readline() for _ in range(8)} == {"a record\n"}
        assert actors()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        wait_until(lambda: not actors())
        (checkpoint,) = tmp_path.glob("a.safetensors")
        done = int(checkpoint.read_text())
        assert done
        monkeypatch.setenv("MAXENT_BACKEND", "local")
        jobs, told = {"a": replace(JOBS["a"], steps=done + 2)}, []
        with backend(EXECUTION, work=fakes.count) as workers:
            running = workers.run(
                jobs, folder=tmp_path, on_record=lambda _, *said: told.append(said)
            )
            results = {name: (r.records, r.final) for name, r in running}
        assert results == alone(jobs)
        assert [replayed for _, replayed in told] == [True] * done + [False] * 2


class TestRefusals:
    def refusal(self, folder, *, work=work, memory=2**20, execution=EXECUTION):
        with (
            pytest.raises(UserError) as caught,
            backend(execution, work=work, memory=memory) as workers,
        ):
            dict(workers.run(JOBS, folder=folder, on_record=lambda *_: None))
        assert "\n" not in str(caught.value)
        return str(caught.value)

    def test_a_job_too_large_for_any_node_names_what_there_is(self, cluster, tmp_path):
        told = self.refusal(tmp_path, memory=2**50)
        assert "a job takes 1 CPU, 1048576.0 GiB of memory, and no node" in told
        assert "0 CPU" in told

    def test_a_node_with_other_versions(self, cluster, tmp_path, monkeypatch):
        here = about_here() | {"torch": "1.0"}
        monkeypatch.setattr("pipeline.study.backends.ray.about_here", lambda: here)
        assert "and this machine 1.0: results would depend" in self.refusal(tmp_path)

    def test_what_no_node_can_begin(self, cluster, tmp_path, monkeypatch):
        (tmp_path / "only_here.py").write_text("def work(job, desk): ...")
        monkeypatch.syspath_prepend(tmp_path)
        only_here = importlib.import_module("only_here")
        told = self.refusal(tmp_path / "folder", work=only_here.work)
        assert told.startswith("nothing can be started on the cluster: … ")
        assert "No module named 'only_here'" in told

    def test_a_gpu_that_no_node_has(self, cluster, tmp_path):
        execution = EXECUTION.model_copy(update={"device": "cuda"})
        told = self.refusal(tmp_path, execution=execution)
        assert "a job takes 1 CPU, 1 GPU, 0.0 GiB of memory, and no node" in told

    def test_a_cluster_that_cannot_be_reached(self, tmp_path, monkeypatch):
        monkeypatch.setenv("MAXENT_BACKEND", "ray")
        monkeypatch.setenv("MAXENT_RAY_ADDRESS", "127.0.0.1:9")
        told = self.refusal(tmp_path)
        assert told.startswith("MAXENT_RAY_ADDRESS=127.0.0.1:9: cannot join")

    @pytest.mark.parametrize("address", [None, "", "auto", "ray://127.0.0.1:9", "host"])
    def test_a_cluster_that_is_not_named(self, monkeypatch, address):
        monkeypatch.setenv("MAXENT_BACKEND", "ray")
        monkeypatch.delenv("MAXENT_RAY_ADDRESS", raising=False)
        if address is not None:
            monkeypatch.setenv("MAXENT_RAY_ADDRESS", address)
        with pytest.raises(UserError, match="name a cluster that this machine is a"):
            check_backend(EXECUTION)


class TestStudy:
    @pytest.fixture
    def tables(self, tmp_path, monkeypatch):
        """What a search of 24 trials writes, in a folder of its own."""
        monkeypatch.setattr("pipeline.study.tracking.live.LiveRun", fakes.Live)
        monkeypatch.setattr(fakes.Live, "runs", [], raising=False)
        described = said(
            fakes.study(
                sweep__budgets__multigoal__trials=TRIALS,
                sweep__search__lag=3,
                sweep__search__pruning=PRUNING,
            ),
            "sweep",
            "sql",
        )

        def tables(name, work=fakes.judge):
            (tmp_path / name).mkdir()
            monkeypatch.chdir(tmp_path / name)
            write_fingerprints(["sweep"])
            run_sweep(described, "small", work=work)
            files = sorted(Path("results/sweep/sql").rglob("*.*"))
            return {path.name: path.read_bytes() for path in files}

        return tables

    def test_a_sweep_is_the_same_table_whoever_computes_it(
        self, cluster, tables, tmp_path, monkeypatch
    ):
        everywhere = tables("ray")
        node = cluster.add_node(num_cpus=1)
        half = tmp_path / "a node is lost" / ".checkpoints"

        def lose_it():
            wait_until(lambda: len([*half.rglob("trial_*.json")]) >= TRIALS // 2)
            cluster.remove_node(node, allow_graceful=False)

        losing = Thread(target=lose_it)
        losing.start()
        interrupted = tables("a node is lost", partial(fakes.slowly, fakes.judge))
        losing.join()
        monkeypatch.setenv("MAXENT_BACKEND", "local")
        monkeypatch.setenv("MAXENT_WORKERS", "1")
        one = tables("one worker")
        monkeypatch.setenv("MAXENT_WORKERS", "2")
        assert one == tables("two workers") == everywhere == interrupted
        assert len(one["trials.csv"].splitlines()) == 1 + TRIALS

    def test_results_are_the_same_bytes(self, cluster, tmp_path, monkeypatch):
        """Fine-tuning, a composition, and an environment of the user's own."""
        monkeypatch.setattr("pipeline.study.tracking.live.LiveRun", fakes.Live)
        monkeypatch.setattr(fakes.Live, "runs", [], raising=False)
        everywhere = smoke(tmp_path / "ray", monkeypatch)
        monkeypatch.setenv("MAXENT_BACKEND", "local")
        assert smoke(tmp_path / "local", monkeypatch) == everywhere


def smoke(folder, monkeypatch):
    """Files of some stages of the smoke study, computed as the settings say."""
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    Path("mine.py").write_text(MODULE)
    data = read_yaml(ROOT / "studies" / "smoke.yaml")
    del data["sweep"]["runs"]["sql"]["space"]  # a search has a test of its own
    data["tasks"]["own"] = TASK
    own = {"algorithm": "ddpg", "task": "own"}
    data["pretrain"]["runs"] = {"own": own}
    data["finetune"]["runs"] = {"own": own | {"start": "own"}}
    write_yaml(Path("params.yaml"), data)
    check(load_study())
    for stage, run in STAGES:
        monkeypatch.setattr(sys, "argv", [stage, run])
        importlib.import_module(f"stages.{stage}").main()
    files = (path for path in Path("results").rglob("*") if path.is_file())
    return {path.as_posix(): path.read_bytes() for path in files}
