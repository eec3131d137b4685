"""Processes: top lists, names of any bytes, numbers that are used again."""

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper_agent.collectors.processes import ProcessDetails, ProcessesCollector, ProcessReading
from fleetkeeper_agent.host_files import HostRoots
from fleetkeeper_agent.platforms.linux.processes import LinuxProcesses, parse_process_io, parse_process_stat

STAT = b"42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 9000 1000000 300 18446744073709 1"


class Source:
    def __init__(self):
        self.processes: list[ProcessReading] = []
        self.asked: list[int] = []

    def readings(self):
        return iter(self.processes)

    def details(self, pid, *, with_arguments):
        self.asked.append(pid)
        return ProcessDetails("root\x00", "x " + ("all" if with_arguments else "none"))

    def memory_total_bytes(self):
        return 1000.0


def process(pid, cpu=0.0, memory=10, started=1.0, **io):
    return ProcessReading(pid, started, f"p{pid}", cpu, memory, **io)


def test_stat_with_a_name_that_tries_to_confuse():
    found = parse_process_stat(STAT, 100.0, 4096)
    assert found == ProcessReading(42, 9000.0, "a) b (c", 3.0, 300 * 4096)


@given(st.binary(max_size=200))
def test_parsers_survive_any_bytes(data):
    parse_process_stat(data, 100.0, 4096)
    parse_process_stat(b"1 (" + data + b") S " + b"1 " * 30, 100.0, 4096)
    parse_process_io(data)


def test_the_first_snapshot_only_prepares():
    source = Source()
    source.processes = [process(1, cpu=100.0)]
    collector = ProcessesCollector(source)
    assert collector.snapshot(0.0, 1000.0) is None
    source.processes = [process(1, cpu=115.0)]
    snapshot = collector.snapshot(30.0, 1030.0)
    assert snapshot is not None
    assert snapshot.ts == 1030.0
    assert snapshot.processes[0].cpu_percent == 50.0
    assert snapshot.processes[0].memory_percent == 1.0
    assert snapshot.processes[0].username == "root\ufffd"


def test_a_number_that_is_used_again_is_another_process():
    source = Source()
    source.processes = [process(7, cpu=5000.0, started=1.0, read_bytes=1e9, write_bytes=0.0)]
    collector = ProcessesCollector(source)
    collector.snapshot(0.0, 0.0)
    source.processes = [process(7, cpu=3.0, started=2.0, read_bytes=5.0, write_bytes=0.0)]
    found = collector.snapshot(30.0, 30.0).processes[0]
    assert found.cpu_percent == 10.0
    assert found.read_bytes_per_second is None


def test_the_top_lists_are_merged():
    source = Source()
    before = [process(pid, read_bytes=0.0, write_bytes=0.0) for pid in range(200)]
    source.processes = before
    collector = ProcessesCollector(source)
    collector.snapshot(0.0, 0.0)
    source.processes = [
        process(
            pid,
            cpu=float(pid < 50) * pid,
            memory=pid if 50 <= pid < 100 else 0,
            read_bytes=float(pid) if pid >= 150 else 0.0,
            write_bytes=0.0,
        )
        for pid in range(200)
    ]
    found = {found.pid for found in collector.snapshot(30.0, 30.0).processes}
    assert found == {*range(35, 50), *range(85, 100), *range(185, 200)}
    assert sorted(source.asked) == sorted(found), "details are asked of the reported only"


def test_counters_of_a_process_that_go_back_give_no_rate():
    source = Source()
    source.processes = [process(1, cpu=10.0, read_bytes=100.0, write_bytes=100.0)]
    collector = ProcessesCollector(source)
    collector.snapshot(0.0, 0.0)
    source.processes = [process(1, cpu=9.0, read_bytes=50.0, write_bytes=400.0)]
    found = collector.snapshot(30.0, 30.0).processes[0]
    assert (found.cpu_percent, found.read_bytes_per_second, found.write_bytes_per_second) == (0.0, None, 10.0)


def write_process(proc: Path, pid: int, ticks: int, command: bytes) -> None:
    directory = proc / str(pid)
    directory.mkdir(exist_ok=True)
    stat = f"{pid} (name {pid}) S 1 1 1 0 -1 0 0 0 0 0 {ticks} 0 0 0 20 0 1 0 77 1000 25 0 0"
    (directory / "stat").write_text(stat)
    (directory / "io").write_text("rchar: 1\nread_bytes: 10\nwrite_bytes: 20\n")
    (directory / "cmdline").write_bytes(command)


def test_a_recorded_tree(tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal: 1000 kB\n")
    (tmp_path / "sys").mkdir()
    write_process(tmp_path, 10, 0, b"/bin/x\0--token=abc\0")
    write_process(tmp_path, 11, 0, b"")
    (tmp_path / "12").mkdir()
    flags = {"on": False}
    collector = ProcessesCollector(LinuxProcesses(HostRoots(proc=tmp_path)), lambda: flags["on"])
    collector.snapshot(0.0, 0.0)
    write_process(tmp_path, 10, os.sysconf("SC_CLK_TCK"), b"/bin/x\0--token=abc\0")
    first = collector.snapshot(10.0, 10.0).processes[0]
    assert (first.pid, first.name, first.cpu_percent) == (10, "name 10", 10.0)
    assert first.command == "/bin/x (1 argument)"
    assert first.read_bytes_per_second == 0.0
    flags["on"] = True
    assert [found.command for found in collector.snapshot(20.0, 20.0).processes if found.pid == 10] == [
        "/bin/x --token=***"
    ]
