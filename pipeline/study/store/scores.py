"""How runs stand beside exact answers, and compositions.

A score belongs to a run of `explore`; its columns are `ORACLE/METRIC/PLACE` and
`PERTURBATION/METRIC`, one number per seed (`docs/metrics.md`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from safetensors.numpy import load_file

from pipeline.study.store.layout import BEHAVIOUR, instance, readable
from pipeline.study.store.runs import Floats, Run

WITHSTOOD: Final = "success_of_any"
"""By what robustness is judged: success within all attempts of a start."""
UNCHANGED: Final = "unchanged"
"""The task as it was learned, among the perturbed ones."""


@dataclass(frozen=True)
class Score:
    """A run beside exact answers and in tasks not quite its own."""

    run: Run
    folder: Path
    exact: Mapping[str, Floats]
    robustness: Mapping[str, Floats]

    @property
    def oracles(self) -> list[str]:
        """Which it was compared with."""
        return list(dict.fromkeys(name.split("/")[0] for name in self.exact))

    @property
    def places(self) -> list[str]:
        """Where it was compared."""
        return list(dict.fromkeys(name.split("/")[2] for name in self.exact))

    @property
    def perturbations(self) -> list[str]:
        """The tasks it was tried in, its own first."""
        return list(dict.fromkeys(name.split("/")[0] for name in self.robustness))

    def behaviour(self) -> dict[str, Floats]:
        """Masses of actions and episodes, for figures."""
        path = self.folder / BEHAVIOUR
        with readable(path, instance("score", self.run.name)):
            return load_file(path)


@dataclass(frozen=True)
class Composition:
    """A sampler for two soft Q-functions together."""

    name: str
    folder: Path
    first: str
    second: str
    combine: str
    seeds: tuple[int, ...]
    final: Mapping[str, Floats]
    summary: Mapping[str, float]
    """Of the combined task's oracle, and the bound."""

    def behaviour(self) -> dict[str, Floats]:
        """Masses of actions and episodes, for figures."""
        path = self.folder / BEHAVIOUR
        with readable(path, instance("compose", self.name)):
            return load_file(path)
