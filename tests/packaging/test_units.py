"""The units that systemd runs in production."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[2] / "deploy/systemd"
UNITS = sorted(path.name for path in SYSTEMD.iterdir())


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copies that name the programs of this environment, as systemd checks that they are there."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed here")
    folder = tmp_path_factory.mktemp("units")
    programs = str(Path(sys.executable).parent)
    for name in UNITS:
        text = (SYSTEMD / name).read_text()
        for installed in ("/opt/fleetkeeper/bin", "/opt/fleetkeeper-agent/venv/bin"):
            text = text.replace(installed, programs)
        (folder / name).write_text(text)
    return folder


def test_there_is_one_for_each_part() -> None:
    parts = ("", "-agent", "-migrate", "-serve", "-worker")
    assert sorted(f"fleetkeeper{part}.service" for part in parts) == UNITS


@pytest.mark.parametrize("name", UNITS)
def test_systemd_understands_it(units: Path, name: str) -> None:
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(units / name)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr
    assert name not in outcome.stderr


@pytest.mark.parametrize("name", UNITS)
def test_it_is_confined(units: Path, name: str) -> None:
    """systemd's own judgement: "OK" or better, that is an exposure of 4 at most of 10."""
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=40", str(units / name)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout[-300:] + outcome.stderr
