import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.core.job import Job, Record, Result
from pipeline.study.backends.backend import WorkError
from pipeline.study.backends.local import LocalProcesses
from pipeline.study.backends.worker import Work
from pipeline.study.machine import capacity
from pipeline.study.machine.threads import VARIABLES
from tests.study import fakes

JOBS = {"a": fakes.job((0, 1)), "b": fakes.job((2, 3)), "c": fakes.job((4, 5))}
ONE = {"a": JOBS["a"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "checkpoints"
    path.mkdir()
    return path


def compute(
    folder: Path, jobs: Mapping[str, Job] = JOBS, work: Work = fakes.count
) -> tuple[list[Result], list[tuple[str, int]]]:
    """Results, and (job, step) of every record in the order it was told."""
    told = []

    def on_record(job: str, record: Record, replayed: bool) -> None:
        told.append((job, record.step))

    with LocalProcesses(threads=1, work=work) as workers:
        results = dict(workers.run(jobs, folder=folder, on_record=on_record))
    return [results[name] for name in jobs], told


def compute_all(
    executor: LocalProcesses, jobs: Mapping[str, Job], folder: Path
) -> None:
    for _ in executor.run(jobs, folder=folder, on_record=lambda *_: None):
        pass


def equal(left: list[Result], right: list[Result]) -> bool:
    def plain(result: Result) -> tuple:
        weights = {name: array.tolist() for name, array in result.weights.items()}
        return result.records, result.final, weights

    return [plain(result) for result in left] == [plain(result) for result in right]


class TestExecute:
    def test_every_job_has_its_own_result(self, folder):
        results, _ = compute(folder)
        seeds = [result.weights["w"].ravel().tolist() for result in results]
        assert seeds == [[0, 1], [2, 3], [4, 5]]

    def test_results_do_not_depend_on_the_number_of_workers(
        self, folder, tmp_path, monkeypatch
    ):
        monkeypatch.setenv("MAXENT_WORKERS", "1")
        alone, _ = compute(folder)
        monkeypatch.setenv("MAXENT_WORKERS", "2")
        (tmp_path / "other").mkdir()
        together, _ = compute(tmp_path / "other")
        assert equal(alone, together)

    def test_tells_every_record_once_and_each_job_in_order(self, folder):
        _, told = compute(folder)
        for job in JOBS:
            assert [step for j, step in told if j == job] == [1, 2, 3, 4, 5]

    def test_jobs_may_follow_from_results_while_others_are_computed(self, folder):
        jobs, order = dict(ONE), []
        with LocalProcesses(threads=1, work=fakes.count) as workers:
            for name, _ in workers.run(jobs, folder=folder, on_record=lambda *_: None):
                order.append(name)
                if len(jobs) < 4:
                    jobs |= {f"after {name}": JOBS["b"], f"beside {name}": JOBS["c"]}
        assert order[0] == "a"
        assert {*order} == jobs.keys() >= {"after a", "beside a"}
        assert len(order) == len(jobs)

    def test_nobody_waits_for_the_slowest(self, folder, monkeypatch):
        monkeypatch.setenv("MAXENT_WORKERS", "2")
        jobs = {"long": fakes.job((0, 1), 400), **JOBS}
        with LocalProcesses(threads=1, work=fakes.count) as workers:
            order = [
                name
                for name, _ in workers.run(
                    jobs, folder=folder, on_record=lambda *_: None
                )
            ]
        assert order == ["a", "b", "c", "long"]

    @pytest.fixture
    def started(self, monkeypatch):
        """As many things as there were processes started."""
        started = []
        popen = subprocess.Popen
        monkeypatch.setattr(
            subprocess, "Popen", lambda *a, **k: started.append(1) or popen(*a, **k)
        )
        return started

    def test_workers_are_kept_for_more_work(self, folder, started, monkeypatch):
        monkeypatch.setenv("MAXENT_WORKERS", "1")
        with LocalProcesses(threads=1, work=fakes.count) as executor:
            for batch in ("a", "b"):
                compute_all(executor, JOBS, folder / batch)
        assert len(started) == 1

    @pytest.mark.parametrize(("threads", "processes"), [(1, 2), (2, 1)])
    def test_there_are_as_many_processes_as_the_cores_allow(
        self, folder, started, monkeypatch, threads, processes
    ):
        monkeypatch.delenv("MAXENT_WORKERS", raising=False)
        monkeypatch.setattr(capacity, "available_cores", lambda: 2)
        with LocalProcesses(threads=threads, work=fakes.count) as executor:
            compute_all(executor, JOBS, folder)
        assert len(started) == processes

    def test_one_chunk_is_one_process(self, folder, monkeypatch):
        monkeypatch.delenv("MAXENT_WORKERS", raising=False)
        with LocalProcesses(threads=1, work=fakes.count) as executor:
            compute_all(executor, ONE, folder)
            assert len(executor._workers) == 1

    def test_a_worker_that_is_done_is_not_waited_for(self, folder):
        with LocalProcesses(threads=1, work=fakes.count) as executor:
            compute_all(executor, ONE, folder)
            (worker,) = executor._workers
        assert worker.process.returncode == -signal.SIGKILL

    @pytest.mark.slow
    def test_every_library_of_a_worker_has_the_threads_of_the_study(
        self, folder, monkeypatch
    ):
        monkeypatch.setenv("OMP_NUM_THREADS", "7")
        monkeypatch.setenv("MKL_NUM_THREADS", "7")
        (result,), _ = compute(folder, ONE, work=fakes.count_threads)
        assert result.final.keys() == {"torch", *VARIABLES}
        assert all(found == [1.0] for found in result.final.values())

    def test_a_lost_worker_costs_nothing_but_time(self, folder, tmp_path, capfd):
        undisturbed, told = compute(folder)
        (tmp_path / "other").mkdir()
        (tmp_path / "deaths").write_text("2")
        disturbed, told_then = compute(tmp_path / "other")
        assert equal(disturbed, undisturbed)
        assert sorted(told_then) == sorted(told)
        assert "a training process was lost (signal 9)" in capfd.readouterr().err

    def test_a_worker_that_is_lost_every_time_ends_the_stage(self, folder, tmp_path):
        (tmp_path / "deaths").write_text("99")
        with pytest.raises(WorkError, match=r"lost 4 times \(signal 9\).*WORKERS=1"):
            compute(folder, ONE)

    def test_an_exception_is_one_line_and_its_traceback_a_file(self, folder):
        with pytest.raises(WorkError, match="ZeroDivisionError: no such number"):
            compute(folder, work=fakes.fail)
        assert "in fail" in (folder / "error.log").read_text()

    def test_the_parent_imports_no_torch(self):
        imported = "import sys, pipeline.study.backends.local"
        code = f"{imported}; sys.exit('torch' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code]).returncode == 0


PROGRAM = """
import json, sys
from pathlib import Path
from pipeline.study.backends.backend import backend
from tests.study import fakes
folder = Path(sys.argv[1])
execution = fakes.study().execution
jobs = {"a": fakes.job((0, 1), 8), "b": fakes.job((2, 3), 8)}
told = lambda job, record, replayed: print(job, record.step, replayed, flush=True)
with backend(execution, work=fakes.count) as workers:
    results = dict(workers.run(jobs, folder=folder, on_record=told))
(folder.parent / "results").write_text(repr([results[name] for name in jobs]))
"""


class TestInterruption:
    """A stage that is killed, and started again."""

    def start(self, folder: Path, **environment: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "MAXENT_WORKERS": "2", **environment},
        )

    @pytest.mark.slow
    @pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
    def test_ends_in_the_same_bytes_as_without(self, folder, tmp_path, blow):
        self.start(folder).communicate(timeout=60)
        expected = (tmp_path / "results").read_text()
        (tmp_path / "results").unlink()
        for file in folder.iterdir():
            file.unlink()

        (tmp_path / "pace").write_text("0.2")
        first = self.start(folder)
        for line in first.stdout:
            if " 3 " in line:
                break
        workers = children(first.pid)
        first.send_signal(blow)
        first.communicate(timeout=60)
        assert len(workers) == 2
        assert eventually(lambda: not any(alive(worker) for worker in workers))

        (tmp_path / "pace").write_text("0")
        output, _ = self.start(folder).communicate(timeout=60)
        assert "True" in output, "nothing was replayed from a checkpoint"
        assert (tmp_path / "results").read_text() == expected

    @pytest.mark.slow
    def test_a_stage_ends_when_the_dvc_that_started_it_has_gone(self, folder, tmp_path):
        (tmp_path / "pace").write_text("0.5")
        (tmp_path / "program.py").write_text(PROGRAM)
        shell = subprocess.Popen(
            ["sh", "-c", f"{sys.executable} program.py {folder} & echo $!; wait"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "DVC_STAGE": "explore@sql",
                "PYTHONPATH": str(Path.cwd()),
            },
        )
        stage = int(shell.stdout.readline())
        assert "1" in shell.stdout.readline()
        shell.kill()
        shell.wait()
        assert eventually(lambda: not alive(stage))
        shell.stdout.close()


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in listed.split()]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def eventually(condition, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
