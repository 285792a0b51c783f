from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.memory.replay import Replay, Spill


def filled(count, *, capacity, spill=None):
    replay = Replay(2, capacity, states=2, actions=1, spill=spill)
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


class TestSpill:
    """Two members with rows of seven numbers of four bytes: 56 bytes a slot."""

    def test_a_replay_that_is_too_large_is_in_a_file_and_the_same(self, tmp_path):
        in_file = filled(9, capacity=6, spill=Spill(6 * 56 - 1, tmp_path))
        in_memory = filled(9, capacity=6, spill=Spill(6 * 56, tmp_path))
        uniform = torch.rand(2, 50, generator=torch.Generator().manual_seed(0))
        for mapped, plain in zip(
            in_file.sample(uniform)[:5], in_memory.sample(uniform)[:5], strict=True
        ):
            assert torch.equal(mapped, plain)
        mapped = Path("/proc/self/maps").read_text()
        assert mapped.count(str(tmp_path)) == 1

    def test_the_file_has_no_name_that_could_stay(self, tmp_path):
        kept = filled(2, capacity=6, spill=Spill(0, tmp_path))
        assert list(tmp_path.iterdir()) == []
        assert kept.size == 2
