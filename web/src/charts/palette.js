/** Colours of charts, from the theme's CSS variables, so that a chart follows the theme by drawing itself again. */

const SERIES_COLOURS = 10;
let known = {};

document.addEventListener("themechange", () => {
  known = {};
});

function variable(name) {
  known[name] ??= getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return known[name];
}

export const seriesVariable = (index) => `--fk-series-${(index % SERIES_COLOURS) + 1}`;

export function seriesColour(index) {
  return variable(seriesVariable(index));
}

// Beyond as many lines as there are colors, dashes tell those of one color apart.
const DASHES = [[], [9, 4], [2, 3], [9, 3, 2, 3], [5, 5], [14, 3, 5, 3]];
const COMPARED_DASH = [4, 4];

/** Lengths of a line's dashes and gaps; none for a solid line. */
export function seriesDash(index, isCompared = false) {
  return isCompared ? COMPARED_DASH : DASHES[Math.floor(index / SERIES_COLOURS) % DASHES.length];
}

export function withAlpha(colour, alpha) {
  return `${colour}${Math.round(alpha * 255).toString(16).padStart(2, "0")}`;
}

const TONES = { good: "--fk-good-mark", warning: "--fk-warn-mark", critical: "--fk-bad-mark" };
/** The color of a threshold or an annotation; without a tone, that of plain marks. */
export const toneColour = (tone) => variable(TONES[tone] ?? "--fk-chart-mark");
export const gridColour = () => variable("--fk-chart-grid");
export const axisColour = () => variable("--fk-chart-axis");

/** The heat map's ramp: a value from 0 to 1 as a colour of 64 steps. */
export function heatColour(share) {
  const step = Math.round(Math.min(1, Math.max(0, share)) * 63);
  known.heat ??= Array.from({ length: 64 }, (_, index) => mix(index / 63));
  return known.heat[step];
}

function mix(share) {
  const stops = ["--fk-heat-0", "--fk-heat-1", "--fk-heat-2", "--fk-heat-3"].map(variable).map(channels);
  const place = share * (stops.length - 1);
  const low = Math.min(stops.length - 2, Math.floor(place));
  const part = place - low;
  const parts = stops[low].map((from, index) => Math.round(from + (stops[low + 1][index] - from) * part));
  return `rgb(${parts.join(",")})`;
}

function channels(hex) {
  return [1, 3, 5].map((start) => Number.parseInt(hex.slice(start, start + 2), 16));
}
