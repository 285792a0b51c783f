"""Named random streams: every number drawn is a function of (seed, purpose, block).

Nothing touches a global generator and no stream has a state to save: a stream is cut
into blocks, each block has a generator of its own, and whoever resumes at some step
draws that step's block again. A member's numbers depend on its own seed only, never on
who else is in the population.
"""

import zlib

import numpy as np


def stream(seed: int, purpose: str, block: int = 0) -> np.random.Generator:
    """The generator of one block of a named stream, of a member's seed.

    The name says what the numbers are for, e.g. `"exploration"`.
    """
    return np.random.Generator(np.random.Philox(key(seed, purpose, block)))


def integers(seed: int, purpose: str, block: int, count: int) -> list[int]:
    """Seeds for other people's generators, e.g. an environment's reset."""
    return [int(x) for x in stream(seed, purpose, block).integers(2**31, size=count)]


def key(seed: int, purpose: str, block: int) -> np.random.SeedSequence:
    """What seeds the generator of one block of a named stream; as `stream`."""
    return np.random.SeedSequence([seed, zlib.crc32(purpose.encode()), block])
