"""Frames as a file: an animation, or some moments of it in one picture."""

import io
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pipeline.core.judging.filming import Film

MOMENTS: Final = 6
COLUMNS: Final = 3
GAP: Final = 6
"""Pixels between two moments."""
LABEL: Final = 18
"""Pixels of its time's height."""
LAST: Final = 1000
"""Milliseconds for which the last frame of an animation stays."""
SUFFIXES: Final = (".webp", ".gif", ".png")


def file_of(film: Film, suffix: str) -> bytes:
    """A film as a file of one of `SUFFIXES`."""
    return moments(film) if suffix == ".png" else animation(film, suffix)


def animation(film: Film, suffix: str) -> bytes:
    """Frames one after the other, as fast as it was; the last one stays for a second.

    GIF counts in hundredths of a second.
    """
    first, *others = map(Image.fromarray, film.frames)
    shown = round(1000 * film.frame_seconds)
    content = io.BytesIO()
    first.save(
        content,
        format=suffix.removeprefix("."),
        save_all=True,
        append_images=others,
        duration=[shown] * len(others) + [max(shown, LAST)],
        loop=0,
    )
    return content.getvalue()


def moments(film: Film) -> bytes:
    """Six moments at equal distances, the first and the last among them, as a PNG."""
    height, width, _ = film.frames[0].shape
    rows = -(-MOMENTS // COLUMNS)
    size = COLUMNS * (width + GAP) - GAP, rows * (height + GAP) - GAP
    picture = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(LABEL)
    chosen = np.linspace(0, len(film.frames) - 1, MOMENTS).round().astype(int)
    for place, index in enumerate(chosen.tolist()):
        row, column = divmod(place, COLUMNS)
        x, y = column * (width + GAP), row * (height + GAP)
        picture.paste(Image.fromarray(film.frames[index]), (x, y))
        time = min(index * film.frame_seconds, film.steps * film.step_seconds)
        draw.text(
            (x + 8, y + 6),
            f"{time:.1f} s",
            fill="white",
            font=font,
            stroke_width=2,
            stroke_fill="black",
        )
    content = io.BytesIO()
    picture.save(content, format="PNG")
    return content.getvalue()
