import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.study.errors import UserError
from pipeline.study.machine import cores, needs
from tests.core.configs import algorithm, task

EXECUTION = {
    **{"device": "cpu", "precision": "float32", "compile": "never"},
    **{"threads": 1, "members_per_process": 3},
}
GIB = 2**30


@pytest.fixture(autouse=True)
def machine(tmp_path, monkeypatch):
    """Two cores, 16 GiB of memory of which 9 are available, 20 GiB of free disk."""
    info = tmp_path / "meminfo"
    fields = {"MemTotal": 15, "MemFree": 1, "MemAvailable": 9, "SwapTotal": 1}
    info.write_text("".join(f"{k}: {v * 2**20} kB\n" for k, v in fields.items()))
    monkeypatch.setattr(needs, "MEMORY", info)
    monkeypatch.setattr(cores, "CGROUPS", tmp_path)
    monkeypatch.setattr(cores, "OWN_CGROUP", tmp_path / "absent")
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: SimpleNamespace(free=20 * GIB)
    )
    monkeypatch.setattr(needs, "side_by_side", lambda threads: 2)
    monkeypatch.setenv("MAXENT_REPLAY_GIB", "4")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def needed(learner="sac", where="linear_quadratic", **changes):
    """Of six members, three in a process, with a replay of 1000 that is filled."""
    kept = {"replay": changes.pop("replay", 1000)} if learner != "reinforce" else {}
    said = {
        "stage": "scratch",
        "run": "own",
        "task": task(where).model_dump(mode="json"),
        "task_name": where,
        "algorithm_name": learner,
        "seeds": list(range(6)),
        "steps": 10**9,
        "execution": EXECUTION,
    }
    config = algorithm(learner).model_copy(update=kept)
    return needs.needs_of(said | changes, config)


def wide(replay, processes=2):
    """A training whose processes have replays of so many bytes, or files of them."""
    in_file = replay > 4 * GIB
    return replace(
        needed(),
        processes=processes,
        replay=replay,
        replays=0 if in_file else processes * replay,
        disk=processes * replay * (3 if in_file else 2),
    )


class TestNeeds:
    def test_replays_of_all_processes_are_counted(self):
        # Two numbers of state, two of an action, one of reward, state, end: 32 bytes.
        found = needed()
        assert found.processes == 2
        assert found.replay == 3 * 1000 * 32
        assert found.replays == 2 * found.replay
        assert found.memory == 2 * needs.PROCESS + found.replays

    def test_no_more_than_the_steps_of_a_run_is_ever_kept(self):
        assert needed(steps=10).replay == 3 * 10 * 32

    def test_fewer_processes_than_cores_are_counted_as_they_are(self):
        assert needed(seeds=[0, 1]).processes == 1

    @pytest.mark.parametrize(
        ("lag", "seeds", "members", "jobs"),
        [
            (2, 1, 3, 1),
            (7, 1, 3, 2),  # eight trials; three share a job
            (7, 3, 3, 8),
            (7, 6, 6, 8),  # all seeds of a trial are in one job
            (99, 3, 3, 12),  # there are no more trials
        ],
    )
    def test_a_sweep_trains_as_many_trials_as_its_lag_allows(
        self, lag, seeds, members, jobs
    ):
        search = {"stage": "sweep", "trials": 12, "lag": lag}
        found = needed(seeds=list(range(seeds)), **search)
        assert found.processes == min(2, jobs)
        assert found.replay == members * 1000 * 32
        assert found.disk == (jobs + found.processes) * found.replay

    def test_finished_checkpoints_wait_and_one_is_written_beside_the_last(self):
        assert needed().disk == 6 * 1000 * 32 + 2 * needed().replay

    def test_a_replay_in_a_file_takes_disk_instead_of_memory(self, monkeypatch):
        monkeypatch.setenv("MAXENT_REPLAY_GIB", "1e-6")
        found = needed()
        assert found.replays == 0
        assert found.disk == 6 * 1000 * 32 + 4 * found.replay

    def test_on_a_gpu_replays_take_neither(self, monkeypatch):
        monkeypatch.setenv("MAXENT_REPLAY_GIB", "1e-6")
        found = needed(execution=EXECUTION | {"device": "cuda"})
        assert found.replays == 0
        assert found.disk == 6 * 1000 * 32 + 2 * found.replay

    def test_environments_are_counted_where_each_is_an_object(self):
        assert needed(where="linear_quadratic").environments == 0
        found = needed("reinforce", "pendulum")  # 3 train, 9 and 12 are judged
        assert found.environments == 2 * (3 + 9 + 12) * needs.COPY
        assert found.replays == 0


