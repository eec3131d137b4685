"""No module of the tests looks at a clock as it is imported: a run that passes midnight would fail."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
CLOCKS = {"time", "time_ns", "now", "utcnow", "utc_now", "today"}


def run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """A module's nodes without the bodies of its functions, whose decorators and defaults belong to it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            parts = [*getattr(child, "decorator_list", ()), *child.args.defaults, *child.args.kw_defaults]
            yield from (found for part in parts if part for found in (part, *run_at_import(part)))
        else:
            yield child
            yield from run_at_import(child)


def looks_at_clocks(source: str) -> list[str]:
    calls = [node for node in run_at_import(ast.parse(source)) if isinstance(node, ast.Call)]
    return [ast.unparse(call) for call in calls if ast.unparse(call.func).rpartition(".")[2] in CLOCKS]


def test_no_module_looks_at_a_clock():
    found = {str(path): looks_at_clocks(path.read_text()) for path in TESTS.rglob("*.py")}
    assert not {path: calls for path, calls in found.items() if calls}, "take `began()` when the test runs"


@pytest.mark.parametrize(
    ("source", "number"),
    [
        ("NOW = time.time() - 600", 1),
        ("class A:\n    at = datetime.now(UTC)", 1),
        ("@parametrize('at', [utc_now()])\ndef test(at): ...", 1),
        ("def ask(at=date.today()): ...", 1),
        ("if True:\n    AT = [int(time_ns())]", 1),
        ("def test():\n    assert time.time()", 0),
        ("later = lambda: time.time()", 0),
        ("at: datetime = field(default_factory=utc_now)", 0),
    ],
)
def test_such_a_look_is_seen(source, number):
    assert len(looks_at_clocks(source)) == number
