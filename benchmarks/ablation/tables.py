"""Files and tables of what was measured."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ablation.variants import VARIANTS
from benchmarks.speed.rows import mean_interval

METRICS = {
    "multi_goal_score": ("score", 1.0, 3),
    "success": ("success", 1.0, 3),
    "return": ("return", 1.0, 1),
    "reverse_kl_middle": ("KL at (0, 0), nats", 1.0, 2),
    "reverse_kl_between": ("KL at (2.5, 2.5), nats", 1.0, 2),
    "q_kl_middle": ("KL of exp(Q/α) at (0, 0)", 1.0, 2),
    "q_kl_between": ("KL of exp(Q/α) at (2.5, 2.5)", 1.0, 2),
    "value_error": ("value error at (0, 0), %", 100.0, 2),
    "q_imbalance": ("imbalance of Q", 1.0, 3),
    "imbalance": ("imbalance of the sampler", 1.0, 3),
}
"""Columns of a file: what a table calls each, its factor and digits there."""


@dataclass(frozen=True)
class Measured:
    """What became of one variant."""

    settings: dict[str, Any]
    seconds: float
    """That training the whole population took."""
    code: str
    """Digest of the sources."""
    values: dict[str, np.ndarray]
    """One number per seed for every metric."""

    def write(self, path: Path) -> None:
        """The settings as a comment, then one row per seed; whole or not at all."""
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("w", newline="") as file:
            about = {"settings": self.settings, "seconds": round(self.seconds)}
            file.write(f"# {json.dumps(about | {'code': self.code})}\n")
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["variant", "seed", *METRICS])
            rows = np.stack([self.values[name] for name in METRICS], axis=1)
            for seed, row in zip(self.settings["seeds"], rows, strict=True):
                cells = (f"{value:.6g}" for value in row)
                writer.writerow([self.settings["variant"], seed, *cells])
        unfinished.replace(path)

    @classmethod
    def read(cls, path: Path, settings: dict[str, Any]) -> "Measured | None":
        """What a file says; None if there is none with these settings and metrics."""
        if not path.exists():
            return None
        with path.open(newline="") as file:
            about = json.loads(file.readline().removeprefix("# "))
            rows = list(csv.DictReader(file))
        alike = about["settings"] == json.loads(json.dumps(settings))
        if not alike or not set(METRICS) <= set(rows[0]):
            return None
        values = {
            name: np.array([float(row[name]) for row in rows]) for name in METRICS
        }
        return cls(settings, about["seconds"], about["code"], values)


def tables(found: dict[str, Measured], *, code: str) -> Iterator[str]:
    """Markdown: what every variant reached, and how far that is from the default.

    Args:
        found: By the variant's name.
        code: Digest of the sources as they are now.
    """
    if not found:
        yield "Nothing has been measured with these settings."
        return
    first = next(iter(found.values())).settings
    yield (
        f"Temperature {first['algorithm']['temperature']['fixed']:.4g}, "
        f"{first['steps']} steps, seeds {first['seeds']}, "
        f"{first['task']['evaluation']['final_episodes']} episodes after training. "
        "KL: from the policy to the oracle. Imbalance at (0, 0): total variation "
        "between the shares of the goals' directions and equal ones.\n"
    )
    if old := [name for name, measured in found.items() if measured.code != code]:
        yield f"Made by sources that have changed since: {', '.join(old)}.\n"
    titles = [title for title, _, _ in METRICS.values()]
    yield "Median over seeds (smallest … largest):\n"
    yield f"| variant | what is different | {' | '.join(titles)} | minutes |"
    yield "|---" * (len(titles) + 3) + "|"
    for name, measured in found.items():
        cells = [_spread(measured.values[metric], metric) for metric in METRICS]
        minutes = f"{measured.seconds / 60:.0f}"
        yield " | ".join([f"| {name}", VARIANTS[name].says, *cells, minutes]) + " |"
    if "default" not in found:
        return
    yield "\nMean difference from the default on the same seed and its 95 % interval "
    yield "(Student's t), bold where that is on one side of 0; by chance alone, one in "
    yield "twenty is:\n"
    yield f"| variant | {' | '.join(titles)} |"
    yield "|---" * (len(titles) + 1) + "|"
    for name, measured in found.items():
        if name != "default":
            pairs = {
                metric: measured.values[metric] - found["default"].values[metric]
                for metric in METRICS
            }
            cells = [_difference(pairs[metric], metric) for metric in METRICS]
            yield " | ".join([f"| {name}", *cells]) + " |"


def _spread(values: np.ndarray, metric: str) -> str:
    _, factor, digits = METRICS[metric]
    middle, low, high = factor * np.array([np.median(values), min(values), max(values)])
    return f"{middle:.{digits}f} ({low:.{digits}f} … {high:.{digits}f})"


def _difference(pairs: np.ndarray, metric: str) -> str:
    _, factor, digits = METRICS[metric]
    middle, low, high = mean_interval(factor * pairs)
    text = f"{middle:+.{digits}f} [{low:+.{digits}f}, {high:+.{digits}f}]"
    return f"**{text}**" if low > 0 or high < 0 else text
