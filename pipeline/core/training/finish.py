"""What is kept of a training that has come to its end."""

from collections.abc import Sequence

import numpy as np
from numpy import ndarray

from pipeline.core.job import Array, Record, Result
from pipeline.core.judging.evaluation import Evaluator, summary
from pipeline.core.training.loop import Training

KEPT_EPISODES = 50
"""Episodes of the final evaluation whose positions are kept."""


def finish(training: Training) -> Result:
    """Judge the population after its last step, and pack everything up."""
    job = training.job
    training.agent.follow_schedules(1.0)
    evaluator = Evaluator(
        job.task, job.seeds, episodes=job.task.evaluation.final_episodes
    )
    for member, failure in training.failures.items():
        evaluator.fail(member, failure.reason)
    trajectories = evaluator(training.agent, block=job.steps + 1)
    training.note(evaluator.failures, "in the final evaluation, ")
    behaviour: dict[str, Array] = {}
    if trajectories.positions is not None:
        kept = trajectories.positions[:, :KEPT_EPISODES]
        behaviour["positions"] = kept.astype(np.float32)
    final = summary(job.task, trajectories)
    final |= job.task.milestones(
        *_evaluations(training.records), after=job.algorithms[0].waiting
    )
    if job.task.is_composable and (visited := training.visited()) is not None:
        behaviour["visited"] = visited
    networks = {k: v.cpu().numpy().copy() for k, v in training.agent.networks().items()}
    return Result(
        records=training.records,
        final=training.without_failed(final),
        weights=networks,
        behaviour=behaviour,
        states=training.states,
        actions=training.actions,
        failures=training.failures,
    )


def _evaluations(records: Sequence[Record]) -> tuple[ndarray, dict[str, ndarray]]:
    """Steps of all evaluations, and what was found: `[evaluation, member]`."""
    prefix = "evaluation/"
    judged = [each for each in records if f"{prefix}return" in each.metrics]
    return np.array([float(each.step) for each in judged]), {
        name.removeprefix(prefix): np.array([each.metrics[name] for each in judged])
        for name in judged[0].metrics
        if name.startswith(prefix)
    }
