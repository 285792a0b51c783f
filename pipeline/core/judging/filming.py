"""One episode of the evaluation after training, played again before a camera."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy import ndarray

from pipeline.core.agents.base import Agent
from pipeline.core.judging.parts import parts
from pipeline.core.population.randomness import integers, stream
from pipeline.core.tasks.gymnasium.copy import Copy
from pipeline.core.tasks.kind import Kind

FRAME_SECONDS: Final = 0.08
"""From a frame to the next one, as nearly as steps allow."""
STEP_SECONDS: Final = 0.05
"""Of an environment that does not say how fast it is."""


class LostError(Exception):
    """The environment raised or hung."""


@dataclass(frozen=True)
class Film:
    """What was seen of an episode, and what came of it."""

    frames: list[UInt8[ndarray, "height width 3"]]
    """The first, those at equal distances, and the last."""
    frame_seconds: float
    """From a frame to the next one, in the environment's own time."""
    step_seconds: float
    places: list[Float[ndarray, " 2"]]
    """Where the body was, before the first step and after each."""
    total: float
    """The return: the sum of rewards, not discounted."""
    steps: int
    ended: bool
    """Whether it came to an end, other than by a time limit."""


def filmed(
    agent: Agent,
    task: Kind,
    scene: Copy,
    *,
    row: int,
    seed: int,
    block: int,
    episode: int,
) -> Film:
    """Let a member act in one of the episodes of its final evaluation.

    `row` is the member's in the population, `seed` its own, `block` that of the
    evaluation's streams; episodes are counted from 0. Start and noise are those of the
    evaluation, and as many actions are computed together, so that they are rounded as
    there while no episode had ended.

    Raises:
        LostError: The environment failed.
    """
    count = task.evaluation.final_episodes
    starts = integers(seed, "evaluation starts", block, count)
    noises = stream(seed, "evaluation noise", block)
    step_seconds = 1 / scene.metadata.get("render_fps", 1 / STEP_SECONDS)
    every = max(1, round(FRAME_SECONDS / step_seconds))
    state, _ = scene.reset(seed=starts[episode])
    frames, places = [_shot(scene)], [scene.position]
    total, steps, ended, cut = 0.0, 0, False, False
    while not (ended or cut or steps == task.time_limit):
        shape = count, *(scene.action_space.shape or ())
        noise = noises.standard_normal(shape, dtype=np.float32)
        action = _actions(agent, task, state, noise)[row, episode]
        state, reward, ended, cut, _ = scene.step(action)
        steps, total = steps + 1, total + reward
        places.append(scene.position)
        if ended or cut or steps in (task.time_limit, every * len(frames)):
            frames.append(_shot(scene))
    return Film(frames, every * step_seconds, step_seconds, places, total, steps, ended)


def _shot(scene: Copy) -> UInt8[ndarray, "height width 3"]:
    if scene.failure is not None:
        raise LostError(scene.failure)
    frame: ndarray = np.asarray(scene.render())
    return frame


@torch.no_grad()
def _actions(
    agent: Agent,
    task: Kind,
    state: Float[ndarray, " state"],
    noise: Float[ndarray, "episode action"],
) -> Float[ndarray, "member episode action"]:
    """What all members would do in one state, with the noise of every episode."""
    members = len(next(iter(agent.networks().values())))
    states, noises = (
        torch.from_numpy(x.astype(np.float32)).expand(members, len(noise), -1)
        for x in (state, noise)
    )
    if task.evaluation.policy == "greedy":
        return agent.greedy(states).numpy()
    acted = [agent.sample(*part) for part in parts(states, noises)]
    return torch.cat(acted, dim=1).numpy()
