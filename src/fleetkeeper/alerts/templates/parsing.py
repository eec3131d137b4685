"""Tokens to a tree, by the grammar of text/template/parse (Go 1.19)."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NoReturn

from fleetkeeper.alerts.templates.errors import TemplateError, error_at
from fleetkeeper.alerts.templates.lexing import Token, tokens
from fleetkeeper.alerts.templates.nodes import (
    Action,
    Branch,
    Call,
    Chain,
    Command,
    Dot,
    Function,
    Leave,
    Literal,
    Nil,
    Node,
    Operand,
    Pipe,
    Text,
    Variable,
)
from fleetkeeper.alerts.templates.numbers import number_of

# Blocks and parentheses inside one another.
MAX_NESTING = 30
_CONSTANTS = {"true": True, "false": False}
_ENDS = frozenset({"end", "else"})
_NOT_ALONE = (Literal, Nil, Dot)


@dataclass(frozen=True, slots=True)
class Tree:
    """The main template and those that it defines."""

    body: tuple[Node, ...]
    defined: dict[str, tuple[Node, ...]]


def parse_tree(text: str, functions: Collection[str], variables: Collection[str]) -> Tree:
    """The tree of a template that may use these functions and variables. Raises TemplateError."""
    return _Parser(text, functions, variables).tree()


class _Parser:
    def __init__(self, text: str, functions: Collection[str], variables: Collection[str]) -> None:
        self._text = text
        self._tokens = iter(tokens(text))
        self._now = next(self._tokens)
        self._functions = functions
        self._variables = ["$", *variables]
        self._defined: dict[str, tuple[Node, ...]] = {}
        self._nesting = 0
        self._loops = 0

    def tree(self) -> Tree:
        body, end = self._block(is_outermost=True)
        if end.kind != "eof":
            self._fail(end, f"unexpected {{{{{end.text}}}}}")
        return Tree(body, self._defined)

    # Tokens

    def _next(self) -> Token:
        token = self._now
        self._now = next(self._tokens, token)
        return token

    def _fail(self, token: Token, message: str) -> NoReturn:
        raise error_at(self._text, token.at, message)

    def _unexpected(self, context: str) -> NoReturn:
        token = self._now
        if token.kind == "eof":
            self._fail(token, "unexpected end of the template")
        self._fail(token, f"unexpected {token.text[:30]!r} in {context}")

    def _take(self, kind: str, context: str) -> Token:
        if self._now.kind != kind:
            self._unexpected(context)
        return self._next()

    def _deeper(self, token: Token) -> None:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            self._fail(token, f"a template nests at most {MAX_NESTING} blocks and parentheses")

    # Blocks

    def _block(self, *, is_outermost: bool = False) -> tuple[tuple[Node, ...], Token]:
        """The nodes until `end`, `else` or the end of the text, and that word, whose action is not read on."""
        nodes: list[Node] = []
        while self._now.kind != "eof":
            if self._now.kind == "text":
                token = self._next()
                nodes.append(Text(token.at, token.text))
            elif self._now.kind == "word" and self._now.text in _ENDS:
                break
            elif self._now.kind == "word" and self._now.text == "define":
                if not is_outermost:
                    self._fail(self._now, "unexpected {{define}}")
                self._define()
            else:
                nodes.append(self._action())
        return tuple(nodes), self._next()

    def _action(self) -> Node:
        token = self._now
        keyword = token.text if token.kind == "word" else ""
        if keyword in {"if", "with", "range"}:
            self._next()
            return self._branch(token, keyword)
        if keyword in {"template", "block"}:
            self._next()
            return self._call(token, keyword)
        if keyword in {"break", "continue"}:
            self._next()
            if not self._loops:
                self._fail(token, f"{{{{{keyword}}}}} outside {{{{range}}}}")
            self._take("right", keyword)
            return Leave(token.at, keyword)
        pipe = self._pipe("command")
        self._take("right", "command")
        return Action(token.at, pipe)

    def _branch(self, token: Token, kind: str) -> Branch:
        self._deeper(token)
        known = len(self._variables)
        pipe = self._pipe(kind)
        self._take("right", kind)
        self._loops += kind == "range"
        body, end = self._block()
        self._loops -= kind == "range"
        otherwise: tuple[Node, ...] = ()
        if end.text == "else" and end.kind == "word":
            if kind == "if" and self._now.kind == "word" and self._now.text == "if":
                # The end of the inner one is that of the outer one too.
                inner = self._next()
                otherwise = (self._branch(inner, "if"),)
                self._close(known)
                return Branch(token.at, kind, pipe, body, otherwise)
            self._take("right", "else")
            otherwise, end = self._block()
        self._end(token, end, kind)
        self._close(known)
        return Branch(token.at, kind, pipe, body, otherwise)

    def _end(self, token: Token, end: Token, kind: str) -> None:
        if end.kind == "eof":
            self._fail(token, f"the {{{{end}}}} of this {{{{{kind}}}}} is missing")
        if end.text != "end":
            self._fail(end, f"expected {{{{end}}}}, found {{{{{end.text}}}}}")
        self._take("right", "end")

    def _close(self, known: int) -> None:
        del self._variables[known:]
        self._nesting -= 1

    def _define(self) -> None:
        token = self._next()
        name = self._take("string", "define clause").text
        self._take("right", "define clause")
        self._definition(token, name)

    def _definition(self, token: Token, name: str) -> None:
        """The body of a template of its own, which sees no variable of the one around it."""
        self._deeper(token)
        outer, self._variables = self._variables, ["$"]
        loops, self._loops = self._loops, 0
        body, end = self._block()
        self._end(token, end, token.text)
        self._variables, self._loops = outer, loops
        self._nesting -= 1
        is_empty = all(isinstance(node, Text) and not node.text.strip() for node in body)
        if name in self._defined and self._defined[name] and not is_empty:
            self._fail(token, f"multiple definition of template {name[:50]!r}")
        self._defined[name] = body if not is_empty or name not in self._defined else self._defined[name]

    def _call(self, token: Token, kind: str) -> Call:
        name = self._take("string", f"{kind} clause").text
        pipe = None
        if self._now.kind != "right" or kind == "block":
            pipe = self._pipe(f"{kind} clause")
        self._take("right", f"{kind} clause")
        if kind == "block":
            self._definition(token, name)
        return Call(token.at, name, pipe)

    # Pipelines

    def _pipe(self, context: str) -> Pipe:
        at = self._now.at
        start = self._now
        targets, declares = self._targets(context)
        commands: list[Command] = []
        while True:
            commands.append(self._command(context, start))
            if len(commands) > 1 and isinstance(commands[-1].operands[0], _NOT_ALONE):
                raise self._not_executable(commands, at)
            if self._now.kind != "|":
                break
            self._next()
            if self._now.kind in {"right", ")"}:
                # Go takes a pipe that leads nowhere.
                break
        return Pipe(at, tuple(commands), targets, declares)

    def _not_executable(self, commands: list[Command], at: int) -> TemplateError:
        operand = commands[-1].operands[0]
        names = isinstance(operand, Dot) and operand.names
        if names:
            return error_at(self._text, operand.at, f"a field cannot take the value before it: {names[0]!r}")
        return error_at(self._text, at, f"non executable command in pipeline stage {len(commands)}")

    def _targets(self, context: str) -> tuple[tuple[str, ...], bool]:
        """The variables that a pipeline sets; what only begins like that is put back."""
        if self._now.kind != "variable":
            return (), False
        first = self._next()
        targets = [first.text]
        if self._now.kind == "," and context == "range":
            self._next()
            targets.append(self._take("variable", context).text)
            if self._now.kind not in {":=", "="}:
                self._unexpected(context)
        if self._now.kind not in {":=", "="}:
            self._put_back(first)
            return (), False
        declares = self._next().kind == ":="
        if declares:
            self._variables += targets
        for name in targets:
            self._check_variable(first, name)
        return tuple(targets), declares

    def _put_back(self, token: Token) -> None:
        following, rest = self._now, self._tokens
        self._now = token

        def again() -> Iterator[Token]:
            yield following
            yield from rest

        self._tokens = again()

    def _check_variable(self, token: Token, name: str) -> None:
        if name not in self._variables:
            self._fail(token, f"undefined variable {name[:50]!r}")

    def _command(self, context: str, start: Token) -> Command:
        at = self._now.at
        operands: list[Operand] = []
        while self._now.kind not in {"right", ")", "|"}:
            if operands and not self._now.spaced:
                self._unexpected("operand")
            operands.append(self._operand(context))
        if not operands:
            self._fail(start, f"missing value for {context}" if context != "command" else "empty command")
        return Command(at, tuple(operands))

    def _operand(self, context: str) -> Operand:
        token = self._now
        if token.kind == "(":
            return self._parenthesis()
        if token.kind in {"string", "character", "number", "dot", "word", "field", "variable"}:
            self._next()
        else:
            self._unexpected(context)
        names = self._names()
        if token.kind == "field":
            return Dot(token.at, (token.text[1:], *names))
        if token.kind == "variable":
            self._check_variable(token, token.text)
            return Variable(token.at, token.text, names)
        if names and (token.kind != "word" or token.text in {*_CONSTANTS, "nil"}):
            self._fail(token, f"unexpected . after term {token.text[:30]!r}")
        if token.kind == "word":
            return self._word(token, names)
        return self._constant(token)

    def _names(self) -> tuple[str, ...]:
        names: list[str] = []
        while self._now.kind == "field" and not self._now.spaced:
            names.append(self._next().text[1:])
        return tuple(names)

    def _word(self, token: Token, names: tuple[str, ...]) -> Operand:
        if token.text in _CONSTANTS:
            return Literal(token.at, _CONSTANTS[token.text])
        if token.text == "nil":
            return Nil(token.at)
        if token.text not in self._functions:
            self._fail(token, f"function {token.text[:50]!r} not defined")
        function = Function(token.at, token.text)
        if names:
            return Chain(token.at, Pipe(token.at, (Command(token.at, (function,)),)), names)
        return function

    def _constant(self, token: Token) -> Operand:
        if token.kind == "dot":
            return Dot(token.at)
        if token.kind == "character":
            return Literal(token.at, ord(token.text))
        if token.kind == "string":
            return Literal(token.at, token.text)
        number = number_of(token.text)
        if number is None:
            self._fail(token, f"bad number syntax, or a number too large: {token.text[:30]!r}")
        return Literal(token.at, number)

    def _parenthesis(self) -> Operand:
        token = self._next()
        self._deeper(token)
        pipe = self._pipe("parenthesized pipeline")
        self._take(")", "parenthesized pipeline")
        self._nesting -= 1
        names = self._names()
        return Chain(token.at, pipe, names) if names else pipe
