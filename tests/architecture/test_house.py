"""Habits of the house that no linter knows: file sizes, file names, room docstrings, documented settings."""

import ast
from pathlib import Path

import pytest

from fleetkeeper.cli.settings_docs import settings_table, walk_settings

ROOT = Path(__file__).parents[2]
HOUSE = ROOT / "src" / "fleetkeeper"
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
# Each is one list of tables.
LONG_ON_PURPOSE = {"2026-11-21-0901_initial_schema.py", "2026-11-21-1205_identity.py"}
NAMELESS = {"utils", "util", "common", "helpers", "helper", "misc", "base_utils", "shared"}
NO_ROOMS = {"cli", "console", "database", "kit", "settings"}
ROOMS = sorted(path.parent for path in HOUSE.glob("*/__init__.py"))
CONSOLE = sorted((HOUSE / "console").rglob("*.py"))
# `Form` itself, and the reason that goes with any act.
MAKERS_OF_ENTRIES = {"form.py", "panels.py"}
# Signing in has no forms in cards; the others have one field in a row of a list.
READ_BY_HAND = {"requests.py", "identity.py", "account_security.py", "bookmarks.py"}


def length(path: Path) -> int:
    return len(path.read_text().splitlines())


class TestFiles:
    def test_sources_stay_under_400_lines(self):
        long = {str(path): length(path) for path in SOURCES if length(path) > 400}
        assert {Path(path).name for path in long} <= LONG_ON_PURPOSE, long

    def test_tests_stay_under_800_lines(self):
        assert not {str(path): length(path) for path in TESTS if length(path) > 800}

    def test_no_file_or_folder_is_named_after_nothing(self):
        paths = [path.relative_to(ROOT) for path in (*SOURCES, *TESTS)]
        assert not [
            str(path) for path in paths if NAMELESS & {part.removesuffix(".py") for part in path.parts}
        ]

    def test_every_test_file_has_a_namesake_or_names_its_subject(self):
        """A folder of tests mirrors a package or a room."""
        packages = {path.name for path in (ROOT / "src").iterdir()} | {path.name for path in ROOMS}
        others = {
            "architecture",
            "attacks",
            "bench",
            "corpus",
            "e2e",
            "factories",
            "faults",
            "packaging",
            "fixtures",
            "api",
            "simulation",
            "__pycache__",
        }
        folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()}
        assert folders <= packages | others


class TestRooms:
    @pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.name)
    def test_init_is_a_docstring(self, room):
        if room.name == "settings":  # the one door to all groups of settings
            return
        (only,) = ast.parse((room / "__init__.py").read_text()).body
        assert isinstance(only, ast.Expr)
        assert isinstance(only.value, ast.Constant)
        assert isinstance(only.value.value, str)

    @pytest.mark.parametrize(
        "room", [path for path in ROOMS if path.name not in NO_ROOMS], ids=lambda path: path.name
    )
    def test_room_says_what_it_owns(self, room):
        if room.name in {"audit", "operations", "simulation"}:  # they own nothing (yet)
            return
        words = (ast.get_docstring(ast.parse((room / "__init__.py").read_text())) or "").lower()
        assert "own" in words

    @pytest.mark.parametrize(
        "room", [path for path in ROOMS if path.name not in NO_ROOMS], ids=lambda path: path.name
    )
    def test_tables_stand_in_models_and_routes_in_api(self, room):
        for path in room.glob("*.py"):
            text = path.read_text()
            if "__tablename__" in text:
                assert path.name == "models.py", path
            if "APIRouter(" in text:
                assert path.stem == "api" or path.stem.endswith("_api"), path


class TestSettings:
    def test_every_setting_is_documented(self):
        """Write the table anew with `fleetkeeper settings`."""
        text = (ROOT / "docs" / "settings.md").read_text()
        assert text.endswith(settings_table() + "\n")

    def test_every_setting_has_a_meaning_and_its_unit(self):
        for variable, field in walk_settings():
            assert field.description, variable
            for suffix, unit in (("_SECONDS", "(seconds)"), ("_MINUTES", "(minutes)"), ("_BYTES", "(bytes)")):
                if variable.endswith(suffix):
                    assert unit in field.description, variable


class TestForms:
    """A form comes from a schema: what it shows and what it takes cannot differ then."""

    def test_entries_that_people_fill_in_are_made_by_form(self):
        found = {path.name for path in CONSOLE for call in calls_of(path, "Entry") if not is_hidden(call)}
        assert found <= MAKERS_OF_ENTRIES

    def test_forms_are_read_by_form(self):
        assert {path.name for path in CONSOLE if "FormValues" in path.read_text()} <= READ_BY_HAND


def calls_of(path: Path, name: str) -> list[ast.Call]:
    nodes = ast.walk(ast.parse(path.read_text()))
    return [node for node in nodes if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name]


def is_hidden(call: ast.Call) -> bool:
    return any(
        one.arg == "kind" and isinstance(one.value, ast.Constant) and one.value.value == "hidden"
        for one in call.keywords
    )
