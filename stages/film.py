"""Film an episode of a trained policy, one of those of its final evaluation.

Command: `python -m stages.film STAGE RUN [--seed S] [--episode E] [--to FILE]`
Reads `results/runs/STAGE/RUN`.
Writes `films/STAGE_RUN.webp`, or FILE: an animation (`.webp`, `.gif`) or six moments
(`.png`).

No part of the pipeline: it is for whoever wants to see what was learned.
"""

import argparse
import io
import os
import sys
from contextlib import redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.study.command import INTERRUPTED
from pipeline.study.errors import UserError, nearest, user_errors
from pipeline.study.machine.threads import use_threads
from pipeline.study.store import layout
from pipeline.study.store.files import atomic_write, read_json
from pipeline.study.store.runs import Run

if TYPE_CHECKING:
    from pipeline.core.judging.filming import Film
    from pipeline.core.tasks.gymnasium.copy import Copy

FILMS: Final = Path("films")
GL: Final = "MUJOCO_GL"
ADVICE: Final = (
    f"{GL}=egl needs libEGL (Debian: apt-get install libegl1 libgl1-mesa-dri), "
    f"{GL}=osmesa needs OSMesa (libosmesa6)"
)


def main() -> None:
    """Film what the command line asks for, and say what it shows."""
    parser = argparse.ArgumentParser(
        prog="python -m stages.film", description="Film an episode of a trained policy."
    )
    parser.add_argument("stage", help=", ".join(layout.STAGES))
    parser.add_argument("run", help="its name in params.yaml")
    parser.add_argument("--seed", type=int, help="default: the first")
    parser.add_argument("--episode", type=int, default=0, help="default: %(default)s")
    to = f"default: {FILMS}/STAGE_RUN.webp"
    parser.add_argument("--to", type=Path, help=to)
    asked = parser.parse_args()
    with user_errors():
        try:
            run = trained(asked.stage, asked.run)
            name = layout.picture_name(run.stage, run.name)
            print(
                film(run, asked.seed, asked.episode, asked.to or FILMS / f"{name}.webp")
            )
        except KeyboardInterrupt:
            raise SystemExit(INTERRUPTED) from None


def film(run: Run, seed: int | None, episode: int, to: Path) -> str:
    """Write a film of a run; returns what it shows.

    Raises:
        UserError: There is no such seed or episode, it cannot be seen, or the file
            cannot be written.
    """
    from pipeline.study.report.footage import SUFFIXES, file_of

    seed = run.seeds[0] if seed is None else seed
    if to.suffix not in SUFFIXES:
        allowed = ", ".join(SUFFIXES)
        raise UserError(f"{to}: the ending of its name must be one of {allowed}")
    if seed not in run.seeds:
        there_are = ", ".join(map(str, run.seeds))
        raise UserError(f"{run.id} has no seed {seed}; it has: {there_are}")
    if seed in run.failures:
        raise UserError(f"seed {seed} failed after {run.failures[seed]} steps")
    if not 0 <= episode < (count := run.task.evaluation.final_episodes):
        raise UserError(
            f"there is no episode {episode}: the final evaluation has 0 to {count - 1}"
        )
    shown = _played(run, seed, episode)
    try:
        atomic_write(to, file_of(shown, to.suffix))
    except OSError as error:
        raise UserError(f"{to} cannot be written: {error.strerror}") from None
    return "\n".join(
        [f"{to}: episode {episode} of seed {seed} of {run.id}", *_told(run, shown)]
    )


def trained(stage: str, name: str) -> Run:
    """A run whose training has come to its end.

    Raises:
        UserError: There is none of that name, or it is damaged.
    """
    if stage not in layout.STAGES:
        raise UserError(
            f"there is no stage '{stage}' that trains; {nearest(stage, layout.STAGES)}"
            f"there are: {', '.join(layout.STAGES)}"
        )
    done = sorted(
        path.parent.name for path in layout.RUNS.glob(f"{stage}/*/{layout.WEIGHTS}")
    )
    if name not in done:
        there_are = f"there are: {', '.join(done)}" if done else "there are none"
        raise UserError(
            f"there is no trained run '{name}' of {stage}; {nearest(name, done)}"
            f"{there_are}; train it: dvc repro {layout.instance(stage, name)}"
        )
    path = layout.RUNS / stage / name / layout.DESCRIBED
    with layout.readable(path, layout.instance(stage, name)):
        return Run.of(read_json(path))


def _played(run: Run, seed: int, episode: int) -> "Film":
    """The episode, played again before a camera."""
    use_threads(1)
    if sys.platform == "linux":
        os.environ.setdefault(GL, "egl")
    scene = _scene(run)
    from pipeline.core.judging.filming import LostError, filmed
    from pipeline.core.training.weights import DamagedError, load_policy

    path = run.folder / layout.WEIGHTS
    with layout.readable(path, run.instance):
        try:
            agent = load_policy(path)
        except DamagedError as error:
            raise ValueError(error) from None
    after, row = run.steps + 1, run.seeds.index(seed)
    try:
        return filmed(
            agent, run.task, scene, row=row, seed=seed, block=after, episode=episode
        )
    except LostError as error:
        raise UserError(f"{run.task_name} failed: {error}") from None


def _scene(run: Run) -> "Copy":
    """The environment, once it has shown that it can be seen.

    Raises:
        UserError: It has no picture of itself, or nothing here can draw it.
    """
    import gymnasium

    reason, scene = "", None
    with redirect_stderr(io.StringIO()):  # what is said of contexts as they go
        try:
            if (scene := run.task.on_film()) is not None:
                scene.reset(seed=0)
                scene.render()
        except gymnasium.error.Error as error:
            reason = str(error)
        except Exception as error:  # whatever graphics libraries may raise
            reason = f"{type(error).__name__}: {error}; {ADVICE}"
    if reason:
        raise UserError(f"{run.task_name} cannot be drawn: {' '.join(reason.split())}")
    if scene is None:
        raise UserError(
            f"'{run.task_name}', the task of {run.id}, cannot be filmed: only bodies "
            "of MuJoCo are seen, and environments of Gymnasium that render an rgb_array"
        )
    return scene


def _told(run: Run, shown: "Film") -> list[str]:
    """What came of the episode."""
    how = "ended" if shown.ended else "was cut"
    steps, seconds = shown.steps, shown.steps * shown.step_seconds
    lines = [
        f"it {how} after {steps} steps ({seconds:.1f} s), return {shown.total:.2f}"
    ]
    if run.task.has_plane:
        (x, y), (to_x, to_y) = shown.places[0], shown.places[-1]
        far = ((to_x - x) ** 2 + (to_y - y) ** 2) ** 0.5
        lines.append(
            f"the body went {far:.2f} far, from ({x:.2f}, {y:.2f}) "
            f"to ({to_x:.2f}, {to_y:.2f})"
        )
    return lines


if __name__ == "__main__":
    main()
