"""What each optimisation of an update brings: compiled updates with one switched off.

What is switched off stands in for classes and functions of `pipeline.core` while the
learners are made, and computes the same numbers.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import count, islice
from typing import Any

import torch
from torch import Tensor

from benchmarks.patches import Patch, patched
from benchmarks.speed import subject
from benchmarks.speed.contest import Contestant, Effort, contest
from benchmarks.speed.rows import Row, groups, interval, markdown, rates, ratios
from benchmarks.speed.subject import Case, Program, Run
from pipeline.core.agents import sac, setting, sql, stein
from pipeline.core.agents.base import QLearner
from pipeline.core.agents.sac import SoftActorCritic
from pipeline.core.agents.sql import SoftQLearning
from pipeline.core.agents.stein import SteinSampler
from pipeline.core.equations import soft
from pipeline.core.population.networks import Mlp
from pipeline.core.population.noise import Noise
from pipeline.core.population.optimizer import Adam, learnable

CASES = (Case("sql", 1, 128, 256), Case("sql", 5, 128, 64), Case("sac", 8, 128, 64))
PARTS = 6
"""Of a network whose tensors are optimised and averaged one by one."""


class Joined(Mlp):
    """Inputs are joined, and the first layer is computed anew for every particle."""

    def __call__(self, weights: Tensor, *inputs: Tensor) -> Tensor:
        """As the network that shares."""
        particles = max(x.shape[2] for x in inputs)
        whole = torch.cat([x.expand(-1, -1, particles, -1) for x in inputs], dim=3)
        one = Mlp((sum(self.inputs),), self.hidden, self.output, self.computation)
        return one(weights, whole)


class LastByMatrix(Mlp):
    """The last layer is a product also where it has one column."""

    def _last(self, x: Tensor, matrix: Tensor, bias: Tensor) -> Tensor:
        return torch.baddbmm(bias, x, matrix)


class GradientsOfFixed(SteinSampler):
    """Gradients go through all particles, although those of the fixed ones are zero."""

    def learn(
        self, state: Tensor, q: Any, *, temperature: Tensor, noise: Tensor
    ) -> dict[str, Tensor]:
        """As the sampler that draws them apart."""
        state = state[:, : self._states].unsqueeze(2)
        weights = learnable(self.weights)
        particles = self._particles(weights, state, noise)
        fixed, updated = torch.split(particles.detach(), self._counts, dim=2)
        slope = self._slope(fixed, partial(q, state), temperature)
        direction = soft.stein_direction(fixed, updated, slope, temperature[:, None])
        whole = torch.cat([torch.zeros_like(fixed), direction], dim=2)
        count = direction.shape[1] * direction.shape[2]
        (ascent,) = torch.autograd.grad(particles, weights, whole / count)
        self.adam.step(-ascent)
        return {"stein_norm": direction.norm(dim=3).mean(dim=(1, 2))}


class GradientsOfCritic(SteinSampler):
    """The critic's weights get gradients where only those of actions are used."""

    def _slope(self, particles: Tensor, q: Any, temperature: Tensor) -> Tensor:
        agent, (state,) = q.func.__self__, q.args
        u, weights = learnable(particles), learnable(agent._q)
        each = agent._critics(weights, state, self._action(u))
        volume = temperature[:, None, None] * self._log_volume(u)
        energy = agent._combined(each) + volume
        slope, unused = torch.autograd.grad(energy.sum(), (u, weights))
        return slope + 0.0 * unused.mean()