class TestRefusal:
    def refusal(self, found, folder=Path(".checkpoints")):
        with pytest.raises(UserError) as caught:
            needs.check_needs(found, folder)
        message = str(caught.value)
        assert "\n" not in message
        return message

    def test_what_fits_is_neither_refused_nor_warned_of(self, capsys):
        needs.check_needs(wide(3 * GIB), Path(".checkpoints"))
        assert capsys.readouterr().err == ""

    def test_too_little_disk_is_refused_with_the_replay_that_fits(self):
        message = self.refusal(wide(6 * GIB))
        assert message.startswith("algorithms.sac.replay: scratch@own needs 36.0 GiB")
        assert "of disk in .checkpoints, for checkpoints and for replays" in message
        assert "20.0 GiB are free" in message
        assert "write at most 555, or free the disk" in message  # 20 / 36 of 1000

    def test_a_checkpoint_that_is_there_takes_no_more_room(self, machine):
        folder = machine / ".checkpoints"
        folder.mkdir()
        with (folder / "0.safetensors").open("wb") as file:
            file.truncate(16 * GIB)  # sparse
        needs.check_needs(wide(6 * GIB), folder)

    def test_replays_beyond_all_memory_are_refused(self, monkeypatch):
        found = wide(4 * GIB, processes=5)
        monkeypatch.setattr(
            shutil, "disk_usage", lambda path: SimpleNamespace(free=99 * GIB)
        )
        message = self.refusal(found)
        assert "needs 20.0 GiB of memory for the replays of 5 processes" in message
        assert "there are 16.0 GiB; write at most 800, or set" in message
        assert "MAXENT_REPLAY_GIB below 4: larger ones are in files" in message

    def test_the_limit_of_a_container_counts(self, machine):
        (machine / "memory.max").write_text("max\n")
        assert needs.impossible(wide(3 * GIB), Path()) is None
        (machine / "memory.max").write_text(f"{5 * GIB}\n")
        assert "there are 5.0 GiB" in needs.impossible(wide(3 * GIB), Path())

    def test_a_system_that_does_not_say_its_memory_is_not_judged(
        self, machine, monkeypatch, capsys
    ):
        monkeypatch.setattr(needs, "MEMORY", machine / "absent")
        needs.check_needs(wide(2 * GIB), Path())
        assert capsys.readouterr().err == ""


class TestTight:
    def test_little_memory_is_one_line_with_what_takes_most(self, capsys):
        needs.check_needs(wide(3 * GIB, processes=3), Path())
        warning = capsys.readouterr().err
        assert warning.startswith("warning: scratch@own may need 9.8 GiB of memory")
        assert "9.0 GiB are available" in warning
        assert "write less for algorithms.sac.replay" in warning
        assert warning.count("\n") == 1

    def test_environments_are_named_by_what_asks_for_them(self, capsys):
        needs.check_needs(
            replace(needed("ddpg", "pendulum"), environments=9.5 * GIB), Path()
        )
        warning = capsys.readouterr().err
        assert "environments 9.5 GiB" in warning
        assert "tasks.pendulum.evaluation.final_episodes" in warning
