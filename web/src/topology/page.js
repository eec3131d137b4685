/** Asks for a topology, and keeps graph, table and the chosen device together. */

import { getJson } from "../api.js";
import { element } from "../elements.js";
import { Graph } from "./graph.js";
import { deviceRows } from "./rows.js";

const MOST = "2000";
const KINDS = ["hosts", "connects_to", "powers", "manages", "backs_up"];

export class TopologyPage {
  constructor(root) {
    this.root = root;
    this.parts = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((one) => [one.dataset.part, one]));
    this.nodes = new Map();
    this.edges = new Map();
    this.chosen = undefined;
    this.start_of_path = undefined;
  }

  async start() {
    for (const box of this.root.querySelectorAll("[data-kind]")) box.addEventListener("change", () => this.show());
    this.root.addEventListener("click", (event) => {
      const act = event.target.closest("[data-act]");
      if (!act) return;
      this.act(act.dataset.act, act.dataset.device ?? this.chosen);
      // The answer stands above the graph, far from a row of the table.
      if (act.dataset.device) this.parts.state.scrollIntoView({ block: "center" });
    });
    this.graph = await Graph.in(this.parts.graph, (id) => this.choose(id));
    const asked = new URLSearchParams(window.location.search);
    const device = asked.get("device");
    await this.load(device ? around(device) : ["/api/v1/topology", filtersOf(asked)]);
    if (device) this.choose(device);
  }

  say(text) {
    this.parts.state.textContent = text;
  }

  /** Adds what an address tells to what is shown. */
  async load([path, parameters]) {
    this.say("Loading…");
    try {
      const told = await getJson(path, parameters);
      for (const node of told.nodes) this.nodes.set(node.id, node);
      for (const edge of told.edges) this.edges.set(edge.id, edge);
      this.show();
      const more = told.is_cut ? " There are more: narrow the filters, or open one device and expand it." : "";
      this.say(this.nodes.size ? `${counted(this.nodes.size, "device")}, ${counted(this.edges.size, "relation")}.${more}` : "No related devices match. Add relations on the tab Relations of a device.");
    } catch (error) {
      this.say(error.message);
    }
  }

  show() {
    this.parts.graph.hidden = this.nodes.size === 0;
    const kinds = new Set([...this.root.querySelectorAll("[data-kind]:checked")].map((box) => box.dataset.kind));
    const edges = [...this.edges.values()].filter((edge) => kinds.has(edge.type) && this.nodes.has(edge.parent) && this.nodes.has(edge.child));
    this.graph.show([...this.nodes.values()], edges);
    this.parts.rows.replaceChildren(...deviceRows([...this.nodes.values()], edges));
  }

  choose(id) {
    this.chosen = id;
    this.graph.choose(id);
    const node = this.nodes.get(id);
    this.parts.chosen.hidden = !node;
    if (!node) return;
    this.parts.name.replaceChildren(element("a", { href: `/devices/${encodeURIComponent(id)}` }, node.name));
  }

  async act(name, id) {
    this.choose(id);
    if (name === "expand" || name === "from") this.graph.mark("path", []);
    if (name === "expand") await this.load(around(id, "1"));
    if (name === "fails") await this.showFailing(id);
    if (name === "from") {
      this.start_of_path = id;
      this.say(`Path from ${this.nodes.get(id).name}: choose another device, then “Path to here”.`);
    }
    if (name === "to") this.showPath(id);
  }

  async showFailing(id) {
    this.say("Loading…");
    try {
      const told = await getJson(`/api/v1/devices/${encodeURIComponent(id)}/dependents`, [["limit", MOST]]);
      const names = told.results.map((one) => one.name);
      this.graph.mark("fails", [id, ...told.results.map((one) => one.id)]);
      const listed = `${names.slice(0, 20).join(", ")}${names.length > 20 ? ", …" : ""}`;
      const count = `${names.length} ${names.length === 1 ? "device fails" : "devices fail"}`;
      this.say(names.length ? `If ${this.nodes.get(id).name} fails, ${count}: ${listed}` : `Nothing fails with ${this.nodes.get(id).name}.`);
    } catch (error) {
      this.say(error.message);
    }
  }

  showPath(id) {
    const path = this.start_of_path ? this.graph.path(this.start_of_path, id) : undefined;
    if (!this.start_of_path) this.say("Choose a device and “Path from here” first.");
    else if (!path) this.say("No path among the relations shown.");
    else this.say(`Shortest path: ${path.map((one) => this.nodes.get(one).name).join(" → ")}`);
  }
}

const counted = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

const around = (device, depth = "2") => [`/api/v1/devices/${encodeURIComponent(device)}/topology`, [["depth", depth], ["limit", MOST]]];

function filtersOf(asked) {
  const names = ["location_id", "department_id", "device_type"];
  const told = names.flatMap((name) => asked.getAll(name).filter(Boolean).map((value) => [name, value]));
  return [...told, ["limit", MOST], ...KINDS.map((kind) => ["relationship_type", kind])];
}
