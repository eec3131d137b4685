"""The floors of the house: import-linter's contracts hold, and they would notice a breach."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run_linter(folder: Path, source: Path) -> subprocess.CompletedProcess[str]:
    """`lint-imports` on the packages in `source`, with the contracts of this repository."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from importlinter.cli import lint_imports_command;"
        "lint_imports_command(['--config', sys.argv[2], '--no-cache', '--no-logo'])"
    )
    return subprocess.run(
        [sys.executable, "-c", program, str(source), str(ROOT / "pyproject.toml")],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path) -> Path:
    """A copy of the source to plant breaches in."""
    return Path(
        shutil.copytree(
            ROOT / "src",
            tmp_path / "src",
            ignore=shutil.ignore_patterns("static", "__pycache__", "templates"),
        )
    )


class TestLayers:
    def test_contracts_hold(self, tmp_path):
        outcome = run_linter(tmp_path, ROOT / "src")
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr

    @pytest.mark.parametrize(
        ("file", "line"),
        [
            ("fleetkeeper/kit/clock.py", "from fleetkeeper.devices import models"),
            ("fleetkeeper/fleet/device_types.py", "from fleetkeeper.telemetry import frames"),
            ("fleetkeeper/telemetry/jobs.py", "from fleetkeeper import worker"),
            ("fleetkeeper_agent/clock.py", "from fleetkeeper.kit import clock"),
            ("fleetkeeper/devices/service.py", "import fastapi"),
        ],
    )
    def test_planted_import_breaks_them(self, copy, tmp_path, file, line):
        path = copy / file
        path.write_text(f"{path.read_text()}\n\n{line}\n")
        outcome = run_linter(tmp_path, copy)
        assert outcome.returncode == 1, outcome.stdout + outcome.stderr
        assert "is not allowed to import" in outcome.stdout

    def test_room_without_a_floor_breaks_them(self, copy, tmp_path):
        (copy / "fleetkeeper" / "attic").mkdir()
        (copy / "fleetkeeper" / "attic" / "__init__.py").write_text('"""A room on no floor."""\n')
        outcome = run_linter(tmp_path, copy)
        assert outcome.returncode == 1
        assert "fleetkeeper.attic" in outcome.stdout
