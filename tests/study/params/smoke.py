"""The smoke study, as it is written."""

from pathlib import Path

from pipeline.study.store.files import read_yaml

ROOT = Path(__file__).parents[3]
VALID = ROOT / "studies" / "smoke.yaml"
TEXT = VALID.read_text()
DATA = read_yaml(VALID)

SEARCHING = DATA | {
    "sweep": DATA["sweep"]
    | {
        "search": DATA["sweep"]["search"]
        | {"pruning": {"percentile": 50.0, "startup_trials": 1, "warmup_steps": 100}},
        "runs": DATA["sweep"]["runs"]
        | {
            "sac": {
                "task": "multigoal",
                "space": {
                    "temperature": {
                        "choice": {
                            "fixed": {
                                "fixed": {"log_uniform": [1.0, 30.0]},
                                "annealing": None,
                            },
                            "automatic": {
                                "target_entropy_per_dim": {"uniform": [-2.0, 0.0]},
                                "initial": {"uniform": [1.0, 2.0], "step": 0.1},
                                "learning_rate": 1e-3,
                            },
                        }
                    },
                    "batch": {"integer": [16, 64], "step": 16},
                    "hidden": {"choice": [[32], [32, 32]]},
                    "value": {"choice": ["critics", "network"]},
                },
            },
        },
    }
}
"""The same with a search that uses everything that can be written there."""
