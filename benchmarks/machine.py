"""Where a number was measured."""

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path


def machine(*packages: str) -> str:
    """Processor, cores, Python, versions of packages and the commit, in a sentence."""
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text() if cpuinfo.exists() else ""
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    name = model.group(1) if model else platform.processor()
    wide = " with AVX-512" if "avx512f" in text else ""
    command = ["git", "rev-parse", "--short", "HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True)
        commit = found.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        commit = "unknown"  # a copy without its history
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    return (
        f"{name}{wide}, {os.cpu_count()} cores; Python {platform.python_version()}, "
        f"{versions}; commit {commit}."
    )
