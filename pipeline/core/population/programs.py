"""Functions as programs that are compiled once and kept on disk.

A method reads and changes tensors of its object, and of the objects that this one has.
It is traced with all of them as inputs, so that the program is a function of tensors
alone, and compiled ahead of time to a library. Whoever has the same code, settings,
shapes and processor finds the library and loads it: nothing is traced again, and no
compiler is imported.
"""

import hashlib
import json
import logging
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from types import MethodType
from typing import Any, Final, TypeAlias

import torch
from torch import Tensor

CACHE: Final = "TORCHINDUCTOR_CACHE_DIR"
LIBRARY, CALLED, INPUTS = "program.so", "program.json", "inputs.json"
"""The compiled code, functions of torch that it calls by name, and what to give it."""
OPTIONS: Final = {
    "aot_inductor.compile_wrapper_opt_level": "O0",  # it only calls what computes
    "aot_inductor.precompile_headers": False,  # they would be in a folder for everybody
    "cpp.vec_isa_ok": True,  # what the processor says it has is not tried out
    "cpp.max_horizontal_fusion_size": 1,  # blocks are computed one after the other
    "max_pointwise_cat_inputs": 1,  # parts of a gradient are written where they belong
}
Place: TypeAlias = tuple[str, ...]
"""Where a tensor is: attributes, and keys of dictionaries, from an object on."""


