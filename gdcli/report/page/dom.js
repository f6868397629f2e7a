// Elements of HTML and SVG. All text goes in as text nodes: names and cells of the data are never markup.

const SVG = "http://www.w3.org/2000/svg";

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const h = (tag, attributes, ...children) => filled(document.createElement(tag), attributes, children);
export const s = (tag, attributes, ...children) => filled(document.createElementNS(SVG, tag), attributes, children);

// Put other children into an element; what has the focus there gives it to its like, or to what takes its place.
export function refill(element, ...children) {
  const reachable = () => [...element.querySelectorAll("button, [tabindex]")], held = document.activeElement, at = reachable().indexOf(held);
  element.replaceChildren(...children);
  if (at < 0) return;
  const now = reachable(), like = now.find((one) => one.tagName === held.tagName && one.textContent === held.textContent);
  (like ?? now[Math.min(at, now.length - 1)])?.focus({ preventScroll: true });
}

// Pictures on buttons.
const ICONS = { play: "M5 3l11 7-11 7z", pause: "M5 3h3.6v14H5zM11.4 3H15v14h-3.6z", step: "M4 3l9 7-9 7zM14 3h2.6v14H14z", end: "M2 3l7 7-7 7zM9 3l7 7-7 7zM16 3h2.2v14H16z" };

export function icon(name, mirrored) {
  return s("svg", { viewBox: "0 0 20 20", width: 18, height: 18, class: "icon", "aria-hidden": "true" }, s("path", { d: ICONS[name], transform: mirrored ? "translate(20 0) scale(-1 1)" : null }));
}

export const isReduced = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

// A number at an axis.
export function tickText(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e7 || size < 1e-4)) {
    const [mantissa, power] = value.toExponential(2).split("e"), digits = String(Math.abs(power)).replace(/\d/g, (d) => SUPERSCRIPTS[d]);
    const times = Number(mantissa) === 1 ? "" : `${Number(mantissa)}·`;
    return `${times}10${Number(power) < 0 ? "⁻" : ""}${digits}`.replace("-", "−");
  }
  const [whole, rest] = String(Number(value.toPrecision(6))).split(".");
  return (whole.replace(/\B(?=(\d{3})+$)/g, whole.replace("-", "").length > 4 ? "," : "") + (rest ? `.${rest}` : "")).replace("-", "−");
}

function linearTicks(low, high, most) {
  const rough = (high - low) / Math.max(most, 1), unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * [1, 2, 5, 10].find((factor) => factor * unit >= rough), ticks = [];
  for (let i = Math.ceil(low / step); i * step <= high * (1 + 1e-12) + 1e-300; i++) ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}

function logTicks(low, high, most) {
  const from = Math.ceil(Math.log10(low) - 1e-9), to = Math.floor(Math.log10(high) + 1e-9);
  if (to - from < 1) {
    const ticks = linearTicks(low, high, most);
    return ticks.filter((tick) => tick > 0);
  }
  const step = Math.ceil((to - from) / Math.max(most, 1));
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => Number(`1e${from + i * step}`));
}

function stepTicks(last) {
  const ticks = [0];
  for (let power = 1; power < last / 1.8; power *= 10) ticks.push(power);
  return [...ticks, last];
}

// The three kinds of axes: number -> share of the axis, and its ticks.
export const AXES = {
  linear: (low, high) => ({ of: (v) => (v - low) / (high - low), at: (t) => low + t * (high - low), ticks: (most) => linearTicks(low, high, most) }),
  log: (low, high) => {
    const [a, b] = [Math.log(low), Math.log(high)];
    return { of: (v) => (Math.log(v) - a) / (b - a), at: (t) => Math.exp(a + t * (b - a)), ticks: (most) => logTicks(low, high, most) };
  },
  // Iterations: near the start each one has its place, later ones share it.
  steps: (_, last) => {
    const all = Math.log1p(last);
    return { of: (v) => Math.log1p(v) / all, at: (t) => Math.expm1(t * all), ticks: () => stepTicks(last) };
  },
};

