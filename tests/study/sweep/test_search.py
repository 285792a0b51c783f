import math
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.study.sweep.search import FinishedBatches, propose, search
from pipeline.study.sweep.trials import Params, Trial, best
from tests.study.sweep.examples import HISTORY, SPACE

DESCRIBED = {"seed": 1, "random_trials": 4, "batch": 1, "size": 4}


class TestPropose:
    def test_depends_on_seed_batch_and_history_alone(self):
        first = propose(SPACE, HISTORY, **DESCRIBED)
        random.seed(5)
        assert propose(SPACE, HISTORY, **DESCRIBED) == first
        assert propose(SPACE, HISTORY, **DESCRIBED | {"seed": 2}) != first
        assert propose(SPACE, HISTORY, **DESCRIBED | {"batch": 2}) != first
        assert propose(SPACE, HISTORY[:5], **DESCRIBED) != first

    def test_the_order_in_which_the_space_is_written_means_nothing(self):
        backwards = dict(reversed(SPACE.items()))
        there = propose(SPACE, HISTORY, **DESCRIBED)
        assert propose(backwards, HISTORY, **DESCRIBED) == there

    def test_stays_inside_the_space(self):
        for params in propose(SPACE, HISTORY, **DESCRIBED | {"seed": 3, "size": 20}):
            assert list(params) == sorted(SPACE)
            for name, value in params.items():
                low, high = SPACE[name].bounds
                assert low <= value <= high

    def test_finds_the_better_half_sooner_than_chance(self):
        last = run(batches=10, size=4)[-1]
        late = [trial.value for trial in last[20:]]
        early = [trial.value for trial in last[:4]]
        assert sum(late) / len(late) > sum(early) / len(early)


def value(params: Params) -> float:
    """A hill over log α, best at α = e."""
    return -((math.log(params["temperature.fixed"]) - 1) ** 2)


def judge(batch: int, tried: Sequence[Params]) -> list[list[float]]:
    return [[value(params), value(params) + 0.1] for params in tried]


class KilledError(Exception):
    pass


def run(folder: Path | None = None, evaluate=judge, **changes) -> list[list[Trial]]:
    described = {"seed": 1, "batches": 4, "size": 3} | changes
    finished = FinishedBatches(folder or Path("/nowhere"))
    if folder is None:
        finished.save = lambda batch, trials: None  # type: ignore[method-assign]
    described = {"random_trials": 4, **described}
    return list(search(SPACE, finished=finished, evaluate=evaluate, **described))


class TestSearch:
    def test_more_batches_later_are_the_same_as_all_at_once(self, tmp_path):
        asked = []

        def counted(batch: int, tried: Sequence[Params]) -> list[list[float]]:
            asked.append(batch)
            return judge(batch, tried)

        run(tmp_path, counted, batches=2)
        later = run(tmp_path, counted, batches=5)
        assert later[-1] == run(batches=5)[-1]
        assert asked == [0, 1, 2, 3, 4]

    def test_goes_on_after_it_was_killed(self, tmp_path):
        def killed(batch: int, tried: Sequence[Params]) -> list[list[float]]:
            if batch == 2:
                raise KilledError
            return judge(batch, tried)

        with pytest.raises(KilledError):
            run(tmp_path, killed)
        assert run(tmp_path)[-1] == run()[-1]

    @pytest.mark.parametrize(
        "damage",
        [
            lambda text: text[: len(text) // 2],
            lambda text: text.replace('"slot": 1', '"slot": 2'),
            lambda text: "",
            lambda text: "{}",
        ],
    )
    def test_a_damaged_batch_is_computed_again(self, tmp_path, damage):
        whole = run(tmp_path)[-1]
        file = tmp_path / "batch_1.json"
        content = file.read_text()
        file.write_text(damage(content))
        assert run(tmp_path)[-1] == whole
        assert file.read_text() == content

    def test_a_batch_that_was_asked_for_otherwise_is_not_used(self, tmp_path):
        run(tmp_path, seed=2)
        assert run(tmp_path, seed=1)[-1] == run(seed=1)[-1]

    def test_a_trial_fails_when_a_seed_has_no_finite_value(self):
        def broken(batch: int, tried: Sequence[Params]) -> list[list[float]]:
            return [[math.nan, 1.0], [math.inf, 1.0], [0.5, 1.5]]

        last = run(evaluate=broken)[-1]
        assert [trial.state for trial in last[:3]] == ["FAIL", "FAIL", "COMPLETE"]
        assert [trial.value for trial in last[:3]] == [None, None, 1.0]

    def test_the_best_is_the_first_of_the_largest(self):
        tried = [
            Trial(0, slot, {}, [v]) for slot, v in enumerate((None, 1.0, 2.0, 2.0))
        ]
        assert best(tried) == tried[2]
        assert best(tried[:1]) is None
