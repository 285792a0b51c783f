"""Composition: two frozen soft Q-functions, one new sampler, no environment step."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from pipeline.core.agents import factory
from pipeline.core.composition import compose
from pipeline.core.composition.judging import judge
from pipeline.core.job import Job
from pipeline.core.judging.evaluation import APART, Evaluator
from pipeline.core.tasks.multigoal.arena import Arena
from pipeline.core.tasks.multigoal.combination import (
    MisfitError,
    combined_arena,
    rarest_shared_goal,
)
from pipeline.core.tasks.multigoal.settings import MultiGoal
from pipeline.core.training import weights as stored
from pipeline.core.training.finish import finish
from pipeline.core.training.loop import VISITED_STATES
from pipeline.core.training.weights import policy_bytes
from tests.core.configs import TASKS, algorithm, task
from tests.core.training.test_training import trained

ENDLESS = TASKS["multigoal"] | {"goals_end_episode": False}
FIRST = MultiGoal.model_validate(ENDLESS | {"goals": ((4.0, 4.0), (-4.0, 4.0))})
SECOND = MultiGoal.model_validate(ENDLESS | {"goals": ((4.0, 4.0), (4.0, -4.0))})
SEEDS = (3, 8)
SQL = algorithm("sql")
STATES = np.random.default_rng(0).uniform(-7, 7, size=(2, 100, 2)).astype(np.float32)


@pytest.fixture
def written(tmp_path) -> Callable:
    """The file of a population with fresh networks."""

    def written(name, *, config=SQL, seeds=SEEDS, on=FIRST, scale=1.0):
        agent = factory.make(
            [config] * len(seeds), seeds, states=2, actions=2, discount=on.discount
        )
        weights = {k: v.numpy() * scale for k, v in agent.networks().items()}
        path = tmp_path / name
        path.write_bytes(
            policy_bytes(on, [config] * len(seeds), seeds, weights, states=2, actions=2)
        )
        return path

    return written


@pytest.fixture
def pair(written):
    return written("first"), written("second", on=SECOND, scale=1.5)


def points(*shape):
    generator = torch.Generator().manual_seed(1)
    return 2 * torch.rand(*shape, 2, generator=generator) - 1


def composed_of(pair, *, rule="average", updates=3, states=STATES):
    return compose.compose(*map(stored.read, pair), states, rule=rule, updates=updates)


@pytest.mark.parametrize(("rule", "scale"), [("average", 0.5), ("sum", 1.0)])
def test_q_is_the_average_or_the_sum(pair, rule, scale):
    first, second = (stored.load_policy(path) for path in pair)
    state, action = 3 * points(2, 6), points(2, 6)
    parts = first.q(state, action) + second.q(state, action)
    found = composed_of(pair, rule=rule).q(state, action)
    torch.testing.assert_close(found, scale * parts)


def test_only_the_sampler_learns(pair):
    before, after = composed_of(pair, updates=0), composed_of(pair, updates=3)
    changed = {
        name
        for name, tensor in after.networks().items()
        if not torch.equal(tensor, before.networks()[name])
    }
    assert changed == {"policy"}


def test_the_file_rebuilds_the_policy_in_one_call(pair, tmp_path):
    composed = composed_of(pair)
    (tmp_path / "composed").write_bytes(composed.to_bytes())
    loaded = compose.load(tmp_path / "composed")
    state, noise = 3 * points(2, 6), points(2, 6)
    assert torch.equal(loaded.sample(state, noise), composed.sample(state, noise))
    assert torch.equal(loaded.greedy(state), composed.greedy(state))
    assert torch.equal(loaded.q(state, noise), composed.q(state, noise))
    assert loaded.to_bytes() == composed.to_bytes()


def test_the_same_twice_and_each_member_on_its_own(pair, written):
    composed, again = composed_of(pair), composed_of(pair)
    assert composed.to_bytes() == again.to_bytes()
    others = (
        written("a", seeds=(3, 9)),
        written("b", seeds=(3, 9), on=SECOND, scale=1.5),
    )
    other = composed_of(others)
    own = [each.networks()["policy"] for each in (composed, other)]
    torch.testing.assert_close(own[0][0], own[1][0])
    assert not torch.equal(own[0][1], own[1][1])


def test_greedy_is_better_than_most_draws(pair):
    composed, state = composed_of(pair), 3 * points(2, 4)
    best = composed.q(state, composed.greedy(state))
    for seed in range(4):
        noise = torch.randn(2, 4, 2, generator=torch.Generator().manual_seed(seed))
        drawn = composed.q(state, composed.sample(state, noise))
        # 32 fixed draws: one more beats them all with probability 1/33.
        assert (drawn > best).float().mean() < 0.4


def test_it_can_act(pair):
    composed = composed_of(pair)
    state, starting = torch.zeros(2, 2), torch.ones(2, dtype=torch.bool)
    action = composed.act(state, step=0, starting=starting)
    assert action.shape == (2, 2)
    assert not torch.equal(action, composed.act(state, step=1, starting=starting))


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
def test_the_sampler_learns_the_combined_q(written, monkeypatch):
    """Two bowls in place of networks: their average is a Gaussian of known shape."""
    counts = {"states": 16, "fixed": 16, "updated": 16}
    particles = SQL.particles.model_copy(update=counts)
    config = SQL.model_copy(
        update={"batch": 16, "hidden": (32, 32), "particles": particles}
        | {"candidates": 1}
    )
    pair = written("a", config=config), written("b", config=config, on=SECOND)
    composed = composed_of(pair, updates=0)
    for part, centre in zip(composed._both, (-0.4, 0.2), strict=True):
        monkeypatch.setattr(
            part, "q", lambda s, a, c=centre: -40 * (a - c).square().sum(-1)
        )
    composed.train(STATES, updates=500)
    noise = torch.randn(2, 4000, 2, generator=torch.Generator().manual_seed(0))
    drawn = composed.sample(torch.zeros(2, 4000, 2), noise)
    # exp(Q/α) with Q = -40 |a + .1|² + const and α = 2: mean -.1, deviation 1/√40.
    # Adam's last steps leave the mean a little off; either part's is .3 away.
    mean = torch.full((2, 2), -0.1)
    torch.testing.assert_close(drawn.mean(dim=1), mean, atol=0.1, rtol=0)
    # A fresh sampler is 3.6 times as wide; one whose particles do not repel each other
    # is .7 times as wide by now. So few updates come within a factor of 1.5.
    width = drawn.std(dim=1) * 40**0.5
    assert ((width > 0.9) & (width < 2)).all()


class TestMisfits:
    @pytest.mark.parametrize(
        ("other", "said"),
        [
            ({"seeds": (8, 3)}, "the same seeds"),
            ({"config": algorithm("sac")}, "only soft Q-functions can be composed"),
            (
                {"config": SQL.model_copy(update={"hidden": (8,)})},
                "one width of hidden layers",
            ),
            (
                {
                    "config": type(SQL).model_validate(
                        SQL.model_dump() | {"temperature": {"fixed": 1.0}}
                    )
                },
                "one temperature",
            ),
            ({"on": task("multigoal")}, "goals_end_episode: false"),
            ({"on": SECOND.model_copy(update={"discount": 0.8})}, "the same discount"),
        ],
    )
    def test_populations_that_do_not_fit_are_refused(self, written, other, said):
        pair = written("first"), written("second", **({"on": SECOND} | other))
        with pytest.raises(MisfitError, match=said):
            composed_of(pair)

    def test_states_of_other_members_are_refused(self, pair):
        with pytest.raises(MisfitError, match="2 members, but states of 1"):
            composed_of(pair, states=STATES[:1])

    def test_tasks_without_a_plane_are_refused(self):
        with pytest.raises(MisfitError, match="found multigoal and gymnasium"):
            combined_arena(FIRST, task("pendulum"), "sum")

    def test_a_damaged_file_is_named(self, pair, tmp_path):
        (tmp_path / "second").write_bytes(b"nothing")
        with pytest.raises(stored.DamagedError, match="second cannot be read"):
            composed_of(pair)


class TestCombinedTask:
    @pytest.mark.parametrize(("rule", "scale"), [("average", 0.5), ("sum", 1.0)])
    def test_its_reward_is_that_of_both(self, rule, scale):
        arena = combined_arena(FIRST, SECOND, rule)
        generator = np.random.default_rng(0)
        position = generator.uniform(-7, 7, size=(50, 2))
        action = generator.uniform(-1, 1, size=(50, 2))
        after, reward, ended = arena.advance(position, action)
        parts = [Arena.of(each).advance(position, action) for each in (FIRST, SECOND)]
        np.testing.assert_array_equal(after, parts[0][0])
        expected = scale * (parts[0][1] + parts[1][1])
        np.testing.assert_allclose(reward, expected, rtol=1e-12)
        assert not ended.any()

    def test_both_are_done_only_where_a_goal_of_each_is(self):
        arena = combined_arena(FIRST, SECOND, "average")
        places = np.array([[4.0, 4.5], [-4.0, 4.0], [4.0, -4.0], [0.0, 0.0]])
        assert arena.inside(places).all(axis=0).tolist() == [True, False, False, False]

    def test_judging_walks_of_known_success(self, pair, monkeypatch):
        """One member walks to the common goal, the other to a goal of the first."""
        composed = composed_of(pair, updates=0)
        corner = torch.tensor([[4.0, 4.0], [-4.0, 4.0]])
        monkeypatch.setattr(
            composed, "sample", lambda s, _: (corner[:, None] - s).clamp(-1, 1)
        )
        found = judge(composed, FIRST, SECOND, SEEDS, rule="average", episodes=9)
        assert found.numbers["success"].tolist() == [1.0, 0.0]
        assert found.numbers["success_first"].tolist() == [1.0, 1.0]
        assert found.numbers["success_second"].tolist() == [1.0, 0.0]
        assert found.numbers["rarest_shared_goal"].tolist() == [1.0, 0.0]
        assert found.positions.shape == (2, 9, FIRST.horizon + 1, 2)

    def test_a_lost_goal_is_not_hidden_by_success(self):
        both = FIRST.model_copy(update={"goals": (*FIRST.goals, (4.0, -4.0))})
        arena = combined_arena(both, SECOND, "average")  # share two of three goals
        last = np.array([[[4.0, 4.5]] * 8, [[4.0, 4.5]] * 6 + [[4.0, -4.5]] * 2])
        assert arena.inside(last).all()
        assert rarest_shared_goal(arena, last).tolist() == [0.0, 0.25]

    def test_without_a_common_goal_none_is_the_rarest(self):
        other = SECOND.model_copy(update={"goals": ((4.0, -4.0),)})
        arena = combined_arena(FIRST, other, "average")
        assert np.isnan(rarest_shared_goal(arena, np.zeros((2, 3, 2)))).all()

    @pytest.mark.parametrize(("rule", "scale"), [("average", 0.5), ("sum", 1.0)])
    def test_its_return_is_that_of_the_combined_reward_along_the_path(
        self, pair, rule, scale
    ):
        composed = composed_of(pair, rule=rule)
        found = judge(composed, FIRST, SECOND, SEEDS, rule=rule, episodes=5)
        own = [
            Evaluator(each, SEEDS, episodes=5)(composed, block=APART)
            for each in (FIRST, SECOND)
        ]
        np.testing.assert_array_equal(own[0].positions, own[1].positions)
        expected = scale * (own[0].returns + own[1].returns).mean(axis=1)
        np.testing.assert_allclose(found.numbers["return"], expected, rtol=1e-12)


@pytest.mark.usefixtures("unchecked")
class TestVisitedStates:
    def trained(self, name, where):
        return trained(Job(where, (algorithm(name),) * 2, SEEDS, steps=70))

    def test_are_a_sample_of_what_is_replayed(self):
        training = self.trained("sql", FIRST)
        visited = finish(training).behaviour["visited"]
        assert visited.shape == (2, VISITED_STATES, 2)
        assert visited.dtype == np.float32
        replayed = training.state()[0]["experience/block"][..., :2].numpy()
        for own, kept in zip(visited, replayed, strict=True):
            # 60 states drawn 2048 times: each is missed with probability 1e-15.
            np.testing.assert_array_equal(
                np.unique(own, axis=0), np.unique(kept, axis=0)
            )

    def test_are_kept_of_tasks_in_the_plane_only(self):
        assert "visited" not in finish(self.trained("sql", task("pendulum"))).behaviour

    def test_feed_a_composition(self, pair):
        visited = [
            finish(self.trained("sql", on)).behaviour["visited"]
            for on in (FIRST, SECOND)
        ]
        composed = composed_of(pair, states=np.concatenate(visited, axis=1))
        assert torch.isfinite(composed.networks()["policy"]).all()
