"""What users install: the server's wheel, the agent's wheel and its script, each in a new environment."""

import hashlib
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from fleetkeeper.console.rendering import DIST
from fleetkeeper.fleet.agent_package import AGENT_WHEEL_NAME, VERSION, build_agent_wheel, install_script
from tests.fixtures.product import Product

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).parent / "uv"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source archive."""
    if not DIST.exists():
        subprocess.run([sys.executable, ROOT / "hatch_build.py"], check=True)
    folder = tmp_path_factory.mktemp("built")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return folder


def install(wheel: Path, folder: Path) -> Path:
    """A new environment with a wheel and what it depends on; returns its folder of programs."""
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    command = [UV, "pip", "install", "--quiet", "--python", folder / "bin/python", wheel]
    for further in (["--offline"], []):
        outcome = subprocess.run([*command, *further], capture_output=True, text=True, check=False)
        if outcome.returncode == 0:
            return folder / "bin"
    pytest.skip(f"neither uv's cache nor the package index has the dependencies: {outcome.stderr[-200:]}")


def test_what_is_inside(built: Path) -> None:
    names = set(zipfile.ZipFile(next(built.glob("*.whl"))).namelist())
    package = ROOT / "src/fleetkeeper"
    for pattern in ("console/static/dist/*", "console/templates/**/*.html", "database/migrations/**/*.*"):
        wanted = {
            str(path.relative_to(ROOT / "src"))
            for path in package.glob(pattern)
            if "__pycache__" not in path.parts
        }
        assert wanted
        assert wanted <= names
    assert not [name for name in names if name.startswith(("tests", "web"))]
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        folders = {name.split("/")[1] for name in archive.getnames()}
    assert folders <= {
        "src",
        "web",
        "hatch_build.py",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "pyproject.toml",
        "PKG-INFO",
        ".gitignore",
    }


def test_the_wheel_serves(built: Path, tmp_path: Path, make_product: Callable[..., Product]) -> None:
    programs = install(next(built.glob("*.whl")), tmp_path / "venv")
    product = make_product()
    product.python = str(programs / "python")
    product.start()
    with product.client() as client:
        page = client.get("/sign-in")
        assert page.status_code == 200
        style = page.text.split('rel="stylesheet" href="')[1].split('"')[0]
        answer = client.get(style)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/css")
    assert product.stop() == 0


def test_the_agent_installs_by_itself(tmp_path: Path) -> None:
    wheel = tmp_path / AGENT_WHEEL_NAME
    wheel.write_bytes(build_agent_wheel())
    programs = install(wheel, tmp_path / "venv")
    listing = [UV, "pip", "list", "--format", "json", "--python", programs / "python"]
    names = {item["name"] for item in json.loads(subprocess.check_output(listing))}
    assert {"fleetkeeper-agent", "httpx", "msgspec", "psutil"} <= names
    assert not names & {"fleetkeeper", "sqlalchemy", "fastapi", "numpy"}
    shown = json.loads(
        subprocess.check_output([programs / "fleetkeeper-agent", "show"], stderr=subprocess.DEVNULL)
    )
    assert 0 <= shown["values"]["cpu_usage_percent"] <= 100
    assert shown["inventory"]["agent_version"] == VERSION


def run_script(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-s", "--", *arguments],
        input=script,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_script_wants_a_token(tmp_path: Path) -> None:
    script = install_script("http://127.0.0.1:1")
    assert subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode == 0
    outcome = run_script(script, HOME=str(tmp_path))
    assert outcome.returncode == 2
    assert "token" in outcome.stderr
    assert not list(tmp_path.iterdir())


def test_the_script_refuses_plain_http_and_names_the_wheel_s_hash(tmp_path: Path) -> None:
    script = install_script("http://fleet.example.org")
    outcome = run_script(script, "token", HOME=str(tmp_path))
    assert outcome.returncode == 1
    assert "plain http" in outcome.stderr
    assert not list(tmp_path.iterdir())
    digest = hashlib.sha256(build_agent_wheel()).hexdigest()
    for server in ("https://fleet.example.org", "http://fleet.example.org", "http://127.0.0.1:8000"):
        assert f"{server}/agent/{AGENT_WHEEL_NAME}#sha256={digest}" in install_script(server)


def run_as_user(script: str, token: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the script as a user without root, which the tests may be: there `id` says so."""
    path = folder / "bin"
    path.mkdir()
    (path / "python3").symlink_to(sys.executable)
    (path / "id").write_text("#!/bin/sh\necho 1000\n")
    (path / "id").chmod(0o755)
    return run_script(script, token, HOME=str(folder / "home"), PATH=f"{path}:{os.environ['PATH']}")


def test_a_wheel_that_was_changed_on_its_way_is_not_installed(product: Product, tmp_path: Path) -> None:
    digest = hashlib.sha256(build_agent_wheel()).hexdigest()
    script = httpx.get(f"{product.url}/agent/install.sh", trust_env=False).text
    other = digest[:-1] + ("0" if digest[-1] != "0" else "1")
    outcome = run_as_user(script.replace(digest, other), "token", tmp_path)
    assert outcome.returncode != 0
    assert other in outcome.stderr
    assert digest in outcome.stderr
    assert not list(tmp_path.rglob("bin/fleetkeeper-agent"))


def test_the_script_installs_and_enrols(product: Product, tmp_path: Path) -> None:
    script = httpx.get(f"{product.url}/agent/install.sh", trust_env=False).text
    outcome = run_as_user(script, product.enrollment_token(), tmp_path)
    home = tmp_path / "home"
    if "No matching distribution" in outcome.stderr or "Could not find a version" in outcome.stderr:
        pytest.skip(f"pip finds no package index: {outcome.stderr[-200:]}")
    assert outcome.returncode == 0, outcome.stderr
    agent = home / ".local/bin/fleetkeeper-agent"
    assert f"Now start the agent with: {agent} run\n" in outcome.stdout
    assert subprocess.run([agent, "--version"], check=False).returncode == 0
    state = home / ".local/state/fleetkeeper-agent"
    device_id = json.loads((state / "credentials.json").read_text())["device_id"]
    assert (state / "credentials.json").stat().st_mode & 0o077 == 0
    with product.client(product.api_token()) as client:
        assert device_id in {agent["device_id"] for agent in client.get("/api/v1/agents").json()["results"]}
