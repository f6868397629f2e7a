// The first groups side by side: the cost of each, with one rate or several, and a table of them.
import { h, refill } from "./dom.js";
import { count, numberColumn, number, percent } from "./numbers.js";
import { table } from "./panels.js";
import { recordedCost, recordedSteps, valueAt } from "./recorded.js";

export function groupsPage(told, page, heading) {
  const { shown, left, unit } = told.groups, curves = shown.flatMap((one) => one.curves);
  const all = [...new Set(curves.flatMap(({ iterations }) => iterations))].sort((a, b) => a - b), last = all.at(-1);
  const steps = recordedSteps(all, () => draw());
  const charts = shown.map((one) => {
    const self = recordedCost({
      title: one.name, tools: h("span", { class: "of" }, one.facts), height: (w) => Math.max(190, w * 0.6),
      curves: one.curves, minimum: one.minimum, yLabel: `cost${unit}`, last, steps,
    });
    self.element.append(h("p", { class: "quick" }, one.curves.filter(({ name }) => name).map(({ name, kind }) => h("span", { class: `key ${kind}` }, name))));
    return self;
  });
  const holder = h("div"), title = h("h2", {}), rows = told.groups.rows ? () => told.groups.rows : () => coefficients(told.groups, steps.k());
  const header = told.groups.header;
  function draw() {
    for (const one of charts) one.draw();
    steps.transport.draw();
    title.textContent = told.groups.rows ? "The rates of each group" : `The coefficients at iteration ${count(steps.k())}`;
    refill(holder, table(title.textContent, header, rows()));
  }
  const more = left ? ` The first ${shown.length} groups are drawn; ${count(left)} more ${left === 1 ? "is" : "are"} in the report.` : "";
  page.append(heading(`${told.source}: each group's descent as it was recorded; dashed, its minimum.${more}`),
    h("div", { class: "stage recorded" }, h("div", { class: "main" }, h("div", { class: "pictures groups" }, charts.map((one) => one.element)), steps.transport.element)),
    h("div", { class: "below" }, h("section", { class: "card full" }, title, holder), document.getElementById("report")));
  steps.read();
  window.lesson = { told, state: steps, go: steps.go };
}

// The cost, its distance and the coefficients of each group at iteration k, as texts of a table.
function coefficients({ shown, terms, intercept }, k) {
  const rows = shown.map(({ curves: [{ iterations, costs }], gaps, minimum, slopes, intercepts }) => {
    const at = (values) => valueAt(iterations, values, k), gap = at(gaps);
    return [at(costs), gap === null || !minimum ? null : gap / Math.abs(minimum), ...terms.map((term) => (term in slopes ? at(slopes[term]) : 0)), ...(intercept ? [at(intercepts)] : [])];
  });
  const share = (value) => (value === null ? "" : percent(value).replace(" %", "\u00a0%")), alone = (value) => (value === null ? "" : number(value));
  const texts = (rows[0] ?? []).map((_, j) => rows.map((row) => row[j])).map((column, j) => (j === 0 ? column.map(alone) : j === 1 ? column.map(share) : numberColumn(column)));
  return shown.map((one, i) => [one.name, ...texts.map((column) => column[i])]);
}
