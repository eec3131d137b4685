/** Which charts a device page has: per section, per panel, which metrics and how they are drawn.
 *
 * `by` names the label that tells one metric's series apart; with `each` all labels do. `mirror` draws below zero. `maximum` fixes the
 * scale, the least of `maximums` that is enough does otherwise. `collector` is the agent's collector (or a part of it) that the numbers come from: its
 * status explains a panel without data. An `optional` panel without data is left out.
 */

const percent = { unit: "percent", minimum: 0, maximum: 100 };
const load = { unit: "percent", minimum: 0, maximums: [10, 25, 50, 100] };

export const SECTIONS = {
  cpu: [
    {
      id: "cpu", title: "CPU usage", kind: "area", ...load, stacked: true, wide: true, collector: "cpu",
      series: [
        { metric: "cpu_user_percent", name: "User" },
        { metric: "cpu_system_percent", name: "System" },
        { metric: "cpu_iowait_percent", name: "I/O wait" },
        { metric: "cpu_steal_percent", name: "Steal" },
      ],
      fallback: [{ metric: "cpu_usage_percent", name: "In use" }],
    },
    {
      id: "load", title: "Load average", kind: "line", unit: "", collector: "cpu",
      series: [
        { metric: "load_average_1m", name: "1 min" },
        { metric: "load_average_5m", name: "5 min" },
        { metric: "load_average_15m", name: "15 min" },
      ],
    },
    {
      id: "cores", title: "Usage of each core", unit: "percent", kind: "heatmap", collector: "cpu",
      series: [{ metric: "cpu_core_usage_percent", by: "core" }],
    },
    {
      id: "frequency", title: "Clock frequency", kind: "area", unit: "megahertz", optional: true, collector: "cpu",
      series: [{ metric: "cpu_frequency_megahertz", name: "Mean of the cores" }],
    },
    {
      id: "temperature", title: "Temperature", kind: "line", unit: "celsius", collector: "cpu.temperature",
      series: [
        { metric: "cpu_temperature_celsius", name: "Processor" },
        { metric: "gpu_temperature_celsius", by: "gpu", prefix: "GPU " },
      ],
    },
  ],
  memory: [
    {
      id: "memory", title: "Memory", kind: "area", unit: "bytes", stacked: true, collector: "memory", ceiling: "memory_total_bytes",
      series: [
        { metric: "memory_used_bytes", name: "Used" },
        { metric: "memory_buffers_bytes", name: "Buffers" },
        { metric: "memory_cached_bytes", name: "Page cache" },
      ],
    },
    {
      id: "swap", title: "Swap", kind: "area", unit: "bytes", collector: "memory", ceiling: "swap_total_bytes",
      series: [{ metric: "swap_used_bytes", name: "Used" }],
    },
    {
      id: "paging", title: "Memory bandwidth: paging", kind: "area", unit: "kibibytes/s", optional: true, collector: "memory_bandwidth",
      series: [
        { metric: "vmstat_pgpgin_per_second", name: "In" },
        { metric: "vmstat_pgpgout_per_second", name: "Out", mirror: true },
      ],
    },
    {
      id: "faults", title: "Page faults and swapping", kind: "line", unit: "/s", optional: true, collector: "memory_bandwidth",
      series: [
        { metric: "vmstat_pgfault_per_second", name: "Faults" },
        { metric: "vmstat_pgmajfault_per_second", name: "Major faults" },
        { metric: "vmstat_pswpin_per_second", name: "Swapped in" },
        { metric: "vmstat_pswpout_per_second", name: "Swapped out" },
      ],
    },
  ],
  network: [
    {
      id: "network", title: "Network traffic", kind: "area", unit: "bytes/s", collector: "network",
      series: [
        { metric: "network_receive_bytes_total", name: "Received", rate: true },
        { metric: "network_transmit_bytes_total", name: "Sent", rate: true, mirror: true },
      ],
    },
    {
      id: "interfaces", title: "Traffic of each interface", kind: "line", unit: "bytes/s", collector: "network",
      series: [
        { metric: "network_interface_receive_bytes_total", by: "interface", suffix: " in", rate: true },
        { metric: "network_interface_transmit_bytes_total", by: "interface", suffix: " out", rate: true, mirror: true },
      ],
    },
    {
      id: "packets", title: "Packets", kind: "area", unit: "/s", collector: "network",
      series: [
        { metric: "network_receive_packets_total", name: "Received", rate: true },
        { metric: "network_transmit_packets_total", name: "Sent", rate: true, mirror: true },
      ],
    },
    {
      id: "network-faults", title: "Network errors and drops", kind: "line", unit: "/s", collector: "network",
      series: [
        { metric: "network_receive_errors_total", name: "Receive errors", rate: true },
        { metric: "network_transmit_errors_total", name: "Send errors", rate: true },
        { metric: "network_receive_drops_total", name: "Receive drops", rate: true },
        { metric: "network_transmit_drops_total", name: "Send drops", rate: true },
      ],
    },
  ],
  disk: [
    {
      id: "disk-io", title: "Disk throughput", kind: "area", unit: "bytes/s", collector: "disk",
      series: [
        { metric: "disk_read_bytes_total", name: "Read", rate: true },
        { metric: "disk_write_bytes_total", name: "Written", rate: true, mirror: true },
      ],
    },
    {
      id: "disk-operations", title: "Disk operations", kind: "area", unit: "/s", collector: "disk",
      series: [
        { metric: "disk_reads_total", name: "Reads", rate: true },
        { metric: "disk_writes_total", name: "Writes", rate: true, mirror: true },
      ],
    },
    {
      id: "disk-busy", title: "Busy time of each disk", kind: "line", ...load, optional: true, collector: "disk",
      series: [{ metric: "disk_device_busy_percent", by: "device" }],
    },
    {
      id: "disk-usage", title: "Used space of each file system", kind: "line", ...percent, collector: "disk",
      series: [{ metric: "disk_partition_usage_percent", by: "mountpoint" }],
    },
  ],
  hardware: [
    {
      id: "ipc", title: "Instructions per cycle", kind: "area", unit: "", collector: "perf_events",
      series: [{ metric: "perf_instructions_per_cycle", name: "IPC" }],
    },
    {
      id: "misses", title: "Cache and branch misses", kind: "area", unit: "percent", collector: "perf_events",
      series: [
        { metric: "perf_cache_miss_percent", name: "Last-level cache" },
        { metric: "perf_branch_miss_percent", name: "Branches" },
      ],
    },
    {
      id: "cycles", title: "Cycles and instructions", kind: "area", unit: "/s", optional: true, collector: "perf_events",
      series: [
        { metric: "perf_cycles_total", name: "Cycles", rate: true },
        { metric: "perf_instructions_total", name: "Instructions", rate: true },
      ],
    },
    {
      id: "tlb", title: "Data TLB load misses", kind: "area", unit: "/s", optional: true, collector: "perf_events",
      series: [{ metric: "perf_dtlb_load_misses_total", name: "Misses", rate: true }],
    },
    {
      id: "gpu", title: "GPU usage", kind: "line", ...load, collector: "gpu",
      series: [{ metric: "gpu_utilization_percent", by: "gpu", prefix: "GPU " }],
    },
    {
      id: "gpu-memory", title: "GPU memory", kind: "line", unit: "bytes", optional: true, collector: "gpu",
      series: [{ metric: "gpu_memory_used_bytes", by: "gpu", prefix: "GPU " }],
    },
    {
      id: "gpu-power", title: "GPU power", kind: "line", unit: "watts", optional: true, collector: "gpu",
      series: [{ metric: "gpu_power_watts", by: "gpu", prefix: "GPU " }],
    },
  ],
  agent: [
    {
      id: "agent-cpu", title: "Agent: processor time", kind: "area", unit: "percent", collector: "agent_self",
      series: [{ metric: "agent_cpu_seconds_total", name: "Of one core", rate: true, factor: 100 }],
    },
    {
      id: "agent-memory", title: "Agent: memory", kind: "area", unit: "bytes", collector: "agent_self",
      series: [{ metric: "agent_memory_bytes", name: "Resident" }],
    },
    {
      id: "agent-collect", title: "Agent: time to collect", kind: "area", unit: "seconds", collector: "agent_self",
      series: [{ metric: "agent_collect_seconds", name: "Last collection" }],
    },
    {
      id: "agent-spool", title: "Unsent data of the agent", kind: "area", unit: "", collector: "agent_self",
      series: [{ metric: "agent_spool_frames", name: "Waiting for the server" }],
    },
  ],
};
