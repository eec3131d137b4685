"""What is true of the machine until somebody changes it: kernel, security, time, names, settings."""

import re
from pathlib import Path

from fleetkeeper_agent.command_masking import mask_arguments
from fleetkeeper_agent.host_files import HostRoots, read_number, read_or_none, resolved, sorted_children
from fleetkeeper_agent.hostile_text import clean, clean_or_none
from fleetkeeper_protocol.messages import Fact

MOST_FACTS = 200
LONGEST_FACT = 4000
MOST_ENTRIES = 100
_NAME_LENGTH = 200
_SYSCTLS = (
    "fs.file-max",
    "kernel.dmesg_restrict",
    "kernel.kptr_restrict",
    "kernel.perf_event_paranoid",
    "kernel.pid_max",
    "kernel.randomize_va_space",
    "kernel.unprivileged_bpf_disabled",
    "kernel.yama.ptrace_scope",
    "net.core.somaxconn",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.ip_forward",
    "net.ipv4.tcp_congestion_control",
    "net.ipv4.tcp_syncookies",
    "net.ipv6.conf.all.disable_ipv6",
    "net.ipv6.conf.all.forwarding",
    "vm.dirty_ratio",
    "vm.nr_hugepages",
    "vm.overcommit_memory",
    "vm.swappiness",
)
_OS_RELEASE = {
    "ID": "os.id",
    "ID_LIKE": "os.like",
    "NAME": "os.name",
    "PRETTY_NAME": "os.pretty_name",
    "VERSION_ID": "os.version",
    "VERSION_CODENAME": "os.codename",
    "VARIANT_ID": "os.variant",
    "IMAGE_VERSION": "os.image_version",
    "SUPPORT_END": "os.support_end",
}
_WORD = re.compile(r'(?:"[^"]*"|"[^"]*$|[^\s"])+')
_CHOSEN = re.compile(rb"\[([^\]]{1,60})\]")
_TIME_SERVER = re.compile(rb"^\s*(?:server|pool|peer)\s+(\S+)", re.MULTILINE)
_TIMESYNCD = re.compile(rb"^\s*(?:Fallback)?NTP\s*=\s*(.+)$", re.MULTILINE)
_SECURE_BOOT = "firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def mask_command_line(text: str) -> str:
    """The kernel's command line with what looks like a secret replaced."""
    return " ".join(mask_arguments(["", *_WORD.findall(text)])).strip()


def bounded(facts: dict[str, Fact | None]) -> dict[str, Fact]:
    """The facts that are known, cleaned and within the bounds of the protocol."""
    found = ((clean(name, _NAME_LENGTH), _bounded(value)) for name, value in sorted(facts.items()))
    return dict([(name, value) for name, value in found if name and value is not None][:MOST_FACTS])


def _bounded(value: Fact | None) -> Fact | None:
    if isinstance(value, str):
        return clean_or_none(value, LONGEST_FACT)
    if isinstance(value, list):
        return [clean(entry) for entry in value[:MOST_ENTRIES]] or None
    return value


