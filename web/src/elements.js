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

/** An element of a picture. */
export function drawing(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

export function icon(name) {
  const sprite = document.querySelector('meta[name="icon-sprite"]').content;
  return drawing("svg", { class: "icon", "aria-hidden": "true" }, drawing("use", { href: `${sprite}#${name}` }));
}

/** A share of a whole as a thin bar; `level` colours it. */
export function bar(percent, level = "") {
  const rects = [["bar-track", 100], ["bar-fill", Math.min(100, Math.max(0, percent))]];
  return drawing(
    "svg", { class: `bar ${level}`, "aria-hidden": "true" },
    ...rects.map(([css, width]) => drawing("rect", { class: css, width: `${width}%`, height: "100%" })),
  );
}

export function level(percent) {
  if (percent >= 90) return "is-critical";
  return percent >= 75 ? "is-warning" : "";
}
