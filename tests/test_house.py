"""What `pyproject.toml` and `requirements.lock` say about the project stays true."""

import importlib
import inspect
import pkgutil
import re
import tomllib
from functools import cached_property
from pathlib import Path
from types import FunctionType

import pytest
from packaging.requirements import Requirement

import pipeline

ROOT = Path(__file__).parents[1]
PROJECT = (ROOT / "pyproject.toml").read_text()
LOCKED = [
    Requirement(line)
    for line in (ROOT / "requirements.lock").read_text().splitlines()
    if not line.startswith("#")
]
METHODS = FunctionType, property, cached_property, classmethod, staticmethod


def required() -> list[Requirement]:
    settings = tomllib.loads(PROJECT)
    development = settings["dependency-groups"]["dev"]
    return [Requirement(each) for each in settings["project"]["dependencies"]] + [
        Requirement(each) for each in development
    ]


def reasons() -> list[tuple[str, str]]:
    """Every dependency with the comment behind it."""
    dependencies, _, _ = PROJECT.partition("[tool.")
    line = r'^  "([\w.-]+).*?",\s*(?:# *(.*))?$'
    return re.findall(line, dependencies, re.MULTILINE)


@pytest.mark.parametrize("requirement", required(), ids=lambda each: each.name)
def test_the_lock_pins_every_dependency_within_its_range(requirement):
    pins = [pin for pin in LOCKED if pin.name.lower() == requirement.name.lower()]
    assert len(pins) == 1
    version = str(pins[0].specifier).removeprefix("==")
    assert requirement.specifier.contains(version)


def test_the_lock_has_torch_first_and_nothing_twice():
    assert str(LOCKED[0]) == "torch==2.13.0"
    names = [pin.name.lower() for pin in LOCKED]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("name", "reason"), reasons())
def test_a_dependency_says_which_file_needs_it(name, reason):
    assert reason
    for path in re.findall(r"[\w./]+/[\w./]+|\w+\.(?:toml|yaml)", reason):
        assert (ROOT / path).exists()


def undocumented(kind: type) -> list[str]:
    """Public methods that have no docstring, and do not override one that has."""
    return [
        f"{kind.__module__}.{kind.__qualname__}.{name}"
        for name, value in vars(kind).items()
        if isinstance(value, METHODS)
        and not name.startswith("_")
        and not any(getattr(vars(b).get(name), "__doc__", None) for b in kind.__mro__)
    ]


def test_a_method_is_documented_unless_it_overrides_one_that_is():
    modules = pkgutil.walk_packages(pipeline.__path__, "pipeline.")
    bare = [
        method
        for module in [importlib.import_module(each.name) for each in modules]
        for name, kind in inspect.getmembers(module, inspect.isclass)
        if kind.__module__ == module.__name__ and not name.startswith("_")
        for method in undocumented(kind)
    ]
    assert bare == []
