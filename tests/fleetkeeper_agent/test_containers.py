"""Containers by control groups as the runtimes make them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fleetkeeper_agent.fake_host import write

from fleetkeeper_agent.platforms.linux.containers import LinuxContainers, container_of

ID = "4f" * 32
OTHER = "a0" * 32


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"/docker/{ID}", ("docker", ID)),
        (f"/system.slice/docker-{ID}.scope", ("docker", ID)),
        (f"/system.slice/docker-{ID}.scope/init", ("docker", ID)),
        (f"/machine.slice/libpod-{ID}.scope/container", ("podman", ID)),
        (f"/machine.slice/libpod-conmon-{ID}.scope", None),
        (f"/kubepods.slice/kubepods-pod12_3.slice/cri-containerd-{ID}.scope", ("kubernetes", ID)),
        (f"/kubepods/besteffort/pod1-2/{ID}", ("kubernetes", ID)),
        (f"/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:{ID}", ("kubernetes", ID)),
        (f"/default/{ID}", ("containerd", ID)),
        (f"/user.slice/nerdctl-{ID}.scope", ("containerd", ID)),
        ("/lxc.payload.web-1/system.slice/nginx.service", ("lxc", "web-1")),
        ("/lxc/web-1/init.scope", ("lxc", "web-1")),
        (f"/docker/{ID}/docker/{OTHER}", ("docker", OTHER)),
        ("/system.slice/docker.service", None),
        ("/", None),
        (f"/docker/{ID[:20]}", None),
    ],
)
def test_where_a_process_lives(path, expected):
    assert container_of(f"0::{path}\n".encode()) == expected
    assert container_of(f"5:devices:{path}\n1:name=systemd:{path}\n".encode()) == expected


def process(pid, name, ticks, cgroup):
    fields = ["S", *["0"] * 18, str(ticks), "0", "0"]
    return {
        f"proc/{pid}/stat": f"{pid} ({name}) {' '.join(fields)}\n",
        f"proc/{pid}/cgroup": f"0::{cgroup}\n",
    }


def test_the_first_process_names_a_container(tmp_path):
    roots = write(
        tmp_path,
        process(1, "systemd", 1, "/init.scope")
        | process(50, "worker", 900, f"/docker/{ID}")
        | process(70, "ng\x1binx)", 500, f"/docker/{ID}")
        | process(80, "redis-server", 700, f"/machine.slice/libpod-{OTHER}.scope"),
    )
    found = LinuxContainers(roots).containers(1_795_000_000.0)
    assert [(c.runtime, c.container_id, c.process) for c in found] == [
        ("docker", ID, "ng\ufffdinx)"),
        ("podman", OTHER, "redis-server"),
    ]
    assert 1_795_000_000 < found[0].started_at < found[1].started_at
    assert LinuxContainers(roots).containers(None)[0].started_at is None


def test_a_container_does_not_report_itself(tmp_path):
    roots = write(tmp_path, process(1, "agent", 1, f"/docker/{ID}") | process(9, "x", 2, f"/docker/{ID}"))
    assert LinuxContainers(roots).containers(0.0) == []


def test_a_machine_without_processes_to_see(tmp_path):
    assert LinuxContainers(write(tmp_path, {})).containers(0.0) == []


@given(st.binary(max_size=300))
def test_any_bytes(data):
    container_of(data)
    container_of(b"0::/lxc/" + data)
