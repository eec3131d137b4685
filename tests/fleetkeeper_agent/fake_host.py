"""A machine's files under a folder of the test's own."""

from collections.abc import Mapping
from pathlib import Path

from fleetkeeper_agent.host_files import HostRoots


def write(root: Path, files: Mapping[str, str | bytes], links: Mapping[str, str] | None = None) -> HostRoots:
    """Write files and links, both by their path below `root`, and return where collectors find them."""
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    for name, target in (links or {}).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (root / target).mkdir(parents=True, exist_ok=True)
        path.symlink_to(root / target)
    return HostRoots(
        proc=root / "proc", sys=root / "sys", etc=root / "etc", run=root / "run", usr_share=root / "usr/share"
    )