class LinuxFacts:
    """Reads the files that hold a setting each."""

    def __init__(self, roots: HostRoots) -> None:
        self._roots = roots

    def facts(self, release: dict[str, str], virtualization: str | None) -> dict[str, Fact]:
        """All facts, by name."""
        return bounded(
            {
                **{fact: release.get(key) for key, fact in _OS_RELEASE.items()},
                "virtualization": virtualization,
                **self._kernel(),
                **self._boot(),
                **self._security(),
                **self._vulnerabilities(),
                **self._time_and_place(),
                **self._names(),
                **{f"sysctl.{name}": self._sysctl(name) for name in _SYSCTLS},
            }
        )

    def _kernel(self) -> dict[str, Fact | None]:
        system = self._roots.sys
        return {
            "kernel.release": self._text(self._roots.proc / "sys/kernel/osrelease"),
            "kernel.version": self._text(self._roots.proc / "sys/kernel/version"),
            "kernel.cmdline": mask_command_line(self._text(self._roots.proc / "cmdline") or ""),
            "kernel.tainted": _whole(self._roots.proc / "sys/kernel/tainted"),
            "kernel.clock_source": self._text(
                system / "devices/system/clocksource/clocksource0/current_clocksource"
            ),
            "kernel.transparent_hugepages": _chosen(system / "kernel/mm/transparent_hugepage/enabled"),
            "cgroup.version": self._cgroup_version(),
            "cpu.smt": self._text(system / "devices/system/cpu/smt/control"),
            "numa.nodes": self._text(system / "devices/system/node/online"),
        }

    def _cgroup_version(self) -> int | None:
        directory = self._roots.sys / "fs/cgroup"
        if (directory / "cgroup.controllers").exists():
            return 2
        return 1 if sorted_children(directory) else None

    def _boot(self) -> dict[str, Fact | None]:
        is_efi = (self._roots.sys / "firmware/efi").is_dir()
        secure = read_or_none(self._roots.sys / _SECURE_BOOT) or b""
        return {
            "boot.firmware": "efi" if is_efi else "bios" if (self._roots.sys / "firmware").is_dir() else None,
            # Four bytes of attributes, then the value.
            "boot.secure_boot": secure[4] == 1 if len(secure) == 5 else None,
            "init.name": self._text(self._roots.proc / "1/comm"),
            "init.systemd_version": self._systemd_version(),
        }

    def _systemd_version(self) -> str | None:
        usr = self._roots.etc.parent / "usr"
        libraries = [
            library.name
            for directory in (usr / "lib/systemd", usr / "lib64/systemd", *usr.glob("lib/*/systemd"))
            for library in sorted_children(directory)
        ]
        found = (re.fullmatch(r"libsystemd-shared-([\w.~+-]{1,40})\.so", name) for name in libraries)
        return next((match[1] for match in found if match), None)

    def _security(self) -> dict[str, Fact | None]:
        enforcing = self._text(self._roots.sys / "fs/selinux/enforce")
        apparmor = self._text(self._roots.sys / "module/apparmor/parameters/enabled")
        modules = self._text(self._roots.sys / "kernel/security/lsm")
        fips = _whole(self._roots.proc / "sys/crypto/fips_enabled")
        return {
            "security.selinux": {"1": "enforcing", "0": "permissive"}.get(enforcing or ""),
            "security.apparmor": {"Y": True, "N": False}.get(apparmor or ""),
            "security.modules": [*modules.split(",")] if modules else None,
            "security.lockdown": _chosen(self._roots.sys / "kernel/security/lockdown"),
            "security.fips": None if fips is None else fips == 1,
        }

    def _vulnerabilities(self) -> dict[str, Fact | None]:
        files = sorted_children(self._roots.sys / "devices/system/cpu/vulnerabilities")
        return {f"cpu.vulnerabilities.{file.name}": self._text(file) for file in files[:MOST_ENTRIES]}

    def _time_and_place(self) -> dict[str, Fact | None]:
        etc = self._roots.etc
        configured = b"\n".join(
            read_or_none(file) or b""
            for file in (
                etc / "chrony.conf",
                etc / "chrony/chrony.conf",
                etc / "ntp.conf",
                etc / "ntpsec/ntp.conf",
                *sorted_children(etc / "chrony/sources.d"),
            )
        )
        timesyncd = b"\n".join(
            read_or_none(file) or b""
            for file in (etc / "systemd/timesyncd.conf", *sorted_children(etc / "systemd/timesyncd.conf.d"))
        )
        servers = [*_TIME_SERVER.findall(configured), *b" ".join(_TIMESYNCD.findall(timesyncd)).split()]
        language = re.compile(rb"^\s*LANG=[\"']?([\w.@-]+)", re.MULTILINE)
        locales = (read_or_none(file) or b"" for file in (etc / "locale.conf", etc / "default/locale"))
        return {
            "time.zone": self._time_zone(),
            "time.servers": list(dict.fromkeys(clean(server) for server in servers)),
            "locale": next((clean(found[1]) for data in locales if (found := language.search(data))), None),
        }

    def _time_zone(self) -> str | None:
        target = resolved(self._roots.etc / "localtime")
        _, zones, name = str(target or "").partition("/zoneinfo/")
        return name if zones else self._text(self._roots.etc / "timezone")

    def _names(self) -> dict[str, Fact | None]:
        # Behind the stub of systemd-resolved stand the servers that it asks.
        own = self._roots.etc / "resolv.conf"
        upstream = self._roots.run / "systemd/resolve/resolv.conf"
        lines = (read_or_none(own) or b"").decode("utf-8", "replace")
        if "127.0.0.53" in lines:
            lines = (read_or_none(upstream) or b"").decode("utf-8", "replace") or lines
        words = [line.split() for line in lines.split("\n")]
        search: list[list[str]] = [found[1:] for found in words if found[:1] in (["search"], ["domain"])]
        return {
            "dns.servers": [found[1] for found in words if found[:1] == ["nameserver"] and found[1:]],
            "dns.search": search[-1] if search else None,
        }

    def _sysctl(self, name: str) -> Fact | None:
        path = self._roots.proc / "sys" / name.replace(".", "/")
        number = _whole(path)
        return self._text(path) if number is None else number

    @staticmethod
    def _text(path: Path) -> str | None:
        return clean_or_none(read_or_none(path), LONGEST_FACT)


def _chosen(path: Path) -> str | None:
    found = _CHOSEN.search(read_or_none(path) or b"")
    return clean(found[1]) if found else None


def _whole(path: Path) -> int | None:
    number = read_number(path)
    return int(number) if number is not None and abs(number) < 2**53 else None
