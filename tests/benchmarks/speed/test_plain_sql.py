"""The plain baseline does what soft Q-learning does."""

import torch

from benchmarks.speed.plain_sql import PlainSoftQLearning, _kernel, updating_plainly
from benchmarks.speed.subject import ACTIONS, STATES, Case
from pipeline.core.equations.soft import stein_direction

CASE = Case("sql", 1, 16, 8, 4)


def test_its_direction_is_the_equation():
    generator = torch.Generator().manual_seed(0)
    fixed, updated, slope = torch.randn(3, 6, 5, ACTIONS, generator=generator)
    kernel, repulsion = _kernel(fixed, updated)
    found = (kernel.unsqueeze(-1) * slope.unsqueeze(2) + repulsion).mean(dim=1)
    torch.testing.assert_close(
        found, stein_direction(fixed, updated, slope, torch.ones(6))
    )


def test_an_update_moves_every_network():
    agent = PlainSoftQLearning(width=16, particles=4, critics=2)
    networks = [*agent._critics, *agent._targets, agent._policy]

    def weights():
        return [
            torch.cat([p.detach().flatten() for p in network.parameters()])
            for network in networks
        ]

    before = weights()
    state, state_next = torch.randn(2, 8, STATES)
    action = torch.zeros(8, ACTIONS)
    agent.update(state, action, torch.ones(8), state_next, torch.zeros(8))
    for old, new in zip(before, weights(), strict=True):
        assert new.isfinite().all()
        assert not torch.equal(old, new)


def test_updates_can_be_repeated(monkeypatch):
    made, update = [], PlainSoftQLearning.update
    monkeypatch.setattr(
        PlainSoftQLearning, "update", lambda *given: made.append(update(*given))
    )
    updating_plainly(CASE, 1)(10)
    assert len(made) == 10
