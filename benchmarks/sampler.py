"""How often the Stein sampler loses one of two equal peaks, and how far its draws are.

    python -m benchmarks.sampler

A fixed Q with peaks at ±c, no environment: Q(a) = α log(exp(-‖a - c‖²/w) +
exp(-‖a + c‖²/w)). A peak is lost if fewer than 10 % of the draws are on its side.
Distances are KL divergences from exp(Q/α), between 20 by 20 cells.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from benchmarks.ablation.learners import PlainStartSampler
from benchmarks.machine import machine
from pipeline.core.agents.setting import Setting
from pipeline.core.agents.settings import Sql
from pipeline.core.agents.stein import SteinSampler
from pipeline.core.exact.distance import NODES, quadrature, reverse_kl

SEEDS = tuple(range(10))
UPDATES = 2000
DRAWS = 20_000
TEMPERATURE = 0.5
SETTINGS = """{"kind": "sql", "critics": 1, "hidden": [64, 64], "batch": 32,
    "replay": 1000, "warmup": 1, "updates_per_step": 1, "target": {"tau": 0.01},
    "learning_rate": {"q": 1e-3, "policy": 1e-3, "constant": 1.0},
    "temperature": {"fixed": 0.5},
    "value_particles": 2, "value_points": "random",
    "particles": {"states": 32, "fixed": 16, "updated": 16},
    "candidates": 1}"""
CANDIDATES = (1, 2, 4, 16)
"""Of so many draws one is taken, by importance."""
CELLS = 20
PEAKS = [((0.5, 0.0), 0.05), ((0.5, 0.0), 0.03), ((0.5, 0.5), 0.10), ((0.5, 0.5), 0.06)]
"""c and w."""
STARTS = {"almost uniform": SteinSampler, "a blob in the middle": PlainStartSampler}
"""How fresh samplers draw; the first is the product's."""


@dataclass(frozen=True)
class Peaks:
    """Q(a) = α log(exp(-‖a - c‖²/w) + exp(-‖a + c‖²/w))."""

    centre: tuple[float, float]
    width: float

    def __call__(self, _: Tensor, action: Tensor) -> Tensor:
        """Q, whatever the state."""
        c = torch.tensor(self.centre, dtype=action.dtype)
        near = -(action - c).square().sum(dim=-1) / self.width
        far = -(action + c).square().sum(dim=-1) / self.width
        return TEMPERATURE * torch.logaddexp(near, far)

    def masses(self) -> np.ndarray:
        """Of exp(Q/α) in every cell of the box."""
        nodes, weights = quadrature(CELLS)
        energy = self(torch.empty(0), torch.from_numpy(nodes)).numpy() / TEMPERATURE
        density = np.exp(energy) * weights
        cells = density.reshape(CELLS, NODES, CELLS, NODES).sum(axis=(1, 3))
        return np.asarray(cells / cells.sum())


def trained(kind: type[SteinSampler], peaks: Peaks) -> SteinSampler:
    """One sampler per seed, for the same Q."""
    config = Sql.model_validate_json(SETTINGS)
    sampler = kind([config] * len(SEEDS), Setting(SEEDS, 1, 2, discount=0.0))
    state = torch.zeros(len(SEEDS), config.batch, 1)
    for index in range(UPDATES):
        noise = sampler.noise.at(index)
        sampler.learn(state, peaks, temperature=alphas(), noise=noise)
    return sampler


def alphas() -> Tensor:
    """The temperature, for every member."""
    return torch.full((len(SEEDS),), TEMPERATURE)


def drawn(sampler: SteinSampler, peaks: Peaks, candidates: int) -> Tensor:
    """Actions [seed, draw, 2], one of so many draws each."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(len(SEEDS), DRAWS, 2, generator=generator)
    sampler.candidates = candidates
    return sampler.sample(torch.zeros(*noise.shape[:2], 1), noise, peaks, alphas())


def main() -> None:
    torch.set_num_threads(1)
    print(f"Measured on: {machine('torch')}\n")
    of = ", ".join(str(count) for count in CANDIDATES)
    print(
        "| begins | peaks at | standard deviation | lost one | on one side, by seed "
        f"| median KL of one of {of} draws |"
    )
    print("|---|---|---|---|---|---|")
    for name, kind in STARTS.items():
        for centre, width in PEAKS:
            peaks = Peaks(centre, width)
            sampler = trained(kind, peaks)
            towards = drawn(sampler, peaks, 1) @ torch.tensor(centre)
            shares = (towards > 0).float().mean(dim=1).tolist()
            lost = sum(min(share, 1 - share) < 0.1 for share in shares)
            listed = ", ".join(f"{share:.2f}" for share in shares)
            cells = f"±{centre} | {(width / 2) ** 0.5:.2f} | {lost} of {len(shares)}"
            masses = peaks.masses()
            medians = [
                np.median(
                    [
                        reverse_kl(own, masses).value
                        for own in drawn(sampler, peaks, count).double().numpy()
                    ]
                )
                for count in CANDIDATES
            ]
            distances = ", ".join(f"{median:.3f}" for median in medians)
            print(f"| {name} | {cells} | {listed} | {distances} |")


if __name__ == "__main__":
    main()
