"""The papers whose claims are tested: a new one is its file, or folder, and a line."""

from dataclasses import replace
from typing import Final

from pipeline.study.claims import composable_2018, soft_actor_critic_2018
from pipeline.study.claims.base import Claim, Evidence
from pipeline.study.claims.soft_q_learning_2017 import (
    exploration,
    fine_tuning,
    optimality,
    pretraining,
)
from pipeline.study.store.runs import failures

PAPERS: Final = (
    exploration.claims,
    pretraining.claims,
    fine_tuning.claims,
    optimality.claims,
    composable_2018.claims,
    soft_actor_critic_2018.claims,
)
"""What judges the claims of each paper, in the order in which they are shown."""


def judge(evidence: Evidence) -> list[Claim]:
    """Every claim that the results of a study can test."""
    found = [claim for claims in PAPERS for claim in claims(evidence)]
    return [replace(claim, measured=_measured(claim, evidence)) for claim in found]


def _measured(claim: Claim, evidence: Evidence) -> str:
    """What was measured, and how many seeds of each run have failed."""
    failed = [
        f"{text} in {run.id}"
        for run in evidence.runs
        if run.id in claim.runs and (text := failures(run))
    ]
    return "; ".join([claim.measured, *failed])
