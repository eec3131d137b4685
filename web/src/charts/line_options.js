/** How uPlot draws a line of a panel: stroke, dashes, fill, points, and the range of its values. */

import { seriesColour, seriesDash, withAlpha } from "./palette.js";

const HEADROOM = 1.08;
const FEW_POINTS = 30;
const FEWEST_POINTS = 3;
const STACKED_ALPHA = 0.55;
const AREA_ALPHA = 0.28;
const MIRRORED_ALPHA = 0.12;
const COMPARED_ALPHA = 0.7;

export const pointOptions = { size: 7, width: 1.5, fill: (chart, index) => chart.series[index].stroke(), stroke: "#fff" };

function areaFill(colour, strength) {
  return (chart) => {
    const { top, height } = chart.bbox;
    const fill = chart.ctx.createLinearGradient(0, top, 0, top + height);
    fill.addColorStop(0, withAlpha(seriesColour(colour), strength));
    fill.addColorStop(1, withAlpha(seriesColour(colour), strength * 0.25));
    return fill;
  };
}

function fillOf({ colour, mirror }, { kind, stacked }) {
  if (kind !== "area") return undefined;
  return stacked ? () => withAlpha(seriesColour(colour), STACKED_ALPHA) : areaFill(colour, mirror ? MIRRORED_ALPHA : AREA_ALPHA);
}

/** Points are drawn where lines alone would hide that there are few. */
function hasPoints(values) {
  return values.length <= FEW_POINTS || values.filter((value) => value !== null).length < FEWEST_POINTS;
}

/** `values()` are the line's own at the time of drawing. */
export function lineOptions(line, panel, values) {
  const { name, colour, compared } = line;
  return {
    label: name,
    stroke: () => (compared ? withAlpha(seriesColour(colour), COMPARED_ALPHA) : seriesColour(colour)),
    dash: seriesDash(colour, compared),
    width: panel.stacked ? 1 : 1.5,
    fill: fillOf(line, panel),
    fillTo: 0,
    points: { show: () => hasPoints(values()), size: 5 },
    spanGaps: false,
  };
}

/** From zero with some room above; ends that the panel fixes count, and of its `maximums` the least that is enough. */
export function valueRange(panelOf) {
  return (_chart, low, high) => {
    const { minimum, maximum, maximums } = panelOf();
    const bottom = minimum ?? Math.min(low ?? 0, 0) * HEADROOM;
    const top = maximum ?? maximums?.find((one) => one >= (high ?? 0) * HEADROOM) ?? Math.max(high ?? 0, 0) * HEADROOM;
    return bottom < top ? [bottom, top] : [bottom, bottom + 1];
  };
}
