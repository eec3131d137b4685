/** The drawing, by Cytoscape.js, which only this page fetches. */

import { positionsOf } from "./layout.js";

// Past this number of devices a layout by forces takes too long.
const MOST_BY_FORCE = 250;
const LARGEST = 1.3;
const COLORS = { hosts: "--fk-series-1", connects_to: "--fk-text-soft", powers: "--fk-warn-mark", manages: "--fk-purple", backs_up: "--fk-teal" };

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function looks() {
  const kinds = Object.entries(COLORS).map(([kind, name]) => ({ selector: `edge[type = "${kind}"]`, style: { "line-color": color(name), "target-arrow-color": color(name) } }));
  return [
    {
      selector: "node",
      style: {
        label: "data(name)", color: color("--fk-text"), "font-size": 11, "min-zoomed-font-size": 7, "text-valign": "bottom", "text-margin-y": 4,
        width: 20, height: 20, "background-color": color("--fk-text-faint"), "border-width": 2, "border-color": color("--fk-surface"),
      },
    },
    { selector: 'node[status = "online"]', style: { "background-color": color("--fk-good-mark") } },
    { selector: 'node[status = "offline"]', style: { "background-color": color("--fk-bad-mark") } },
    { selector: 'node[device_type = "network_device"]', style: { shape: "diamond" } },
    { selector: 'node[device_type = "storage"]', style: { shape: "round-rectangle" } },
    { selector: "edge", style: { width: 1.5, "curve-style": "haystack", opacity: 0.8 } },
    ...kinds,
    { selector: ".fails", style: { "border-color": color("--fk-bad"), "border-width": 5 } },
    { selector: ".path", style: { "border-color": color("--fk-accent"), "border-width": 5, width: 24, "z-index": 9 } },
    { selector: "edge.path", style: { width: 5, opacity: 1, "line-color": color("--fk-accent") } },
    { selector: ":selected", style: { "border-color": color("--fk-accent"), "border-width": 4 } },
  ];
}

export class Graph {
  static async in(container, onChoose) {
    const { default: cytoscape } = await import("cytoscape");
    return new Graph(cytoscape, container, onChoose);
  }

  constructor(cytoscape, container, onChoose) {
    this.cy = cytoscape({ container, style: looks(), hideEdgesOnViewport: true, textureOnViewport: true, wheelSensitivity: 0.3 });
    this.cy.on("tap", "node", (event) => onChoose(event.target.id()));
    new MutationObserver(() => this.cy.style(looks())).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  }

  show(nodes, edges) {
    const before = this.cy.nodes().length;
    this.cy.batch(() => {
      this.cy.edges().remove();
      const fresh = nodes.filter((node) => this.cy.getElementById(node.id).empty());
      this.cy.add(fresh.map((node) => ({ group: "nodes", data: node })));
      this.cy.add(edges.map(({ id, parent, child, type }) => ({ group: "edges", data: { id, source: parent, target: child, type } })));
    });
    if (this.cy.nodes().length !== before) this.arrange();
  }

  arrange() {
    const nodes = this.cy.nodes();
    if (nodes.length <= MOST_BY_FORCE) {
      this.cy.layout({ name: "cose", animate: false, nodeRepulsion: () => 9000 }).run();
      this.fit();
      return;
    }
    const edges = this.cy.edges().map((edge) => ({ parent: edge.source().id(), child: edge.target().id() }));
    const positions = positionsOf(nodes.map((node) => ({ id: node.id() })), edges);
    this.cy.layout({ name: "preset", positions: (node) => positions.get(node.id()), padding: 20 }).run();
  }

  choose(id) {
    this.cy.elements().unselect();
    this.cy.getElementById(id).select();
  }

  /** Small graphs are not blown up until names cover each other. */
  fit() {
    this.cy.fit(undefined, 30);
    if (this.cy.zoom() > LARGEST) {
      this.cy.zoom(LARGEST);
      this.cy.center();
    }
  }

  mark(name, ids) {
    this.cy.elements().removeClass("fails path");
    for (const id of ids) this.cy.getElementById(id).addClass(name);
  }

  /** The devices from one to another along the fewest relations, whatever their direction. */
  path(from, to) {
    const found = this.cy.elements().aStar({ root: this.cy.getElementById(from), goal: this.cy.getElementById(to) });
    if (!found.found) return undefined;
    this.mark("path", found.path.map((one) => one.id()));
    return found.path.nodes().map((node) => node.id());
  }
}
