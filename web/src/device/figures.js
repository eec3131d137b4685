/** The figures at the head of the page: the newest value of one channel each, fetched once and then from the stream. */

import { getJson, serverNow } from "../api.js";
import { bar, level } from "../elements.js";
import { formatDuration, formatValue } from "../format.js";
import { channelKey } from "./channels.js";

const RECENT_SECONDS = 120;
const RECENT_POINTS = 24;

function show(node, value) {
  const unit = node.dataset.unit;
  const text = unit === "duration" && value !== null ? formatDuration(value) : formatValue(value, unit);
  node.querySelector("[data-figure-value]").textContent = text;
  if (unit === "percent") {
    const old = node.querySelector("svg.bar");
    if (old) old.replaceWith(bar(value ?? 0, level(value ?? 0)));
  }
}

export class Figures {
  #nodes = [...document.querySelectorAll("[data-figure]")];

  showLatest(values) {
    const known = new Map(values.map((one) => [channelKey(one.metric, one.labels), one.value]));
    for (const node of this.#nodes) {
      if (!node.dataset.rate) show(node, known.get(node.dataset.figure) ?? null);
    }
  }

  /** A stream tells rates from its second frame on; until then the last minutes do. */
  async showRecentRates(device) {
    const rates = this.#nodes.filter((node) => node.dataset.rate);
    const now = serverNow();
    const { series } = await getJson("/api/v1/telemetry/range", [
      ["device", device], ["from", now - RECENT_SECONDS], ["to", now], ["points", RECENT_POINTS], ["agg", "rate"],
      ...rates.map((node) => ["metric", node.dataset.figure]),
    ]);
    for (const node of rates) {
      const points = series.find(({ metric }) => metric === node.dataset.figure)?.points ?? [];
      show(node, points.findLast(([, value]) => value !== null)?.[1] ?? null);
    }
  }

  showFrame(valueOf) {
    for (const node of this.#nodes) {
      const value = valueOf({ key: node.dataset.figure, rate: Boolean(node.dataset.rate) });
      if (value !== null) show(node, value);
    }
  }
}
