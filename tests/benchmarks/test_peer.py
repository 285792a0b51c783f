"""A peer does the same work as ours. Skipped where it is not installed."""

import pytest

from benchmarks.peer import peer_learner
from benchmarks.speed import subject
from benchmarks.speed.subject import Case, population

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("kind", ["sac", "ddpg"]),
    pytest.mark.parametrize("library", ["stable_baselines3", "sbx"]),
]
WIDTH, BATCH, WARMUP = 16, 8, 20


def learner(library, kind):
    pytest.importorskip(library)
    subject.hush_mujoco()
    return peer_learner(
        library,
        kind,
        subject.ENVIRONMENT,
        width=WIDTH,
        learning_rate=subject.RATE,
        learning_starts=WARMUP,
        batch_size=BATCH,
    )


def weights(model):
    """How many the policy and the critics have."""
    if type(model).__module__.startswith("sbx"):
        leaves = pytest.importorskip("jax").tree.leaves
        states = model.policy.actor_state, model.policy.qf_state
        return [sum(part.size for part in leaves(state.params)) for state in states]
    networks = model.actor, model.critic
    return [sum(part.numel() for part in each.parameters()) for each in networks]


def test_a_peer_has_networks_of_our_size(library, kind):
    ours = population(Case(kind, 1, WIDTH, BATCH)).networks()
    expected = [ours["policy"].numel(), ours["q"].numel()]
    assert weights(learner(library, kind)) == expected


def test_a_peer_makes_one_update_after_every_step(library, kind):
    model = learner(library, kind)
    model.learn(WARMUP)
    assert model._n_updates == 0
    model.learn(10, reset_num_timesteps=False)
    assert (model.num_timesteps, model._n_updates) == (WARMUP + 10, 10)
