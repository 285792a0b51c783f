"""Whether this machine can compute as `execution` asks, said before anything runs."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Final

from pipeline.core.config.computation import Execution
from pipeline.study.errors import UserError

COMPILERS: Final = ("g++", "clang++")
CPU_INFO: Final = Path("/proc/cpuinfo")
BFLOAT16: Final = ("avx512_bf16", "amx_bf16", "bf16")
"""What a processor with products in bfloat16 calls them; the last is Arm's."""


def check_machine(execution: Execution) -> None:
    """Refuse what cannot be done here, and warn of what would be slow.

    Raises:
        UserError: There is no compiler, or no GPU, where one is asked for.
    """
    if execution.device == "cuda":
        _check_gpu()
    if execution.compile != "never":
        _check_compiler(execution.compile)
    if execution.precision == "bfloat16" and execution.device == "cpu":
        _warn_of_slow_products()


def _check_gpu() -> None:
    import torch

    if not torch.cuda.is_available():
        raise UserError(
            "execution.device: cuda, but this machine has no GPU that torch "
            f"{torch.__version__} can use; install a build of torch for its GPU, or "
            "set execution.device: cpu"
        )


def _check_compiler(choice: str) -> None:
    found = os.environ.get("CXX") or next(filter(shutil.which, COMPILERS), None)
    header = Path(sysconfig.get_path("include")) / "Python.h"
    if found is None or not header.exists():
        raise UserError(
            f"execution.compile: {choice}, but this machine has no C++ compiler with "
            "Python's headers; on Debian or Ubuntu: apt-get install g++ python3-dev, "
            "or set execution.compile: never (the same study, more slowly)"
        )


def has_bfloat16() -> bool:
    """Whether this processor has products in bfloat16, as far as it says so."""
    flags = CPU_INFO.read_text().split() if CPU_INFO.exists() else []
    return bool(set(BFLOAT16) & set(flags))


def _warn_of_slow_products() -> None:
    if not has_bfloat16():
        print(
            "warning: execution.precision: bfloat16, but this processor has no "
            "products in bfloat16: float32 is faster here",
            file=sys.stderr,
        )
