/** The table of file systems, from the newest values. */

import { getJson } from "../api.js";
import { bar, element, level } from "../elements.js";
import { formatValue } from "../format.js";

const FIELDS = {
  disk_partition_total_bytes: "total",
  disk_partition_used_bytes: "used",
  disk_partition_free_bytes: "free",
  disk_partition_usage_percent: "percent",
};

function groupByMount(values) {
  const mounts = new Map();
  for (const { metric, labels, value } of values) {
    if (!FIELDS[metric] || labels.mountpoint === undefined) continue;
    const mount = mounts.get(labels.mountpoint) ?? { mountpoint: labels.mountpoint };
    mount[FIELDS[metric]] = value;
    mounts.set(labels.mountpoint, mount);
  }
  return [...mounts.values()].sort((a, b) => (b.percent ?? 0) - (a.percent ?? 0));
}

function row(mount) {
  const share = element("span", { class: "share" }, bar(mount.percent ?? 0, level(mount.percent ?? 0)), element("b", {}, formatValue(mount.percent, "percent")));
  const sizes = ["used", "free", "total"].map((name) => element("td", { class: "is-number" }, formatValue(mount[name], "bytes")));
  return element("tr", {}, element("td", { class: "is-mono" }, mount.mountpoint), element("td", {}, share), ...sizes);
}

function showPartitions(host, values) {
  const mounts = groupByMount(values);
  const body = host.querySelector("tbody");
  const empty = element("tr", {}, element("td", { colspan: "5", class: "is-empty" }, "The agent reported no file system"));
  body.replaceChildren(...(mounts.length ? mounts.map(row) : [empty]));
}

const REPEAT_MS = 30_000;

export function followPartitions(host, device) {
  const show = async () => {
    const { values } = await getJson("/api/v1/telemetry/latest", [["device", device]]).catch(() => ({ values: [] }));
    showPartitions(host, values);
  };
  show();
  setInterval(() => !document.hidden && show(), REPEAT_MS);
}
