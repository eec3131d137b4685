/** What new panels and queries hold at first. */

export function newPanel() {
  return {
    title: "New panel", description: "", kind: "line", width: 6, unit: null, text: "", thresholds: [], calc: "last", minimum: null, maximum: null,
    stacked: false, missing: "", queries: [newQuery()],
  };
}

export function newQuery() {
  return { language: "fleet", metrics: ["cpu_usage_percent"], by: ["device"], agg: "avg", across: null, top: 10, step: null, compare: null, legend: "", filter: { device: [], department: [], device_type: [], labels: {} } };
}
