// What is said in words and tables: the verdict, the coefficients, the arithmetic of a step, the report.
import { newtonDirection } from "./descent.js";
import { h, refill } from "./dom.js";
import { count, general, mixed, number, numberColumn, percent, rateText } from "./numbers.js";

// A table whose first column is text and whose others are numbers.
export function table(caption, header, rows) {
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption }, h("table", {}, h("caption", {}, caption),
    h("thead", {}, h("tr", {}, header.map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell, i) => h(i ? "td" : "th", { scope: i ? null : "row", class: cell.class ?? null }, cell.nodeType ? cell : cell.text ?? cell)))))));
}

const MARKS = { converged: "✓", near: "≈", far: "✗", diverged: "✗" };

// A number stays with its percent sign.
export const unbroken = (line) => line.replaceAll(" %", "\u00a0%");

function stateOf(fit) {
  if (fit.kind) return fit.kind;
  if (fit.diverged) return "diverged";
  if (fit.converged) return "converged";
  return fit.share !== null && fit.share <= 0.01 ? "near" : "far";
}

// The verdict as it stands, its first sentence as a heading, and once more for a screen reader when it has come to rest.
export function verdictPanel(lesson, isPlaying) {
  const mark = h("span", { class: "mark", "aria-hidden": "true" }), title = h("strong", {}), body = h("div", { class: "sentences" });
  const live = h("div", { class: "hidden", role: "status", "aria-live": "polite" });
  let waiting = 0;
  const draw = () => {
    const fit = lesson.fit(), kind = stateOf(fit), [first, ...rest] = fit.title ? [fit.title, ...lesson.verdict()] : lesson.verdict();
    element.className = `verdict ${kind}`;
    [mark.textContent, title.textContent] = [MARKS[kind], unbroken(first)];
    const prose = rest.filter((line) => !isCommand(line)).join(" ");
    refill(body, ...(prose ? [h("p", {}, unbroken(prose))] : []), ...rest.filter(isCommand).map((line) => h("code", {}, line)));
    clearTimeout(waiting);
    waiting = setTimeout(() => { if (!isPlaying()) live.textContent = `${first} ${prose}`; }, 700);
  };
  const element = h("section", { class: "verdict", "aria-label": "Verdict" }, h("p", { class: "headline" }, mark, " ", title), body, live);
  return { element, draw };
}

const isCommand = (line) => line.startsWith("gdfit ");

export function coefficientsPanel(lesson) {
  const holder = h("div"), facts = h("p", { class: "facts" }), element = h("section", { class: "card" }, h("h2", {}, "Coefficients"), holder, facts);
  const draw = () => {
    const { problem, path, k } = lesson, here = path.fileAt(k), best = problem.minimum, first = path.fileAt(0);
    const target = problem.deviations[problem.p], labels = [...problem.labels, ...(problem.first ? ["(intercept)"] : [])];
    const of = (file) => [...file.m, ...(problem.first ? [file.c] : [])], rows = labels.map((name, i) => ({ name, start: of(first)[i], now: of(here)[i], goal: of(best)[i] }));
    const both = mixed(rows.flatMap(({ start, now, goal }) => [start, now, goal])), off = ({ now, goal }) => (now === goal ? "0 %" : goal === 0 ? "" : unbroken(percent(Math.abs(now / goal - 1))));
    const effects = [...here.m].map((value, j) => (target ? ((value * problem.deviations[j]) / target).toFixed(3) : ""));
    refill(holder, table("Coefficients beside their minimum", ["term", "start", `iteration ${count(k)}`, "minimum at", "off", "effect (sd)"],
      rows.map((row, i) => [row.name, both[3 * i], { text: both[3 * i + 1], class: "strong" }, both[3 * i + 2], off(row), effects[i] ?? ""])));
    const gap = problem.gapOf(path.thetaAt(k)), share = problem.measure > 0 ? ` (${percent(gap / problem.measure)})` : "";
    facts.textContent = `Cost ${number(path.costAt(k))}, at the minimum ${number(best.cost)}; above it by ${number(gap)}${Number.isFinite(gap) ? unbroken(share) : ""}.`;
  };
  return { element, draw };
}

