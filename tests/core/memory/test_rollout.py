import torch

from pipeline.core.memory.rollout import RolloutBuffer


class TestRolloutBuffer:
    def test_it_returns_what_was_added_in_order_and_is_empty_then(self):
        buffer = RolloutBuffer(2, 3, states=1)
        for step in range(3):
            assert not buffer.full
            numbers = torch.tensor([1.0, 2.0]) * step
            buffer.add(numbers[:, None], numbers, -numbers[:, None], numbers, numbers)
        assert buffer.full
        rollout = buffer.take()
        assert rollout.reward.tolist() == [[0.0, 1.0, 2.0], [0.0, 2.0, 4.0]]
        assert torch.equal(rollout.state[..., 0], -rollout.state_next[..., 0])
        assert not buffer.full
        assert buffer.state()["block"].shape == (2, 0, 5)

    def test_what_was_taken_does_not_change_with_the_buffer(self):
        buffer = RolloutBuffer(1, 1, states=1)
        one = torch.ones(1)
        buffer.add(one[:, None], one, one[:, None], one, one)
        rollout = buffer.take()
        buffer.add(-one[:, None], -one, -one[:, None], -one, -one)
        assert rollout.reward.tolist() == [[1.0]]
