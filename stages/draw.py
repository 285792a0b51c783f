"""Draw every world of a study, as it is written.

Command: `python -m stages.draw [PARAMS] [--to FOLDER]`
Reads `params.yaml`, or PARAMS.
Writes `worlds`, or FOLDER: a PNG for each world, and all of them in `all-worlds.png`.

No part of the pipeline: it is for whoever writes a world.
"""

import argparse
from pathlib import Path
from typing import Final

from pipeline.study.command import INTERRUPTED, PARAMS
from pipeline.study.errors import UserError, user_errors
from pipeline.study.params.load import load_study
from pipeline.study.store.files import atomic_write

TOGETHER: Final = "all-worlds"
"""What no world is called: names have no hyphen."""


def main() -> None:
    """Draw what the command line asks for, and say where it is."""
    parser = argparse.ArgumentParser(
        prog="python -m stages.draw", description="Draw every world of a study."
    )
    parser.add_argument(
        "params", nargs="?", type=Path, default=PARAMS, help="default: %(default)s"
    )
    parser.add_argument(
        "--to", type=Path, default=Path("worlds"), help="default: %(default)s"
    )
    asked = parser.parse_args()
    with user_errors():
        try:
            print(draw(asked.params, asked.to))
        except KeyboardInterrupt:
            raise SystemExit(INTERRUPTED) from None


def draw(params: Path, folder: Path) -> str:
    """Write the pictures; returns what was drawn.

    Raises:
        UserError: The file describes no study, or one without worlds, or the folder
            cannot be written.
    """
    worlds = load_study(params).worlds
    if not worlds:
        raise UserError(
            f"{params} has no `worlds` to draw; studies/worlds.yaml has those that "
            "are shipped"
        )
    from pipeline.study.report.figures.worlds import picture

    shown = {name: {name: world} for name, world in worlds.items()}
    try:
        for name, together in {**shown, TOGETHER: worlds}.items():
            atomic_write(folder / f"{name}.png", picture(together))
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror}") from None
    return f"{folder}/ has a picture of: {', '.join(worlds)}; all in {TOGETHER}.png"


if __name__ == "__main__":
    main()