// The rates that are kept, side by side with the present one.
export function ratesPanel(lesson) {
  const holder = h("div"), element = h("section", { class: "card full" }, h("h2", {}, "Learning rates side by side"), holder);
  const draw = () => {
    const { state, problem, forecast } = lesson, rates = [...new Set([...state.kept, state.lr])].sort((a, b) => a - b);
    element.hidden = !state.kept.length;
    if (element.hidden) return;
    const rows = rates.map((rate) => {
      const kept = lesson.keptPaths().find((one) => one.rate === rate), path = kept ? kept.path : lesson.path, k = Math.min(state.k, path.last);
      const gap = problem.gapOf(path.thetaAt(k)), lost = path.diverged && k === path.last, reached = lesson.reachedAt(rate), behaviour = forecast.behaviour(rate);
      return { rate, lost, k, behaviour, reached, cost: lost ? null : path.costAt(k), share: lost || !(problem.measure > 0) ? null : gap / problem.measure };
    });
    const costs = numberColumn(rows.map((row) => row.cost), 6, true);
    refill(holder, table("Learning rates side by side", ["lr", "behaviour", `cost at iteration ${count(state.k)}`, "above the minimum", "within 1 % at"], rows.map((row, i) => [
      h("button", { type: "button", class: "link", "aria-current": row.rate === state.lr ? "true" : null, onclick: () => lesson.set({ lr: row.rate }) }, general(row.rate, 6)),
      row.lost ? `diverged at ${count(row.k)}` : row.behaviour ?? "", costs[i], row.share === null ? "" : unbroken(percent(row.share)), row.reached === null ? (row.behaviour === "unstable" ? "never" : "") : count(row.reached)])));
  };
  return { element, draw };
}

const SCALINGS = {
  standard: (intercept) => (intercept ? "(value − mean) / standard deviation" : "value / root mean square"),
  minmax: () => "(value − minimum) / (maximum − minimum)",
};

const FORMULAS = {
  gd: "new = old − lr · gradient",
  momentum: "velocity = β · velocity + gradient; new = old − lr · velocity",
  nesterov: "velocity = β · velocity + gradient; new = old − lr · (gradient + β · velocity)",
  adam: "new = old − lr · m̂ / (√v̂ + 10⁻⁸), with the running means m̂ of the gradient and v̂ of its square",
  newton: "direction = H⁻¹ · gradient; new = old − lr · direction",
};

export function arithmeticPanel(lesson) {
  const holder = h("div"), element = h("section", { class: "card" }, h("h2", {}, "The step just taken"), holder);
  const draw = () => {
    const { problem, path, k, state, told } = lesson, labels = [...problem.labels, "(intercept)"];
    element.classList.toggle("full", problem.p > 1);
    if (k === 0) {
      refill(holder, h("p", {}, "Take a step to see its arithmetic."));
      return;
    }
    const value = path.thetaAt(k - 1), gradient = path.gradientAt(k - 1), next = path.thetaAt(k), ridge = (i) => (i >= problem.first ? 2 * state.l2 * value[i] : 0);
    const order = [...Array(problem.p).keys()].map((j) => j + problem.first).concat(problem.first ? [0] : []);
    const cells = (values) => numberColumn(order.map((i) => values[i]));
    const columns = [["old", cells(value)], ["mean(error·column)", cells(gradient.map((g, i) => (g - ridge(i)) / -2))]];
    if (state.l2 > 0) columns.push(["2·l2·old", cells(value.map((_, i) => ridge(i)))]);
    columns.push(["gradient", cells(gradient)]);
    if (state.optimizer === "newton") columns.push(["direction", cells(newtonDirection(problem.spectrum, gradient))]);
    columns.push([state.optimizer === "gd" ? "lr·gradient" : "step", cells(value.map((v, i) => (state.optimizer === "gd" ? state.lr * gradient[i] : v - next[i])))], ["new", cells(next)]);
    const where = state.scale === "none" ? "in the units of the file" : `worked out on scaled columns: ${SCALINGS[state.scale](problem.first)}; ${told.target} / ${number(problem.scaling.target)}`;
    const rows = problem.triangle.count, mean = problem.triangle.weight !== rows ? "weighted mean" : "mean";
    refill(holder,
      h("p", {}, `Iteration ${count(k)}, ${where}.`),
      table(`Arithmetic of iteration ${k}`, ["parameter", ...columns.map(([name]) => name)], order.map((i, row) => [labels[i ? i - problem.first : problem.first ? problem.p : 0], ...columns.map(([, all]) => all[row])])),
      h("p", { class: "facts" }, `cost before ${number(path.cost[k - 1])}, after ${number(path.cost[k])}`),
      h("p", { class: "formula" }, `error = ${told.target} − prediction; gradient = −2 · ${mean}(error · column) over all ${count(rows)} rows${problem.first ? `, for the intercept −2 · ${mean}(error)` : ""}${state.l2 > 0 ? "; for each slope 2 · l2 · old more" : ""}; ${FORMULAS[state.optimizer]}, with lr ${rateText(state.lr)}${state.parameter === null ? "" : `, β ${rateText(state.parameter)}`}.`));
  };
  return { element, draw };
}

export function commandPanel(command) {
  const code = h("code"), copy = h("button", { type: "button", onclick: () => copied(copy, code.textContent) }, "Copy");
  const link = h("button", { type: "button", onclick: () => copied(link, location.href) }, "Copy the address of this moment");
  const element = h("section", { class: "card command" }, h("h2", {}, "The same as a command"), h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Command line" }, code), h("div", { class: "buttons" }, copy, link));
  return { element, draw: () => { code.textContent = command(); } };
}

async function copied(button, text) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h("textarea", { class: "hidden" }, text);
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = before; }, 1500);
}

