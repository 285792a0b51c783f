"""The list of papers whose claims are tested: a new paper is its file and a line."""

from typing import Final

from pipeline.study.claims import composable_2018, soft_q_learning_2017
from pipeline.study.claims.base import Claim, Evidence

PAPERS: Final = (soft_q_learning_2017.claims, composable_2018.claims)
"""What judges the claims of each paper, in the order in which they are shown."""


def judge(evidence: Evidence) -> list[Claim]:
    """Every claim that the results of a study can test."""
    return [claim for claims in PAPERS for claim in claims(evidence)]
