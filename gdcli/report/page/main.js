// The page: what it shows of what it is told, and the address.
import { h } from "./dom.js";
import { coefficientsChart, costChart, heightChart, isNeedle, pointsChart, surfaceChart, drawnSteps } from "./charts.js";
import { featureBoxes, keptRates, rateControl, settings, transport } from "./controls.js";
import { arithmeticPanel, coefficientsPanel, commandPanel, ratesPanel, verdictPanel } from "./panels.js";
import { curvePage } from "./curve.js";
import { groupsPage } from "./groups.js";
import { recordedPage } from "./recorded.js";
import { addressOf, lessonOf, settingsOf } from "./state.js";

const told = JSON.parse(document.getElementById("data").textContent), page = document.getElementById("page");

function heading(subtitle) {
  return h("header", {}, h("h1", {}, document.title), h("p", { class: "sub" }, subtitle));
}

function choice(legend, options, chosen, changed) {
  const name = `choice-${legend.replace(/\W+/g, "-")}`;
  return h("fieldset", { class: "choice" }, h("legend", { class: "hidden" }, legend),
    options.map(([value, text]) => h("label", {}, h("input", { type: "radio", name, checked: value === chosen, onchange: () => changed(value) }), h("span", {}, text))));
}

function lessonPage() {
  const lesson = lessonOf(told), { data, state } = lesson;
  const ui = { gap: false, own: false };
  Object.assign(state, settingsOf(location.hash, lesson));
  if (data.columns.length === 1 && data.intercept) ui.own = isNeedle(lesson.problem);
  const steps = transport({ k: () => lesson.k, last: () => lesson.path.last, go: (k) => lesson.set({ k }) });
  const rate = rateControl({ limit: () => lesson.forecast.limit, best: () => lesson.forecast.best, rate: () => state.lr, set: (lr) => lesson.set({ lr }) });
  const cost = costChart(lesson, ui, choice("What the cost's axis shows", [["cost", "cost"], ["gap", "above its minimum"]], "cost", (value) => { ui.gap = value === "gap"; cost.draw(); }));
  const pictures = h("div", { class: "pictures" }), charts = { cost };
  const arrange = () => {
    const kind = lesson.columns.length !== 1 ? "several" : data.intercept ? "one" : "alone";
    if (charts.kind === kind) return;
    charts.kind = kind;
    const axes = choice("Axes of the contours", [["file", "m and c"], ["own", "as scaled"]], ui.own ? "own" : "file", (value) => { ui.own = value === "own"; surface.draw(); });
    const surface = kind === "one" ? surfaceChart(lesson, ui, axes) : null;
    charts.shown = { one: () => [pointsChart(lesson), surface], alone: () => [pointsChart(lesson), aloneChart(lesson)], several: () => [coefficientsChart(lesson)] }[kind]();
    pictures.className = `pictures ${kind}`;
    pictures.replaceChildren(...charts.shown.map((one) => one.element), cost.element);
  };
  const verdict = verdictPanel(lesson, steps.playing), coefficients = coefficientsPanel(lesson), arithmetic = arithmeticPanel(lesson);
  const side = ratesPanel(lesson), rest = settings(lesson), kept = keptRates(lesson), command = commandPanel(() => lesson.command());
  const boxes = data.features.length > 1 ? featureBoxes(lesson) : null;
  const reset = h("button", { type: "button", class: "link", onclick: () => lesson.set({ ...lesson.usual, k: 0 }) }, "As it was written");
  const panels = [verdict, side, coefficients, arithmetic, rate, rest, kept, command, steps, ...(boxes ? [boxes] : [])];
  page.append(heading(`${told.source}: change anything here, and every number follows.`), verdict.element,
    h("div", { class: "stage" },
      h("div", { class: "main" }, pictures, steps.element),
      h("aside", { "aria-label": "Controls" }, h("div", { class: "card" }, rate.element, kept.element), h("div", { class: "card" }, rest.element, reset), boxes && h("div", { class: "card" }, boxes.element))),
    h("div", { class: "below" }, side.element, coefficients.element, arithmetic.element, command.element, document.getElementById("report")));
  const draw = () => {
    arrange();
    for (const one of [...charts.shown, cost, ...panels]) one.draw();
  };
  let due = 0, written = "";
  const address = () => {
    written = addressOf(lesson);
    try {
      history.replaceState(null, "", written);
    } catch {
      location.hash = written;
    }
  };
  let writing = 0;
  lesson.watch(() => {
    cancelAnimationFrame(due);
    due = requestAnimationFrame(draw);
    clearTimeout(writing);
    writing = setTimeout(address, 250);
  });
  addEventListener("hashchange", () => {
    if (location.hash === written) return;
    steps.stop();
    lesson.set(settingsOf(location.hash, lesson));
  });
  draw();
  window.lesson = lesson;
}

// Without an intercept one coefficient is all there is: the cost is a parabola over it.
function aloneChart(lesson) {
  let frozen = null;
  const self = heightChart("The cost over m", () => {
    const { problem, path, k } = lesson, best = problem.minimum, start = path.fileAt(0).m[0], theta = new Float64Array(1), slope = new Float64Array(1);
    const height = (m) => { theta[0] = (m * problem.scaling.scale[0]) / problem.scaling.target; return problem.at(theta, slope) * problem.unit; };
    const away = Math.max(Math.abs(start - best.m[0]), Math.abs(best.m[0]) * 0.05) * 1.3;
    const view = frozen ?? { x: [best.m[0] - away, best.m[0] + away] }, top = height(view.x[1]);
    const y = [best.cost - 0.06 * (top - best.cost), top];
    return {
      ...view, y, height, k, start, xLabel: `m, ${told.target} per ${problem.labels[0]}`, yLabel: "cost",
      walk: drawnSteps(Math.min(path.last, 2000)).map((i) => [path.fileAt(i).m[0], path.costAt(i)]),
      moved: (m, dragging) => {
        frozen = dragging ? view : null;
        if (m === null) return self.draw();
        const values = [...lesson.state.m];
        values[lesson.columns[0]] = Number(m.toPrecision(4));
        lesson.set({ m: values, k: 0 });
      },
    };
  });
  return self;
}

if (told.groups) groupsPage(told, page, heading);
else if (told.curve) curvePage(told, page, heading);
else if (told.triangle) lessonPage();
else recordedPage(told, page, heading);
