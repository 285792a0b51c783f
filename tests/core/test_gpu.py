"""Everything runs with `device: cuda`. Skipped where there is no GPU."""

import subprocess
import sys

import pytest
import torch

from tests.core.configs import ALGORITHMS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"),
]
CHECKS = [
    f"{check}({name!r})"
    for name in ("sql", "sac", "sac_tuned", "sac_2018", "ddpg_gaussian")
    for check in ("same", "alone")
]


def run(code):
    subprocess.run([sys.executable, "-c", code], check=True, timeout=500)


@pytest.mark.parametrize("check", CHECKS)
def test_updates_are_those_of_a_cpu(check):
    run(f"from tests.core import gpu_checks; gpu_checks.{check}")


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_training_is_judged_and_continued(name, tmp_path):
    run(
        "from pathlib import Path; from tests.core import gpu_checks; "
        f"gpu_checks.whole({name!r}, Path({str(tmp_path)!r}))"
    )
