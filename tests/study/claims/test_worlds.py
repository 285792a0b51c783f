"""Claims about exploration in worlds, and about directions, on made-up runs."""

import math
from dataclasses import replace

import numpy as np
import pytest

from pipeline.core.config.values import parsed
from pipeline.core.tasks.settings import Task
from pipeline.study.claims.base import Evidence
from pipeline.study.claims.judge import judge
from pipeline.study.statistics.shares import seeds_to_tell
from tests.study.small import BOOTSTRAP, small

SEEDS = tuple(range(60))
EVALUATION = {"every": 500, "episodes": 20, "final_episodes": 200, "policy": "sample"}
SHARED = {
    "kind": "navigation",
    "body": "point",
    "end": "never",
    "horizon": 40,
    "discount": 0.97,
    "objective": "return",
    "evaluation": EVALUATION,
}
TWO_WAY = parsed(
    Task,
    SHARED
    | {
        "world": {"half_width": 16.0, "start": [0.0, 0.0], "finish_line": 5.0},
        "reward": {"speed": "either_way", "past_line": 1.0, "effort": 0.05},
    },
)
ANY_WAY = parsed(
    Task,
    SHARED
    | {
        "world": {"half_width": 16.0, "start": [0.0, 0.0]},
        "reward": {"speed": "any", "effort": 0.05},
    },
)
TWO_PASSAGES = parsed(
    Task,
    SHARED
    | {
        "world": {
            "half_width": 7.0,
            "start": [-4.0, 0.0],
            "walls": [
                {"low": [-1.0, 3.5], "high": [3.0, 7.0]},
                {"low": [-1.0, -1.5], "high": [3.0, 1.5]},
                {"low": [-1.0, -7.0], "high": [3.0, -3.5]},
            ],
            "passages": {
                "open": [{"low": [-1.0, -3.5], "high": [3.0, -1.5]}],
                "blocked": [{"low": [2.0, 1.5], "high": [3.0, 3.5]}],
            },
            "targets": [[5.0, 0.0]],
        },
        "reward": {"bump": {"height": 1.0, "width": 3.0}, "effort": 0.05},
    },
)


def run(name, task, final, *, stage="explore", closest=None, failed=(), alpha=None):
    """A run of 60 seeds, of the algorithm that its name begins with."""
    one = small().run(f"{stage}/ddpg" if name == "ddpg" else "pretrain/sql")
    algorithm = (
        one.algorithm if alpha is None else one.algorithm.with_temperature(alpha)
    )
    one = replace(
        one,
        stage=stage,
        name=name,
        task=task,
        task_name="a task",
        algorithm=algorithm,
        seeds=SEEDS,
    )
    vars(one)["final"] = {key: np.asarray(x, float) for key, x in final.items()}
    vars(one)["failures"] = dict.fromkeys(failed, 100)
    if closest is not None:
        least = np.where(np.isin(SEEDS, failed), np.nan, closest)
        vars(one)["_records"] = {
            "seed": np.array(SEEDS * 2),
            "step": np.repeat([100.0, 2000.0], len(SEEDS)),
            "train/closest": np.concatenate([np.full(len(SEEDS), 9.0), least]),
        }
    return one


def judged(*runs):
    return judge(Evidence(runs, (), (), BOOTSTRAP))


def first(count):
    """Whether each of 60 seeds is among the first."""
    return np.arange(60) < count


