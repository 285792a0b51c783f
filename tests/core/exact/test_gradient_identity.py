"""The policy gradient against soft Q-learning's."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.exact import gradient_identity
from pipeline.core.exact.policy_gradient import objective, value_and_q
from tests.core.exact.problems import ROUNDING, episodes

seeds = st.integers(0, 2**32 - 1)


class TestPolicyGradientIsSoftQLearning:
    @settings(deadline=None)
    @given(seeds, st.integers(1, 5), st.integers(1, 5), st.floats(0.01, 10))
    def test_on_tables(self, seed, states, actions, temperature):
        found = gradient_identity.on_a_table(
            np.random.default_rng(seed),
            states=states,
            actions=actions,
            temperature=temperature,
        )
        # Gradients grow with α²; 1e-12 of the largest is rounding.
        size = max(1.0, temperature**2)
        np.testing.assert_allclose(
            found["soft_q"], found["both"], rtol=0, atol=1e-12 * size
        )

    @settings(deadline=None)
    @given(seeds, st.floats(0.01, 10))
    def test_on_a_network_whose_layers_are_shared(self, seed, temperature):
        found = gradient_identity.on_a_network(
            np.random.default_rng(seed),
            states=6,
            actions=4,
            hidden=(8, 8),
            temperature=temperature,
        )
        size = max(1.0, np.abs(found["soft_q"]).max(), temperature**2)
        np.testing.assert_allclose(
            found["soft_q"], found["both"], rtol=0, atol=1e-12 * size
        )
        shared = np.abs(found["policy"]) * np.abs(found["value"]) > 0
        assert shared.sum() > 20  # both parts are there, in the same weights

    @settings(deadline=None, max_examples=25)
    @given(seeds)
    def test_with_the_policys_own_q_the_policy_part_is_the_whole_gradient(self, seed):
        # Weigh states by their discounted visits: the policy gradient theorem.
        task, logits, paths = episodes(seed)
        visits = np.einsum("p,pts->ts", paths.weight, np.eye(3)[paths.states])
        visits[:, 2] = 0
        visits *= task.mdp.discount ** np.arange(task.horizon)[:, None]
        value, q = value_and_q(task, torch.tensor(logits))
        leaf = torch.tensor(logits, requires_grad=True)
        v = value.flatten().clone().requires_grad_()
        found = gradient_identity.sides(
            v,
            torch.log_softmax(leaf, dim=-1).flatten(end_dim=1),
            target=q.flatten(end_dim=1),
            weight=torch.tensor(visits).flatten(),
            temperature=task.temperature,
            parameters=[v, leaf],
        )
        _, gradient = objective(task, logits)
        np.testing.assert_allclose(
            found["policy"][v.numel() :].reshape(task.shape), gradient, **ROUNDING
        )
        # V is the policy's own, so that it has nothing to learn.
        np.testing.assert_allclose(found["value"], 0, **ROUNDING)
        np.testing.assert_allclose(found["soft_q"], found["both"], **ROUNDING)
