"""A real cluster of two nodes on this machine, of which one may be lost."""

import importlib
import os
import shutil
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
from pipeline.study.store.fingerprint import ROOT, write_fingerprints
from pipeline.study.sweep.run import run_sweep
from tests.study import fakes
from tests.study.checked import check, said

pytestmark = pytest.mark.slow
EXECUTION = Execution(
    device="cpu", precision="float32", compile="never", threads=1, members_per_process=2
)
SLOWLY = partial(fakes.slowly, fakes.count)
TRIALS = 24
PRUNING = {"percentile": 50.0, "startup_trials": 4, "warmup_steps": 2}
STAGES = (
    ("sweep", "sql"),
    ("pretrain", "sql"),
    ("finetune", "sql_from_sql"),
    ("explore", "sql_east"),
    ("explore", "sql_west"),
    ("score", "sql_east"),
    ("compose", "both"),
)
PATIENCE_SECONDS = 60
JOBS = {name: fakes.job((2 * i, 2 * i + 1)) for i, name in enumerate("abcdef")}


@pytest.fixture(scope="module")
def nodes():
    """A cluster whose driver's node computes nothing, and two that do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(
            "PYTHONPATH", str(ROOT)
        )  # for what tests have in place of learners
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


def compute(folder, jobs=JOBS, work=fakes.count, *, memory=2**20, told=None):
    told = [] if told is None else told

    def on_record(job, record, replayed):
        told.append((job, record.step))

    with backend(EXECUTION, work=work, memory=memory) as workers:
        results = dict(workers.run(jobs, folder=folder, on_record=on_record))
    return {name: (results[name].records, results[name].final) for name in jobs}, told


def alone(jobs=JOBS):
    """What comes out without anybody else."""
    results = {name: fakes.judged(job, fakes.count) for name, job in jobs.items()}
    return {name: (result.records, result.final) for name, result in results.items()}


class TestCluster:
    def test_tells_every_record_once_and_each_job_in_order(self, cluster, tmp_path):
        results, told = compute(tmp_path)
        assert results == alone()
        for job in JOBS:
            assert [step for name, step in told if name == job] == [1, 2, 3, 4, 5]

    def test_goes_on_without_a_node_from_the_last_checkpoints(
        self, cluster, tmp_path, capsys
    ):
        jobs = {name: replace(job, steps=20) for name, job in JOBS.items()}
        lost, told = [cluster.add_node(num_cpus=1)], []

        def on_record(job, record, replayed):
            told.append((job, record.step))
            if lost and len({name for name, _ in told}) == 3:
                cluster.remove_node(lost.pop(), allow_graceful=False)

        with backend(EXECUTION, work=SLOWLY, memory=2**20) as workers:
            running = workers.run(jobs, folder=tmp_path, on_record=on_record)
            results = {name: (r.records, r.final) for name, r in running}
        assert results == alone(jobs)
        for job in jobs:
            assert [step for name, step in told if name == job] == [*range(1, 21)]
        assert "a training process was lost" in capsys.readouterr().err

    def test_an_exception_is_one_line_and_its_traceback_a_file(self, cluster, tmp_path):
        with pytest.raises(WorkError, match="ZeroDivisionError: no such number"):
            compute(tmp_path, work=fakes.fail)
        assert "in fail" in (tmp_path / "error.log").read_text()

    def test_ctrl_c_leaves_nobody_behind(self, cluster, tmp_path):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        assert process.stdout.readline() == "a record\n"
        assert actors()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        wait_until(lambda: not actors())


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


class TestRefusals:
    def refusal(self, folder, **changes):
        with pytest.raises(UserError) as caught:
            compute(folder, **changes)
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

    def test_a_node_that_cannot_compute_as_asked(self, cluster, tmp_path, monkeypatch):
        refused = EXECUTION.model_copy(update={"device": "cuda"})
        monkeypatch.setattr(sys.modules[__name__], "EXECUTION", refused)
        assert "a job takes 1 CPU, 1 GPU, 0.0 GiB" in self.refusal(tmp_path)

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
        """Pretraining, fine-tuning from it, exploring, scoring and composing."""
        monkeypatch.setattr("pipeline.study.tracking.live.LiveRun", fakes.Live)
        monkeypatch.setattr(fakes.Live, "runs", [], raising=False)
        everywhere = smoke(tmp_path / "ray", monkeypatch)
        monkeypatch.setenv("MAXENT_BACKEND", "local")
        assert smoke(tmp_path / "local", monkeypatch) == everywhere


def smoke(folder, monkeypatch):
    """Files of some stages of the smoke study, computed as the settings say."""
    folder.mkdir()
    monkeypatch.chdir(folder)
    shutil.copy(ROOT / "studies" / "smoke.yaml", "params.yaml")
    check(load_study())
    for stage, run in STAGES:
        monkeypatch.setattr(sys, "argv", [stage, run])
        importlib.import_module(f"stages.{stage}").main()
    files = (path for path in Path("results").rglob("*") if path.is_file())
    return {path.as_posix(): path.read_bytes() for path in files}
