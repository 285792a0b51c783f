"""The policy of two frozen soft Q-functions together, and how its sampler learns."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from safetensors.numpy import save
from torch import Tensor

from pipeline.core.agents.base import Part, scale_learning_rates
from pipeline.core.agents.energy import EnergyPolicy
from pipeline.core.agents.setting import Setting
from pipeline.core.agents.shapes import Actions, Numbers, Particles, States, Values
from pipeline.core.agents.sql import SoftQLearning
from pipeline.core.agents.stein import SteinSampler
from pipeline.core.composition.fit import shared_settings
from pipeline.core.population.noise import Noise
from pipeline.core.tasks.multigoal.combination import SCALES, MisfitError, Rule

PARTS = "first", "second"


class Composed(EnergyPolicy):
    """The policy of two frozen soft Q-functions together."""

    def __init__(
        self,
        both: Sequence[SoftQLearning],
        descriptions: Sequence[dict[str, Any]],
        rule: Rule,
    ) -> None:
        """Put two populations together; the sampler is fresh, and has all noise.

        `both` are alike in seeds; `descriptions` are what the file of each says about
        it.

        Raises:
            MisfitError: The two do not fit; see `shared_settings`.
        """
        both_have = shared_settings(descriptions)
        configs = [c.model_copy(update={"noise_set": None}) for c in both_have]
        described = descriptions[0]
        self._seeds: Sequence[int] = described["seeds"]
        self._both = both
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
        self._sample_once = self.sample
        self._parts = {"policy": Part(self._sampler.weights, self._sampler.adam)} | {
            f"{name}/{key}": Part(tensor)
            for name, part in zip(PARTS, both, strict=True)
            for key, tensor in part.networks().items()
        }
        self._diagnostics = {}

    def q(self, state: States, action: Actions) -> Values:
        first, second = (part.q(state, action) for part in self._both)
        return SCALES[self._rule] * (first + second)

    def _q_of_particles(
        self, state: Float[Tensor, "member batch 1 state"], action: Particles
    ) -> Float[Tensor, "member batch particle"]:
        repeated = state.expand(-1, -1, action.shape[2], -1)
        return self.q(repeated.flatten(1, 2), action.flatten(1, 2)).view(
            action.shape[:3]
        )

    @property
    def temperature(self) -> Numbers:
        return self._both[0].temperature

    def follow_schedules(self, progress: float) -> None:
        scale_learning_rates([self._sampler.adam], self._constant, progress=progress)

    def train(self, states: Float[ndarray, "member n state"], *, updates: int) -> None:
        """Let the sampler learn the combined Q-function (SQL Eqs. 13, 14).

        Batches are drawn from each member's `states` with replacement, by the stream
        `composition states`.
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
