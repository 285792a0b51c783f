import numpy as np
import torch

from pipeline.core.judging.probes import GRID, probe
from tests.core.configs import task
from tests.core.updating import fresh

STATES = task("multigoal").probes


def test_q_is_tabulated_at_state_and_action_of_the_named_axes():
    agent = fresh("sac")
    table = probe(agent, STATES, [0, 1])["probe_q"]
    assert table.shape == (2, 3, 41, 41)
    state = torch.from_numpy(STATES[2]).expand(2, 1, 2)
    action = torch.tensor([GRID[5], GRID[30]]).expand(2, 1, 2)
    expected = agent.q(state, action).squeeze(1).detach().numpy()
    np.testing.assert_allclose(table[:, 2, 5, 30], expected, rtol=1e-5, atol=1e-6)


def test_actions_are_drawn_at_every_state_from_the_members_own_stream():
    both = probe(fresh("sac"), STATES, [0, 1])
    other = probe(fresh("sac", (7, 1)), STATES, [7, 1])
    assert both["probe_actions"].shape == (2, 3, 500, 2)
    np.testing.assert_allclose(
        both["probe_actions"][1], other["probe_actions"][1], atol=1e-6
    )
    assert both["temperature"].tolist() == [2.0, 2.0]
