import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.replay import Replay


def filled(count, *, capacity):
    replay = Replay(2, capacity, states=2, actions=1)
    for i in range(count):
        value = torch.tensor([float(i), 1000.0 + i])
        replay.add(
            value[:, None].expand(2, 2),
            value[:, None],
            -value,
            value[:, None].expand(2, 2) + 0.5,
            torch.tensor([float(i % 2), 0.0]),
        )
    return replay


@given(st.integers(1, 30), st.integers(1, 12), st.integers(0, 100))
def test_it_returns_the_latest_of_what_was_added_and_nothing_else(
    count, capacity, seed
):
    replay = filled(count, capacity=capacity)
    uniform = torch.rand(2, 50, generator=torch.Generator().manual_seed(seed))
    batch = replay.sample(uniform)
    latest = range(max(0, count - capacity), count)
    assert replay.size == len(latest)
    for member, offset in enumerate((0.0, 1000.0)):
        number = batch.action[member, :, 0] - offset
        assert set(number.tolist()) <= {float(i) for i in latest}
        torch.testing.assert_close(batch.reward[member], -(number + offset))
        torch.testing.assert_close(
            batch.state_next[member, :, 1], number + offset + 0.5
        )
    ended = batch.action[0, :, 0] % 2
    assert torch.equal(batch.terminated[0], ended)


def test_the_numbers_choose_evenly():
    replay = filled(4, capacity=10)
    batch = replay.sample(torch.tensor([[0.0, 0.25, 0.5, 0.999999]] * 2))
    assert batch.action[0, :, 0].tolist() == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize("count", [3, 25])
def test_it_continues_from_its_state(count):
    replay = filled(count, capacity=10)
    copy = Replay(2, 10, states=2, actions=1)
    copy.load_state({k: v.clone() for k, v in replay.state().items()})
    uniform = torch.rand(2, 20, generator=torch.Generator().manual_seed(0))
    for ours, theirs in zip(
        replay.sample(uniform)[:5], copy.sample(uniform)[:5], strict=True
    ):
        assert torch.equal(ours, theirs)
