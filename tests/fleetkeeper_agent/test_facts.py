"""Facts by recorded trees."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.fleetkeeper_agent.fake_host import write

from fleetkeeper_agent.platforms.linux.facts import LinuxFacts, bounded, mask_command_line
from fleetkeeper_protocol.messages import Inventory


def test_a_server(tmp_path):
    roots = write(
        tmp_path,
        {
            "proc/sys/kernel/osrelease": "6.1.0-18-amd64\n",
            "proc/cmdline": "root=/dev/sda1 quiet\n",
            "proc/sys/net/ipv4/ip_forward": "1\n",
            "proc/sys/net/ipv4/tcp_congestion_control": "bbr\n",
            "proc/sys/crypto/fips_enabled": "1\n",
            "proc/1/comm": "systemd\n",
            "sys/fs/cgroup/cgroup.controllers": "cpu memory\n",
            "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c": b"\6\0\0\0\1",
            "sys/kernel/security/lockdown": "none [integrity] confidentiality\n",
            "sys/kernel/security/lsm": "capability,landlock,apparmor",
            "sys/module/apparmor/parameters/enabled": "Y\n",
            "sys/fs/selinux/enforce": "0",
            "sys/devices/system/cpu/vulnerabilities/meltdown": "Mitigation: PTI\n",
            "usr/lib/systemd/libsystemd-shared-252.so": "",
            "etc/resolv.conf": "nameserver 127.0.0.53\nsearch stub\n",
            "run/systemd/resolve/resolv.conf": (
                "# made\nnameserver 192.0.2.53\nnameserver 192.0.2.54\nsearch a.example b.example\n"
            ),
            "etc/chrony/chrony.conf": "pool ntp.example.org iburst\n#server no.example.org\nserver 192.0.2.1\n",
            "etc/systemd/timesyncd.conf": "[Time]\n#NTP=x\nNTP=192.0.2.1 time.example.org\n",
            "etc/default/locale": 'LANG="de_DE.UTF-8"\n',
            "etc/timezone": "Europe/Berlin\n",
        },
    )
    found = LinuxFacts(roots).facts({"ID": "debian", "VERSION_CODENAME": "bookworm"}, "none")
    assert found == {
        "boot.firmware": "efi",
        "boot.secure_boot": True,
        "cgroup.version": 2,
        "cpu.vulnerabilities.meltdown": "Mitigation: PTI",
        "dns.search": ["a.example", "b.example"],
        "dns.servers": ["192.0.2.53", "192.0.2.54"],
        "init.name": "systemd",
        "init.systemd_version": "252",
        "kernel.cmdline": "root=/dev/sda1 quiet",
        "kernel.release": "6.1.0-18-amd64",
        "locale": "de_DE.UTF-8",
        "os.codename": "bookworm",
        "os.id": "debian",
        "security.apparmor": True,
        "security.fips": True,
        "security.lockdown": "integrity",
        "security.modules": ["capability", "landlock", "apparmor"],
        "security.selinux": "permissive",
        "sysctl.net.ipv4.ip_forward": 1,
        "sysctl.net.ipv4.tcp_congestion_control": "bbr",
        "time.servers": ["ntp.example.org", "192.0.2.1", "time.example.org"],
        "time.zone": "Europe/Berlin",
        "virtualization": "none",
    }
    inventory = Inventory(hostname="h", facts=found)
    assert msgspec.json.decode(msgspec.json.encode(inventory), type=Inventory).facts == found


def test_a_machine_that_tells_nothing(tmp_path):
    assert LinuxFacts(write(tmp_path, {})).facts({}, None) == {}


def test_the_zone_is_where_localtime_leads(tmp_path):
    roots = write(tmp_path, {}, {"etc/localtime": "usr/share/zoneinfo/America/New_York"})
    assert LinuxFacts(roots).facts({}, None)["time.zone"] == "America/New_York"


def test_secrets_of_the_command_line_are_masked():
    found = mask_command_line(
        'root=/dev/sda1 db.password=hunter2 api_key="a b c" url=http://me:pw@host/ token=t quiet'
    )
    assert found == ("root=/dev/sda1 db.password=*** api_key=*** url=http://***@host/ token=*** quiet")
    assert mask_command_line('secret="open end') == "secret=***"


def test_bounds():
    found = bounded(
        {f"f{number:04}": "x\0" * 9000 for number in range(300)} | {"": "x", "empty": "", "list": []}
    )
    assert len(found) == 200
    assert all(len(value) <= 4000 and "\0" not in value for value in found.values())


@given(st.binary(max_size=200))
def test_any_bytes_in_any_file(tmp_path_factory, data):
    files = (
        "proc/cmdline",
        "proc/sys/kernel/tainted",
        "proc/sys/vm/swappiness",
        "sys/kernel/security/lockdown",
        "sys/kernel/security/lsm",
        "sys/devices/system/cpu/vulnerabilities/x",
        "etc/resolv.conf",
        "etc/chrony.conf",
        "etc/systemd/timesyncd.conf",
        "etc/locale.conf",
        "etc/timezone",
    )
    roots = write(tmp_path_factory.mktemp("host"), dict.fromkeys(files, data))
    found = LinuxFacts(roots).facts({}, None)
    msgspec.json.decode(msgspec.json.encode(Inventory("h", facts=found)), type=Inventory)
