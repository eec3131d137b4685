/** Columns of values as a chart draws them: gaps bridged, sums stacked. */

const GAP_FACTOR = 2.5;

/** The usual distance of readings, so that a grid finer than the sampling does not look like gaps. */
export function usualStep(times, values) {
  const steps = [];
  let last = null;
  values.forEach((value, index) => {
    if (value === null) return;
    if (last !== null) steps.push(times[index] - last);
    last = times[index];
  });
  return steps.sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
}

/** The longest silence that is no gap, in seconds. */
export const longestPause = (times, values) => usualStep(times, values) * GAP_FACTOR;

/** Nulls of a short pause become undefined, which the chart bridges; a longer silence stays a gap. */
export function bridge(times, values, longest = longestPause(times, values)) {
  const result = values.slice();
  let last = -1;
  values.forEach((value, index) => {
    if (value === null) return;
    if (last >= 0 && index - last > 1 && times[index] - times[last] <= longest) {
      for (let place = last + 1; place < index; place += 1) result[place] = undefined;
    }
    last = index;
  });
  return result;
}

/** Each column becomes the sum of itself and those before it. */
export function stack(columns) {
  const sums = new Array(columns[0]?.length ?? 0).fill(0);
  return columns.map((column) =>
    column.map((value, index) => {
      if (value === null || value === undefined) return value;
      sums[index] += value;
      return sums[index];
    }),
  );
}

/** The range that an answer is shown in: its first step may begin before what was asked for. */
export const shownRange = ({ times }, [from, to]) => [Math.min(from, times[0] ?? from), to];
