/** What is asked and how it is shown, as a panel: the graph draws it, and "Save to dashboard" stores it. */

import { newFilter, newPanel, newPromqlQuery, newQuery } from "../charts/panel.js";

const LONGEST_TITLE = 120;

const isPromql = (state) => state.get("mode") === "promql";

function queryOf(state) {
  if (isPromql(state)) return newPromqlQuery({ query: state.get("query"), instant: state.get("kind") === "instant", step: Number(state.get("pstep")) || null });
  const [across, top, step, compare] = ["across", "top", "step", "compare"].map((name) => state.get(name) || null);
  const filter = newFilter();
  for (const name of ["device", "department", "device_type"]) filter[name] = state.get(name);
  return newQuery({ metrics: state.get("metric"), by: state.get("by"), agg: state.get("agg"), across, top: top === "all" ? null : Number(top), step, compare, filter });
}

export function panelOf(state) {
  const query = queryOf(state);
  const title = (isPromql(state) ? query.query : query.metrics.join(", ")).slice(0, LONGEST_TITLE);
  return newPanel({ title, kind: query.instant || state.get("view") === "table" ? "table" : "line", queries: [query] });
}
