"""What a template is made of. `at` is the place in the text."""

from dataclasses import dataclass
from typing import Union


@dataclass(frozen=True, slots=True)
class Text:
    """Text between actions."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    at: int
    value: str | bool | int | float


@dataclass(frozen=True, slots=True)
class Nil:
    """`nil`."""

    at: int


@dataclass(frozen=True, slots=True)
class Dot:
    """`.`, and fields of it."""

    at: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Variable:
    """`$name`, and fields of it."""

    at: int
    name: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    """A function's name."""

    at: int
    name: str


@dataclass(frozen=True, slots=True)
class Pipe:
    """Commands, each of which gives its value to the next, and the variables that are set to the last one."""

    at: int
    commands: tuple["Command", ...]
    targets: tuple[str, ...] = ()
    declares: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    """Fields of what stands in parentheses."""

    at: int
    pipe: Pipe
    names: tuple[str, ...]


Operand = Union[Literal, Nil, Dot, Variable, Function, Pipe, Chain]  # noqa: UP007 - a name that stands in annotations


@dataclass(frozen=True, slots=True)
class Command:
    """A value, or a function with its arguments."""

    at: int
    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Action:
    """A pipeline whose value is written, unless it sets variables."""

    at: int
    pipe: Pipe


@dataclass(frozen=True, slots=True)
class Branch:
    """`if`, `with` or `range`."""

    at: int
    kind: str
    pipe: Pipe
    body: tuple["Node", ...]
    otherwise: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Call:
    """`template`: another one in this place."""

    at: int
    name: str
    pipe: Pipe | None


@dataclass(frozen=True, slots=True)
class Leave:
    """`break` or `continue`."""

    at: int
    kind: str


Node = Union[Text, Action, Branch, Call, Leave]  # noqa: UP007 - the same
