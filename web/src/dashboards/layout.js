/** Where the panels of a row stand in its grid of twelve columns. A place is { panel, x, y, width, height }; panels rise as far as others let them. */

export const COLUMNS = 12;
/** A grid line and the gap below it, in pixels; the style sheet has the same. */
export const LINE_PIXELS = 40;
export const NARROWEST = 2;
export const LOWEST = 2;
export const TALLEST = 40;
const HEIGHTS = { line: 8, area: 8, bars: 10, table: 10, stat: 5, gauge: 5 };
const TEXT_HEAD_PIXELS = 66;
const TEXT_LINE_PIXELS = 21;
const TEXT_SIGNS_PER_COLUMN = 12;
const TALLEST_TEXT = 14;

function textHeight({ text, width }) {
  const signs = width * TEXT_SIGNS_PER_COLUMN;
  const lines = text.split("\n").reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / signs)), 0);
  return Math.min(TALLEST_TEXT, Math.ceil((TEXT_HEAD_PIXELS + lines * TEXT_LINE_PIXELS) / LINE_PIXELS));
}

/** A panel's height in grid lines: its own, or that of its kind. */
export const heightOf = (panel) => panel.height ?? (panel.kind === "text" ? textHeight(panel) : HEIGHTS[panel.kind]);

const clamp = (value, least, most) => Math.min(most, Math.max(least, value));

/** Sorted from top to bottom, each as high as those before it allow. */
function packed(places) {
  const ends = new Array(COLUMNS).fill(0);
  const sorted = places.toSorted((a, b) => a.y - b.y || a.x - b.x);
  for (const place of sorted) {
    const columns = ends.slice(place.x, place.x + place.width);
    place.y = Math.max(...columns);
    ends.fill(place.y + place.height, place.x, place.x + place.width);
  }
  return sorted.sort((a, b) => a.y - b.y || a.x - b.x);
}

/** The places of a row's panels; those without one follow the others from left to right. */
export function placesOf(panels) {
  let [next, line] = [0, 1e6];
  const places = panels.map((panel) => {
    const [width, height] = [clamp(panel.width, 1, COLUMNS), heightOf(panel)];
    if (panel.x !== null && panel.x !== undefined) return { panel, x: clamp(panel.x, 0, COLUMNS - width), y: panel.y, width, height };
    if (next + width > COLUMNS) [next, line] = [0, line + 1];
    next += width;
    return { panel, x: next - width, y: line, width, height };
  });
  return packed(places);
}

/** The panels in their order, with their places written into them. */
export function written(places) {
  return packed(places).map(({ panel, x, y, width, height }) => Object.assign(panel, { x, y, width, height }));
}

const overlap = (a, b, start, size) => a[start] < b[start] + b[size] && b[start] < a[start] + a[size];

function leftOrRight(places, place, step) {
  const edge = step > 0 ? place.x + place.width : place.x;
  const next = places.find((one) => overlap(one, place, "y", "height") && (step > 0 ? one.x : one.x + one.width) === edge);
  if (!next) place.x = clamp(place.x + step, 0, COLUMNS - place.width);
  else [next.x, place.x] = step > 0 ? [place.x, next.x + next.width - place.width] : [place.x + place.width - next.width, next.x];
}

/** Whether there was something to change places with. */
function upOrDown(places, place, step) {
  const others = places.filter((one) => one !== place && overlap(one, place, "x", "width") && (one.y - place.y) * step > 0);
  const next = others.sort((a, b) => (a.y - b.y) * step)[0];
  if (next) place.y = next.y + step / 2;
  return Boolean(next);
}

/** A panel one step in a direction of [columns, lines]; null when it would leave its row. */
export function moved(panels, panel, [across, down]) {
  const places = placesOf(panels);
  const place = places.find((one) => one.panel === panel);
  if (across) leftOrRight(places, place, across);
  else if (!upOrDown(places, place, down)) return null;
  return written(places);
}

/** A panel wider or taller by a step. */
export function resized(panels, panel, [across, down]) {
  const places = placesOf(panels);
  const place = places.find((one) => one.panel === panel);
  place.width = clamp(place.width + across, NARROWEST, COLUMNS - place.x);
  place.height = clamp(place.height + down, LOWEST, TALLEST);
  return written(places);
}

/** A panel from another row, above all others or below them. */
export function joined(panels, panel, isAbove) {
  const { width, height, x } = placesOf([panel])[0];
  return written([...placesOf(panels), { panel, x, width, height, y: isAbove ? -1 : 1e6 }]);
}

/** The panel before or behind changes places with it, as on a phone, where all stand in one column; null at an end. */
export function swapped(panels, panel, step) {
  const places = placesOf(panels);
  const at = places.findIndex((one) => one.panel === panel);
  const other = places[at + step];
  if (!other) return null;
  [places[at].panel, other.panel] = [other.panel, places[at].panel];
  return written(places);
}

/** A copy that stands below the panel, or behind it where the row has no places yet. */
export function copyBelow(panel) {
  const copy = structuredClone(panel);
  if (typeof panel.y === "number") copy.y += heightOf(panel);
  return copy;
}
