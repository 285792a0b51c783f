"""Small settings of every learner and task, for tests."""

from pydantic import TypeAdapter

from pipeline.core.agents.settings import Algorithm
from pipeline.core.tasks.settings import Task

EVALUATION = {"every": 40, "episodes": 3, "final_episodes": 4, "policy": "sample"}
SHARED = {
    "hidden": (16, 16),
    "learning_rate": {"q": 1e-3, "policy": 2e-3, "constant": 0.5},
    "batch": 8,
    "replay": 60,
    "warmup": 10,
    "updates_per_step": 1,
    "target": {"tau": 0.05},
}
ON_POLICY = {
    "kind": "reinforce",
    "hidden": (16, 16),
    "temperature": {"fixed": 0.5},
    "learning_rate": 2e-3,
    "steps_per_update": 8,
    "credit": "reward_to_go",
}
ALGORITHMS = {
    "sql": SHARED
    | {
        "kind": "sql",
        "critics": 2,
        "temperature": {"fixed": 2.0},
        "value_particles": 6,
        "value_points": "lattice",
        "particles": {"states": 5, "fixed": 4, "updated": 3},
        "candidates": 3,
    },
    "sql_copied": SHARED  # with a table of values, and everything that changes in time
    | {
        "kind": "sql",
        "critics": 1,
        "temperature": {"fixed": 2.0, "annealing": {"temperature": 8.0, "share": 0.5}},
        "replay": 200,
        "target": {"update_every": 25},
        "value_particles": 6,
        "value_points": "random",
        "particles": {"states": 5, "fixed": 4, "updated": 3},
        "candidates": 1,
        "noise_set": {"size": 8, "share": 0.9},
    },
    "sql_policy": SHARED  # whose soft values are estimated from its own draws
    | {
        "kind": "sql",
        "critics": 1,
        "temperature": {"fixed": 2.0},
        "value_particles": 6,
        "value_points": "policy",
        "particles": {"states": 5, "fixed": 4, "updated": 3},
        "candidates": 1,
    },
    "sac": SHARED | {"kind": "sac", "temperature": {"fixed": 2.0}, "value": "critics"},
    "sac_tuned": SHARED
    | {
        "kind": "sac",
        "temperature": {
            "target_entropy_per_dim": -1.0,
            "initial": 0.5,
            "learning_rate": 1e-2,
        },
        "value": "critics",
    },
    "sac_2018": SHARED
    | {"kind": "sac", "temperature": {"fixed": 2.0}, "value": "network"},
    "ddpg": SHARED
    | {
        "kind": "ddpg",
        "noise": {"ornstein_uhlenbeck": {"theta": 0.15, "sigma": 0.3}},
        "target": {"update_every": 5},
    },
    "ddpg_gaussian": SHARED | {"kind": "ddpg", "noise": {"gaussian": {"sigma": 0.1}}},
    "reinforce": ON_POLICY
    | {"baseline": {"value_network": {"learning_rate": 5e-3, "steps": 4}}},
    "reinforce_plain": ON_POLICY | {"credit": "whole_return", "baseline": "none"},
}
Q_LEARNERS = [name for name in ALGORITHMS if not name.startswith("reinforce")]
COMMON = {"discount": 0.9, "objective": "return", "evaluation": EVALUATION}
TASKS: dict[str, dict[str, object]] = {
    "multigoal": COMMON
    | {
        "kind": "multigoal",
        "horizon": 12,
        "goals": ((5.0, 0.0), (-5.0, 0.0), (0.0, 5.0), (0.0, -5.0)),
        "goals_end_episode": True,
    },
    "passages": COMMON
    | {
        "kind": "navigation",
        "world": {
            "half_width": 5.0,
            "start": (-3.0, 0.0),
            "walls": ({"low": (-1.0, -1.0), "high": (1.0, 1.0)},),
            "targets": ((3.0, 0.0), (0.0, 3.0)),
            "finish_line": 2.0,
        },
        "body": "point",
        "reward": {"bump": {"height": 1.0, "width": 2.0}, "effort": 0.1},
        "end": "at_target",
        "horizon": 12,
    },
    "momentum": COMMON
    | {
        "kind": "navigation",
        "world": {"half_width": 8.0, "start": (0.0, 0.0), "finish_line": 2.0},
        "body": "point_with_momentum",
        "reward": {"speed": "either_way", "past_line": 1.0, "effort": 0.1},
        "end": "never",
        "horizon": 15,
    },
    "swimmer": COMMON
    | {
        "kind": "navigation",
        "world": {"half_width": 40.0, "start": (0.0, 0.0)},
        "body": "swimmer",
        "reward": {"speed": "any", "effort": 1e-4},
        "end": "never",
        "horizon": 20,
    },
    "ant": COMMON
    | {
        "kind": "navigation",
        "world": {"half_width": 4.0, "start": (1.0, -1.0)},
        "body": "ant",
        "reward": {"speed": "forward", "effort": 1e-4},
        "end": "flipped",
        "horizon": 12,
    },
    "linear_quadratic": COMMON
    | {
        "kind": "linear_quadratic",
        "dynamics": ((1.0, 0.1), (0.0, 0.9)),
        "control": ((1.0, 0.0), (0.0, 1.0)),
        "state_cost": ((1.0, 0.0), (0.0, 1.0)),
        "action_cost": ((1.0, 0.0), (0.0, 0.5)),
        "noise": 0.1,
        "start": 0.5,
        "bound": 5.0,
        "horizon": 15,
    },
    "pendulum": COMMON | {"kind": "gymnasium", "id": "Pendulum-v1", "horizon": 25},
}


def algorithm(name):
    return TypeAdapter(Algorithm).validate_python(ALGORITHMS[name])


def task(name):
    return TypeAdapter(Task).validate_python(TASKS[name])
