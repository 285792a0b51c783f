from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from pipeline.core import probes
from pipeline.core.config import MultiGoal, Sql
from pipeline.core.job import Record, Result
from pipeline.study.files import read_csv
from pipeline.study.training.run import TrainingRun
from pipeline.study.training.writing import write_run
from tests.study import fakes


class TestWriteRun:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        task = fakes.study().tasks["multigoal"]
        assert isinstance(task, MultiGoal)
        sql = fakes.study().algorithms["sql"]
        assert isinstance(sql, Sql)
        run = TrainingRun(
            *("explore", "sql", "multigoal", task, "sql", sql), (3, 5), 1000, None
        )
        result = Result(
            records=[Record(500, {"evaluation/return": [0.5, float("nan")]})],
            final={"steps_to_all_goals": [500.0, float("nan")]},
            weights={"q": np.zeros((2, 3), np.float32)},
            behaviour={"probe_q": np.ones((2, 3, 41, 41), np.float32)},
            states=2,
            actions=2,
        )
        write_run(tmp_path, run.described(), [(run.jobs(2)[0], result)])
        return tmp_path

    def test_a_number_that_there_is_not_is_an_empty_cell(self, folder):
        final = read_csv(folder / "final.csv")
        assert [row["steps_to_all_goals"] for row in final] == ["500.0", ""]
        records = read_csv(folder / "records.csv")
        assert [row["evaluation/return"] for row in records] == ["0.5", ""]

    def test_probes_come_with_the_states_they_were_taken_at(self, folder):
        behaviour = load_file(folder / "behaviour.safetensors")
        assert behaviour["probe_states"].tolist() == probes.STATES.tolist()
