"""A network that learns to sample from exp(Q/α), by amortised Stein descent.

What is particular about it:
- Particles live before the squashing, u with a = tanh(u), and the change of volume is
  part of their energy. The authors' code adds the same term in action space, where the
  sampler then prefers the middle of the box: its fixed point is not exp(Q/α).
- A fresh sampler draws almost uniformly: the network's output begins at 0 and is added
  to the noise, whose squashing is nearly even. One that begins with all its particles
  near the middle loses modes when it meets a sharp Q at once.
- The bandwidth follows the authors' code; see `soft.kernel_bandwidth`.
- A map from one cloud of noise leaves bridges between the modes, and folds. The sampler
  knows its own density but for the folds, so that draws can be corrected by it, and
  what is left by a step of a Markov chain (`resampling.py`).
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pipeline.core.agents import resampling
from pipeline.core.agents.noise_set import RestrictedNoise
from pipeline.core.agents.setting import Setting
from pipeline.core.agents.settings import Sql
from pipeline.core.agents.shapes import Actions, Numbers, Particles, States
from pipeline.core.equations import soft, squashing
from pipeline.core.population.optimizer import Adam, learnable
from pipeline.core.population.randomness import stream

NEARLY_UNIFORM = 0.874
"""c that makes tanh(c ξ), ξ ~ N(0, 1), most like a uniform number: 0.0095 nats away.
Exactly even noise would be heavier in the tails than a network of ReLUs can undo."""

BLOCK = 64
"""States whose particles are computed together: few enough for a processor's cache."""
GREEDY_PARTICLES = 32
"""Draws of which the best is the policy's best guess."""

