/** Charts of what integrations send: a panel for each metric that no other section has. */

import { newPanel, newQuery } from "../charts/panel.js";
import { SECTIONS } from "./panels.js";

// More than these are found in Explore.
const MOST_PANELS = 60;
const PLAIN = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

const charted = () => new Set(Object.values(SECTIONS).flat().flatMap(({ queries, fallback = [] }) => [...queries, ...fallback].flatMap(({ metrics }) => metrics)));

/** The panels for these metrics of the catalog. */
export function otherPanels(metrics) {
  const elsewhere = charted();
  return metrics
    .filter(({ name, is_built_in: isBuiltIn }) => !isBuiltIn && !elsewhere.has(name) && PLAIN.test(name))
    .slice(0, MOST_PANELS)
    .map(({ name, unit, kind }) => {
      const rate = kind === "counter";
      const query = newQuery({ metrics: [name], by: [], top: null, agg: rate ? "rate" : "avg", each: true });
      return newPanel({ id: `other-${name}`, title: name, unit: rate ? `${unit}/s` : unit, queries: [query] });
    });
}
