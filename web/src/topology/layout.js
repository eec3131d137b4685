/**
 * Where many devices stand: each group of related ones as rings around the device with the most relations, groups side
 * by side. It takes one look at each relation, where a layout by forces compares every pair.
 */

const SPACING = 34;
const GAP = 90;

/** Positions by ID. Nodes have `id`; edges have `parent` and `child`. */
export function positionsOf(nodes, edges) {
  const around = new Map(nodes.map(({ id }) => [id, []]));
  for (const { parent, child } of edges) {
    if (parent === child || !around.has(parent) || !around.has(child)) continue;
    around.get(parent).push(child);
    around.get(child).push(parent);
  }
  const byDegree = [...around.keys()].sort((a, b) => around.get(b).length - around.get(a).length);
  const seen = new Set();
  const groups = [];
  for (const id of byDegree) if (!seen.has(id)) groups.push(ringsAround(id, around, seen));
  return packed(groups);
}

/** One group as a tree: who is found from whom, from the middle outwards. */
function ringsAround(root, around, seen) {
  const found = [{ id: root, depth: 0, leaves: 0, below: [] }];
  seen.add(root);
  for (let place = 0; place < found.length; place += 1) {
    const one = found[place];
    for (const id of around.get(one.id)) {
      if (seen.has(id)) continue;
      seen.add(id);
      const next = { id, depth: one.depth + 1, leaves: 0, below: [], above: one };
      one.below.push(next);
      found.push(next);
    }
  }
  const counts = [];
  for (const one of found.toReversed()) {
    one.leaves = Math.max(one.leaves, 1);
    if (one.above) one.above.leaves += one.leaves;
    counts[one.depth] = (counts[one.depth] ?? 0) + 1;
  }
  return placed(found, ringsOf(counts));
}

/** Each ring has room for those on it: where they are many, it is a band of several lines. */
function ringsOf(counts) {
  const rings = [{ radius: 0, lines: 1 }];
  for (let depth = 1; depth < counts.length; depth += 1) {
    const lines = Math.max(1, Math.round(Math.sqrt(counts[depth]) / 6));
    const within = rings[depth - 1];
    const free = within.radius + (within.lines + 1) * SPACING;
    rings.push({ radius: Math.max(free, (counts[depth] * SPACING) / (2 * Math.PI * lines)), lines });
  }
  return rings;
}

function placed(found, rings) {
  const points = new Map();
  const seated = rings.map(() => 0);
  found[0].from = 0;
  found[0].width = 2 * Math.PI;
  for (const one of found) {
    const angle = one.from + one.width / 2;
    const { radius, lines } = rings[one.depth];
    const away = radius + (seated[one.depth] % lines) * SPACING;
    seated[one.depth] += 1;
    points.set(one.id, { x: away * Math.cos(angle), y: away * Math.sin(angle) });
    let from = one.from;
    for (const next of one.below) {
      next.from = from;
      next.width = (one.width * next.leaves) / one.leaves;
      from += next.width;
    }
  }
  const { radius, lines } = rings.at(-1);
  return { points, radius: radius + (lines - 1) * SPACING };
}

/** Groups in lines, the largest first, so that all together are about as wide as high. */
function packed(groups) {
  const sorted = groups.toSorted((a, b) => b.radius - a.radius);
  const size = ({ radius }) => 2 * radius + GAP;
  const width = 1.5 * Math.sqrt(sorted.reduce((sum, group) => sum + size(group) ** 2, 0));
  const positions = new Map();
  let [x, y, height] = [0, 0, 0];
  for (const group of sorted) {
    const side = size(group);
    if (x > 0 && x + side > width) [x, y, height] = [0, y + height, 0];
    for (const [id, point] of group.points) positions.set(id, { x: x + side / 2 + point.x, y: y + side / 2 + point.y });
    x += side;
    height = Math.max(height, side);
  }
  return positions;
}
