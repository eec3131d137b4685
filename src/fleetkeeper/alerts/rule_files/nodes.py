"""YAML as nodes that know their lines, within bounds that hold before anything is built."""

from collections.abc import Iterator
from typing import Any

import yaml

from fleetkeeper.alerts.rule_files.contents import Problem, RuleFileError
from fleetkeeper.kit.text import is_storable

MOST_BYTES = 512 * 1024
_DEEPEST = 16
_MOST_NODES = 100_000

Node = yaml.Node


def compose(text: str) -> Node | None:
    """The only document of a text; None for an empty one. Raises RuleFileError."""
    if len(text.encode(errors="replace")) > MOST_BYTES:
        raise _refused(1, f"The file is larger than {MOST_BYTES // 1024} KiB")
    try:
        _check_events(text)
        root: Node | None = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise _refused(mark.line + 1 if mark else 1, f"Not valid YAML: {reason}") from None
    if root is not None:
        left = _MOST_NODES
        for _ in _walk(root, 0):
            left -= 1
            if left < 0:
                raise _refused(1, "The file has too many values, or aliases that multiply")
    return root


def line_of(node: Node) -> int:
    """Where a node begins, counted from 1."""
    return int(node.start_mark.line) + 1


def is_null(node: Node) -> bool:
    """Whether nothing is given."""
    return bool(node.tag == "tag:yaml.org,2002:null")


def text_of(node: Node) -> str:
    """The text of a scalar, as it is written. Raises ValueError."""
    if is_null(node):
        return ""
    if isinstance(node, yaml.ScalarNode):
        if is_storable(node.value):
            return str(node.value)
        raise ValueError("Has a character that cannot be stored")
    raise ValueError("Must be text")


def items_of(node: Node) -> list[Node]:
    """The items of a list. Raises ValueError."""
    if is_null(node):
        return []
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    raise ValueError("Must be a list")


def pairs_of(node: Node) -> list[tuple[Node, Node]]:
    """Keys and values of a mapping, merge keys applied. Raises ValueError."""
    if is_null(node):
        return []
    if isinstance(node, yaml.MappingNode):
        return _merged(node)
    raise ValueError("Must be a mapping of names to values")


def _merged(node: yaml.MappingNode) -> list[tuple[Node, Node]]:
    seen: set[str] = set()
    for key, _ in node.value:
        name = text_of(key)
        if name in seen:
            raise ValueError(f"Has {name!r} more than once")
        seen.add(name)
    yaml.constructor.SafeConstructor().flatten_mapping(node)
    merged = {text_of(key): (key, value) for key, value in node.value}
    return list(merged.values())


def _check_events(text: str) -> None:
    depth = documents = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.CSafeLoader)):
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        line = event.start_mark.line + 1 if event.start_mark else 1
        if depth > _DEEPEST:
            raise _refused(line, "Values lie too deep in each other")
        if count > 2 * _MOST_NODES:
            raise _refused(line, "The file has too many values")
        if documents > 1:
            raise _refused(line, "A rule file is one document")


def _walk(node: Node, depth: int) -> Iterator[Node]:
    if depth > _DEEPEST:
        raise _refused(line_of(node), "Values lie too deep in each other")
    yield node
    children: list[Any] = []
    if isinstance(node, yaml.SequenceNode):
        children = node.value
    elif isinstance(node, yaml.MappingNode):
        children = [child for pair in node.value for child in pair]
    for child in children:
        yield from _walk(child, depth + 1)


def _refused(line: int, message: str) -> RuleFileError:
    return RuleFileError([Problem(line, "", "", "", message)])
