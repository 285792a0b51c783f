"""Random numbers for a whole population, as tensors."""

from collections.abc import Sequence
from math import prod
from typing import Final, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.population.randomness import key, stream

CPU = torch.device("cpu")
AT_ONCE: Final = 2**18
"""Numbers that are drawn together, if that many are enough for a step."""


class Noise:
    """Noise for every member of a population, in blocks of steps.

    Each block has a generator of its own for every member, which is part of the
    stream's definition. One call of it per member and step would be slow, and all
    numbers of a block may be too many for memory, so that those of several steps are
    drawn at once and kept until another step is asked for. Numbers for a GPU are drawn
    there, all of a block at once, from a generator of its own: the same streams by
    name, but other numbers than on a CPU.

    `shape` is that of one member and step. Numbers are N(0, 1), or uniform on [0, 1).
    Single precision has 2²⁴ of these, too few to choose evenly among millions of
    things.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        purpose: str,
        *,
        shape: tuple[int, ...],
        kind: Literal["normal", "uniform"],
        dtype: type[np.float32] | type[np.float64] = np.float32,
        block: int = 64,
        device: torch.device = CPU,
    ) -> None:
        self._seeds = tuple(seeds)
        self._purpose = purpose
        self._shape = shape
        self._kind = kind
        self._dtype = dtype
        self._block = block
        self._device = device
        self._steps = block
        """Drawn at once: always as many, so that numbers of a step lie the same way."""
        if device == CPU:
            numbers = len(self._seeds) * prod(shape)
            while self._steps * numbers > AT_ONCE and self._steps % 2 == 0:
                self._steps //= 2
        self._index = -1
        self._drawn = 0
        """Steps of the block that have been drawn, the last of them kept."""
        self._generators: list[np.random.Generator] = []
        self._values = torch.empty(0)

    def at(self, step: int) -> Float[Tensor, "member ..."]:
        """The noise of one step, in the default precision or in double."""
        index, offset = divmod(step, self._block)
        if index != self._index or offset < self._drawn - self._steps:
            self._index, self._drawn = index, 0
            self._generators = [stream(s, self._purpose, index) for s in self._seeds]
        while offset >= self._drawn:
            self._values = torch.empty(0)  # or there would be twice as many
            on_cpu = self._device == CPU
            drawn = self._draw() if on_cpu else self._draw_on_device(index)
            double = self._dtype is np.float64
            self._values = drawn if double else drawn.to(torch.get_default_dtype())
            self._drawn += self._steps
        return self._values[:, offset % self._steps]

    def _draw(self) -> Tensor:
        shape = (len(self._seeds), self._steps, *self._shape)
        values = np.empty(shape, dtype=self._dtype)
        for own, generator in zip(values, self._generators, strict=True):
            if self._kind == "normal":
                generator.standard_normal(dtype=self._dtype, out=own)
            else:
                generator.random(dtype=self._dtype, out=own)
        return torch.from_numpy(values)

    def _draw_on_device(self, index: int) -> Tensor:
        dtype = torch.float32 if self._dtype is np.float32 else torch.float64
        shape = (len(self._seeds), self._block, *self._shape)
        values = torch.empty(shape, dtype=dtype, device=self._device)
        for member, seed in enumerate(self._seeds):
            (state,) = key(seed, self._purpose, index).generate_state(1, np.uint64)
            generator = torch.Generator(self._device).manual_seed(int(state) >> 1)
            if self._kind == "normal":
                values[member].normal_(generator=generator)
            else:
                values[member].uniform_(generator=generator)
        return values
