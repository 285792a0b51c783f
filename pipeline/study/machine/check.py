"""Whether this machine can compute as `execution` asks, said before anything runs."""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pipeline.core.config.computation import Execution
from pipeline.study.errors import UserError
from pipeline.study.machine.settings import compiled_graphs

COMPILER: Final = "clang++" if sys.platform == "darwin" else "g++"
"""What torch compiles with where `CXX` says nothing."""
COMPILER_SECONDS: Final = 60
"""What a compiler may take for a line that takes a second."""
UNQUOTED: Final = set(" \t\n'\"\\")
"""What torch cannot have in paths: it does not quote them for its compiler."""
INSTEAD: Final = "or set execution.compile: never (the same study, more slowly)"
CPU_INFO: Final = Path("/proc/cpuinfo")
BFLOAT16: Final = ("avx512_bf16", "amx_bf16", "bf16")
"""What a processor with products in bfloat16 calls them; the last is Arm's."""


def check_machine(execution: Execution) -> None:
    """Refuse what cannot be done here, and warn of what would be slow.

    Raises:
        UserError: There is no compiler that torch can use, or no GPU, where one is
            asked for.
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


def compiler() -> str:
    """What torch compiles with: one program, by name or path."""
    return os.environ.get("CXX", COMPILER)


def _check_compiler(choice: str) -> None:
    asked, found = f"execution.compile: {choice}", shutil.which(compiler())
    if not (_headers() / "Python.h").exists() or not (found or "CXX" in os.environ):
        raise UserError(
            f"{asked}, but this machine has no C++ compiler with Python's headers; "
            f"on Debian or Ubuntu: apt-get install g++ python3-dev, {INSTEAD}"
        )
    if found is None:
        raise UserError(
            f"{asked}, but CXX={compiler()} is no program (torch takes one without "
            f"arguments); set CXX={COMPILER}, {INSTEAD}"
        )
    for folder in (compiled_graphs(), Path(sysconfig.get_path("purelib"))):
        if UNQUOTED & set(str(folder)):
            raise UserError(
                f"{asked}, but torch cannot compile where a path has a space or a "
                f"quote in it: {folder}; move the checkout, {INSTEAD}"
            )


def try_compiler(execution: Execution) -> None:
    """Compile a line as torch compiles an update; takes a second.

    Raises:
        UserError: It cannot be compiled, and should be.
    """
    if execution.compile == "never":
        return
    openmp = ["-fopenmp"] if sys.platform == "linux" else []
    with TemporaryDirectory() as folder:
        library = Path(folder, "tried.so")
        command = [*shlex.split(compiler()), "-std=c++20", "-shared", "-fPIC", *openmp]
        command += [f"-I{_headers()}", "-o", str(library), "-x", "c++", "-"]
        try:
            told = subprocess.run(
                command,
                input="#include <Python.h>\n",
                capture_output=True,
                text=True,
                timeout=COMPILER_SECONDS,
                check=False,
            ).stderr
        except subprocess.TimeoutExpired:
            told = f"no answer within {COMPILER_SECONDS} s"
        except OSError as error:
            told = str(error)
        if library.exists():
            return
    lines = told.splitlines() or ["it writes no library"]
    reason = next((line for line in lines if "error" in line), lines[-1])
    raise UserError(
        f"execution.compile: {execution.compile}, but {compiler()} compiles nothing "
        f"here: {reason.strip()[:200]}; set CXX to another compiler, {INSTEAD}"
    )


def _headers() -> Path:
    return Path(sysconfig.get_path("include"))


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
