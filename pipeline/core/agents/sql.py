"""Soft Q-learning with an amortised Stein sampler (Haarnoja et al. 2017, algorithm 1).

Departures from the text of the paper, as in the authors' code: no target network of the
policy, no Ornstein–Uhlenbeck noise on top of the policy's own, uniform proposals for
the soft value at all times (the paper prefers the policy itself), squared distances in
the kernel's bandwidth.

Departures of our own:
- The temperature may fall from a higher one (`annealing`) in any training. The paper
  holds it, and lets it fall only when it fine-tunes, from .1 to .001.
- The proposals of the soft value may be uniform at all times, as in the authors' code,
  independent (`value_points: random`) or a randomly shifted lattice (`lattice`). The
  paper prefers those of the policy (`policy`, here from a lattice of noise).
- The set of noise of the paper's fine-tuning may shrink in any training (`noise_set`).
- The sampler may learn at a part of the batch (`particles.states`).
- Particles live before the squashing, and a fresh sampler draws uniformly (`stein.py`
  says why). The paper says neither how it keeps actions in their bounds nor how its
  sampler begins.
- Q may be the mean of several networks (`critics`), of which the paper has one.
- An action may be one of several draws, chosen by importance (`candidates`).
  The paper has one.
- Step sizes may fall towards the end (`learning_rate.constant`), targets may be
  averaged (`target.tau`), and there may be several updates for a step. The paper has
  one step size for each network and updates the target network every 1000 steps.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.agents.base import Part, QLearner
from pipeline.core.agents.energy import EnergyPolicy
from pipeline.core.agents.proposals import Proposals
from pipeline.core.agents.setting import Setting
from pipeline.core.agents.settings import Sql
from pipeline.core.agents.shapes import Numbers, Particles, States, Values
from pipeline.core.agents.stein import BLOCK, SteinSampler
from pipeline.core.agents.temperature import Fixed
from pipeline.core.equations import soft
from pipeline.core.memory.replay import Batch
from pipeline.core.population.optimizer import Adam, learnable


class SoftQLearning(EnergyPolicy, QLearner):
    """A soft Q-function and a network that samples from exp(Q/α)."""

    _config: Sql

    def __init__(self, configs: Sequence[Sql], setting: Setting) -> None:
        self._config = config = configs[0]
        self._discount = setting.discount
        self._alpha = Fixed([c.temperature for c in configs], setting)

        inputs = setting.states, setting.actions
        self._critic = setting.network(inputs, config.hidden, 1)
        names = ["q", *(f"q {number}" for number in range(2, config.critics + 1))]
        fresh = [self._critic.glorot(setting.seeds, name) for name in names]
        self._q = torch.stack(fresh, dim=1).flatten(end_dim=1)  # [member * critic, _]
        self._q_target = self._q.clone()
        q_rate = setting.numbers(configs, lambda c: c.learning_rate.q)
        self._q_adam = Adam(self._q, q_rate.repeat_interleave(config.critics))
        self._sampler = SteinSampler(configs, setting)

        self._exploration = setting.noise("exploration", setting.actions)
        self._proposals = Proposals(config, setting, self._sampler)
        self._sample_once = setting.acting(self.sample, config)
        self._learn_once = setting.compiled(self._learn, config)
        self._estimate_once = setting.compiled(self._estimate, config)
        critics = config.critics
        self._parts = {
            "q": Part(self._q, self._q_adam, self._q_target, networks=critics),
            "policy": Part(self._sampler.weights, self._sampler.adam),
        }
        self._diagnostics = {}

    def _q_of_particles(
        self, state: Float[Tensor, "member batch 1 state"], action: Particles
    ) -> Float[Tensor, "member batch particle"]:
        return self._combined(self._critics(self._q, state, action))

    def _critics(
        self,
        weights: Float[Tensor, "row weight"],
        state: Float[Tensor, "member batch _ state"],
        action: Particles,
    ) -> Float[Tensor, "member critic batch particle"]:
        count = self._config.critics
        each = (
            x.unsqueeze(1).expand(-1, count, -1, -1, -1).flatten(end_dim=1)
            for x in (state, action)
        )
        q = self._critic(weights, *each)
        return q.view(-1, count, *q.shape[1:3])

    def _combined(
        self, q: Float[Tensor, "member critic batch particle"]
    ) -> Float[Tensor, "member batch particle"]:
        return q.mean(dim=1)

    @property
    def temperature(self) -> Numbers:
        return self._alpha.value

    def follow_schedules(self, progress: float) -> None:
        super().follow_schedules(progress)
        self._alpha.follow(progress)
        self._sampler.follow(progress)

    def update(self, batch: Batch, *, index: int) -> None:
        self._diagnostics = self._learn_once(
            batch,
            self._proposals.shifts.at(index) if batch.value_next is None else None,
            self._sampler.noise.at(index),
            self.temperature,
        )
        self._update_targets(index=index)

    def _learn(
        self,
        batch: Batch,
        shifts: Float[Tensor, "member batch _ action"] | None,
        noise: Float[Tensor, "member states particle action"],
        temperature: Numbers,
    ) -> dict[str, Numbers]:
        value_next = batch.value_next
        if value_next is None:
            assert shifts is not None
            states, drawn = (
                torch.split(x, BLOCK, dim=1) for x in (batch.state_next, shifts)
            )
            values = [
                self._estimate(*block, temperature)
                for block in zip(states, drawn, strict=True)
            ]
            value_next = torch.cat(values, dim=1)
        known = self._update_q(batch, value_next)
        known |= self._sampler.learn(
            batch.state, self._q_of_particles, temperature=temperature, noise=noise
        )
        self._average_targets()
        return known

    def _update_q(self, batch: Batch, value_next: Values) -> dict[str, Numbers]:
        target = soft.bellman_target(
            batch.reward, value_next, batch.terminated, self._discount
        )
        weights = learnable(self._q)
        state, action = batch.state.unsqueeze(2), batch.action.unsqueeze(2)
        q = self._critics(weights, state, action).squeeze(3)
        loss = soft.squared_error(q, target[:, None])
        (gradient,) = torch.autograd.grad(loss.sum(), weights)
        self._q_adam.step(gradient)
        return {"q_loss": loss.detach().mean(dim=1), "q": q.detach().mean(dim=(1, 2))}

    def target_value(
        self, state: Float[Tensor, "member n state"], *, draw: int
    ) -> Float[Tensor, "member n"]:
        """V(s) by the target network, estimated (SQL Eq. 10), in reward units.

        `draw` says which random actions, from the stream `value table`.
        """
        shifts = self._proposals.blocks_of_shifts(BLOCK, draw=draw)
        count = state.shape[1]
        filled = torch.arange(count + (-count) % BLOCK, device=state.device)
        filled.clamp_(max=count - 1)
        values = state.new_empty(len(state), len(filled))
        for first in range(0, len(filled), BLOCK):
            block = filled[first : first + BLOCK]
            values[:, first : first + BLOCK] = self._estimate_once(
                state[:, block], next(shifts), self.temperature
            )
        return values[:, :count]

    @torch.no_grad()
    def _estimate(
        self,
        state: States,
        shifts: Float[Tensor, "member batch _ action"],
        temperature: Numbers,
    ) -> Values:
        actions, log_density = self._proposals.actions(state, shifts)
        q = self._combined(self._critics(self._q_target, state.unsqueeze(2), actions))
        return soft.soft_value(q, log_density, temperature[:, None])
