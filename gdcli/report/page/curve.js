// The page of a curve: the walk down it, at any rate and from any start.
import { drawnSteps, heightChart } from "./charts.js";
import { field, keptRates, numberInput, rateControl, transport } from "./controls.js";
import { h, refill } from "./dom.js";
import { general, numberColumn, rateText } from "./numbers.js";
import { commandPanel, table, unbroken, verdictPanel } from "./panels.js";
import { MOST_ITERATIONS } from "./state.js";
import { downhill, heightAt, limitNear, walkDown, walkVerdict } from "./walk.js";

const TITLES = {
  reached: ["converged", "Arrived"], approaching: ["far", "On its way"], unsettled: ["diverged", "Does not settle"],
  stuck: ["near", "Stuck"], falling: ["diverged", "Falls without end"], diverged: ["diverged", "Diverges"],
};

export function curvePage(told, page, heading) {
  const { curve } = told, usual = { lr: curve.rate, start: curve.start, n: Math.max(1, Math.min(curve.iterations, MOST_ITERATIONS)), kept: told.rates };
  const state = { ...usual, k: 0 }, watchers = [];
  const walkOf = (rate, n) => walkDown(curve, { start: state.start, rate, n });
  let memo = {};
  const lesson = {
    told, state,
    get walk() {
      const key = [state.lr, state.start, state.n].join(" ");
      if (memo.key !== key) memo = { key, walk: walkOf(state.lr, state.n) };
      return memo.walk;
    },
    get k() {
      return Math.min(state.k, lesson.walk.iterations);
    },
    set(changes) {
      Object.assign(state, changes);
      state.n = Math.max(1, Math.min(Math.round(state.n), MOST_ITERATIONS));
      state.k = Math.max(0, Math.min(Math.round(state.k), state.n));
      watchers.forEach((watch) => watch());
    },
    upTo: (rate) => walkOf(rate, state.k),
    fit() {
      const [kind, title] = TITLES[lesson.upTo(state.lr).outcome];
      return { kind, title };
    },
    verdict: () => [walkVerdict(lesson.upTo(state.lr))],
    command: () => [told.command ? told.command.data : "gdfit curve", `--start ${rateText(state.start)}`, `--lr ${rateText(state.lr)}`, `-n ${state.k}`].join(" "),
  };
  const limit = () => limitNear(curve.shape, state.start), best = () => limit() && limit() / 2;
  const rate = rateControl({ limit, best, rate: () => state.lr, set: (lr) => lesson.set({ lr }) });
  const steps = transport({ k: () => lesson.k, last: () => lesson.walk.iterations, go: (k) => lesson.set({ k }) });
  let frozen = null;
  const view = () => {
    const point = downhill(curve.shape, state.start), away = Math.max(Math.abs(state.start - (point?.x ?? 0)), 1e-9 * Math.abs(state.start), 1e-12) * 1.25 || 1, middle = point?.x ?? state.start;
    const near = curve.shape.points.map(({ x }) => x).filter((x) => Math.abs(x - middle) < 3 * away);
    const x = [Math.min(middle - away, ...near.map((one) => one - 0.3 * away)), Math.max(middle + away, ...near.map((one) => one + 0.3 * away))];
    const heights = Array.from({ length: 201 }, (_, i) => heightAt(curve.polynomial, x[0] + ((x[1] - x[0]) * i) / 200).y).filter(Number.isFinite);
    const top = Math.max(heightAt(curve.polynomial, state.start).y, ...curve.shape.points.filter((one) => near.includes(one.x)).map(({ y }) => y)), low = Math.min(...heights);
    const pad = 0.12 * (top - low || Math.abs(top) || 1);
    return { x, y: [low - pad, Math.min(Math.max(...heights), top) + 1.6 * pad] };
  };
  const picture = heightChart("The walk down the curve", () => {
    const walk = lesson.walk, now = frozen ?? view();
    return {
      ...now, k: lesson.k, start: state.start, xLabel: "x", yLabel: "y", height: (x) => heightAt(curve.polynomial, x).y,
      walk: (walk.iterations > 2000 ? drawnSteps(walk.iterations, lesson.k).map((i) => walk.path[i]) : walk.path).map(({ x, y }) => [x, y]),
      others: state.kept.filter((one) => one !== state.lr).map((one) => ({ kind: `kept-${state.kept.indexOf(one) % 5}`, walk: lesson.upTo(one).path.slice(0, 2000).map(({ x, y }) => [x, y]) })),
      moved: (x, dragging) => {
        frozen = dragging ? now : null;
        if (x === null) return picture.draw();
        lesson.set({ start: Number(x.toPrecision(4)), k: 0 });
      },
    };
  });
  const verdict = verdictPanel(lesson, steps.playing), kept = keptRates(lesson), command = commandPanel(lesson.command);
  const startBox = numberInput((value) => lesson.set({ start: value, k: 0 }), { class: "short" }), nBox = numberInput((value) => (value >= 1 ? lesson.set({ n: value }) : false), { class: "short" });
  const side = h("div"), arithmetic = h("div");
  const drawTables = () => {
    const rates = [...new Set([...state.kept, state.lr])].sort((one, other) => one - other), walks = rates.map((one) => lesson.upTo(one));
    const columns = ["x", "y"].map((name) => walks.map(({ last }) => general(last[name], 6)));
    refill(side, table("Learning rates side by side", ["lr", "step", "x", "y", "what becomes of it"], rates.map((one, i) => [
      h("button", { type: "button", class: "link", "aria-current": one === state.lr ? "true" : null, onclick: () => lesson.set({ lr: one }) }, general(one, 6)),
      String(walks[i].iterations), columns[0][i], columns[1][i], { text: unbroken(walkVerdict(walks[i])), class: "prose" }])));
    const k = lesson.k, { path } = lesson.walk;
    if (k === 0) return refill(arithmetic, h("p", {}, "Take a step to see its arithmetic."));
    const first = Math.max(0, k - 8), rows = path.slice(first, k), cells = [rows.map(({ x }) => x), rows.map(({ slope }) => slope), rows.map(({ slope }) => state.lr * slope), path.slice(first + 1, k + 1).map(({ x }) => x), path.slice(first + 1, k + 1).map(({ y }) => y)].map((values) => numberColumn(values));
    refill(arithmetic, table("Arithmetic of the last steps", ["step", "x", "slope", "lr · slope", "new x", "new y"], rows.map((_, i) => [String(first + i + 1), ...cells.map((column) => column[i])])),
      h("p", { class: "formula" }, `new x = x − lr · slope, with lr ${rateText(state.lr)}.`));
  };
  page.append(heading(curve.formula), verdict.element,
    h("div", { class: "stage" },
      h("div", { class: "main" }, h("div", { class: "pictures several" }, picture.element), steps.element),
      h("aside", { "aria-label": "Controls" }, h("div", { class: "card" }, rate.element, kept.element), h("div", { class: "card" }, h("div", { class: "settings" }, field("Start x", startBox), field("Steps", nBox)),
        h("button", { type: "button", class: "link", onclick: () => lesson.set({ ...usual, k: 0 }) }, "As it was written")))),
    h("div", { class: "below" }, h("section", { class: "card full" }, h("h2", {}, "Learning rates side by side"), side), h("section", { class: "card full" }, h("h2", {}, "The steps just taken"), arithmetic), command.element, document.getElementById("report")));
  const draw = () => {
    for (const one of [picture, verdict, rate, kept, command, steps]) one.draw();
    startBox.value = rateText(state.start);
    nBox.value = String(state.n);
    drawTables();
  };
  let written = "", writing = 0, due = 0;
  const addressed = () => {
    written = `#lr=${rateText(state.lr)}&k=${state.k}&x=${rateText(state.start)}&n=${state.n}&with=${state.kept.map(rateText).join(",")}`;
    try {
      history.replaceState(null, "", written);
    } catch {
      location.hash = written;
    }
  };
  const read = () => {
    const given = Object.fromEntries(location.hash.replace(/^#/, "").split("&").map((part) => part.split("=")));
    const value = (name, good, otherwise) => (given[name] !== undefined && given[name] !== "" && Number.isFinite(Number(given[name])) && good(Number(given[name])) ? Number(given[name]) : otherwise);
    const rates = given.with === undefined ? usual.kept : given.with.split(",").filter(Boolean).map(Number).filter((one) => one > 0 && Number.isFinite(one));
    lesson.set({ lr: value("lr", (one) => one > 0, usual.lr), start: value("x", () => true, usual.start), n: value("n", (one) => one >= 1, usual.n), k: value("k", (one) => one >= 0, 0), kept: rates });
  };
  read();
  watchers.push(() => {
    cancelAnimationFrame(due);
    due = requestAnimationFrame(draw);
    clearTimeout(writing);
    writing = setTimeout(addressed, 250);
  });
  addEventListener("hashchange", () => {
    if (location.hash === written) return;
    steps.stop();
    read();
  });
  draw();
  window.lesson = lesson;
}
