import math

import numpy as np
import pytest

from pipeline.core.job import Failure, Record, Result
from pipeline.study.backends.worker import Desk, Limits, Measured
from pipeline.study.sweep.work import (
    TrialJob,
    early_end,
    outcome,
    statistic_of,
    train_trials,
)
from tests.core.configs import algorithm, task

METRIC = "evaluation/return"


def job(*floors, steps=40, seeds=2):
    small = task("multigoal")
    evaluation = small.evaluation.model_copy(update={"every": 10, "final_episodes": 2})
    small = small.model_copy(update={"objective": "return", "evaluation": evaluation})
    return TrialJob(
        task=small,
        algorithms=(algorithm("ddpg"),) * (seeds * len(floors)),
        seeds=tuple(range(seeds)) * len(floors),
        steps=steps,
        statistic="iqm",
        floors=floors,
    )


def result(records, final=None, failures=None):
    final = {} if final is None else {"return": final}
    return Result(records, final, {}, {}, 2, 2, failures or {})


class TestStatistic:
    def test_each_is_what_it_is_called(self):
        values = [1.0, 2.0, 3.0, 10.0]
        found = [statistic_of(values, s) for s in ("iqm", "mean", "median", "worst")]
        assert found == [2.5, 4.0, 2.5, 1.0]

    @pytest.mark.parametrize(
        "values", [[], [1.0, None], [math.inf, 1.0], [1.0, 2.0, 3.0, None]]
    )
    def test_there_is_none_if_a_seed_has_no_number(self, values):
        assert statistic_of(values, "iqm") is None


class TestOutcome:
    def test_a_trial_ends_where_its_best_so_far_is_below_its_floor(self):
        values = [(0, [5, 1]), (10, [1, 1]), (20, [2, 2]), (30, [9, 9])]
        records = [Record(step, {METRIC: [*map(float, v)]}) for step, v in values]
        ended = early_end(job({10: 3.0, 20: 3.5}), 0, records)
        assert ended.state == "PRUNED"
        assert ended.curve == {0: [5, 1], 10: [1, 1], 20: [2, 2]}
        assert ended.reason == "at step 20: 3, below 3.5"
        assert early_end(job({10: 3.0, 20: 3.0}), 0, records) is None

    def test_trials_of_a_job_are_apart(self):
        records = [Record(10, {METRIC: [1.0, 1.0, 5.0, 5.0]})]
        both = job({10: 3.0}, {10: 3.0})
        ended = result(records, [1.0, 1.0, 6.0, 7.0])
        assert outcome(both, 0, ended).state == "PRUNED"
        assert outcome(both, 0, ended).values == []
        second = outcome(both, 1, ended)
        assert (second.state, second.values) == ("COMPLETE", [6.0, 7.0])
        assert second.curve == {10: [5.0, 5.0]}

    def test_a_seed_that_fails_ends_its_trial(self):
        failure = Failure(7, "its loss is not finite")
        records = [
            Record(0, {METRIC: [1.0, 1.0]}),
            Record(10, {METRIC: [1.0, math.nan]}, {1: failure}),
            Record(20, {METRIC: [1.0, math.nan]}),
        ]
        ended = outcome(job({}), 0, result(records, [1.0, math.nan], {1: failure}))
        assert ended.state == "FAIL"
        assert ended.reason == "seed 1 stopped at step 7: its loss is not finite"
        assert ended.curve == {0: [1.0, 1.0], 10: [1.0, None]}
        late = outcome(job({}), 0, result([], [1.0, math.nan], {1: failure}))
        assert (late.state, late.values) == ("FAIL", [1.0, None])

    def test_an_objective_that_is_no_number_fails(self):
        ended = outcome(job({}), 0, result([], [1.0, math.inf]))
        assert ended.reason == "seed 1: its return is not a finite number"


@pytest.mark.usefixtures("unchecked")
class TestTrainTrials:
    @pytest.fixture
    def told(self):
        return []

    @pytest.fixture
    def desk(self, tmp_path, told):
        limits = Limits(checkpoint_seconds=1e9, threads=1, replay_bytes=2**30)
        return Desk(tmp_path / "trial_0.safetensors", limits, told.append)

    def test_a_job_ends_when_all_of_its_trials_are_over(self, desk, told):
        out_of_reach = {20: 1e9}
        train_trials(job(out_of_reach, out_of_reach), desk)
        assert max(report.record.step for report in told) == 20

    def test_one_that_is_not_over_is_trained_as_if_the_other_were_not(self, desk):
        one = train_trials(job({20: 1e9}, {}), desk)
        desk.checkpoint.unlink()
        both = train_trials(job({}, {}), desk)
        np.testing.assert_equal(one.final, both.final)
        assert one.records == both.records
        assert one.weights == {}

    def test_a_pruned_job_is_over_when_it_is_begun_again(self, desk, told):
        pruned = job({20: 1e9})
        first = train_trials(pruned, desk)
        told.clear()
        again = train_trials(pruned, desk)
        assert outcome(pruned, 0, again) == outcome(pruned, 0, first)
        assert all(isinstance(each, Measured) and each.replayed for each in told)
