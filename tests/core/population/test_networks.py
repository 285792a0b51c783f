import pytest
import torch
from jaxtyping import TypeCheckError

from pipeline.core.population.networks import Mlp
from pipeline.core.population.optimizer import Adam

MLP = Mlp((3, 2), (8, 4), 5)


def by_hand(weights, state, action):
    """The same network of one member, from PyTorch's own layers in double precision."""
    sizes = [i * o for i, o in MLP.shapes] + MLP.biases
    parts = weights.double().split(sizes)
    matrices = [p.view(s) for p, s in zip(parts, MLP.shapes, strict=False)]
    biases = parts[len(matrices) :]
    joined = torch.cat([state, action], dim=-1).double()
    hidden = joined @ torch.cat(matrices[:2]) + biases[0]
    for matrix, bias in zip(matrices[2:], biases[1:], strict=True):
        hidden = torch.relu(hidden) @ matrix + bias
    return hidden


def test_every_member_is_a_perceptron_of_its_joined_inputs():
    weights = MLP.glorot([0, 1], "q")
    weights += 0.1  # biases, too
    generator = torch.Generator().manual_seed(0)
    state = torch.randn(2, 6, 1, 3, generator=generator)
    action = torch.randn(2, 6, 4, 2, generator=generator)
    out = MLP(weights, state, action)
    assert out.shape == (2, 6, 4, 5)
    for member in range(2):
        expected = by_hand(
            weights[member], state[member].expand(-1, 4, -1), action[member]
        )
        torch.testing.assert_close(out[member].double(), expected, atol=1e-5, rtol=1e-5)


def test_first_weights_belong_to_the_seed_and_not_to_the_company():
    alone, together = MLP.glorot([7], "q"), MLP.glorot([3, 7], "q")
    assert torch.equal(alone[0], together[1])
    assert not torch.equal(together[0], together[1])
    assert not torch.equal(alone, MLP.glorot([7], "policy"))


def test_adam_equals_pytorchs_for_every_members_step_size():
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(2, 6, generator=generator)
    rates = (1e-3, 3e-2)
    theirs = [weights[i].clone().requires_grad_() for i in range(2)]
    optimizers = [
        torch.optim.Adam([w], lr=r) for w, r in zip(theirs, rates, strict=True)
    ]
    ours = Adam(weights, torch.tensor(rates))
    for _ in range(20):
        gradient = torch.randn(2, 6, generator=generator)
        ours.step(gradient)
        for row, optimizer, their in zip(gradient, optimizers, theirs, strict=True):
            their.grad = row.clone()
            optimizer.step()
    torch.testing.assert_close(weights, torch.stack([w.detach() for w in theirs]))


def test_shapes_are_checked():
    with pytest.raises(TypeCheckError, match="parameter 'inputs'"):
        MLP(MLP.glorot([0, 1], "q"), torch.zeros(2, 3), torch.zeros(2, 2))


@pytest.mark.usefixtures("unchecked")
def test_shapes_are_not_checked_where_a_test_learns():
    with pytest.raises(IndexError):
        MLP(MLP.glorot([0, 1], "q"), torch.zeros(2, 3), torch.zeros(2, 2))