ParticleValues: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Q of [member, batch, 1, state] and [member, batch, particle, action], in reward
units, as [member, batch, particle]."""


class SteinSampler:
    """a = tanh(f(ξ; s)) with ξ ~ N(0, I), for every member of a population.

    The noise ξ is as wide as an action.
    """

    def __init__(self, configs: Sequence[Sql], setting: Setting) -> None:
        config = configs[0]
        noise_set = config.noise_set
        self._restricted = RestrictedNoise(noise_set, setting) if noise_set else None
        self.candidates = config.candidates
        """Draws of which `sample` takes one, and actions around that; 1: neither."""
        self._states = config.particles.states
        self._counts = [config.particles.fixed, config.particles.updated]
        actions = setting.actions
        inputs = (setting.states, actions)
        self._network = setting.network(inputs, config.hidden, actions)
        self.weights = self._network.glorot(setting.seeds, "policy", output=0.0)
        rate = setting.numbers(configs, lambda c: c.learning_rate.policy)
        self.adam = Adam(self.weights, rate)
        self.noise = setting.noise(
            "stein particles", self._states, sum(self._counts), actions
        )
        """For `learn`, by the number of the update."""
        greedy = stream(0, "greedy particles").standard_normal(
            (1, 1, GREEDY_PARTICLES, actions), dtype="float32"
        )
        self._greedy_noise = torch.from_numpy(greedy).to(self.weights)

    def follow(self, progress: float) -> None:
        """Restrict the noise as far as belongs to a share of the run's updates."""
        if self._restricted is not None:
            self._restricted.follow(progress)

    @torch.no_grad()
    def draw(
        self, state: Float[Tensor, "member batch _ state"], noise: Particles
    ) -> Particles:
        """Actions in [-1, 1]^d, approximately distributed as exp(Q/α)."""
        noise = self._allowed(noise)
        return self._action(self._particles(self.weights, state, noise))

    @torch.no_grad()
    def sample(
        self, state: States, noise: Actions, q: ParticleValues, temperature: Numbers
    ) -> Actions:
        """One of several draws by importance, moved: nearer to exp(Q/α) than `draw`.

        The noise ξ decides everything.
        """
        state = state.unsqueeze(2)
        if self.candidates == 1:
            return self.draw(state, noise.unsqueeze(2)).squeeze(2)
        alpha = temperature[:, None, None]
        spread = resampling.spread(noise, self.candidates)
        actions, log_density = self.draw_with_density(state, spread)
        log_weight = q(state, actions) / alpha - log_density
        index = resampling.choose(log_weight, noise, "candidate")
        near = resampling.around(_taken(actions, index), noise, self.candidates)
        index = resampling.choose(q(state, near) / alpha, noise, "neighbour")
        return _taken(near, index)

    def draw_with_density(
        self, state: Float[Tensor, "member batch _ state"], noise: Particles
    ) -> tuple[Particles, Float[Tensor, "member batch particle"]]:
        """As `draw`, with log p(a | s) in nats, as far as f does not fold the space.

        The noise is not restricted, as a few vectors have no density.
        """
        with torch.enable_grad():
            noise = learnable(noise)
            particles = self._particles(self.weights, state, noise)
            log_density = resampling.log_density_of_map(noise, particles)
        particles = particles.detach()
        return self._action(particles), log_density - self._log_volume(particles)

    @torch.no_grad()
    def best(self, state: States, q: ParticleValues) -> Actions:
        """The best, by Q, of a fixed set of 32 draws."""
        state = state.unsqueeze(2)
        noise = self._greedy_noise.expand(*state.shape[:2], -1, -1)
        candidates = self.draw(state, noise)
        return _taken(candidates, q(state, candidates).argmax(dim=2))

    def _allowed(self, noise: Particles) -> Particles:
        return noise if self._restricted is None else self._restricted.of(noise)

    def _action(self, particles: Particles) -> Particles:
        """The actions a = tanh(u)."""
        return torch.tanh(particles)

    def _log_volume(
        self, particles: Particles
    ) -> Float[Tensor, "member batch particle"]:
        """How log |det da/du| says what the volume around a particle becomes."""
        return squashing.squash_log_det(particles)

    def _particles(
        self,
        weights: Float[Tensor, "member weight"],
        state: Float[Tensor, "member batch _ state"],
        noise: Particles,
    ) -> Particles:
        """Particles u = f(ξ; s), of which the network says how far they are moved."""
        moved = self._network(weights, state, noise)
        return NEARLY_UNIFORM * noise + moved

    def learn(
        self,
        state: States,
        q: ParticleValues,
        *,
        temperature: Numbers,
        noise: Float[Tensor, "member states particle action"],
    ) -> dict[str, Numbers]:
        """One step towards exp(Q/α) at the first of the states (SQL Eqs. 13, 14).

        There are at least as many states as `particles.states` says. Returns the length
        of the Stein direction, and the spread of actions.
        """
        state = state[:, : self._states].unsqueeze(2)
        noise = self._allowed(noise)
        states, noises = (torch.split(x, BLOCK, dim=1) for x in (state, noise))
        parts = [
            self._ascent(*block, q, temperature)
            for block in zip(states, noises, strict=True)
        ]
        ascent = torch.stack([part[0] for part in parts]).sum(dim=0)
        norms, spreads = (torch.cat([part[i] for part in parts], dim=1) for i in (1, 2))
        self.adam.step(-ascent / (self._states * self._counts[1]))
        return {
            "stein_norm": norms.mean(dim=(1, 2)),
            "action_spread": spreads.mean(dim=(1, 2)),
        }

    def _ascent(
        self,
        state: Float[Tensor, "member batch 1 state"],
        noise: Particles,
        q: ParticleValues,
        temperature: Numbers,
    ) -> tuple[
        Float[Tensor, "member weight"],
        Float[Tensor, "member batch _"],
        Float[Tensor, "member batch _"],
    ]:
        """Of some states: the gradient, summed up, and what is worth knowing."""
        noise_fixed, noise_updated = torch.split(noise, self._counts, dim=2)
        with torch.no_grad():
            fixed = self._particles(self.weights, state, noise_fixed)
        slope = self._slope(fixed, partial(q, state), temperature)
        weights = learnable(self.weights)
        updated = self._particles(weights, state, noise_updated)
        direction = soft.stein_direction(
            fixed, updated.detach(), slope, temperature[:, None]
        )
        (ascent,) = torch.autograd.grad(updated, weights, direction)
        spread = self._action(fixed).std(dim=2)
        return ascent, direction.norm(dim=3), spread

    def _slope(
        self, particles: Particles, q: Callable[[Tensor], Tensor], temperature: Numbers
    ) -> Particles:
        """Gradient of Q(s, tanh u) + α log |det da/du| with respect to u."""
        u = learnable(particles)
        volume = temperature[:, None, None] * self._log_volume(u)
        energy = q(self._action(u)) + volume
        (slope,) = torch.autograd.grad(energy.sum(), u)
        return slope


def _taken(actions: Particles, index: Int[Tensor, "member batch"]) -> Actions:
    """One action of each state's."""
    return torch.take_along_dim(actions, index[:, :, None, None], dim=2).squeeze(2)
