/** Makes DOM elements; text always goes in as text, never as markup. */

const SVG = "http://www.w3.org/2000/svg";

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  const sprite = document.querySelector('meta[name="icon-sprite"]').content;
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

/** A share of a whole as a thin bar; `level` colours it. */
export function bar(percent, level = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `bar ${level}`);
  svg.setAttribute("aria-hidden", "true");
  for (const [name, width] of [["bar-track", 100], ["bar-fill", Math.min(100, Math.max(0, percent))]]) {
    const rect = document.createElementNS(SVG, "rect");
    rect.setAttribute("class", name);
    rect.setAttribute("width", `${width}%`);
    rect.setAttribute("height", "100%");
    svg.append(rect);
  }
  return svg;
}

export function level(percent) {
  if (percent >= 90) return "is-critical";
  return percent >= 75 ? "is-warning" : "";
}