// A chart: `draw(paint)` is called whenever it must be drawn, with the size that the page gives it.
export function chart({ title, height, label, tools }, draw) {
  const svg = s("svg", { role: "img", "aria-label": label ?? title, class: "chart" }), body = h("div", { class: "plot" }, svg);
  const element = h("section", { class: "card" }, h("div", { class: "head" }, h("h2", {}, title), tools), body), self = { element, svg, body, draw: () => paint() };
  let clips = 0;
  function paint() {
    const width = Math.max(body.clientWidth, 240), tall = typeof height === "function" ? height(width) : height;
    svg.setAttribute("viewBox", `0 0 ${width} ${tall}`);
    svg.setAttribute("width", width);
    svg.setAttribute("height", tall);
    const held = svg.contains(document.activeElement);
    svg.replaceChildren();
    draw({ svg, width, height: tall, frame: (x, y, options) => frame(svg, width, tall, x, y, options) });
    if (held) svg.querySelector("[tabindex]")?.focus();
  }
  function frame(target, width, tall, x, y, { right = 16, top = 26, bottom = 40, xLabel = "", yLabel = "" } = {}) {
    const em = parseFloat(getComputedStyle(target).fontSize) || 12, hgt = tall - top - bottom, rows = y.ticks(Math.max(2, Math.floor(hgt / 42)));
    const left = Math.max(34, 12 + 0.6 * em * Math.max(...rows.map((tick) => tickText(tick).length)));
    const w = width - left - right, clip = `clip-${title.replace(/\W+/g, "-")}-${clips++ % 2}`;
    const px = (v) => drawable(left + x.of(v) * w), py = (v) => drawable(top + (1 - y.of(v)) * hgt);
    const axes = s("g", { class: "axes", "aria-hidden": "true" });
    axes.append(s("path", { d: `M${left} ${top}V${top + hgt}H${left + w}`, class: "axis" }));
    let end = -Infinity;
    for (const tick of x.ticks(Math.max(2, Math.floor(w / 90)))) {
      const at = px(tick), text = tickText(tick), half = text.length * 0.3 * em;
      if (at < left - 1 || at > left + w + 1 || at - half < end) continue;
      end = at + half + 8;
      axes.append(s("path", { d: `M${at} ${top + hgt}v4`, class: "axis" }), s("text", { x: at, y: top + hgt + 17, class: "tick", "text-anchor": "middle" }, text));
    }
    for (const tick of rows) {
      const at = py(tick);
      if (at < top - 1 || at > top + hgt + 1) continue;
      axes.append(s("path", { d: `M${left} ${at}h${w}`, class: "grid" }), s("text", { x: left - 7, y: at + 4, class: "tick", "text-anchor": "end" }, tickText(tick)));
    }
    axes.append(s("text", { x: left + w, y: top + hgt + 34, class: "axis-label", "text-anchor": "end" }, xLabel));
    axes.append(s("text", { x: 2, y: 14, class: "axis-label" }, yLabel));
    const inside = s("g", { "clip-path": `url(#${clip})` });
    target.append(s("clipPath", { id: clip }, s("rect", { x: left, y: top, width: w, height: hgt })), axes, inside);
    return { inside, px, py, left, top, w, h: hgt, vx: (at) => x.at((at - left) / w), vy: (at) => y.at(1 - (at - top) / hgt) };
  }
  new ResizeObserver(() => requestAnimationFrame(paint)).observe(body);
  return self;
}

export const pathOf = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

// Beyond this, far outside of any picture, an SVG renderer loses its footing; a place that is no number is there, too.
const FAR = 1e5, drawable = (v) => (Number.isNaN(v) ? FAR : Math.max(-FAR, Math.min(FAR, v)));

// Follow a pointer that is pressed on an element: `moved(x, y)` in the element's own coordinates.
export function draggable(element, svg, moved, ended) {
  element.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    element.focus?.({ preventScroll: true });
    const box = svg.getBoundingClientRect(), tell = (one) => moved(one.clientX - box.left, one.clientY - box.top);
    const follow = (one) => tell(one);
    const end = () => {
      removeEventListener("pointermove", follow);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
      ended?.();
    };
    addEventListener("pointermove", follow);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
    tell(event);
  });
}
