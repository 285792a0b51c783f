"""What REINFORCE credits an action with."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.equations import returns

DISCOUNT, ALPHA = 0.9, 0.5
flags = st.lists(st.sampled_from(["on", "terminated", "cut"]), min_size=1, max_size=9)


def column(values):
    return torch.tensor(values, dtype=torch.float64)


class TestReturns:
    @settings(deadline=None)  # the first example pays for what all need
    @given(flags, st.integers(0, 2**32 - 1))
    def test_reward_to_go_is_the_sum_written_out(self, kinds, seed):
        kinds[-1] = "cut" if kinds[-1] == "on" else kinds[-1]
        generator = np.random.default_rng(seed)
        reward, value = generator.normal(size=(2, len(kinds)))
        expected = []
        for start in range(len(kinds)):
            total, factor = 0.0, 1.0
            for step in range(start, len(kinds)):
                total += factor * reward[step]
                factor *= DISCOUNT
                if kinds[step] == "cut":
                    total += factor * value[step]
                if kinds[step] != "on":
                    break
            expected.append(total)
        found = returns.reward_to_go(
            column(reward),
            column(value),
            terminated=column([float(kind == "terminated") for kind in kinds]),
            cut=column([float(kind == "cut") for kind in kinds]),
            discount=DISCOUNT,
        )
        torch.testing.assert_close(found, column(expected))

    def test_what_came_before_is_counted_within_the_episode_only(self):
        reward = column([[1.0, 2.0, 4.0, 8.0, 16.0]])
        ended = column([[0.0, 0.0, 1.0, 0.0, 0.0]])
        found = returns.reward_before(reward, ended)
        assert found.tolist() == [[0.0, 1.0, 3.0, 0.0, 8.0]]

    def test_before_and_to_go_make_the_whole_return(self):
        reward = column([[1.0, 2.0, 4.0]])
        none, end = column([[0.0] * 3]), column([[0.0, 0.0, 1.0]])
        to_go = returns.reward_to_go(
            reward, none, terminated=end, cut=none, discount=1.0
        )
        whole = to_go + returns.reward_before(reward, end)
        assert whole.tolist() == [[7.0, 7.0, 7.0]]

    def test_unlikely_actions_are_worth_more(self):
        soft = returns.soft_reward(
            column([[1.0, 1.0]]), column([[-2.0, 3.0]]), column([0.5])
        )
        assert soft.tolist() == [[2.0, -0.5]]
