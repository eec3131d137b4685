/** A channel is a metric with its labels, written as the wire has it: `name{a="1",b="2"}`. */

const ESCAPES = { "\\": "\\\\", '"': '\\"', "\n": "\\n" };

export function channelKey(metric, labels = {}) {
  const names = Object.keys(labels).sort();
  if (!names.length) return metric;
  const inner = names.map((name) => `${name}="${String(labels[name]).replace(/[\\"\n]/g, (sign) => ESCAPES[sign])}"`);
  return `${metric}{${inner.join(",")}}`;
}

/** Turns a counter's readings into rates. A counter that fell was reset: that step has no rate. */
export class RateMeter {
  #last = new Map();

  rate(key, time, value) {
    const last = this.#last.get(key);
    this.#last.set(key, { time, value });
    if (!last || time <= last.time || value < last.value) return null;
    return (value - last.value) / (time - last.time);
  }

  forget() {
    this.#last.clear();
  }
}
