import random

import pytest

from pipeline.core.config.values import parsed
from pipeline.study.params.ranges import Choice
from pipeline.study.params.space import grid
from pipeline.study.params.sweep import Sampler
from pipeline.study.sweep.samplers import frozen_trials, propose
from tests.study.sweep.examples import CONDITIONAL, HISTORY, SPACE, drawn, trial

SAMPLERS = {
    "tpe": {"tpe": {"startup_trials": 4, "candidates": 24}},
    "gp": {"gp": {"startup_trials": 4}},
    "sobol": {"qmc": {"sequence": "sobol"}},
    "halton": {"qmc": {"sequence": "halton"}},
    "random": {"random": {}},
}
GUIDED = ["tpe", pytest.param("gp", marks=pytest.mark.slow)]


def proposed(name, *, space=SPACE, **changes):
    given = {"seed": 1, "number": 9, "known": HISTORY, "unknown": drawn(SPACE, 2)}
    sampler = SAMPLERS[name] if isinstance(name, str) else name
    return propose(space, parsed(Sampler, sampler), **given | changes)


class TestPropose:
    @pytest.mark.parametrize("name", [*GUIDED, "sobol", "halton", "random"])
    def test_depends_on_seed_and_number_and_on_nothing_else_that_happens(self, name):
        first = proposed(name)
        random.seed(5)
        assert proposed(name) == first
        assert proposed(name, space=dict(reversed(SPACE.items()))) == first
        assert proposed(name, seed=2) != first
        assert proposed(name, number=10) != first

    @pytest.mark.parametrize("name", GUIDED)
    def test_results_guide_the_search_once_there_are_enough(self, name):
        first = proposed(name)
        turned = [trial(t.number, t.params, [-t.number]) for t in HISTORY[:5]]
        assert proposed(name, known=turned) != first
        assert proposed(name, unknown=[]) != first
        unguided = proposed("random")
        assert proposed(name, known=HISTORY[:3]) == unguided
        failed = [*HISTORY[:3], HISTORY[-1]]
        assert proposed(name, known=failed) == unguided, "a failure says little"

    @pytest.mark.parametrize("name", ["tpe", "sobol", "halton", "random"])
    def test_tries_what_the_space_has_and_a_block_only_where_it_is_chosen(self, name):
        known = [trial(n, p, [1.0 * n]) for n, p in enumerate(drawn(CONDITIONAL, 8))]
        for number in range(16):
            params = proposed(
                name, space=CONDITIONAL, number=number, known=known, unknown=[]
            )
            assert params["batch"] in (64, 128)
            if params["temperature"] == "fixed":
                assert params.keys() == {"batch", "temperature", "temperature.fixed"}
                assert 0.3 <= params["temperature.fixed"] <= 30.0
            else:
                entropy = params["temperature.target_entropy_per_dim"]
                assert entropy in (-2.0, -1.5, -1.0, -0.5, 0.0)
                assert len(params) == 3

    def test_a_grid_is_tried_once_in_an_order_that_is_drawn(self):
        rates = Choice(choice=(0.1, 1.0, 10.0))
        space = {"batch": CONDITIONAL["batch"], "learning_rate": rates}
        tried = [proposed({"grid": {}}, space=space, number=n) for n in range(6)]
        listed = grid(space)
        assert sorted(map(str, tried)) == sorted(map(str, listed))
        assert tried != listed

    def test_a_sequence_covers_the_space_more_evenly_than_chance(self):
        def halves(name):
            found = [proposed(name, number=n)["momentum"] for n in range(16)]
            return sum(value > 0 for value in found)

        assert halves("sobol") == 8

    def test_better_regions_are_tried_more_often(self):
        known = []
        for number in range(32):
            params = proposed("tpe", number=number, known=known, unknown=[])
            known.append(trial(number, params, [-abs(params["momentum"] - 0.7)]))
        early, late = known[:8], known[24:]
        assert sum(t.value for t in late) > sum(t.value for t in early)


def test_optuna_is_told_all_that_is_known():
    frozen = frozen_trials(SPACE, HISTORY)
    assert [each.state.name for each in frozen] == [each.state for each in HISTORY]
    assert [each.params for each in frozen] == [each.params for each in HISTORY]
    assert frozen[3].value == HISTORY[3].value == 1.75
    assert frozen[5].intermediate_values == {5: 0.0}
    assert frozen[6].user_attrs["reason"] == "seed 100: no number"
