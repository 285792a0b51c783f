"""Soft Q-learning with an amortised Stein sampler (Haarnoja et al. 2017, algorithm 1).

Departures from the text of the paper, as in the authors' code: no target network of the
policy, no Ornstein–Uhlenbeck noise on top of the policy's own, uniform proposals for
the soft value at all times (the paper prefers the policy itself), squared distances in
the kernel's bandwidth.

Departures of our own:
- The temperature may fall from a higher one (`annealing`) in any training. The paper
  holds it, and lets it fall only when it fine-tunes, from .1 to .001.
- The proposals may be a randomly shifted lattice (`value_points: lattice`), each of
  them uniform. The paper has independent ones, as has `random`.
- The kernel may be narrower than the median heuristic (`particles.bandwidth` below 1),
  and the sampler may learn at a part of the batch (`particles.states`). The paper has
  the heuristic and the batch.
- Particles live before the squashing, and a fresh sampler draws uniformly (`stein.py`
  says why). The paper says neither how it keeps actions in their bounds nor how its
  sampler begins.
- An action may be one of several draws, chosen by importance (`candidates`).
  The paper has one.
- Step sizes may fall towards the end (`learning_rate.constant`), targets may be
  averaged (`target.tau`), and there may be several updates for a step. The paper has
  one step size for each network and copies the target every 1000 steps.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.core import equations
from pipeline.core.agents.base import (
    QLearner,
    learnable,
    per_member,
    scale_learning_rates,
    update_targets,
)
from pipeline.core.agents.stein import SteinSampler
from pipeline.core.agents.temperature import Held
from pipeline.core.config import Sql
from pipeline.core.lattice import lattice
from pipeline.core.networks import Mlp
from pipeline.core.noise import Noise
from pipeline.core.optimizer import Adam
from pipeline.core.randomness import stream
from pipeline.core.replay import Batch

BLOCK = 256
"""States whose values are computed together, which bounds memory."""


class SoftQLearning(QLearner):
    """A soft Q-function and a network that samples from exp(Q/α)."""

    def __init__(
        self,
        configs: Sequence[Sql],
        seeds: Sequence[int],
        *,
        states: int,
        actions: int,
        discount: float,
    ) -> None:
        """Fresh networks.

        Args:
            configs: One per member; they may differ in numbers marked `PerMember`.
            seeds: One per member.
            states: Width of a state.
            actions: Width of an action.
            discount: γ of the task.
        """
        config = configs[0]
        self._seeds = tuple(seeds)
        self._config = config
        self._discount = discount
        self._actions = actions
        self._alpha = Held([c.temperature for c in configs])

        self._q_network = Mlp((states, actions), config.hidden, 1)
        self._q = self._q_network.glorot(seeds, "q")
        self._q_target = self._q.clone()
        q_rate = per_member(configs, lambda c: c.learning_rate.q)
        self._q_adam = Adam(self._q, q_rate)
        self._sampler = SteinSampler(configs, seeds, states=states, actions=actions)

        self._exploration = Noise(seeds, "exploration", shape=(actions,), kind="normal")
        match config.value_points:
            case "lattice":
                self._points = lattice(config.value_particles, actions)
                self._shifted = 1
            case "random":
                self._points = torch.zeros(1, actions)
                self._shifted = config.value_particles
        self._shifts = Noise(
            seeds,
            "value particles",
            shape=(config.batch, self._shifted, actions),
            kind="uniform",
        )
        self._diagnostics: dict[str, Tensor] = {}

    def act(
        self,
        state: Float[Tensor, "member state"],
        *,
        step: int,
        starting: Bool[Tensor, " member"],
    ) -> Float[Tensor, "member action"]:
        """One draw from the policy: it is its own exploration."""
        noise = self._exploration.at(step)
        return self.sample(state[:, None], noise[:, None]).squeeze(1)

    @torch.no_grad()
    def sample(
        self,
        state: Float[Tensor, "member batch state"],
        noise: Float[Tensor, "member batch action"],
    ) -> Float[Tensor, "member batch action"]:
        """Draws, approximately distributed as exp(Q(s, a)/α)."""
        return self._sampler.sample(
            state, noise, self._q_of_particles, self.temperature
        )

    def greedy(
        self, state: Float[Tensor, "member batch state"]
    ) -> Float[Tensor, "member batch action"]:
        """The best, by Q, of a fixed set of 32 draws from the policy."""
        return self._sampler.best(state, self._q_of_particles)

    def q(
        self,
        state: Float[Tensor, "member batch state"],
        action: Float[Tensor, "member batch action"],
    ) -> Float[Tensor, "member batch"]:
        """The soft Q-function."""
        return self._q_of_particles(state.unsqueeze(2), action.unsqueeze(2)).squeeze(2)

    def _q_of_particles(
        self,
        state: Float[Tensor, "member batch 1 state"],
        action: Float[Tensor, "member batch particle action"],
    ) -> Float[Tensor, "member batch particle"]:
        return self._q_network(self._q, state, action).squeeze(3)

    @property
    def temperature(self) -> Float[Tensor, " member"]:
        """Temperature α."""
        return self._alpha.value

    def follow_schedules(self, progress: float) -> None:
        """Step sizes and temperature."""
        scale_learning_rates(
            self.optimizers().values(),
            self._config.learning_rate.constant,
            progress=progress,
        )
        self._alpha.follow(progress)

    def update(self, batch: Batch, *, index: int) -> None:
        """One step of the soft Q-function, then one of the sampler."""
        self._update_q(batch, index)
        self._sampler.update(
            batch.state,
            self._q_of_particles,
            temperature=self.temperature,
            index=index,
        )
        update_targets(self._config, [(self._q_target, self._q)], index=index)

    def _update_q(self, batch: Batch, index: int) -> None:
        target = equations.bellman_target(
            batch.reward,
            self._value_next(batch, index),
            batch.terminated,
            self._discount,
        )
        weights = learnable(self._q)
        state, action = batch.state.unsqueeze(2), batch.action.unsqueeze(2)
        q = self._q_network(weights, state, action).flatten(start_dim=1)
        loss = equations.squared_error(q, target)
        (gradient,) = torch.autograd.grad(loss.sum(), weights)
        self._q_adam.step(gradient)
        self._diagnostics |= {"q_loss": loss.detach(), "q": q.detach().mean(dim=1)}

    def _value_next(self, batch: Batch, index: int) -> Float[Tensor, "member batch"]:
        if batch.value_next is not None:
            return batch.value_next
        return self._estimate(batch.state_next, self._shifts.at(index))

    def soft_value(
        self, state: Float[Tensor, "member n state"], *, draw: int
    ) -> Float[Tensor, "member n"]:
        """V(s) of the slow network, estimated (SQL Eq. 10), in reward units.

        Args:
            state: Any number of states.
            draw: Which random actions, from the stream `value table`.
        """
        shape = (state.shape[1], self._shifted, self._actions)
        drawn = [
            stream(seed, "value table", draw).random(shape, dtype=np.float32)
            for seed in self._seeds
        ]
        shifts = torch.from_numpy(np.stack(drawn)).to(state.dtype)
        blocks = [torch.split(x, BLOCK, dim=1) for x in (state, shifts)]
        parts = [self._estimate(*part) for part in zip(*blocks, strict=True)]
        return torch.cat(parts, dim=1)

    @torch.no_grad()
    def _estimate(
        self,
        state: Float[Tensor, "member batch state"],
        shifts: Float[Tensor, "member batch _ action"],
    ) -> Float[Tensor, "member batch"]:
        actions = 2 * ((shifts + self._points) % 1) - 1
        log_proposal = torch.tensor([[[-self._actions * math.log(2)]]])
        q = self._q_network(self._q_target, state.unsqueeze(2), actions).squeeze(3)
        return equations.soft_value(q, log_proposal, self.temperature[:, None])

    def diagnostics(self) -> dict[str, Float[Tensor, " member"]]:
        """Loss and mean of Q; length of the Stein direction; spread of actions."""
        return self._diagnostics | self._sampler.diagnostics

    def networks(self) -> dict[str, Tensor]:
        """Q, its target, and the sampler."""
        return {
            "q": self._q,
            "q_target": self._q_target,
            "policy": self._sampler.weights,
        }

    def optimizers(self) -> dict[str, Adam]:
        """Of Q and of the sampler."""
        return {"q": self._q_adam, "policy": self._sampler.adam}

    def exploration_state(self) -> dict[str, Tensor]:
        """The policy's own noise carries nothing."""
        return {}
