"""The learners once more, slow and plain: one member, one network, one loop at a time.

Straight from the equations and the papers, on joined inputs, with PyTorch's own Adam
and double precision. What the fast updates are held to.
"""

import math
from itertools import chain, pairwise

import torch

from pipeline.core.agents.stein import NEARLY_UNIFORM
from pipeline.core.equations import soft, squashing
from pipeline.core.population.lattice import lattice


def perceptron(weights, inputs, *, hidden, outputs):
    """A network with ReLU units whose weights are one row."""
    widths = [inputs.shape[-1], *hidden, outputs]
    shapes = list(pairwise(widths))
    sizes = [i * o for i, o in shapes] + widths[1:]
    parts = torch.split(weights, sizes)
    x = inputs
    for layer, shape in enumerate(shapes):
        x = x @ parts[layer].view(shape) + parts[len(shapes) + layer]
        x = torch.relu(x) if layer < len(hidden) else x
    return x


class Plain:
    """One member: weights, an Adam for each network, target networks."""

    def __init__(self, config, networks, *, discount):
        self.config, self.discount = config, discount
        self.weights = {k: v.clone().requires_grad_() for k, v in networks.items()}
        rates = {"q": config.learning_rate.q, "value": config.learning_rate.q}
        rates["policy"] = config.learning_rate.policy
        self.adams = {
            name: torch.optim.Adam([self.weights[name]], lr=rate)
            for name, rate in rates.items()
            if name in networks
        }

    def descend(self, name, loss):
        (gradient,) = torch.autograd.grad(loss, self.weights[name])
        self.weights[name].grad = gradient
        self.adams[name].step()

    def follow(self):
        with torch.no_grad():
            for name, target in self.weights.items():
                if name.endswith("_target"):
                    source = self.weights[name.removesuffix("_target")]
                    target.mul_(1 - self.config.target.tau)
                    target.add_(self.config.target.tau * source)

    def network(self, name, *inputs, outputs=1, row=None):
        weights = self.weights[name] if row is None else self.weights[name][row]
        joined = torch.cat(inputs, dim=-1)
        return perceptron(weights, joined, hidden=self.config.hidden, outputs=outputs)

    def target(self, batch, value):
        return batch.reward + self.discount * (1 - batch.terminated) * value.detach()


class PlainSql(Plain):
    """Soft Q-learning with lattice points (Haarnoja et al. 2017, algorithm 1)."""

    def update(self, batch, *, shifts, noise, alpha):
        value = torch.stack(
            [
                self.value(*pair, alpha)
                for pair in zip(batch.state_next, shifts, strict=True)
            ]
        )
        target = self.target(batch, value)
        each = self.critics("q", batch.state, batch.action)
        self.descend("q", sum(0.5 * (q - target).square().mean() for q in each))
        count = self.config.particles.states
        total = sum(
            self.pull(*pair, alpha)
            for pair in zip(batch.state[:count], noise, strict=True)
        )
        self.descend("policy", -total / (count * self.config.particles.updated))
        self.follow()

    def critics(self, name, *inputs):
        rows = range(self.config.critics)
        return [self.network(name, *inputs, row=row)[..., 0] for row in rows]

    def mean_critic(self, name, *inputs):
        return torch.stack(self.critics(name, *inputs)).mean(dim=0)

    def value(self, state, shift, alpha):
        points = lattice(self.config.value_particles, shift.shape[-1])
        actions = 2 * ((shift + points) % 1) - 1
        states = state.expand(len(actions), -1)
        q = self.mean_critic("q_target", states, actions)
        volume = 2 ** shift.shape[-1]
        return alpha * torch.log(volume * torch.exp(q / alpha).mean())

    def particles(self, state, noise):
        states = state.expand(len(noise), -1)
        moved = self.network("policy", states, noise, outputs=noise.shape[-1])
        return NEARLY_UNIFORM * noise + moved

    def energy(self, state, u, alpha):
        q = self.mean_critic("q", state, torch.tanh(u))
        return q + alpha * squashing.squash_log_det(u)

    def pull(self, state, noise, alpha):
        """Σⱼ Δf(j) · f(ξⱼ; s), whose gradient is the Stein step (SQL Eqs. 13, 14)."""
        fixed, updated = torch.split(
            self.particles(state, noise),
            [self.config.particles.fixed, self.config.particles.updated],
        )
        fixed = fixed.detach()
        distances = [
            [float((a - b).detach().square().sum()) for b in updated] for a in fixed
        ]
        ordered = sorted(chain.from_iterable(distances))
        median = ordered[(len(ordered) - 1) // 2]
        h = max(median / math.log(len(fixed)), 1e-3)
        total = torch.zeros(())
        for j, moving in enumerate(updated):
            step = torch.zeros_like(moving)
            for i, held in enumerate(fixed):
                u = held.clone().requires_grad_()
                (slope,) = torch.autograd.grad(self.energy(state, u, alpha), u)
                kernel = math.exp(-distances[i][j] / h)
                push = -2 * (held - moving.detach()) / h * kernel
                step += (kernel * slope + alpha * push) / len(fixed)
            total = total + step @ moving
        return total


class PlainSac(Plain):
    """Soft actor-critic with slow critics (Haarnoja et al. 2019, algorithm 1)."""

    def draw(self, state, noise):
        out = self.network("policy", state, outputs=2 * noise.shape[-1])
        mean, log_scale = out.chunk(2, dim=-1)
        u = mean + log_scale.clamp(-20, 2).exp() * noise
        normal = torch.distributions.Normal(mean, log_scale.clamp(-20, 2).exp())
        density = normal.log_prob(u).sum(dim=-1) - squashing.squash_log_det(u)
        return torch.tanh(u), density

    def smaller(self, name, state, action):
        both = [self.network(name, state, action, row=row)[:, 0] for row in range(2)]
        return torch.minimum(*both)

    def update(self, batch, *, noise, alpha):
        action, density = self.draw(batch.state_next, noise[1])
        smaller = self.smaller("q_target", batch.state_next, action)
        target = self.target(batch, smaller - alpha * density)
        losses = [
            0.5
            * (self.network("q", batch.state, batch.action, row=row)[:, 0] - target)
            .square()
            .mean()
            for row in range(2)
        ]
        self.descend("q", sum(losses))
        action, density = self.draw(batch.state, noise[0])
        smaller = self.smaller("q", batch.state, action)
        self.descend("policy", soft.actor_loss(density, smaller, alpha))
        self.follow()


class PlainDdpg(Plain):
    """Deep deterministic policy gradient (Lillicrap et al. 2016, algorithm 1)."""

    def update(self, batch):
        width = batch.action.shape[-1]
        action = torch.tanh(
            self.network("policy_target", batch.state_next, outputs=width)
        )
        value = self.network("q_target", batch.state_next, action)[:, 0]
        target = self.target(batch, value)
        error = self.network("q", batch.state, batch.action)[:, 0] - target
        self.descend("q", 0.5 * error.square().mean())
        action = torch.tanh(self.network("policy", batch.state, outputs=width))
        self.descend("policy", -self.network("q", batch.state, action).mean())
        self.follow()
