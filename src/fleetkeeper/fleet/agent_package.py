"""Packs the agent that came with this server into a wheel of its own, for machines of the fleet to install."""

import base64
import hashlib
import io
import re
import zipfile
from functools import cache
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import fleetkeeper_agent
import fleetkeeper_protocol
from fleetkeeper.kit.addresses import is_loopback_host

VERSION = version("fleetkeeper")
AGENT_WHEEL_NAME = f"fleetkeeper_agent-{VERSION}-py3-none-any.whl"
_INFO = f"fleetkeeper_agent-{VERSION}.dist-info"
# The same bytes each time, whenever it is built.
_FIXED_TIME = (2026, 1, 1, 0, 0, 0)
_METADATA = f"""Metadata-Version: 2.1
Name: fleetkeeper-agent
Version: {VERSION}
Summary: Measures a machine and reports to a Fleetkeeper server
Requires-Python: >=3.11
Requires-Dist: httpx>=0.28
Requires-Dist: msgspec>=0.22
Requires-Dist: psutil>=7.2
Provides-Extra: gpu
Requires-Dist: nvidia-ml-py>=13; extra == "gpu"
"""
_WHEEL = "Wheel-Version: 1.0\nGenerator: fleetkeeper\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_ENTRY_POINTS = "[console_scripts]\nfleetkeeper-agent = fleetkeeper_agent.main:main\n"


@cache
def build_agent_wheel() -> bytes:
    """The wheel's bytes."""
    files = {
        f"{_INFO}/METADATA": _METADATA.encode(),
        f"{_INFO}/WHEEL": _WHEEL.encode(),
        f"{_INFO}/entry_points.txt": _ENTRY_POINTS.encode(),
    }
    for package in (fleetkeeper_agent, fleetkeeper_protocol):
        root = Path(str(package.__file__)).parent
        for path in sorted(root.rglob("*.py")):
            files[f"{root.name}/{path.relative_to(root).as_posix()}"] = path.read_bytes()
    record = "".join(f"{name},sha256={_digest(content)},{len(content)}\n" for name, content in files.items())
    files[f"{_INFO}/RECORD"] = f"{record}{_INFO}/RECORD,,\n".encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _FIXED_TIME), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def install_script(server: str) -> str:
    """A POSIX shell script that installs the agent from `server` and enrolls it with the token it is given."""
    if not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+", server):
        raise ValueError(f"not a server's address: {server!r}")
    digest = hashlib.sha256(build_agent_wheel()).hexdigest()
    is_plain = server.startswith("http://") and not is_loopback_host(urlsplit(server).hostname or "")
    filled = {
        "@SERVER@": server,
        "@WHEEL@": AGENT_WHEEL_NAME,
        "@SHA256@": digest,
        "@PLAIN@": "yes" if is_plain else "",
    }
    script = _SCRIPT
    for name, value in filled.items():
        script = script.replace(name, value)
    return script


_SCRIPT = """#!/bin/sh
# Installs the Fleetkeeper agent from @SERVER@ and enrolls this machine:
#   curl -fsSL @SERVER@/agent/install.sh | sh -s -- ENROLLMENT_TOKEN
# Run as root it becomes a service. After the token it takes --replace: enroll again, although the machine has a key.
set -eu

# A function, so that a download that broke off runs nothing.
main() {
token="${1:-}"
if [ -z "$token" ]; then
  echo "Give the enrollment token: … | sh -s -- TOKEN" >&2
  exit 2
fi
shift
if [ -n "@PLAIN@" ] && [ "${FLEETKEEPER_AGENT_ALLOW_HTTP:-}" != yes ]; then
  echo "@SERVER@ is plain http: anybody on the way could change the agent and read its key." >&2
  echo "Use https, or set FLEETKEEPER_AGENT_ALLOW_HTTP=yes for a network that you trust." >&2
  exit 1
fi
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "The agent needs Python 3.11 or newer as python3." >&2
  exit 1
fi

if [ "$(id -u)" = 0 ]; then
  home=/opt/fleetkeeper-agent state=/var/lib/fleetkeeper-agent commands=/usr/local/bin
else
  home="$HOME/.local/share/fleetkeeper-agent" state="$HOME/.local/state/fleetkeeper-agent" commands="$HOME/.local/bin"
fi
mkdir -p "$home"
mkdir -p -m 700 "$state"
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet --disable-pip-version-check \\
  "@SERVER@/agent/@WHEEL@#sha256=@SHA256@"
mkdir -p "$commands"
ln -sf "$home/venv/bin/fleetkeeper-agent" "$commands/fleetkeeper-agent"

is_service=
[ "$(id -u)" = 0 ] && [ -d /run/systemd/system ] && is_service=yes
# An agent that runs holds its state.
was_running=
[ -n "$is_service" ] && systemctl --quiet is-active fleetkeeper-agent && was_running=yes
[ -n "$was_running" ] && systemctl stop fleetkeeper-agent
agent="$commands/fleetkeeper-agent"
if ! FLEETKEEPER_AGENT_TOKEN="$token" "$agent" enroll --server "@SERVER@" --state "$state" "$@"; then
  [ -n "$was_running" ] && systemctl start fleetkeeper-agent
  exit 1
fi

if [ -n "$is_service" ]; then
  cat > /etc/systemd/system/fleetkeeper-agent.service <<UNIT
[Unit]
Description=Fleetkeeper agent
After=network-online.target
Wants=network-online.target

[Service]
ExecStart=$home/venv/bin/fleetkeeper-agent run --state $state
Restart=always
RestartSec=5
WatchdogSec=120
AmbientCapabilities=CAP_PERFMON CAP_SYS_PTRACE
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=$state
PrivateTmp=yes

[Install]
WantedBy=multi-user.target
UNIT
  systemctl daemon-reload
  systemctl enable --now fleetkeeper-agent
  echo "The agent runs as the service fleetkeeper-agent."
else
  echo "The machine is enrolled. Now start the agent with: $agent run"
fi
}

main "$@"
"""