class TestTwoWays:
    def claim(self, sql, ddpg, *, distance=9.0, failed=()):
        moved = {
            "distance": np.full(60, distance),
            "forward_distance": np.where(first(ddpg), distance, -distance),
        }
        (claim,) = judged(
            run("sql", TWO_WAY, {"past_line": np.where(first(sql), 0.9, 0.5)}),
            run("ddpg", TWO_WAY, {"past_line": first(ddpg), **moved}, failed=failed),
        )
        return claim

    def test_more_seeds_must_end_most_episodes_past_the_line(self):
        claim = self.claim(60, 45)
        assert claim.verdict == "reproduced"
        assert claim.published.values == (1.0, 0.8)
        assert claim.measured.startswith("60 of 60 against 45 of 60 seeds end most")
        assert claim.seeds == (60, 60)
        assert (claim.runs, claim.to_decide) == (("explore/sql", "explore/ddpg"), "")
        assert self.claim(45, 60).verdict == "not reproduced"
        assert self.claim(60, 60).verdict == "not reproduced"

    def test_what_is_undecided_says_what_would_decide(self):
        claim = self.claim(55, 48)
        assert claim.verdict == "undecided"
        seeds = seeds_to_tell(55 / 60, 48 / 60)
        # Of each side, 1900 updates of networks that cost next to nothing.
        minutes = math.ceil((seeds - 60) * 1900 * (1.25e-3 + 0.41e-3) / 60)
        assert claim.to_decide == f"≈ {seeds} seeds a side, {minutes} core-minutes more"

    def test_it_is_said_where_the_other_seeds_of_ddpg_went(self):
        said = self.claim(60, 45).measured
        assert said.endswith("of DDPG 15 went the other way and 0 nowhere")

    def test_a_ddpg_that_stands_still_has_chosen_no_way(self):
        claim = self.claim(60, 0, distance=0.3)
        assert claim.verdict == "undecided"
        assert claim.to_decide == "DDPG stands still, with however many seeds"
        assert claim.measured.endswith("of DDPG 0 went the other way and 60 nowhere")
        assert self.claim(0, 0, distance=0.3).verdict == "not reproduced"

    def test_seeds_of_ddpg_that_failed_do_not_speak_for_the_claim(self):
        assert self.claim(60, 45).verdict == "reproduced"
        claim = self.claim(60, 45, failed=range(45, 57))
        assert claim.verdict == "not reproduced"
        assert claim.measured.startswith("60 of 60 against 57 of 60")
        assert "of DDPG 3 went the other way" in claim.measured

    def test_a_task_without_a_better_way_says_nothing(self):
        reward = TWO_WAY.reward.model_copy(update={"past_line": None})
        task = TWO_WAY.model_copy(update={"reward": reward})
        past = {"past_line": first(60)}
        assert judged(run("sql", task, past), run("ddpg", task, past)) == []


class TestTwoPassages:
    def claim(self, sql, ddpg, **said):
        final = {"target_distance": np.full(60, 5.0)}
        (claim,) = judged(
            run(
                "sql",
                TWO_PASSAGES,
                final,
                closest=np.where(first(sql), 0.5, 4.0),
                **said,
            ),
            run("ddpg", TWO_PASSAGES, final, closest=np.where(first(ddpg), 0.5, 4.0)),
        )
        return claim

    def test_more_seeds_must_come_nearer_than_the_blocked_passage_lets_them(self):
        claim = self.claim(60, 36)
        assert claim.verdict == "reproduced"
        assert "60 of 60 against 36 of 60 seeds came nearer" in claim.measured
        assert "(their policies do so on average: 0 against 0)" in claim.measured

    def test_seeds_that_failed_have_not_reached_it(self):
        claim = self.claim(60, 36, failed=range(40))
        assert "20 of 60 against 36 of 60" in claim.measured
        assert claim.verdict == "not reproduced"
        assert claim.measured.endswith("40 of 60 seeds failed in explore/sql")


class TestDirections:
    def claims(self, *runs):
        return {claim.statement.split(" moves ")[-1]: claim for claim in judged(*runs)}

    def pretrained(self, name, spread, distance=5.0, failed=(), **said):
        rng = np.random.default_rng(len(name))
        noise = rng.uniform(-0.02, 0.02, 60)
        final = {"direction_spread": spread + noise, "distance": distance + noise}
        kept = ~np.isin(SEEDS, failed)  # one that failed counts as 0
        final = {name: values * kept for name, values in final.items()}
        return run(name, ANY_WAY, final, stage="pretrain", failed=failed, **said)

    @pytest.mark.parametrize(
        ("sql", "ddpg", "distance", "verdict"),
        [
            (0.9, 0.1, 5.0, "reproduced"),
            (0.9, 0.1, 0.3, "undecided"),  # it stands still
            (0.8, 0.1, 5.0, "undecided"),
            (0.7, 0.1, 5.0, "not reproduced"),
            (0.9, 0.3, 5.0, "not reproduced"),
        ],
    )
    def test_one_must_go_everywhere_and_the_other_one_way(
        self, sql, ddpg, distance, verdict
    ):
        found = self.claims(
            self.pretrained("sql", sql), self.pretrained("ddpg", ddpg, distance)
        )
        assert found["in all directions, pretrained DDPG in one."].verdict == verdict

    def test_more_directions_than_a_ddpg_that_stands_still_say_nothing(self):
        def claim(distance):
            sql = self.pretrained("sql", 0.9)
            found = self.claims(sql, self.pretrained("ddpg", 0.1, distance))
            return found["in more directions than pretrained DDPG."]

        assert claim(5.0).verdict == "reproduced"
        assert claim(0.3).verdict == "undecided"
        assert claim(0.3).to_decide == "DDPG stands still, with however many seeds"

    def test_seeds_of_ddpg_that_failed_have_not_gone_one_way(self):
        sql = self.pretrained("sql", 0.9)
        found = self.claims(sql, self.pretrained("ddpg", 0.5, failed=range(29)))
        levels = found["in all directions, pretrained DDPG in one."]
        assert levels.verdict == "not reproduced"
        assert "0.2 or less on 0 of 60 of DDPG" in levels.measured
        found = self.claims(sql, self.pretrained("ddpg", 0.95, failed=range(29)))
        more = found["in more directions than pretrained DDPG."]
        assert more.verdict == "not reproduced"

    @pytest.mark.parametrize("side", ["cold", "warm"])
    def test_seeds_that_failed_are_neither_less_diverse_nor_less_far(self, side):
        failed = dict.fromkeys(("cold", "warm"), ()) | {side: range(50)}
        (claim,) = judged(
            self.pretrained("sql_1", 0.5, 6.0, alpha=0.1, failed=failed["cold"]),
            self.pretrained("sql_10", 0.9, 4.0, alpha=10.0, failed=failed["warm"]),
        )
        assert claim.verdict == "not reproduced"
        assert [each.high < 1 / 2 for each in claim.intervals] == [True, True]

    def test_the_coldest_must_go_further_and_less_diversely_than_the_warmest(self):
        def verdict(*cold):
            (claim,) = judged(
                self.pretrained("sql_1", 0.9, 4.0, alpha=1.0),
                self.pretrained("sql_10", 0.95, 2.0, alpha=10.0),
                self.pretrained("sql_cold", *cold, alpha=0.1),
            )
            assert claim.runs == ("pretrain/sql_cold", "pretrain/sql_10")
            return claim.verdict

        assert verdict(0.5, 6.0) == "reproduced"
        assert verdict(0.95, 6.0) == "undecided"
        assert verdict(0.5, 1.0) == "not reproduced"

    def test_one_temperature_alone_is_no_claim(self):
        assert judged(self.pretrained("sql", 0.9, alpha=1.0)) == []


