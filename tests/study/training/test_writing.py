from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from pipeline.core.agents.settings import Sql
from pipeline.core.job import Array, Record, Result
from pipeline.core.tasks.multigoal.settings import MultiGoal
from pipeline.study.store.files import read_csv
from pipeline.study.store.runs import Run
from pipeline.study.training.writing import write_run
from tests.study import fakes


def described() -> Run:
    study = fakes.study()
    task, sql = study.tasks["multigoal"], study.algorithms["sql"]
    assert isinstance(task, MultiGoal)
    assert isinstance(sql, Sql)
    names = "explore", "sql", "multigoal"
    return Run(*names, task, "sql", sql, (3, 5, 6, 7), 1000, None, swept=False)


def result(behaviour: dict[str, Array]) -> Result:
    """What a chunk of two members leaves behind."""
    return Result(
        records=[Record(500, {"evaluation/return": [0.5, float("nan")]})],
        final={"steps_to_all_goals": [500.0, float("nan")]},
        weights={"q": np.zeros((2, 3), np.float32)},
        behaviour=behaviour,
        states=2,
        actions=2,
    )


def test_chunks_whose_episodes_end_earlier_are_padded(tmp_path: Path) -> None:
    short = {"positions": np.ones((2, 4, 13, 2), np.float32)}
    long = {"positions": np.ones((2, 4, 31, 2), np.float32)}
    run = described()
    parts = list(
        zip(
            run.jobs(fakes.study().execution),
            [result(short), result(long)],
            strict=True,
        )
    )
    write_run(tmp_path, run.described(), parts)
    positions = load_file(tmp_path / "behaviour.safetensors")["positions"]
    assert positions.shape == (4, 4, 31, 2)
    assert np.isnan(positions[:2, :, 13:]).all()
    assert (positions[:2, :, :13] == 1).all()
    assert (positions[2:] == 1).all()


class TestWriteRun:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        run = described()
        chunk = result({"probe_actions": np.ones((2, 3, 9, 2), np.float32)})
        job = run.jobs(fakes.study().execution)[0]
        write_run(tmp_path, run.described(), [(job, chunk)])
        return tmp_path

    def test_a_number_that_there_is_not_is_an_empty_cell(self, folder):
        final = read_csv(folder / "final.csv")
        assert [row["steps_to_all_goals"] for row in final] == ["500.0", ""]
        records = read_csv(folder / "records.csv")
        assert [row["evaluation/return"] for row in records] == ["0.5", ""]

    def test_probes_come_with_the_states_they_were_taken_at(self, folder):
        behaviour = load_file(folder / "behaviour.safetensors")
        assert behaviour["probe_states"].tolist() == described().task.probes.tolist()
