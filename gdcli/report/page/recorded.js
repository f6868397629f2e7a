// A descent as it was recorded, for losses that need rows: up to 400 iterations, between which one can go.
import { coefficientLines } from "./charts.js";
import { transport } from "./controls.js";
import { AXES, chart, draggable, h, pathOf, refill, s } from "./dom.js";
import { count, mixed, number, percent } from "./numbers.js";
import { table } from "./panels.js";

export function recordedPage(told, page, heading) {
  const kept = told.recorded, all = kept.iterations, last = all.length - 1, best = kept.minimum;
  const state = { i: 0 }, go = (i) => {
    state.i = Math.max(0, Math.min(i, last));
    draw();
    try {
      history.replaceState(null, "", `#k=${all[state.i]}`);
    } catch {
      location.hash = `#k=${all[state.i]}`;
    }
  };
  // The last iteration of the record that is not after k.
  const placeOf = (k) => Math.max(0, all.findLastIndex((iteration) => iteration <= k));
  const steps = transport({
    k: () => all[state.i], last: () => all[last],
    go: (k) => go(k > all[state.i] ? Math.max(placeOf(k), Math.min(state.i + 1, last)) : k < all[state.i] ? Math.min(placeOf(k), Math.max(state.i - 1, 0)) : state.i),
  });
  const width = AXES.steps(0, Math.max(all[last], 1));
  const cost = chart({ title: "The cost, iteration by iteration", height: (w) => Math.max(220, Math.min(300, w * 0.4)) }, ({ svg, frame }) => {
    const values = kept.costs.filter((value) => value !== null), low = Math.min(best.cost ?? Infinity, ...values), high = Math.max(...values);
    const y = low > 0 && high > 40 * low ? AXES.log(low / 1.15, high * 1.15) : AXES.linear(low - 0.05 * (high - low || 1), high + 0.05 * (high - low || 1));
    const { inside, px, py, left, top, w, h: tall, vx } = frame(width, y, { xLabel: "iteration", yLabel: `cost (${told.loss})` });
    if (best.cost !== null) inside.append(s("path", { class: "line best thin", d: `M${left} ${py(best.cost)}h${w}` }));
    inside.append(s("path", { class: "curve", d: pathOf(all.map((k, i) => [px(k), kept.costs[i]]).filter(([, value]) => value !== null).map(([x, value]) => [x, py(value)])) }));
    inside.append(s("path", { class: "hair", d: `M${px(all[state.i])} ${top}v${tall}` }));
    if (kept.costs[state.i] !== null) inside.append(s("circle", { cx: px(all[state.i]), cy: py(kept.costs[state.i]), r: 5, class: "now" }));
    const cover = s("rect", { x: left, y: top, width: w, height: tall, class: "cover" });
    inside.append(cover);
    draggable(cover, svg, (x) => go(placeOf(Math.round(vx(x)))));
  });
  const ways = kept.terms.length ? chart({ title: "The coefficients on their way", height: (w) => Math.max(270, Math.min(400, w * 0.5)) }, ({ frame }) => coefficientLines(frame, {
    steps: all.map((_, i) => i), n: all[last], k: all[state.i], best: best.standardized, labels: kept.terms, at: (i) => kept.standardized[i].map((value) => value ?? NaN), iteration: (i) => all[i],
  })) : null;
  const title = h("strong", {}), where = h("p", {}), live = h("p", { class: "hidden", role: "status", "aria-live": "polite" }), holder = h("div");
  const said = h("section", { class: "verdict", "aria-label": "Where the descent stands" }, h("p", { class: "headline" }, title), where, h("p", {}, told.reason), live);
  let waiting = 0;
  function draw() {
    const i = state.i, gap = kept.gaps[i], here = kept.costs[i], share = gap !== null && best.cost ? `, ${percent(gap / Math.abs(best.cost)).replace(" %", "\u00a0%")} above its minimum` : "";
    title.textContent = `Iteration ${count(all[i])} of ${count(all[last])}`;
    where.textContent = here === null ? "The cost is too large for a number." : `The cost is ${number(here)}${share}.`;
    const c = kept.intercepts, labels = [...kept.terms, ...(c ? ["(intercept)"] : [])];
    const of = (row, intercept) => [...row, ...(c ? [intercept] : [])], now = of(kept.slopes[i], c?.[i]), goal = of(best.m, best.c);
    const cells = mixed(labels.flatMap((_, j) => [now[j], goal[j]]));
    refill(holder, table("Coefficients beside their minimum", ["term", `iteration ${count(all[i])}`, ...(best.cost === null ? [] : ["minimum at"])],
      labels.map((name, j) => [name, { text: cells[2 * j], class: "strong" }, ...(best.cost === null ? [] : [cells[2 * j + 1]])])));
    cost.draw();
    ways?.draw();
    steps.draw();
    clearTimeout(waiting);
    waiting = setTimeout(() => { if (!steps.playing()) live.textContent = `${title.textContent}. ${where.textContent}`; }, 700);
  }
  page.append(heading(`${told.source}: the descent as it was recorded.`), said,
    h("div", { class: "stage recorded" }, h("div", { class: "main" }, h("div", { class: "pictures several" }, ways?.element, cost.element), steps.element)),
    h("div", { class: "below" }, h("section", { class: "card" }, h("h2", {}, "Coefficients"), holder), document.getElementById("report")));
  const read = () => {
    const given = /(?:^#|&)k=(\d+)(?:&|$)/.exec(location.hash);
    state.i = given ? placeOf(Number(given[1])) : last;
    draw();
  };
  addEventListener("hashchange", () => { if (location.hash !== `#k=${all[state.i]}`) read(); });
  read();
  window.lesson = { told, state, go };
}