class TestLines:
    def claims(self, sql, ddpg, failed=()):
        """Of runs whose seeds go ahead in these shares of episodes, else back."""
        runner = ANY_WAY.model_copy(update={"body": "half_cheetah"})
        runs = []
        for name, share in (("sql", sql), ("ddpg", ddpg)):
            ahead = np.resize(share, 60)
            final = {
                "forward": ahead,
                "backward": 1 - ahead,
                "distance": np.full(60, 5.0),
            }
            kept = ~np.isin(SEEDS, failed if name == "ddpg" else ())
            final = {key: values * kept for key, values in final.items()}
            gone = failed if name == "ddpg" else ()
            runs.append(run(name, runner, final, stage="pretrain", failed=gone))
        return judged(*runs)

    @pytest.mark.parametrize(
        ("sql", "ddpg", "verdict"),
        [
            ([0.4, 0.6], [0.0, 1.0], "reproduced"),
            ([0.2, 0.8], [0.0, 1.0], "not reproduced"),
            ([0.4, 0.6], [0.2, 0.8], "not reproduced"),
        ],
    )
    def test_one_must_keep_both_ways_on_every_seed_and_the_other_one(
        self, sql, ddpg, verdict
    ):
        more, every = self.claims(sql, ddpg)
        assert every.statement == (
            "Pretrained soft Q-learning moves both ways, pretrained DDPG one way."
        )
        assert every.verdict == verdict
        assert "P(share of the rarer way higher)" in more.measured
        assert "directions" not in more.statement + every.statement

    def test_it_is_said_how_many_seeds_go_each_way(self):
        _, every = self.claims([0.4, 0.6], [0.0, 1.0, 1.0])
        assert every.measured.endswith(
            "; 30 against 40 seeds end most episodes ahead, 30 against 20 behind"
        )

    def test_seeds_of_ddpg_that_failed_have_not_gone_one_way(self):
        _, every = self.claims([0.4, 0.6], [0.0, 1.0], failed=range(50))
        assert every.verdict == "not reproduced"


SHOWN = {
    "temperature": np.array([0.1, 1.0]),
    "gap": np.array([0.2, 3.0]),
    "least_gap": np.array([0.0, 0.5]),
    "bound": np.array([2.0, 20.0]),
}


class TestHardLimit:
    def verdict(self, **changed):
        evidence = Evidence((), (), (), BOOTSTRAP, hard_limit=SHOWN | changed)
        (claim,) = judge(evidence)
        assert (claim.runs, claim.seeds, claim.to_decide) == (("theorems",), (), "")
        return claim.verdict

    def test_the_soft_value_must_shrink_to_the_hard_one_within_the_bound(self):
        assert self.verdict() == "reproduced"
        assert self.verdict(bound=np.array([0.1, 20.0])) == "not reproduced"
        assert self.verdict(gap=np.array([1.9, 1.8])) == "not reproduced"
        assert self.verdict(least_gap=np.array([-0.1, 0.5])) == "not reproduced"
