// What a person turns: the learning rate, the iteration, the optimizer, the scaling, the penalty, the start, the features.
import { OPTIMIZERS } from "./descent.js";
import { AXES, h, icon, isReduced, refill, s, tickText } from "./dom.js";
import { general, rateText, roundedBelow, roundedRate } from "./numbers.js";
import { MOST_ITERATIONS, SCALES } from "./state.js";

const NAMES = { gd: "gradient descent", momentum: "momentum", nesterov: "Nesterov", adam: "Adam", newton: "Newton" };
const SCALE_NAMES = { standard: "standard", minmax: "min–max", none: "none" };

let labels = 0;

export function field(label, input, note) {
  const id = `field-${labels++}`;
  input.id = id;
  return h("div", { class: "field" }, h("label", { for: id }, label), input, note);
}

export function select(options, chosen, changed) {
  return h("select", { onchange: (event) => changed(event.target.value) }, options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
}

export function numberInput(changed, attributes = {}) {
  return h("input", { type: "text", inputmode: "decimal", spellcheck: "false", autocomplete: "off", ...attributes, onchange: (event) => {
    const text = event.target.value.trim().replace(",", "."), value = Number(text);
    const good = text !== "" && Number.isFinite(value) && changed(value) !== false;
    event.target.setAttribute("aria-invalid", String(!good));
  } });
}

const shown = (input, value) => {
  if (document.activeElement !== input || input.getAttribute("aria-invalid") !== "true") input.value = value;
};

// --- the learning rate, on a logarithmic axis with its marks

const RAIL = 1000;

export function rateControl({ limit, best, rate, set, title = "Learning rate" }) {
  let low = 1e-4, high = 1;
  const span = () => {
    const top = limit() ?? Math.max(rate() * 10, 1);
    [low, high] = limit() ? [Math.min(top / 1000, best() ? best() / 3 : top), top * 2] : [top / 1e5, top * 10];
    return AXES.log(low, high);
  };
  const slider = h("input", { type: "range", min: 0, max: RAIL, step: 1, class: "rail", oninput: () => set(roundedRate(span().at(slider.value / RAIL))) });
  const typed = numberInput((value) => (value > 0 ? set(value) : false), { class: "short", "aria-label": `${title}, typed` });
  const marks = s("svg", { class: "marks", "aria-hidden": "true" }), quick = h("div", { class: "quick" });
  const element = h("div", { class: "rate" }, h("div", { class: "row" }, field(title, slider), typed), marks, quick);
  const draw = () => {
    const axis = span(), now = rate(), width = Math.max(marks.clientWidth || element.clientWidth, 200), at = (value) => 9 + axis.of(value) * (width - 18);
    slider.value = Math.round(RAIL * Math.max(0, Math.min(1, axis.of(now))));
    slider.setAttribute("aria-valuetext", `${rateText(now)}${limit() && now >= limit() * (1 - 1e-12) ? ", unstable" : ""}`);
    shown(typed, rateText(now));
    marks.setAttribute("viewBox", `0 0 ${width} 40`);
    marks.setAttribute("height", 40);
    marks.replaceChildren();
    for (const tick of axis.ticks(4)) marks.append(s("path", { d: `M${at(tick)} 0v4`, class: "axis" }), s("text", { x: Math.max(at(tick), 3 + 3.4 * tickText(tick).length), y: 34, class: "tick", "text-anchor": "middle" }, tickText(tick)));
    if (limit()) marks.append(s("rect", { x: at(limit()), y: 0, width: Math.max(0, width - 9 - at(limit())), height: 4, class: "unstable" }));
    const places = [["best", best(), "best"], ["limit", limit(), "limit"]].filter(([, value]) => value && axis.of(value) >= 0);
    const close = places.length > 1 && at(places[1][1]) - at(places[0][1]) < 40;
    places.forEach(([kind, value, text], i) => marks.append(
      s("path", { d: `M${at(value)} 0v9`, class: `tickmark ${kind}` }),
      s("text", { x: at(value) + (close ? (i ? 3 : -3) : 0), y: 20, class: `legend ${kind}`, "text-anchor": close ? (i ? "start" : "end") : "middle" }, text),
    ));
    const button = (text, value) => h("button", { type: "button", class: "link", onclick: () => set(value) }, text);
    refill(quick, ...[
      best() ? button(`best ${rateText(roundedRate(best()))}`, roundedRate(best())) : null,
      limit() ? h("span", {}, `stable up to ${rateText(roundedBelow(limit()))}`) : h("span", {}, "No limit is known beforehand for this optimizer."),
    ].filter(Boolean));
  };
  new ResizeObserver(() => requestAnimationFrame(draw)).observe(element);
  return { element, draw };
}

// --- the iteration

const SPEEDS = [1, 5, 25, 100, 1000];

// `model` says k, the last one, and how to go to another.
export function transport(model) {
  let timer = 0, begun = 0, from = 0, speed = 5;
  const go = (k) => model.go(Math.max(0, Math.min(Math.round(k), model.last())));
  const axis = () => AXES.steps(0, Math.max(model.last(), 1));
  const slider = h("input", {
    type: "range", min: 0, max: RAIL, step: 1, class: "rail", "aria-label": "Iteration",
    oninput: () => go(axis().at(slider.value / RAIL)),
    onkeydown: (event) => {
      const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      stop();
      go(model.k() + step);
    },
  });
  const button = (label, picture, action) => h("button", { type: "button", "aria-label": label, title: label, onclick: action }, picture);
  const play = button("Play", icon("play"), () => toggle());
  const typed = numberInput((value) => (value >= 0 ? go(value) : false), { class: "short", "aria-label": "Iteration, typed" }), of = h("span", { class: "of" });
  const move = (step) => {
    stop();
    go(model.k() + step);
  };
  const speeds = select(SPEEDS.map((one) => [String(one), `${one.toLocaleString("en")} a second`]), "5", (value) => {
    speed = Number(value);
    if (timer) restart();
  });
  speeds.setAttribute("aria-label", "Speed");
  const element = h("div", { class: "transport" },
    h("div", { class: "buttons" }, button("To the start", icon("end", true), () => { stop(); go(0); }), button("One step back", icon("step", true), () => move(-1)), play, button("One step", icon("step"), () => move(1)), button("To the end", icon("end"), () => { stop(); go(model.last()); })),
    h("div", { class: "where" }, h("span", {}, "iteration"), typed, of), slider, speeds);
  function restart() {
    [begun, from] = [performance.now(), model.k()];
  }
  function frame() {
    const k = from + Math.floor(((performance.now() - begun) * speed) / 1000);
    if (k !== model.k()) go(k);
    if (k >= model.last()) stop();
    else timer = isReduced() ? setTimeout(frame, 500) : requestAnimationFrame(frame);
  }
  function stop() {
    cancelAnimationFrame(timer);
    clearTimeout(timer);
    timer = 0;
    draw();
  }
  function toggle() {
    if (timer) return stop();
    if (model.k() >= model.last()) go(0);
    restart();
    timer = requestAnimationFrame(frame);
    draw();
  }
  function draw() {
    const k = model.k();
    slider.value = Math.round(RAIL * axis().of(k));
    slider.setAttribute("aria-valuetext", `iteration ${k} of ${model.last()}`);
    shown(typed, String(k));
    of.textContent = `of ${model.last().toLocaleString("en")}`;
    play.replaceChildren(icon(timer ? "pause" : "play"));
    play.setAttribute("aria-label", timer ? "Pause" : "Play");
    play.title = timer ? "Pause" : "Play";
  }
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, button, textarea, summary, a")) return;
    const action = { " ": toggle, ArrowRight: () => move(1), ArrowLeft: () => move(-1), Home: () => { stop(); go(0); }, End: () => { stop(); go(model.last()); } }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  return { element, draw, playing: () => timer !== 0, stop };
}

// --- the rest

export function settings(lesson) {
  const { state, data } = lesson, inputs = {};
  const optimizer = select(Object.keys(OPTIMIZERS).map((name) => [name, NAMES[name]]), state.optimizer, (value) => lesson.set({ optimizer: value }));
  inputs.parameter = numberInput((value) => (value >= 0 && value < 1 ? lesson.set({ parameter: value }) : false), { class: "short" });
  const parameter = field("β", inputs.parameter);
  const scale = select(SCALES.filter((name) => data.intercept || name !== "minmax").map((name) => [name, SCALE_NAMES[name]]), state.scale, (value) => lesson.set({ scale: value, ...sensibleRate(lesson, { scale: value }) }));
  inputs.l2 = numberInput((value) => (value >= 0 ? lesson.set({ l2: value }) : false), { class: "short" });
  inputs.n = numberInput((value) => (value >= 1 && value <= MOST_ITERATIONS ? lesson.set({ n: value }) : false), { class: "short" });
  const start = h("div", { class: "starts" }), starts = [];
  const element = h("div", { class: "settings" },
    h("div", { class: "across" }, field("Optimizer", optimizer)), parameter, field("Scaling", scale), field("Ridge penalty", inputs.l2), field("Iterations", inputs.n), start);
  const draw = () => {
    optimizer.value = state.optimizer;
    scale.value = state.scale;
    parameter.hidden = state.parameter === null;
    if (state.parameter !== null) shown(inputs.parameter, rateText(state.parameter));
    shown(inputs.l2, rateText(state.l2));
    shown(inputs.n, String(state.n));
    starts.forEach((one) => shown(one.input, rateText(one.value())));
  };
  const startField = (label, value, change) => {
    const input = numberInput((typed) => lesson.set({ ...change(typed), k: 0 }), { class: "short" });
    starts.push({ input, value });
    start.append(field(label, input));
  };
  if (data.columns.length === 1) startField("Start m", () => state.m[0], (value) => ({ m: [value] }));
  if (data.intercept) startField("Start c", () => state.c, (value) => ({ c: value }));
  return { element, draw };
}

// With another scaling a rate means something else: one that is out of reach there gives way to a stable one.
export function sensibleRate(lesson, changes) {
  const { state } = lesson, before = { ...state };
  Object.assign(state, changes);
  const { limit } = lesson.forecast, found = limit && (state.lr >= 10 * limit || state.lr < limit / 1e4) ? { lr: roundedRate(limit / 2) } : {};
  Object.assign(state, before);
  return found;
}

export function featureBoxes(lesson) {
  const { data, state } = lesson, boxes = data.features.map((feature, i) => h("input", { type: "checkbox", onchange: (event) => {
    const features = [...state.features];
    features[i] = event.target.checked;
    if (features.some(Boolean)) lesson.set({ features });
    else event.target.checked = true;
  } }));
  const element = h("fieldset", { class: "features" }, h("legend", {}, "Features that take part"), data.features.map((feature, i) => h("label", {}, boxes[i], ` ${feature.name}`)));
  return { element, draw: () => boxes.forEach((box, i) => { box.checked = state.features[i]; }) };
}

export function keptRates(lesson) {
  const { state } = lesson, chips = h("div", { class: "chips" });
  const draw = () => refill(chips,
    h("button", { type: "button", disabled: state.kept.includes(state.lr), onclick: () => lesson.set({ kept: [...state.kept, state.lr].sort((a, b) => a - b) }) }, `Keep lr ${general(state.lr, 6)} to compare`),
    ...state.kept.map((rate, i) => h("span", { class: `chip kept-${i % 5}` },
      h("button", { type: "button", class: "link", "aria-label": `Go on with lr ${rateText(rate)}`, onclick: () => lesson.set({ lr: rate }) }, `lr ${general(rate, 6)}`),
      h("button", { type: "button", class: "link", "aria-label": `Leave out lr ${rateText(rate)}`, onclick: () => lesson.set({ kept: state.kept.filter((one) => one !== rate) }) }, "×"))));
  return { element: chips, draw };
}