class GradientsOfCritics(SoftActorCritic):
    """The critics' weights get gradients in the actor's step, too."""

    def _update_policy(
        self, state: Tensor, noise: Tensor, temperature: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        weights, critics = learnable(self._policy), learnable(self._q)
        action, log_prob = self._actor.draw(weights, state, noise)
        q = self._critics(critics, state, action).amin(dim=1)
        loss = soft.actor_loss(log_prob, q, temperature)
        gradient, unused = torch.autograd.grad(loss.sum(), (weights, critics))
        self._policy_adam.step(gradient + 0.0 * unused.mean())
        log_prob = log_prob.detach()
        known = {"policy_loss": loss.detach(), "entropy": -log_prob.mean(dim=1)}
        return q.detach() - temperature[:, None] * log_prob, known


class OptimizersOfParts(Adam):
    """A network's tensors are optimised one by one."""

    def __init__(self, weights: Tensor, learning_rate: Tensor) -> None:
        super().__init__(weights, learning_rate)
        self._parts = [
            Adam(part, learning_rate) for part in weights.chunk(PARTS, dim=1)
        ]

    def step(self, gradient: Tensor) -> None:
        """Descend the gradient once."""
        pieces = gradient.chunk(PARTS, dim=1)
        for part, piece in zip(self._parts, pieces, strict=False):
            part.step(piece)


class AveragesOfParts(QLearner):
    """Target networks follow tensor by tensor."""

    def _average_targets(self) -> None:
        for pair in self._targets():
            pieces = (x.chunk(PARTS, dim=1) for x in pair)
            for target, source in zip(*pieces, strict=True):
                target.copy_(soft.polyak_average(target, source, subject.TAU))


class SqlOfParts(AveragesOfParts, SoftQLearning):
    """Soft Q-learning with such targets."""


class SacOfParts(AveragesOfParts, SoftActorCritic):
    """Soft actor-critic with such targets."""


@dataclass(frozen=True)
class Switch:
    """An optimisation that is switched off."""

    learners: tuple[str, ...] = ("sql", "sac")
    replaced: tuple[Patch, ...] = ()
    program: Program = "graph"
    reads: bool = False
    """Whether the numbers of every update are asked for."""
    alone: bool = False
    """Whether members learn one after the other."""


SWITCHES: Mapping[str, Switch] = {
    "nothing": Switch(),
    "one compiled graph": Switch(program="eager"),
    "the states' share of the first layer, once for all particles": Switch(
        ("sql",), ((setting, "Mlp", Joined),)
    ),
    "the last layer of critics as a sum": Switch(
        replaced=((setting, "Mlp", LastByMatrix),)
    ),
    "no gradients of fixed particles": Switch(
        ("sql",), ((sql, "SteinSampler", GradientsOfFixed),)
    ),
    "no gradients of the critic's weights in the sampler's step": Switch(
        ("sql",), ((sql, "SteinSampler", GradientsOfCritic),)
    ),
    "no gradients of the critics' weights in the actor's step": Switch(
        ("sac",), ((sac, "SoftActorCritic", GradientsOfCritics),)
    ),
    "one optimiser for all tensors of a network": Switch(
        replaced=tuple(
            (module, "Adam", OptimizersOfParts) for module in (sql, sac, stein)
        )
    ),
    "all tensors of a target averaged at once": Switch(
        replaced=(
            (sql, "SoftQLearning", SqlOfParts),
            (sac, "SoftActorCritic", SacOfParts),
        )
    ),
    "numbers of an update stay where they are": Switch(reads=True),
    "random numbers in blocks": Switch(
        replaced=((setting, "Noise", partial(Noise, block=1)),)
    ),
    "members side by side": Switch(alone=True),
}


def population_without(case: Case, switch: Switch) -> QLearner:
    """As `subject.population`, with one optimisation switched off."""
    with patched(switch.replaced):
        return subject.population(case)


def updating_without(case: Case, name: str) -> Run:
    """As `subject.updating`, with one optimisation switched off."""
    switch = SWITCHES[name]
    case = replace(case, program=switch.program)
    own, times = (replace(case, members=1), case.members) if switch.alone else (case, 1)
    learners = [population_without(own, switch) for _ in range(times)]
    drawn = subject.batches(own)
    indices = count()

    def run(calls: int) -> None:
        for index in islice(indices, calls):
            for learner in learners:
                learner.update(drawn[index % subject.BATCHES], index=index)
                if switch.reads:
                    for value in learner.diagnostics().values():
                        value.tolist()

    return run


def measure(effort: Effort) -> Iterator[list[Row]]:
    make: Callable[..., Run] = updating_without
    for case in CASES:
        yield contest(
            [
                Contestant(
                    asdict(case) | {"off": name},
                    make,
                    (case, name),
                    host=name,
                    each=case.members,
                )
                for name, switch in SWITCHES.items()
                if case.learner in switch.learners
                and not (switch.alone and case.members == 1)
            ],
            effort,
        )


def lines(rows: Sequence[Row]) -> Iterator[str]:
    for own in groups(rows, *subject.POPULATION).values():
        learner, members, units, batch = subject.cells(own[0])
        yield f"\n{learner}, members: {members}, {units}, batch {batch}:\n"
        ways = groups(own, "off")
        base = ways[("nothing",)]
        yield from markdown(
            ["without", "member-updates/s", "all of them are faster by [95 %]"],
            (
                [str(name), interval(rates(way)), interval(ratios(base, way))]
                for (name,), way in ways.items()
            ),
        )
