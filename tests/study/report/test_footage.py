"""Films as files."""

import io

import numpy as np
import pytest
from PIL import Image

from pipeline.core.judging.filming import Film
from pipeline.study.report.footage import file_of

SECONDS = 0.08


def shades(count):
    """A film of ever lighter frames, and how light each is."""
    values = np.linspace(0, 250, count).astype(np.uint8)
    frames = [np.full((40, 60, 3), value, np.uint8) for value in values]
    steps = 2 * (count - 1)
    return Film(frames, SECONDS, SECONDS / 2, [], 0.0, steps, ended=False), values


@pytest.mark.parametrize("suffix", [".webp", ".gif"])
def test_an_animation_is_as_fast_as_what_it_shows(suffix):
    film, values = shades(5)
    with Image.open(io.BytesIO(file_of(film, suffix))) as shown:
        found = []
        for frame in range(shown.n_frames):
            shown.seek(frame)
            light = np.asarray(shown.convert("RGB")).mean()
            found.append((shown.info["duration"], pytest.approx(light, abs=3)))
    durations = [80, 80, 80, 80, 1000]  # the last one stays
    assert found == list(zip(durations, values.tolist(), strict=True))


@pytest.mark.parametrize("suffix", [".webp", ".gif", ".png"])
def test_the_same_film_is_the_same_bytes(suffix):
    film, _ = shades(7)
    assert file_of(film, suffix) == file_of(film, suffix)


@pytest.mark.parametrize("count", [2, 6, 51])
def test_moments_are_the_first_the_last_and_those_between(count):
    film, values = shades(count)
    with Image.open(io.BytesIO(file_of(film, ".png"))) as picture:
        pixels = np.asarray(picture)
    # The lower right corner of each of two rows of three has no text on it.
    corners = [pixels[y, x, 0] for y in (39, 85) for x in (59, 125, 191)]
    assert corners == sorted(corners)
    assert (corners[0], corners[-1]) == (values[0], values[-1])
    if count == 6:
        assert corners == values.tolist()
