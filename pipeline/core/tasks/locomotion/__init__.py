"""MuJoCo bodies rewarded for the motion of their centre of mass."""

import gymnasium

SWIMMERS = {
    "speed": "maxent/SwimmerAnyDirection-v0",
    "forward": "maxent/SwimmerForward-v0",
}
"""Gymnasium's name for each reward."""

for _reward, _name in SWIMMERS.items():
    gymnasium.register(
        _name,
        entry_point="pipeline.core.tasks.locomotion.environment:SwimmerCentreOfMassEnv",
        kwargs={"reward": _reward},
        max_episode_steps=500,
    )
