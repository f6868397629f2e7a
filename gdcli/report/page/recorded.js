// A descent as it was recorded, for losses that need rows: up to 400 iterations, between which one can go.
import { coefficientLines } from "./charts.js";
import { transport } from "./controls.js";
import { AXES, chart, draggable, h, pathOf, refill, s } from "./dom.js";
import { count, mixed, number, percent } from "./numbers.js";
import { table } from "./panels.js";

// The iterations that were recorded: the one shown, the control that goes through them, and the address that holds it.
export function recordedSteps(all, draw) {
  const last = all.length - 1, self = { i: 0 };
  // The last iteration of the record that is not after k.
  const placeOf = (k) => Math.max(0, all.findLastIndex((iteration) => iteration <= k));
  self.k = () => all[self.i];
  self.go = (i) => {
    self.i = Math.max(0, Math.min(i, last));
    draw();
    try {
      history.replaceState(null, "", `#k=${self.k()}`);
    } catch {
      location.hash = `#k=${self.k()}`;
    }
  };
  self.to = (k) => self.go(placeOf(Math.round(k)));
  self.transport = transport({
    k: self.k, last: () => all[last],
    go: (k) => self.go(k > self.k() ? Math.max(placeOf(k), Math.min(self.i + 1, last)) : k < self.k() ? Math.min(placeOf(k), Math.max(self.i - 1, 0)) : self.i),
  });
  self.read = () => {
    const given = /(?:^#|&)k=(\d+)(?:&|$)/.exec(location.hash);
    self.i = given ? placeOf(Number(given[1])) : last;
    draw();
  };
  addEventListener("hashchange", () => { if (location.hash !== `#k=${self.k()}`) self.read(); });
  return self;
}

// The cost of one or more recorded descents; a press goes to an iteration.
export function recordedCost({ title, tools, height, curves, minimum, yLabel, last, steps }) {
  const width = AXES.steps(0, Math.max(last, 1));
  return chart({ title, tools, height }, ({ svg, frame }) => {
    const values = curves.flatMap(({ costs }) => costs.filter((value) => value !== null)), low = Math.min(minimum ?? Infinity, ...values), high = Math.max(...values);
    const y = low > 0 && high > 40 * low ? AXES.log(low / 1.15, high * 1.15) : AXES.linear(low - 0.05 * (high - low || 1), high + 0.05 * (high - low || 1));
    const { inside, px, py, left, top, w, h: tall, vx } = frame(width, y, { xLabel: "iteration", yLabel });
    if (minimum !== null) inside.append(s("path", { class: "line best thin", d: `M${left} ${py(minimum)}h${w}` }));
    inside.append(s("path", { class: "hair", d: `M${px(steps.k())} ${top}v${tall}` }));
    for (const { iterations, costs, kind } of curves) {
      const points = iterations.map((k, i) => [px(k), costs[i]]).filter(([, value]) => value !== null), here = valueAt(iterations, costs, steps.k());
      inside.append(s("path", { class: `curve ${kind ?? ""}`, d: pathOf(points.map(([x, value]) => [x, py(value)])) }));
      if (here !== null && !kind) inside.append(s("circle", { cx: px(Math.min(steps.k(), iterations.at(-1))), cy: py(here), r: 5, class: "now" }));
    }
    const cover = s("rect", { x: left, y: top, width: w, height: tall, class: "cover" });
    inside.append(cover);
    draggable(cover, svg, (x) => steps.to(vx(x)));
  });
}

// What was recorded of iteration k, or of the last one before it.
export const valueAt = (iterations, values, k) => values[Math.max(0, iterations.findLastIndex((iteration) => iteration <= k))];

export function recordedPage(told, page, heading) {
  const kept = told.recorded, all = kept.iterations, last = all.length - 1, best = kept.minimum;
  const steps = recordedSteps(all, () => draw());
  const cost = recordedCost({
    title: "The cost, iteration by iteration", height: (w) => Math.max(220, Math.min(300, w * 0.4)), curves: [{ iterations: all, costs: kept.costs }],
    minimum: best.cost, yLabel: `cost (${told.loss})`, last: all[last], steps,
  });
  const ways = kept.terms.length ? chart({ title: "The coefficients on their way", height: (w) => Math.max(270, Math.min(400, w * 0.5)) }, ({ frame }) => coefficientLines(frame, {
    steps: all.map((_, i) => i), n: all[last], k: steps.k(), best: best.standardized, labels: kept.terms, at: (i) => kept.standardized[i].map((value) => value ?? NaN), iteration: (i) => all[i],
  })) : null;
  const title = h("strong", {}), where = h("p", {}), live = h("p", { class: "hidden", role: "status", "aria-live": "polite" }), holder = h("div");
  const said = h("section", { class: "verdict", "aria-label": "Where the descent stands" }, h("p", { class: "headline" }, title), where, h("p", {}, told.reason), live);
  let waiting = 0;
  function draw() {
    const { i } = steps, gap = kept.gaps[i], here = kept.costs[i], share = gap !== null && best.cost ? `, ${percent(gap / Math.abs(best.cost)).replace(" %", "\u00a0%")} above its minimum` : "";
    title.textContent = `Iteration ${count(all[i])} of ${count(all[last])}`;
    where.textContent = here === null ? "The cost is too large for a number." : `The cost is ${number(here)}${share}.`;
    const c = kept.intercepts, labels = [...kept.terms, ...(c ? ["(intercept)"] : [])];
    const of = (row, intercept) => [...row, ...(c ? [intercept] : [])], now = of(kept.slopes[i], c?.[i]), goal = of(best.m, best.c);
    const cells = mixed(labels.flatMap((_, j) => [now[j], goal[j]]));
    refill(holder, table("Coefficients beside their minimum", ["term", `iteration ${count(all[i])}`, ...(best.cost === null ? [] : ["minimum at"])],
      labels.map((name, j) => [name, { text: cells[2 * j], class: "strong" }, ...(best.cost === null ? [] : [cells[2 * j + 1]])])));
    cost.draw();
    ways?.draw();
    steps.transport.draw();
    clearTimeout(waiting);
    waiting = setTimeout(() => { if (!steps.transport.playing()) live.textContent = `${title.textContent}. ${where.textContent}`; }, 700);
  }
  page.append(heading(`${told.source}: the descent as it was recorded.`), said,
    h("div", { class: "stage recorded" }, h("div", { class: "main" }, h("div", { class: "pictures several" }, ways?.element, cost.element), steps.transport.element)),
    h("div", { class: "below" }, h("section", { class: "card" }, h("h2", {}, "Coefficients"), holder), document.getElementById("report")));
  steps.read();
  window.lesson = { told, state: steps, go: steps.go };
}
