/** Runs the device page: which panels there are, when they load, how they follow the present. */

import { getJson, serverNow } from "../api.js";
import { Figures } from "./figures.js";
import { LiveStream } from "./live.js";
import { Loader } from "./loader.js";
import { moment } from "./moment.js";
import { Panel } from "./panel.js";
import { otherPanels } from "./other_metrics.js";
import { SECTIONS } from "./panels.js";
import { showPresence } from "./presence.js";
import { neededMetrics } from "./series.js";
import { timeRange } from "../time/time_range.js";

const STREAMED_SPAN_SECONDS = 3600;
const TICK_MS = 5000;
const SLOW_REFRESH_MS = 30_000;
const EXACT_REFRESH_MS = 120_000;
const LATEST_REPEAT_MS = 30_000;

export class Dashboard {
  #device;
  #root;
  #panels = [];
  #loader;
  #stream;
  #figures = new Figures();
  #bounds = timeRange.bounds();
  #loadedAt = 0;

  constructor(root) {
    this.#root = root;
    this.#device = root.dataset.device;
    this.#loader = new Loader(this.#device);
    this.#stream = new LiveStream(this.#device);
  }

  async start() {
    const [metrics] = await Promise.all([this.#knownMetrics(), this.#showLatest()]);
    this.#figures.showRecentRates(this.#device).catch(() => {});
    this.#makePanels(metrics);
    this.#stream.addEventListener("frame", ({ detail }) => this.#onFrame(detail));
    this.#stream.addEventListener("state", () => this.#showState());
    timeRange.addEventListener("change", () => this.#onRangeChange());
    moment.addEventListener("change", () => this.#redraw());
    document.addEventListener("visibilitychange", () => this.#onVisibility());
    setInterval(() => this.#tick(), TICK_MS);
    setInterval(() => !document.hidden && this.#showLatest(), LATEST_REPEAT_MS);
    this.#follow();
  }

  async #knownMetrics() {
    try {
      const answer = await getJson("/api/v1/telemetry/metrics", [["device", this.#device]]);
      return answer.results;
    } catch {
      return null;
    }
  }

  async #showLatest() {
    try {
      const { values } = await getJson("/api/v1/telemetry/latest", [["device", this.#device]]);
      this.#figures.showLatest(values);
    } catch {
      this.#figures.showLatest([]);
    }
  }

  #reasonFor(collector) {
    const collectors = JSON.parse(this.#root.dataset.collectors);
    const names = [collector, collector.split(".", 1)[0]];
    const found = names.map((wanted) => collectors.find(({ name }) => name === wanted)?.reason).find(Boolean);
    return found || "This machine has not reported these readings";
  }

  #makePanels(metrics) {
    const seen = new IntersectionObserver((entries) => this.#onSight(entries), { rootMargin: "250px" });
    const known = metrics && new Set(metrics.map(({ name }) => name));
    const other = otherPanels(metrics ?? []);
    for (const part of other.length ? document.querySelectorAll("[data-other-metrics]") : []) part.hidden = false;
    for (const [section, definitions] of Object.entries({ ...SECTIONS, other })) {
      const host = this.#root.querySelector(`[data-section="${section}"]`);
      const panels = [];
      for (const definition of definitions) {
        const isKnown = !known || neededMetrics(definition).some(({ metric }) => metric !== definition.ceiling && known.has(metric));
        if (!isKnown && definition.optional) continue;
        const panel = new Panel(definition, { view: () => this.#bounds });
        if (isKnown) {
          this.#panels.push(panel);
          panel.root.panel = panel;
          seen.observe(panel.root);
        } else panel.showMessage("plug-connected-x", this.#reasonFor(definition.collector));
        panels.push(panel.root);
      }
      host.replaceChildren(...panels);
    }
  }

  #onSight(entries) {
    for (const { target, isIntersecting } of entries) {
      target.panel.isVisible = isIntersecting;
      if (!isIntersecting) continue;
      if (target.panel.isStale) this.#request(target.panel);
      else target.panel.slide();
    }
  }

  #request(panel) {
    this.#loader.request(panel, () => this.#bounds);
  }

  #onRangeChange() {
    this.#loader.abort();
    this.#bounds = timeRange.bounds();
    for (const panel of this.#panels) panel.slide();
    this.#reload();
    this.#follow();
  }

  /** Everything is to be fetched again: what is seen now, the rest when it comes into sight. */
  #reload() {
    this.#loadedAt = Date.now();
    for (const panel of this.#panels) {
      panel.isStale = true;
      if (panel.isVisible) this.#request(panel);
    }
  }

  #follow() {
    if (!document.hidden) this.#stream.start();
    this.#loadedAt ||= Date.now();
    this.#showState();
  }

  #onFrame({ ts, valueOf }) {
    this.#figures.showFrame(valueOf);
    showPresence(ts);
    if (!timeRange.isLive || timeRange.seconds > STREAMED_SPAN_SECONDS) return;
    const end = Math.max(ts, serverNow());
    this.#bounds = [end - timeRange.seconds, end];
    for (const panel of this.#panels) panel.append(ts, valueOf, this.#bounds[0]);
  }

  #tick() {
    if (!timeRange.isLive || document.hidden) return;
    this.#bounds = timeRange.bounds();
    const streamed = this.#stream.isOpen && timeRange.seconds <= STREAMED_SPAN_SECONDS;
    const age = Date.now() - this.#loadedAt;
    if (age >= (streamed ? EXACT_REFRESH_MS : SLOW_REFRESH_MS)) this.#reload();
    else for (const panel of this.#panels) panel.slide();
  }

  #onVisibility() {
    if (document.hidden) {
      this.#stream.stop();
      return;
    }
    this.#stream.start();
    if (!timeRange.isLive) return;
    this.#bounds = timeRange.bounds();
    this.#reload();
  }

  #redraw() {
    for (const panel of this.#panels) panel.redraw();
  }

  #showState() {
    const live = document.querySelector("[data-live]");
    live.dataset.state = timeRange.isLive ? (this.#stream.isOpen ? "open" : "waiting") : "paused";
  }
}
