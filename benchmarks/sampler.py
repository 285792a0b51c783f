"""How often the Stein sampler loses one of two equal peaks.

    python -m benchmarks.sampler

A fixed Q with peaks at ±c, no environment: Q(a) = α log(exp(-‖a - c‖²/w) +
exp(-‖a + c‖²/w)). A peak is lost if fewer than 10 % of the draws are on its side.
"""

import torch

from benchmarks.ablation.learners import PlainStartSampler
from benchmarks.machine import machine
from pipeline.core.agents.stein import SteinSampler
from pipeline.core.config import Sql

SEEDS = list(range(10))
UPDATES = 2000
DRAWS = 20_000
TEMPERATURE = 0.5
SETTINGS = """{"kind": "sql", "hidden": [64, 64], "batch": 32, "replay": 1000,
    "warmup": 1, "updates_per_step": 1, "target": {"tau": 0.01},
    "learning_rate": {"q": 1e-3, "policy": 1e-3, "constant": 1.0},
    "temperature": {"fixed": 0.5},
    "value_particles": 2, "value_points": "random",
    "particles": {"states": 32, "fixed": 16, "updated": 16, "bandwidth": 0.1},
    "candidates": 1}"""
PEAKS = [
    ((0.5, 0.0), 0.05),
    ((0.5, 0.0), 0.03),
    ((0.5, 0.5), 0.10),
    ((0.5, 0.5), 0.06),
]
"""c and w."""
STARTS = {"almost uniform": SteinSampler, "a blob in the middle": PlainStartSampler}
"""How fresh samplers draw; the first is the product's."""


def share_on_the_side_of_c(
    kind: type[SteinSampler], centre: tuple[float, float], width: float
) -> list[float]:
    """Train one sampler per seed; the share of its draws that are nearer to c.

    Args:
        kind: Of sampler.
        centre: c.
        width: w.
    """
    c = torch.tensor(centre)

    def q(_: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
        near = -(action - c).square().sum(dim=-1) / width
        far = -(action + c).square().sum(dim=-1) / width
        return TEMPERATURE * torch.logaddexp(near, far)

    members = len(SEEDS)
    config = Sql.model_validate_json(SETTINGS)
    sampler = kind([config] * members, SEEDS, states=1, actions=2)
    state = torch.zeros(members, config.batch, 1)
    alpha = torch.full((members,), TEMPERATURE)
    for index in range(UPDATES):
        sampler.update(state, q, temperature=alpha, index=index)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(members, 1, DRAWS, 2, generator=generator)
    actions = sampler.draw(state[:, :1, None], noise)[:, 0]
    return [float(share) for share in (actions @ c > 0).float().mean(dim=1)]


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    print(f"Measured on: {machine('torch')}\n")
    print(
        "| begins | peaks at | standard deviation | lost one | on one side, by seed |"
    )
    print("|---|---|---|---|---|")
    for name, kind in STARTS.items():
        for centre, width in PEAKS:
            shares = share_on_the_side_of_c(kind, centre, width)
            lost = sum(min(share, 1 - share) < 0.1 for share in shares)
            listed = ", ".join(f"{share:.2f}" for share in shares)
            cells = f"±{centre} | {(width / 2) ** 0.5:.2f} | {lost} of {len(shares)}"
            print(f"| {name} | {cells} | {listed} |")


if __name__ == "__main__":
    main()
