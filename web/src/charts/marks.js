/** What is drawn across a chart besides its lines: thresholds, moments and spans with their titles. */

import { FONT } from "./axes.js";
import { toneColour, withAlpha } from "./palette.js";

const DASH = [4, 3];
const SPAN_ALPHA = 0.14;
const LONGEST_TITLE = 28;
const NEAR_PIXELS = 5;

function stroke(chart, tone, dash, [fromX, fromY], [toX, toY]) {
  const { ctx } = chart;
  ctx.strokeStyle = toneColour(tone);
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash(dash.map((length) => length * devicePixelRatio));
  ctx.beginPath();
  ctx.moveTo(fromX, fromY);
  ctx.lineTo(toX, toY);
  ctx.stroke();
}

function drawThresholds(chart, thresholds, scale) {
  const { left, top, width, height } = chart.bbox;
  for (const { value, level } of thresholds) {
    const y = Math.round(chart.valToPos(value, scale, true));
    if (y >= top && y <= top + height) stroke(chart, level, DASH, [left, y], [left + width, y]);
  }
}

/** A mark's two ends on the canvas, as far as they are seen; null when they are not. */
function placeOf(chart, { from, to = from }) {
  const { left, width } = chart.bbox;
  const [start, end] = [from, to].map((time) => Math.round(chart.valToPos(time, "x", true)));
  if (end < left || start > left + width) return null;
  return [Math.max(start, left), Math.min(end, left + width)];
}

function drawSpans(chart, marks) {
  const { top, height } = chart.bbox;
  for (const mark of marks) {
    const place = mark.to === undefined ? null : placeOf(chart, mark);
    if (!place) continue;
    chart.ctx.fillStyle = withAlpha(toneColour(mark.tone), SPAN_ALPHA);
    chart.ctx.fillRect(place[0], top, Math.max(1, place[1] - place[0]), height);
  }
}

function drawMoments(chart, marks) {
  const { ctx } = chart;
  const { left, top, width, height } = chart.bbox;
  let free = left;
  for (const mark of marks) {
    const place = placeOf(chart, mark);
    if (!place) continue;
    for (const x of new Set(place)) stroke(chart, mark.tone, mark.to === undefined ? DASH : [], [x, top], [x, top + height]);
    const title = mark.title?.slice(0, LONGEST_TITLE);
    const at = place[0] + 4 * devicePixelRatio;
    if (!title || at < free) continue;
    const end = at + ctx.measureText(title).width;
    // Where there is no room for a title, the tooltip has it.
    if (end > left + width) continue;
    ctx.fillStyle = toneColour(mark.tone);
    ctx.fillText(title, at, top + 2 * devicePixelRatio);
    free = end;
  }
}

function kept(chart, draw) {
  const { ctx } = chart;
  ctx.save();
  ctx.font = FONT.replace(/^\d+/, (size) => String(size * devicePixelRatio));
  ctx.textBaseline = "top";
  ctx.textAlign = "left";
  draw();
  ctx.restore();
}

/** The uPlot plugin; `marks()` and `thresholds()` are asked at each drawing, spans lie below the lines. */
export function drawnMarks({ marks, thresholds = () => [], scale = () => "y" }) {
  return {
    hooks: {
      drawClear: (chart) => kept(chart, () => drawSpans(chart, marks())),
      draw: (chart) => kept(chart, () => {
        drawThresholds(chart, thresholds(), scale());
        drawMoments(chart, marks());
      }),
    },
  };
}

/** Those of the marks that the pointer is on, `left` CSS pixels into the plot. */
export function marksAt(chart, marks, left) {
  return marks.filter(({ from, to = from, title }) => {
    if (!title) return false;
    return left >= chart.valToPos(from, "x") - NEAR_PIXELS && left <= chart.valToPos(to, "x") + NEAR_PIXELS;
  });
}
