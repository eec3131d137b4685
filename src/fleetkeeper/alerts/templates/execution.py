"""Templates at work: the tree walked with a count of steps, as text/template/exec.go walks it."""

from collections.abc import Iterator
from contextlib import contextmanager

from fleetkeeper.alerts.templates.effort import Effort
from fleetkeeper.alerts.templates.errors import FunctionError, TemplateError, error_at
from fleetkeeper.alerts.templates.formatting import shown
from fleetkeeper.alerts.templates.functions import Surroundings, call
from fleetkeeper.alerts.templates.nodes import (
    Action,
    Branch,
    Call,
    Chain,
    Command,
    Dot,
    Function,
    Literal,
    Nil,
    Node,
    Operand,
    Pipe,
    Text,
    Variable,
)
from fleetkeeper.alerts.templates.parsing import Tree
from fleetkeeper.alerts.templates.times import Moment, call_method
from fleetkeeper.alerts.templates.values import (
    Arguments,
    Context,
    Data,
    Labels,
    Rows,
    field_of,
    is_true,
    type_name,
)

# Blocks, parentheses and calls of templates inside one another while they run.
MAX_DEPTH = 60
_NOTHING = object()


class _LeavingError(Exception):
    """`break` or `continue` on its way to its loop."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Execution:
    """One rendering of a template."""

    def __init__(self, text: str, tree: Tree, context: Context) -> None:
        self._text = text
        self._tree = tree
        self._effort = Effort(context.allowance)
        self._around = Surroundings(context, self._effort)
        self._output: list[str] = []
        self._depth = 0
        self._at = 0
        labels, external = Labels(context.labels), Labels(context.external_labels)
        self._data = Data(labels, external, context.external_url, float(context.value))
        self._variables: list[tuple[str, object]] = [
            ("$", self._data),
            ("$labels", labels),
            ("$externalLabels", external),
            ("$externalURL", context.external_url),
            ("$value", self._data.value),
        ]

    def render(self) -> str:
        """The text. Raises TemplateError."""
        try:
            self._walk(self._tree.body, self._data)
        except FunctionError as error:
            raise self._wrong(str(error)) from error
        return "".join(self._output)

    def _wrong(self, message: str) -> TemplateError:
        return error_at(self._text, self._at, message)

    def _step(self, at: int) -> None:
        """Go on to a place, which an error would be of."""
        self._at = at
        self._effort.spend()

    @contextmanager
    def _inside(self) -> Iterator[None]:
        """One level further in; variables that are declared there end with it."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FunctionError(f"templates nest at most {MAX_DEPTH} blocks, parentheses and calls")
        known = len(self._variables)
        yield
        del self._variables[known:]
        self._depth -= 1

    # Nodes

    def _walk(self, nodes: tuple[Node, ...], dot: object) -> None:
        for node in nodes:
            self._step(node.at)
            if isinstance(node, Text):
                self._output.append(self._effort.output(node.text))
            elif isinstance(node, Action):
                value = self._pipe(node.pipe, dot)
                if not node.pipe.targets:
                    self._at = node.pipe.at
                    text = "<no value>" if value is None else shown(value, self._effort)
                    self._output.append(self._effort.output(text))
            elif isinstance(node, Branch):
                self._branch(node, dot)
            elif isinstance(node, Call):
                self._template(node, dot)
            else:
                raise _LeavingError(node.kind)

    def _branch(self, node: Branch, dot: object) -> None:
        with self._inside():
            if node.kind == "range":
                self._range(node, dot)
                return
            value = self._pipe(node.pipe, dot)
            if is_true(value):
                self._walk(node.body, value if node.kind == "with" else dot)
            else:
                self._walk(node.otherwise, dot)

    def _range(self, node: Branch, dot: object) -> None:
        value = self._pipe(node.pipe, dot, declares=False)
        items = self._items(value)
        for key, item in items:
            self._effort.spend()
            known, depth = len(self._variables), self._depth
            self._set_items(node.pipe, key, item)
            try:
                self._walk(node.body, item)
            except _LeavingError as leaving:
                self._depth = depth
                if leaving.kind == "break":
                    return
            finally:
                del self._variables[known:]
        if not items:
            self._walk(node.otherwise, dot)

    def _items(self, value: object) -> list[tuple[object, object]]:
        if value is None:
            return []
        if isinstance(value, Labels | Arguments):
            return [(name, value[name]) for name in sorted(value)]
        if isinstance(value, Rows):
            return list(enumerate(value))
        raise FunctionError(f"range can't iterate over {type_name(value)}")

    def _set_items(self, pipe: Pipe, key: object, item: object) -> None:
        values = (item,) if len(pipe.targets) == 1 else (key, item)
        for name, value in zip(pipe.targets, values, strict=False):
            self._set(name, value, declares=pipe.declares)

    def _template(self, node: Call, dot: object) -> None:
        body = self._tree.defined.get(node.name)
        if body is None:
            raise FunctionError(f"template {node.name[:50]!r} not defined")
        value = self._pipe(node.pipe, dot) if node.pipe else None
        outer, self._variables = self._variables, [("$", value)]
        with self._inside():
            self._walk(body, value)
        self._variables = outer

    # Pipelines

    def _pipe(self, pipe: Pipe, dot: object, *, declares: bool = True) -> object:
        value: object = _NOTHING
        for command in pipe.commands:
            value = self._command(command, dot, value)
        if declares:
            for name in pipe.targets:
                self._set(name, value, declares=pipe.declares)
        return value

    def _set(self, name: str, value: object, *, declares: bool) -> None:
        if declares:
            self._variables.append((name, value))
            return
        for index in range(len(self._variables) - 1, -1, -1):
            if self._variables[index][0] == name:
                self._variables[index] = (name, value)
                return

    def _variable(self, name: str) -> object:
        for known, value in reversed(self._variables):
            if known == name:
                return value
        raise FunctionError(f"undefined variable {name[:50]!r}")

    def _command(self, command: Command, dot: object, final: object) -> object:
        first, rest = command.operands[0], command.operands[1:]
        self._step(first.at)
        if isinstance(first, Function):
            return self._function(first, rest, dot, final)
        if isinstance(first, Nil):
            raise FunctionError("nil is not a command")
        if isinstance(first, Dot | Variable | Chain) and first.names:
            arguments = [self._operand(operand, dot) for operand in rest]
            arguments += [] if final is _NOTHING else [final]
            return self._fields(self._base(first, dot), first.names, arguments, first.at)
        if rest or final is not _NOTHING:
            raise FunctionError("can't give argument to non-function")
        return self._operand(first, dot)

    def _function(
        self, function: Function, operands: tuple[Operand, ...], dot: object, final: object
    ) -> object:
        values: list[object] = []
        stops = {"and": False, "or": True}.get(function.name)
        for operand in operands:
            values.append(self._operand(operand, dot))
            if stops is not None and is_true(values[-1]) is stops:
                return values[-1]
        if final is not _NOTHING:
            values.append(final)
        self._at = function.at
        return call(function.name, values, self._around)

    def _operand(self, operand: Operand, dot: object) -> object:
        self._step(operand.at)
        if isinstance(operand, Literal):
            return operand.value
        if isinstance(operand, Nil):
            return None
        if isinstance(operand, Function):
            return call(operand.name, [], self._around)
        if isinstance(operand, Pipe):
            with self._inside():
                return self._pipe(operand, dot)
        return self._fields(self._base(operand, dot), operand.names, [], operand.at)

    def _base(self, operand: Dot | Variable | Chain, dot: object) -> object:
        if isinstance(operand, Variable):
            return self._variable(operand.name)
        if isinstance(operand, Chain):
            with self._inside():
                return self._pipe(operand.pipe, dot)
        return dot

    def _fields(self, value: object, names: tuple[str, ...], arguments: list[object], at: int) -> object:
        for index, name in enumerate(names):
            self._step(at)
            given = arguments if index == len(names) - 1 else []
            if isinstance(value, Moment):
                value = call_method(value, name, given)
                continue
            if given:
                raise FunctionError(f"{name[:50]} has arguments but cannot be invoked as function")
            value = field_of(value, name)
        return value