class Program:
    """A method, compiled when it is called for the first time, or found on disk.

    Inside there may be gradients and changes of tensors in place, but nothing that
    depends on their numbers: Python sees shapes only, the same in every call. Tensors
    that it reads besides its arguments have to stay where they are.
    """

    def __init__(self, method: MethodType, about: object) -> None:
        """`about` is all that decides what the method does, besides code and shapes."""
        self._method = method
        self._about = about
        self._run: Callable[[list[Tensor]], list[Tensor]] | None = None
        self._own: list[Tensor] = []
        self._names: list[str] | None = None

    def __call__(self, *arguments: Any) -> Any:
        """As the method; it returns a tensor, or tensors by name."""
        given = flat(arguments)
        if self._run is None:
            self._load(arguments, given)
            assert self._run is not None
        returned = self._run(self._own + given)
        if self._names is None:
            return returned[0]
        return dict(zip(self._names, returned, strict=True))

    def _load(self, arguments: tuple[Any, ...], given: Sequence[Tensor]) -> None:
        folder = programs() / self._key(given)
        if not folder.exists():
            self._compile(arguments, folder)
        try:
            self._open(folder)
        except (OSError, ValueError):
            rmtree(folder, ignore_errors=True)
            self._compile(arguments, folder)
            self._open(folder)

    def _open(self, folder: Path) -> None:
        """Load a program.

        Raises:
            ValueError: It is damaged.
            OSError: A part of it is not there.
        """
        said = json.loads((folder / INPUTS).read_text())
        if said["sha256"] != _sum(folder / LIBRARY):
            raise ValueError(folder)
        self._names = said["names"]
        self._own = [_at(self._method.__self__, place) for place in said["own"]]
        library = str(folder / LIBRARY)
        self._run = torch._C._aoti.AOTIModelContainerRunnerCpu(library, 1).run

    def _key(self, given: Sequence[Tensor]) -> str:
        """What two programs that may be exchanged have in common."""
        shapes = [(x.shape, x.stride(), str(x.dtype)) for x in given]
        says = [self._method.__qualname__, self._about, shapes, OPTIONS]
        said = json.dumps([*says, torch.get_num_threads(), *_surroundings()])
        return hashlib.sha256(said.encode()).hexdigest()[:32]

    def _compile(self, arguments: tuple[Any, ...], folder: Path) -> None:
        """Write the program of a method; whole or not at all."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent, prefix="unfinished-") as unfinished:
            work, parts = Path(unfinished) / "work", Path(unfinished) / "program"
            places, names = compile_method(self._method, arguments, work / LIBRARY)
            parts.mkdir()
            (work / LIBRARY).rename(parts / LIBRARY)
            for called in work.glob("*.wrapper.json"):
                called.rename(parts / CALLED)
            said = {"own": places, "names": names, "sha256": _sum(parts / LIBRARY)}
            (parts / INPUTS).write_text(json.dumps(said))
            try:
                parts.rename(folder)
            except OSError:
                if not folder.exists():  # nobody else has compiled it meanwhile
                    raise


def compile_method(
    method: MethodType, arguments: tuple[Any, ...], library: Path
) -> tuple[list[Place], list[str] | None]:
    """Compile a method to a library of a function of tensors.

    Returns:
        Where the tensors are that come before those of the arguments, and the names of
        what is returned; None: it is one tensor.
    """
    with _quiet():
        from torch.fx.experimental.proxy_tensor import make_fx

    owned: dict[int, list[tuple[Any, Place]]] = {}
    tensors: dict[int, Tensor] = {}
    for owner, place, tensor in _owned(method.__self__, (), set()):
        owned.setdefault(id(tensor), []).append((owner, place))
        tensors[id(tensor)] = tensor
    given = flat(arguments)
    names: list[str] | None = None

    def function(*inputs: Tensor) -> list[Tensor]:
        nonlocal names
        count = len(owned)
        _put(owned, inputs[:count])
        try:
            returned = method(*_refilled(arguments, iter(inputs[count:])))
        finally:
            _put(owned, list(tensors.values()))
        if isinstance(returned, Tensor):
            return [returned]
        names = list(returned)
        return list(returned.values())

    inputs = [*tensors.values(), *given]
    graph = make_fx(function, tracing_mode="fake")(*inputs)
    places = [places[0][1] for places in owned.values()]
    nodes = graph.graph.find_nodes(op="placeholder")
    for index in reversed(range(len(places))):
        if not nodes[index].users:
            graph.graph.erase_node(nodes[index])
            del places[index], inputs[index]
    graph.recompile()
    with torch.no_grad(), _quiet():
        torch._inductor.aot_compile(
            graph,
            tuple(inputs),
            options=OPTIONS | {"aot_inductor.output_path": str(library)},
        )
    return places, names


@contextmanager
def _quiet() -> Iterator[None]:
    """Say nothing of what torch finds old or slow in itself."""
    logger = logging.getLogger("torch._inductor")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def flat(arguments: Sequence[Any]) -> list[Tensor]:
    """The tensors among arguments that are tensors, None, or tuples of these."""
    found: list[Tensor] = []
    for one in arguments:
        if isinstance(one, Tensor):
            found.append(one)
        elif one is not None:
            found += flat(one)
    return found


def _refilled(arguments: tuple[Any, ...], tensors: Iterator[Tensor]) -> list[Any]:
    """The same arguments with other tensors."""
    return [
        next(tensors)
        if isinstance(one, Tensor)
        else one and type(one)(*_refilled(one, tensors))
        for one in arguments
    ]


def _owned(
    owner: Any, place: Place, seen: set[int]
) -> Iterator[tuple[Any, Place, Tensor]]:
    """Tensors that can be reached from an object: their owners, and where they are."""
    seen.add(id(owner))
    parts: dict[str, Any] = owner if isinstance(owner, dict) else vars(owner)
    for name, value in parts.items():
        if isinstance(value, Tensor):
            yield owner, (*place, name), value
        elif id(value) not in seen and _may_own(value):
            yield from _owned(value, (*place, name), seen)


def _may_own(value: object) -> bool:
    ours = type(value).__module__.startswith("pipeline.")
    return isinstance(value, dict) or (ours and hasattr(value, "__dict__"))


def _put(owned: dict[int, list[tuple[Any, Place]]], tensors: Sequence[Tensor]) -> None:
    """Let owners have other tensors."""
    for owners, tensor in zip(owned.values(), tensors, strict=True):
        for owner, (*_, name) in owners:
            if isinstance(owner, dict):
                owner[name] = tensor
            else:
                object.__setattr__(owner, name, tensor)


def _at(owner: Any, place: Sequence[str]) -> Any:
    """What is somewhere."""
    for name in place:
        owner = owner[name] if isinstance(owner, dict) else getattr(owner, name)
    return owner


def programs() -> Path:
    """The folder of programs that were compiled before."""
    folder = os.environ.get(CACHE) or Path.home() / ".cache" / "maxent-study"
    return Path(folder) / "programs"


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def _surroundings() -> list[object]:
    """What changes a program, and is the same throughout a process."""
    core = Path(__file__).parents[1]
    source = hashlib.sha256()
    for path in sorted(core.rglob("*.py")):
        source.update(path.read_bytes())
    return [torch.__version__, source.hexdigest(), dict(torch.cpu.get_capabilities())]
