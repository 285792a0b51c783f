"""A YAML file as plain data that remembers its lines.

YAML 1.2, as DVC reads it: `1e-4` is a number, `no` is a word. DVC's parser, in C, reads
less than the one here, whose messages are better; what only one reads is refused.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import (
    CollectionNode,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
)

from pipeline.study.errors import UserError

Place: TypeAlias = tuple[str | int, ...]
"""Where a value is: the keys and indices that lead to it."""

_TAG: Final = "tag:yaml.org,2002:"
_TEXT: Final = {f"{_TAG}{name}" for name in ("str", "timestamp", "value")}
_PLAIN: Final = {f"{_TAG}{name}" for name in ("int", "float", "bool", "null")}
_MERGE: Final = f"{_TAG}merge"
_CONFLICT: Final = re.compile(r"^(<{7}|>{7}) ", re.MULTILINE)
_DEPTH: Final = 20
"""Levels of nesting that no study comes near."""


@dataclass(frozen=True, order=True)
class Mistake:
    """Something in a file that the user has to change."""

    line: int
    place: str
    message: str


class ParamsError(UserError):
    """A parameters file that describes no study; `str` is the whole message."""

    def __init__(self, path: Path, mistakes: Iterable[Mistake]) -> None:
        lines = [
            ": ".join(filter(None, (f"{path}:{mistake.line}", mistake.place)))
            + f": {mistake.message}"
            for mistake in sorted(set(mistakes))
        ]
        if len(lines) > 1:
            lines.insert(0, f"{path} has {len(lines)} mistakes")
        super().__init__("\n".join(lines))


class Document:
    """A parsed file.

    Attributes:
        path: The file.
        data: Its content: dictionaries, lists, text, numbers, booleans, None.
    """

    path: Path
    data: Any

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: dict[Place, int] = {(): 1}
        self._mistakes: list[Mistake] = []
        self._yaml = YAML(typ="safe", pure=True)
        text = _read(path)
        try:
            root = self._yaml.compose(text)
            self.data = None if root is None else self._plain(root, (), [])
            if not self._mistakes:
                YAML(typ="safe").compose(text)
        except MarkedYAMLError as error:
            raise ParamsError(path, [_syntax(error)]) from None
        except YAMLError as error:
            raise ParamsError(path, [Mistake(1, "", _first_line(error))]) from None
        except RecursionError:
            raise ParamsError(path, [Mistake(1, "", "nested too deeply")]) from None
        if self._mistakes:
            raise ParamsError(path, self._mistakes)

    def mistake(self, place: Place, message: str) -> Mistake:
        """A mistake at the line of a place, or of what is nearest around it."""
        around = place
        while around not in self._lines:
            around = around[:-1]
        return Mistake(self._lines[around], dotted(place), message)

    def names(self, *place: str) -> list[str]:
        """Keys of the mapping at a place, sound or not; none if there is no mapping."""
        part = self.data
        for key in place:
            part = part.get(key) if isinstance(part, dict) else None
        return list(part) if isinstance(part, dict) else []

    def _refuse(self, node: Node, place: Place, message: str) -> None:
        line = node.start_mark.line + 1
        self._mistakes.append(Mistake(line, dotted(place), message))

    def _plain(self, node: Node, place: Place, around: list[CollectionNode]) -> Any:
        """The value of a node, whose parents are `around`."""
        if len(around) > _DEPTH:
            self._refuse(node, place[:3], "nested too deeply")
            return None
        if any(node is parent for parent in around):
            self._refuse(node, place, "a value that contains itself")
            return None
        match node:
            case MappingNode():
                return self._mapping(node, place, [*around, node])
            case SequenceNode():
                return [
                    self._child(part, part, (*place, index), [*around, node])
                    for index, part in enumerate(node.value)
                ]
            case ScalarNode():
                if any(parent.flow_style for parent in around):
                    self._check_flow(node, place)
                return self._scalar(node, place)

    def _child(
        self, key: Node, value: Node, place: Place, around: list[CollectionNode]
    ) -> Any:
        self._lines[place] = key.start_mark.line + 1
        return self._plain(value, place, around)

    def _mapping(
        self, node: MappingNode, place: Place, around: list[CollectionNode]
    ) -> Any:
        first: dict[str, Node] = {}
        for key, _ in node.value:
            earlier = first.setdefault(str(key.value), key)
            if earlier is not key:
                line = earlier.start_mark.line + 1
                self._refuse(
                    key, place, f"'{key.value}' is written twice; first in line {line}"
                )
        if any(key.tag == _MERGE for key, _ in node.value):
            self._yaml.constructor.flatten_mapping(node)
        mapping = {}
        for key, value in node.value:
            name = key.value
            if key.tag not in _TEXT:
                shown = f"'{name}'" if isinstance(key, ScalarNode) else "text"
                self._refuse(key, place, f"a key has to be text; write {shown}")
                continue
            mapping[name] = self._child(key, value, (*place, name), around)
        return mapping

    def _check_flow(self, node: ScalarNode, place: Place) -> None:
        """Refuse text that DVC cannot read here, or once it has dropped its quotes."""
        for sign in (sign for sign in ":?" if sign in node.value):
            self._refuse(
                node,
                place,
                f"DVC cannot read text with '{sign}' inside of {{}} or [], and drops "
                "quotes when it writes; write a line for each key, without {}",
            )

    def _scalar(self, node: ScalarNode, place: Place) -> Any:
        if node.tag in _TEXT:
            if not _is_unicode(node.value):
                self._refuse(node, place, "text with half a character")
            return node.value
        if node.tag in _PLAIN:
            try:
                return self._yaml.constructor.construct_object(node)
            except (ValueError, KeyError):
                self._refuse(
                    node, place, f"not a {_short(node.tag)}: {node.value[:20]}"
                )
                return None
        self._refuse(node, place, f"the tag {_short(node.tag)} means nothing here")
        return None


def read_whole(path: Path) -> Any:
    """The content of a YAML file that a study is computed with, as DVC reads it.

    Raises:
        ParamsError: It is not valid.
        UserError: It cannot be read.
    """
    text = _read(path)
    try:
        return YAML(typ="safe").load(text)
    except MarkedYAMLError as error:
        raise ParamsError(path, [_syntax(error)]) from None
    except YAMLError as error:
        raise ParamsError(path, [Mistake(1, "", _first_line(error))]) from None


def dotted(place: Place) -> str:
    """A place as it is written in messages: `study.seeds[2]`."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place)
    return text.removeprefix(".")


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"{path}: {reason}") from None
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ParamsError(path, [Mistake(line, "", "not UTF-8 text")]) from None
    if mark := _CONFLICT.search(text):
        message = (
            "a conflict that Git has left; edit it, or take one side: "
            f"git checkout --ours {path} (or --theirs)"
        )
        line = text.count("\n", 0, mark.start()) + 1
        raise ParamsError(path, [Mistake(line, "", message)])
    return text


def _syntax(error: MarkedYAMLError) -> Mistake:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    if r"'\t'" in (error.problem or ""):
        return Mistake(line, "", "a tab; YAML has spaces there")
    context = f", {error.context}" if error.context else ""
    problem = re.sub(r"\s+", " ", f"{error.problem or 'not YAML'}{context}")
    return Mistake(line, "", f"not valid YAML: {problem}")


def _first_line(error: YAMLError) -> str:
    return f"not valid YAML: {str(error).splitlines()[0]}"


def _short(tag: object) -> str:
    return str(tag).replace(_TAG, "!!")


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
