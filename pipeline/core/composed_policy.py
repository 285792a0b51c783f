"""The policy of two frozen soft Q-functions together, and how its sampler learns."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from safetensors.numpy import save
from torch import Tensor

from pipeline.core.agents import Agent, Setting
from pipeline.core.agents.base import scale_learning_rates
from pipeline.core.agents.sql import SoftQLearning
from pipeline.core.agents.stein import SteinSampler
from pipeline.core.composed_task import SCALES, MisfitError, Rule, shared_settings
from pipeline.core.noise import Noise
from pipeline.core.optimizer import Adam

PARTS = "first", "second"


class Composed(Agent):
    """The policy of two frozen soft Q-functions together."""

    def __init__(
        self,
        parts: Sequence[SoftQLearning],
        descriptions: Sequence[dict[str, Any]],
        rule: Rule,
    ) -> None:
        """Put two populations together; the sampler is fresh.

        Args:
            parts: The two populations, member by member of the same seed.
            descriptions: What the file of each says about it.
            rule: How the Q-functions are combined.

        Raises:
            MisfitError: Seeds, temperatures or hidden layers differ.
        """
        configs = shared_settings(descriptions)
        described = descriptions[0]
        self._seeds: Sequence[int] = described["seeds"]
        self._parts = parts
        self._descriptions = descriptions
        self._rule: Rule = rule
        self._batch = configs[0].batch
        self._constant = configs[0].learning_rate.constant
        setting = Setting(
            seeds=tuple(self._seeds),
            states=described["states"],
            actions=described["actions"],
            discount=described["task"]["discount"],
        )
        self._sampler = SteinSampler(configs, setting)
        self._exploration = setting.noise("exploration", setting.actions)
        self._diagnostics: dict[str, Tensor] = {}

    def act(
        self,
        state: Float[Tensor, "member state"],
        *,
        step: int,
        starting: Bool[Tensor, " member"],
    ) -> Float[Tensor, "member action"]:
        """One draw from the policy."""
        noise = self._exploration.at(step)
        return self.sample(state[:, None], noise[:, None]).squeeze(1)

    @torch.no_grad()
    def sample(
        self,
        state: Float[Tensor, "member batch state"],
        noise: Float[Tensor, "member batch action"],
    ) -> Float[Tensor, "member batch action"]:
        """Draws, approximately distributed as exp(Q/α) of the combined Q."""
        return self._sampler.sample(
            state, noise, self._q_of_particles, self.temperature
        )

    def greedy(
        self, state: Float[Tensor, "member batch state"]
    ) -> Float[Tensor, "member batch action"]:
        """The best, by the combined Q, of a fixed set of draws from the policy."""
        return self._sampler.best(state, self._q_of_particles)

    def q(
        self,
        state: Float[Tensor, "member batch state"],
        action: Float[Tensor, "member batch action"],
    ) -> Float[Tensor, "member batch"]:
        """The combined soft Q-function, in reward units."""
        first, second = (part.q(state, action) for part in self._parts)
        return SCALES[self._rule] * (first + second)

    def _q_of_particles(
        self,
        state: Float[Tensor, "member batch 1 state"],
        action: Float[Tensor, "member batch particle action"],
    ) -> Float[Tensor, "member batch particle"]:
        repeated = state.expand(-1, -1, action.shape[2], -1)
        return self.q(repeated.flatten(1, 2), action.flatten(1, 2)).view(
            action.shape[:3]
        )

    @property
    def temperature(self) -> Float[Tensor, " member"]:
        """Temperature α, that of both parts."""
        return self._parts[0].temperature

    def diagnostics(self) -> dict[str, Float[Tensor, " member"]]:
        """Length of the Stein direction; spread of actions."""
        return self._diagnostics

    def networks(self) -> dict[str, Tensor]:
        """The sampler's, and those of both parts."""
        named = {"policy": self._sampler.weights}
        for name, part in zip(PARTS, self._parts, strict=True):
            own = part.networks()
            named |= {f"{name}/{key}": tensor for key, tensor in own.items()}
        return named

    def optimizers(self) -> dict[str, Adam]:
        """Of the sampler."""
        return {"policy": self._sampler.adam}

    def exploration_state(self) -> dict[str, Tensor]:
        """The policy's own noise carries nothing."""
        return {}

    def follow_schedules(self, progress: float) -> None:
        """Step sizes of the sampler."""
        scale_learning_rates([self._sampler.adam], self._constant, progress=progress)

    def train(self, states: Float[ndarray, "member n state"], *, updates: int) -> None:
        """Let the sampler learn the combined Q-function (SQL Eqs. 13, 14).

        Args:
            states: Where, of each member; batches are drawn from them with replacement
                by the stream `composition states`.
            updates: How often.
        """
        if len(states) != len(self._seeds):
            raise MisfitError(
                f"there are {len(self._seeds)} members, but states of {len(states)}"
            )
        visited = torch.from_numpy(states.astype(np.float32))
        count = visited.shape[1]
        choice = Noise(
            self._seeds,
            "composition states",
            shape=(self._batch,),
            kind="uniform",
            dtype=np.float64,
        )
        for index in range(updates):
            self.follow_schedules(index / updates)
            row = (choice.at(index) * count).long().clamp_(max=count - 1)
            state = torch.take_along_dim(visited, row.unsqueeze(-1), dim=1)
            self._diagnostics = self._sampler.learn(
                state,
                self._q_of_particles,
                temperature=self.temperature,
                noise=self._sampler.noise.at(index),
            )

    def to_bytes(self) -> bytes:
        """Everything that `load` needs, the same bytes for the same policy."""
        described = dict(zip(PARTS, self._descriptions, strict=True))
        config = described | {"rule": self._rule}
        # One entry only: safetensors writes several in an order that changes.
        metadata = {"config": json.dumps(config, sort_keys=True)}
        networks = self.networks()
        arrays = {name: networks[name].numpy() for name in sorted(networks)}
        return save(arrays, metadata)
