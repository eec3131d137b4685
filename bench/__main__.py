"""`python -m bench [section ...] [--seconds N] [--json FILE]`."""

import argparse
import importlib
import sys
import tempfile
import warnings
from pathlib import Path

from rich.console import Console

from bench.options import Options
from bench.report import Section, machine, write_json

SECTIONS = (
    "ingest",
    "pages",
    "agent",
    "access",
    "alerts",
    "audit",
    "sealing",
    "tsbs",
    "protocols",
    "mixed",
    "years",
    "rollups",
    "inventory",
    "supply",
)
PARTS = ("ceiling", "fleetkeeper", "peers", "documents", "lists", "rules")


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "sections", nargs="*", metavar="section", help=f"{', '.join(SECTIONS)}; all by default"
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each measurement, 0.5 to 60")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to a file")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        choices=PARTS,
        help="a part of `alerts`, `ingest`, `tsbs` or `protocols`; may be repeated",
    )
    parser.add_argument("--web-processes", type=int, default=1, help="Fleetkeeper's web processes")
    parser.add_argument("--devices", type=int, default=100_000, help="devices in `pages` and `inventory`")
    parser.add_argument("--hosts", type=int, default=1000, help="machines in `tsbs`")
    parser.add_argument("--days", type=int, default=365, help="length of `years` and `rollups`")
    parser.add_argument("--rounds", type=int, default=20, help="how often `tsbs` asks each kind")
    parser.add_argument("--profile", action="store_true", help="run py-spy, if installed, on a web process")
    values = parser.parse_args(arguments)
    unknown = set(values.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    if not 0.5 <= values.seconds <= 60.0:
        parser.error("--seconds lies between 0.5 and 60")
    return values


def main(arguments: list[str]) -> int:
    """Run the sections; returns the exit code."""
    values = _parse(arguments)
    options = Options(
        seconds=values.seconds,
        only=tuple(values.only),
        web_processes=values.web_processes,
        profile=values.profile,
        devices=values.devices,
        hosts=values.hosts,
        rounds=values.rounds,
        days=values.days,
    )
    terminal = Console()
    console = terminal if terminal.is_terminal else Console(width=200)
    console.print(", ".join(f"{name} {value}" for name, value in machine().items()), highlight=False)
    done: list[Section] = []
    failed = False
    for name in values.sections or SECTIONS:
        with tempfile.TemporaryDirectory(prefix="fleetkeeper-bench-") as folder:
            try:
                sections = importlib.import_module(f"bench.{name}").run(options, Path(folder))
            except RuntimeError as error:
                console.print(f"{name}: {error}", style="red", highlight=False, markup=False)
                failed = True
                continue
        for section in sections:
            section.print(console)
        done += sections
    if values.json:
        write_json(values.json, done)
    return int(failed)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
    sys.exit(main(sys.argv[1:]))
