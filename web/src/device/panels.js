/** Which charts a device page has, by section: panels as `charts/panel.js` describes them. */

import { newPanel, newQuery } from "../charts/panel.js";

/** One line, called by `legend`. */
const of = (metric, legend, more = {}) => newQuery({ metrics: [metric], by: [], top: null, legend, ...more });
/** A line for each value of a label. */
const by = (label, metric, more = {}) => of(metric, "", { by: [`label:${label}`], ...more });
const RATE = { agg: "rate" };
const BELOW = { mirror: true };

const PERCENT = { unit: "percent", minimum: 0, maximum: 100 };
const LOAD = { unit: "percent", minimum: 0, maximums: [10, 25, 50, 100] };

const DEFINED = {
  cpu: [
    {
      id: "cpu", title: "CPU usage", kind: "area", ...LOAD, stacked: true, width: 12, collector: "cpu",
      queries: [
        of("cpu_user_percent", "User"),
        of("cpu_system_percent", "System"),
        of("cpu_iowait_percent", "I/O wait"),
        of("cpu_steal_percent", "Steal"),
      ],
      fallback: [of("cpu_usage_percent", "In use")],
    },
    {
      id: "load", title: "Load average", kind: "line", unit: "", collector: "cpu",
      queries: [
        of("load_average_1m", "1 min"),
        of("load_average_5m", "5 min"),
        of("load_average_15m", "15 min"),
      ],
    },
    {
      id: "cores", title: "Usage of each core", unit: "percent", kind: "heatmap", collector: "cpu",
      queries: [by("core", "cpu_core_usage_percent")],
    },
    {
      id: "frequency", title: "Clock frequency", kind: "area", unit: "megahertz", optional: true, collector: "cpu",
      queries: [of("cpu_frequency_megahertz", "Mean of the cores")],
    },
    {
      id: "temperature", title: "Temperature", kind: "line", unit: "celsius", collector: "cpu.temperature",
      queries: [
        of("cpu_temperature_celsius", "Processor"),
        by("gpu", "gpu_temperature_celsius", { legend: "GPU" }),
      ],
    },
  ],
  memory: [
    {
      id: "memory", title: "Memory", kind: "area", unit: "bytes", stacked: true, collector: "memory", ceiling: "memory_total_bytes",
      queries: [
        of("memory_used_bytes", "Used"),
        of("memory_buffers_bytes", "Buffers"),
        of("memory_cached_bytes", "Page cache"),
      ],
    },
    {
      id: "swap", title: "Swap", kind: "area", unit: "bytes", collector: "memory", ceiling: "swap_total_bytes",
      queries: [of("swap_used_bytes", "Used")],
    },
    {
      id: "paging", title: "Memory bandwidth: paging", kind: "area", unit: "kibibytes/s", optional: true, collector: "memory_bandwidth",
      queries: [
        of("vmstat_pgpgin_per_second", "In"),
        of("vmstat_pgpgout_per_second", "Out", BELOW),
      ],
    },
    {
      id: "faults", title: "Page faults and swapping", kind: "line", unit: "/s", optional: true, collector: "memory_bandwidth",
      queries: [
        of("vmstat_pgfault_per_second", "Faults"),
        of("vmstat_pgmajfault_per_second", "Major faults"),
        of("vmstat_pswpin_per_second", "Swapped in"),
        of("vmstat_pswpout_per_second", "Swapped out"),
      ],
    },
  ],
  network: [
    {
      id: "network", title: "Network traffic", kind: "area", unit: "bytes/s", collector: "network",
      queries: [
        of("network_receive_bytes_total", "Received", RATE),
        of("network_transmit_bytes_total", "Sent", { ...RATE, ...BELOW }),
      ],
    },
    {
      id: "interfaces", title: "Traffic of each interface", kind: "line", unit: "bytes/s", collector: "network",
      queries: [
        by("interface", "network_interface_receive_bytes_total", { ...RATE, legend: "In" }),
        by("interface", "network_interface_transmit_bytes_total", { ...RATE, ...BELOW, legend: "Out" }),
      ],
    },
    {
      id: "packets", title: "Packets", kind: "area", unit: "/s", collector: "network",
      queries: [
        of("network_receive_packets_total", "Received", RATE),
        of("network_transmit_packets_total", "Sent", { ...RATE, ...BELOW }),
      ],
    },
    {
      id: "network-faults", title: "Network errors and drops", kind: "line", unit: "/s", collector: "network",
      queries: [
        of("network_receive_errors_total", "Receive errors", RATE),
        of("network_transmit_errors_total", "Send errors", RATE),
        of("network_receive_drops_total", "Receive drops", RATE),
        of("network_transmit_drops_total", "Send drops", RATE),
      ],
    },
  ],
  disk: [
    {
      id: "disk-io", title: "Disk throughput", kind: "area", unit: "bytes/s", collector: "disk",
      queries: [
        of("disk_read_bytes_total", "Read", RATE),
        of("disk_write_bytes_total", "Written", { ...RATE, ...BELOW }),
      ],
    },
    {
      id: "disk-operations", title: "Disk operations", kind: "area", unit: "/s", collector: "disk",
      queries: [
        of("disk_reads_total", "Reads", RATE),
        of("disk_writes_total", "Writes", { ...RATE, ...BELOW }),
      ],
    },
    {
      id: "disk-busy", title: "Busy time of each disk", kind: "line", ...LOAD, optional: true, collector: "disk",
      queries: [by("device", "disk_device_busy_percent")],
    },
    {
      id: "disk-usage", title: "Used space of each file system", kind: "line", ...PERCENT, collector: "disk",
      queries: [by("mountpoint", "disk_partition_usage_percent")],
    },
  ],
  hardware: [
    {
      id: "ipc", title: "Instructions per cycle", kind: "area", unit: "", collector: "perf_events",
      queries: [of("perf_instructions_per_cycle", "IPC")],
    },
    {
      id: "misses", title: "Cache and branch misses", kind: "area", unit: "percent", collector: "perf_events",
      queries: [
        of("perf_cache_miss_percent", "Last-level cache"),
        of("perf_branch_miss_percent", "Branches"),
      ],
    },
    {
      id: "cycles", title: "Cycles and instructions", kind: "area", unit: "/s", optional: true, collector: "perf_events",
      queries: [
        of("perf_cycles_total", "Cycles", RATE),
        of("perf_instructions_total", "Instructions", RATE),
      ],
    },
    {
      id: "tlb", title: "Data TLB load misses", kind: "area", unit: "/s", optional: true, collector: "perf_events",
      queries: [of("perf_dtlb_load_misses_total", "Misses", RATE)],
    },
    {
      id: "gpu", title: "GPU usage", kind: "line", ...LOAD, collector: "gpu",
      queries: [by("gpu", "gpu_utilization_percent", { legend: "GPU" })],
    },
    {
      id: "gpu-memory", title: "GPU memory", kind: "line", unit: "bytes", optional: true, collector: "gpu",
      queries: [by("gpu", "gpu_memory_used_bytes", { legend: "GPU" })],
    },
    {
      id: "gpu-power", title: "GPU power", kind: "line", unit: "watts", optional: true, collector: "gpu",
      queries: [by("gpu", "gpu_power_watts", { legend: "GPU" })],
    },
  ],
  agent: [
    {
      id: "agent-cpu", title: "Agent: processor time", kind: "area", unit: "percent", collector: "agent_self",
      queries: [of("agent_cpu_seconds_total", "Of one core", { ...RATE, factor: 100 })],
    },
    {
      id: "agent-memory", title: "Agent: memory", kind: "area", unit: "bytes", collector: "agent_self",
      queries: [of("agent_memory_bytes", "Resident")],
    },
    {
      id: "agent-collect", title: "Agent: time to collect", kind: "area", unit: "seconds", collector: "agent_self",
      queries: [of("agent_collect_seconds", "Last collection")],
    },
    {
      id: "agent-spool", title: "Unsent data of the agent", kind: "area", unit: "", collector: "agent_self",
      queries: [of("agent_spool_frames", "Waiting for the server")],
    },
  ],
};

export const SECTIONS = Object.fromEntries(Object.entries(DEFINED).map(([name, panels]) => [name, panels.map(newPanel)]));
