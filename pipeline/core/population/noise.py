"""Random numbers for a whole population, as tensors."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.population.randomness import key, stream

CPU = torch.device("cpu")


class Noise:
    """Noise for every member of a population, drawn in blocks of steps.

    One generator call per member and step would be slow, so that numbers of `block`
    steps are drawn at once and kept until a step outside the block is asked for; this
    is part of the stream's definition. Numbers for a GPU are drawn there, from a
    generator of its own: the same streams by name, but other numbers than on a CPU.

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
        self._index = -1
        self._values = torch.empty(0)

    def at(self, step: int) -> Float[Tensor, "member ..."]:
        """The noise of one step, in the default precision or in double."""
        index, offset = divmod(step, self._block)
        if index != self._index:
            drawn = self._draw(index)
            double = self._dtype is np.float64
            self._values = drawn if double else drawn.to(torch.get_default_dtype())
            self._index = index
        return self._values[:, offset]

    def _draw(self, index: int) -> Tensor:
        if self._device != CPU:
            return self._draw_on_device(index)
        shape = (len(self._seeds), self._block, *self._shape)
        values = np.empty(shape, dtype=self._dtype)
        for member, seed in enumerate(self._seeds):
            generator = stream(seed, self._purpose, index)
            if self._kind == "normal":
                generator.standard_normal(dtype=self._dtype, out=values[member])
            else:
                generator.random(dtype=self._dtype, out=values[member])
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
