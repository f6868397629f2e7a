// The pictures: the points and the line, the cost over m and c, the cost and the coefficients by iteration.
import { AXES, chart, draggable, pathOf, s } from "./dom.js";
import { general, numberColumn } from "./numbers.js";

const MOST_DRAWN = 600, LEVELS = [1, 0.8, 0.62, 0.46, 0.32, 0.2, 0.11, 0.05];

// Iterations of 0 … last that are drawn: all near the start, then evenly on the axis.
export function drawnSteps(last, k = last) {
  if (last <= MOST_DRAWN) return Array.from({ length: last + 1 }, (_, i) => i);
  const steps = new Set([k, last]), all = Math.log1p(last);
  for (let i = 0; i <= MOST_DRAWN; i++) steps.add(Math.round(Math.expm1((all * i) / MOST_DRAWN)));
  return [...steps].sort((one, other) => one - other);
}

const padded = (low, high, share = 0.05) => {
  const pad = (high - low || Math.abs(high) || 1) * share;
  return [low - pad, high + pad];
};

// --- one feature: the points and the line

export function pointsChart(lesson) {
  const { data, told } = lesson;
  return chart({ title: "The line through the points", height: (w) => Math.min(400, w * 0.72) }, ({ frame }) => {
    const j = lesson.columns[0], q = data.columns.length, { problem, path, k } = lesson;
    const x = padded(data.minimum[j], data.maximum[j]), y = padded(data.minimum[q], data.maximum[q]);
    const { inside, px, py, w } = frame(AXES.linear(...x), AXES.linear(...y), { xLabel: data.columns[j], yLabel: told.target });
    const points = data.columns.length === 1 ? data.points ?? [] : [];
    const size = points.length > 1500 ? 3 : points.length > 300 ? 4 : 6;
    inside.append(s("path", { class: `points${points.length > 300 ? " many" : ""}`, "stroke-width": size, d: points.map(([a, b]) => `M${px(a).toFixed(1)} ${py(b).toFixed(1)}h0`).join("") }));
    const line = ({ m, c }, kind) => inside.append(s("path", { class: kind, d: pathOf(x.map((v) => [px(v), py(m[0] * v + c)])) }));
    line(path.fileAt(0), "line start");
    line(problem.minimum, "line best");
    if (Number.isFinite(path.fileAt(k).c)) line(path.fileAt(k), "line now");
    legend(inside, px(x[0]) + w, [["now", `iteration ${k.toLocaleString("en")}`], ["best", "at the minimum"], ["start", "start"]], py(y[0]) - 12);
  });
}

function legend(target, right, entries, bottom) {
  entries.forEach(([kind, text], i) => {
    const y = bottom - (entries.length - 1 - i) * 18;
    target.append(s("text", { x: right - 40, y: y + 4, class: "legend", "text-anchor": "end" }, text), s("path", { d: `M${right - 33} ${y}h24`, class: `line ${kind}` }));
  });
}

// --- one feature: the cost over m and c

// The ellipse on which the gap is a share of the start's, in any two coordinates that are linear in θ.
export function surfaceChart(lesson, ui, tools) {
  const { told, data } = lesson;
  let frozen = null;
  const self = chart({ title: "The cost over m and c", tools, label: "Contours of the cost over slope m and intercept c, with the path of the descent", height: (w) => Math.min(400, w * 0.72) }, ({ svg, frame }) => {
    const { problem, path, k } = lesson, own = ui.own;
    const show = own ? (theta) => [theta[1], theta[0]] : (theta) => { const { m, c } = problem.toFile(theta); return [m[0], c]; };
    const box = frozen ?? viewOf(problem, own, show);
    const { inside, px, py, vx, vy } = frame(AXES.linear(...box.x), AXES.linear(...box.y), {
      xLabel: own ? "θ₁, slope on the scaled problem" : `m, ${told.target} per ${data.columns[lesson.columns[0]]}`, yLabel: own ? "θ₀" : "c",
    });
    const ring = ellipse(problem, own);
    LEVELS.forEach((radius, i) => {
      inside.append(s("path", { class: "level", "fill-opacity": 0.045, d: `${pathOf(ring(radius * box.radius).map(([a, b]) => [px(a), py(b)]))}Z`, "data-level": i }));
    });
    const far = (30 * box.radius) ** 2 * problem.unit;
    const inSight = (one, all) => { const lost = all.findIndex((i) => !(problem.gapOf(one.thetaAt(i)) <= far)); return lost < 0 ? all : all.slice(0, lost + 1); };
    const place = (one) => (i) => { const [a, b] = show(one.thetaAt(i)); return [px(a), py(b)]; };
    const steps = inSight(path, drawnSteps(path.last, k)), at = place(path);
    inside.append(s("path", { class: "trail ahead", d: pathOf(steps.filter((i) => i >= k).map(at)) }));
    lesson.keptPaths().forEach(({ path: other }, index) => {
      inside.append(s("path", { class: `trail kept kept-${index % 5}`, d: pathOf(inSight(other, drawnSteps(other.last).filter((i) => i <= k)).map(place(other))) }));
    });
    inside.append(s("path", { class: "trail", d: pathOf(steps.filter((i) => i <= k).map(at)) }));
    let last = null;
    for (const i of steps.filter((step) => step <= k)) {
      const here = at(i);
      if (last && Math.hypot(here[0] - last[0], here[1] - last[1]) < 4) continue;
      inside.append(s("circle", { cx: here[0], cy: here[1], r: 2.2, class: "step" }));
      last = here;
    }
    const [bx, by] = show(problem.minimum.theta);
    inside.append(s("path", { class: "cross", d: `M${px(bx) - 6} ${py(by)}h12M${px(bx)} ${py(by) - 6}v12` }));
    const [nx, ny] = at(k), [sx, sy] = at(0);
    const file = path.fileAt(0), [m, c] = [numberColumn([file.m[0]])[0], numberColumn([file.c])[0]];
    const handle = s("circle", {
      cx: sx, cy: sy, r: 9, class: "handle", tabindex: 0, role: "slider", "aria-label": "Start of the descent; arrow keys move it",
      "aria-valuenow": file.m[0], "aria-valuetext": `m ${m}, c ${c}`,
      onkeydown: (event) => {
        const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
        if (!step) return;
        event.preventDefault();
        event.stopPropagation();
        const many = event.shiftKey ? 0.1 : 0.02;
        move(show(problem.theta0).map((v, i) => v + step[i] * many * (i ? box.y[1] - box.y[0] : box.x[1] - box.x[0])));
      },
    });
    const move = ([a, b]) => {
      const next = own ? problem.toFile(Float64Array.of(b, a)) : { m: [a], c: b };
      const values = [...lesson.state.m];
      values[lesson.columns[0]] = short(next.m[0]);
      lesson.set({ m: values, c: short(next.c), k: 0 });
    };
    draggable(handle, svg, (x, y) => {
      frozen = box;
      move([vx(x), vy(y)]);
    }, () => {
      frozen = null;
      self.draw();
    });
    inside.append(s("circle", { cx: nx, cy: ny, r: 5, class: "now" }), handle);
  });
  return self;
}

const short = (value) => Number(value.toPrecision(4));

// Whether the valley is so narrow in m and c that its contours look like a line.
export function isNeedle(problem) {
  const { mean, R } = problem.triangle, deviation = R[0][0] / Math.sqrt(problem.triangle.weight);
  return Math.abs(mean[0]) > 12 * deviation;
}

function hessian(problem) {
  const P = problem.theta0.length, zero = new Float64Array(P), g0 = new Float64Array(P), g1 = new Float64Array(P);
  problem.at(zero, g0);
  return [0, 1].map((j) => {
    zero.fill(0);
    zero[j] = 1;
    problem.at(zero, g1);
    return g1.map((value, i) => value - g0[i]);
  });
}

// radius -> the closed curve on which the gap is radius², as Cholesky's factor of the Hessian maps a circle.
function ellipse(problem, own) {
  const [[a, b], [, d]] = hessian(problem), l11 = Math.sqrt(a / 2), l21 = b / 2 / l11, l22 = Math.sqrt(Math.max(d / 2 - l21 * l21, 1e-300));
  const best = problem.minimum.theta;
  return (radius) => Array.from({ length: 181 }, (_, i) => {
    const angle = (i * Math.PI) / 90, v = (radius * Math.sin(angle)) / l22, u = (radius * Math.cos(angle) - l21 * v) / l11;
    const theta = Float64Array.of(best[0] + u, best[1] + v);
    if (own) return [theta[1], theta[0]];
    const { m, c } = problem.toFile(theta);
    return [m[0], c];
  });
}

// What is in view: the ellipse a little above the start's cost. Of one as narrow as a needle, where start and minimum are.
function viewOf(problem, own, show) {
  const gap = problem.gapOf(problem.theta0) / problem.unit, floor = (0.02 * problem.minimum.cost) / problem.unit;
  const radius = Math.sqrt(Math.max(gap * 1.3, floor, 1e-12)), corners = ellipse(problem, own)(radius), best = show(problem.minimum.theta), start = show(problem.theta0);
  const sum = (i, j) => corners.reduce((all, p) => all + (p[i] - best[i]) * (p[j] - best[j]), 0), needle = sum(0, 1) ** 2 > 0.99 * sum(0, 0) * sum(1, 1);
  const span = (i) => {
    const away = Math.abs(start[i] - best[i]);
    if (needle && away > 0) return [Math.min(start[i], best[i]) - 0.7 * away, Math.max(start[i], best[i]) + 0.7 * away];
    return padded(Math.min(...corners.map((p) => p[i])), Math.max(...corners.map((p) => p[i])), 0.04);
  };
  return { x: span(0), y: span(1), radius };
}

// --- the cost, iteration by iteration

export function costChart(lesson, ui, tools) {
  const { told } = lesson;
  const self = chart({ title: "The cost, iteration by iteration", tools, height: (w) => Math.max(220, Math.min(300, w * 0.4)) }, ({ svg, frame }) => {
    const { path, problem, k, state } = lesson, kept = lesson.keptPaths();
    const value = ui.gap ? (one, i) => problem.gapOf(one.thetaAt(i)) : (one, i) => one.costAt(i);
    const rows = [...kept.map(({ rate, path: one }, i) => ({ one, kind: `curve kept kept-${i % 5}${i > 4 ? " again" : ""}`, rate })), { one: path, kind: "curve", rate: state.lr }].map((row) => ({
      ...row, points: drawnSteps(row.one.last, k).map((i) => [i, value(row.one, i)]).filter(([, v]) => Number.isFinite(v)),
    }));
    const start = value(path, 0), roof = Math.max(30 * Math.max(start, problem.minimum.cost), Number.isFinite(value(path, k)) ? 2 * value(path, k) : 0), all = rows.flatMap((row) => row.points.map(([, v]) => v)).filter((v) => v <= roof);
    const least = ui.gap ? 0 : problem.minimum.cost, positive = all.filter((v) => v > 0);
    const tiny = ui.gap ? Math.max(Math.max(...all) * 1e-16, 1e-300) : 0, bottom = ui.gap ? Math.max(Math.min(...positive, Math.max(...all)), tiny) : problem.perfect ? Math.min(...positive) : least;
    const top = Math.max(...all, bottom * 1.0001), log = ui.gap || top > 40 * bottom;
    const y = log && bottom > 0 ? AXES.log(bottom / 1.15, top * 1.15) : AXES.linear(...padded(Math.min(bottom, ...all), top));
    const { inside, px, py, left, w, h, top: high, vx } = frame(AXES.steps(0, state.n), y, {
      xLabel: "iteration", yLabel: ui.gap ? "cost above its minimum" : `mean squared error of ${told.target}`,
    });
    if (!ui.gap) inside.append(s("path", { class: "line best thin", d: `M${left} ${py(least)}h${w}` }));
    const { reached } = lesson;
    if (reached !== null && reached > 0 && reached <= state.n) {
      inside.append(s("path", { class: "mark", d: `M${px(reached)} ${high}v${h}` }), s("text", { x: px(reached) + (px(reached) > left + w - 110 ? -6 : 6), y: high + 14, class: "legend", "text-anchor": px(reached) > left + w - 110 ? "end" : "start" }, `within 1 % at ${reached.toLocaleString("en")}`));
    }
    for (const { points, kind } of rows) inside.append(s("path", { class: kind, d: pathOf(points.map(([i, v]) => [px(i), py(Math.max(v, tiny))])) }));
    kept.forEach(({ rate }, i) => {
      inside.append(s("text", { x: left + w - 8, y: high + 32 + 17 * i, class: `legend kept-${i % 5}`, "text-anchor": "end" }, `lr ${general(rate, 6)}`));
    });
    const now = value(path, k);
    if (Number.isFinite(now)) inside.append(s("path", { class: "hair", d: `M${px(k)} ${high}v${h}` }), s("circle", { cx: px(k), cy: py(Math.max(now, tiny)), r: 5, class: "now" }));
    const cover = s("rect", { x: left, y: high, width: w, height: h, class: "cover" });
    inside.append(cover);
    draggable(cover, svg, (x) => lesson.set({ k: Math.max(0, Math.min(vx(x), path.last)) }));
  });
  return self;
}

// --- several features: each coefficient's way

const MOST_NAMED = 10;

export function coefficientsChart(lesson) {
  return chart({ title: "The coefficients on their way", label: "Standardized coefficients against the iteration", height: (w) => Math.max(270, Math.min(400, w * 0.62)) }, ({ frame }) => {
    const { path, problem, k, state } = lesson, target = problem.deviations[problem.p] || 1;
    const to = problem.deviations.map((value) => value / target), best = problem.minimum.m.map((value, j) => value * to[j]);
    coefficientLines(frame, {
      steps: drawnSteps(path.last, k), n: state.n, k, best: [...best], labels: problem.labels,
      at: (i) => path.fileAt(i).m.map((value, j) => value * to[j]),
    });
  });
}

export function coefficientLines(frame, { steps, n, k, best, labels, at, iteration = (i) => i }) {
  const rows = steps.map((i) => [iteration(i), at(i)]), known = best.filter((v) => v !== null);
  const most = 3 * Math.max(...known.map(Math.abs), known.length ? 0.01 : Infinity);
  const values = [...known, 0, ...rows.flatMap(([, row]) => [...row])].filter((v) => Number.isFinite(v) && Math.abs(v) <= most);
  const y = padded(Math.min(...values), Math.max(...values), 0.08), room = Math.min(150, 14 + 7 * Math.max(...labels.map((name) => Math.min(name.length, 18)), 4));
  const { inside, px, py, left, w, top, h } = frame(AXES.steps(0, n), AXES.linear(...y), { xLabel: "iteration", yLabel: "effect, in standard deviations", right: room });
  const order = labels.map((_, j) => j).sort((one, other) => Math.abs(best[other] ?? 0) - Math.abs(best[one] ?? 0)), ends = [];
  for (const j of order) {
    const named = order.indexOf(j) < MOST_NAMED, tone = order.indexOf(j) % 6;
    inside.append(s("path", { class: `curve term tone-${tone}${named ? "" : " faint"}`, d: pathOf(rows.filter(([, row]) => Number.isFinite(row[j])).map(([i, row]) => [px(i), py(row[j])])) }));
    if (best[j] !== null) inside.append(s("path", { class: `goal tone-${tone}`, d: `M${left + w - 10} ${py(best[j])}h10` }));
    const last = rows[rows.length - 1][1][j];
    if (named) ends.push({ j, tone, y: Math.max(top + 6, Math.min(py(best[j] ?? (Number.isFinite(last) ? last : 0)), top + h)) });
  }
  ends.sort((one, other) => one.y - other.y);
  for (let i = 1; i < ends.length; i++) ends[i].y = Math.max(ends[i].y, ends[i - 1].y + 15);
  const over = ends.length ? ends[ends.length - 1].y - (top + h) : 0;
  for (const { j, tone, y: at } of ends) {
    inside.parentNode.append(s("text", { x: left + w + 6, y: at + 4 - Math.max(0, over), class: `legend tone-${tone}` }, labels[j].length > 18 ? `${labels[j].slice(0, 17)}…` : labels[j]));
  }
  inside.append(s("path", { class: "hair", d: `M${px(k)} ${top}v${h}` }));
}

// --- the cost of one coefficient alone, and a curve: a height over x, with the walk down it

export function heightChart(title, told) {
  return chart({ title, height: (w) => Math.min(400, w * 0.62) }, ({ svg, frame }) => {
    const { x, y, height, walk, k, start, xLabel, yLabel, moved, others = [] } = told();
    const { inside, px, py, vx } = frame(AXES.linear(...x), AXES.linear(...y), { xLabel, yLabel });
    const along = Array.from({ length: 201 }, (_, i) => x[0] + ((x[1] - x[0]) * i) / 200);
    inside.append(s("path", { class: "curve shape", d: pathOf(along.map((v) => [px(v), py(height(v))])) }));
    for (const other of others) inside.append(s("path", { class: `trail kept ${other.kind}`, d: pathOf(other.walk.map(([a, b]) => [px(a), py(b)])) }));
    const done = walk.filter((_, i) => i <= k);
    inside.append(s("path", { class: "trail ahead", d: pathOf(walk.slice(k).map(([a, b]) => [px(a), py(b)])) }), s("path", { class: "trail", d: pathOf(done.map(([a, b]) => [px(a), py(b)])) }));
    for (const [a, b] of done.slice(0, 300)) inside.append(s("circle", { cx: px(a), cy: py(b), r: 2.6, class: "step" }));
    const here = walk[Math.min(k, walk.length - 1)], handle = s("circle", {
      cx: px(start), cy: py(height(start)), r: 9, class: "handle", tabindex: 0, role: "slider", "aria-label": "Start of the descent; arrow keys move it", "aria-valuenow": start,
      onkeydown: (event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (!step) return;
        event.preventDefault();
        event.stopPropagation();
        moved(start + step * (event.shiftKey ? 0.1 : 0.02) * (x[1] - x[0]));
      },
    });
    draggable(handle, svg, (at) => moved(vx(at), true), () => moved(null));
    inside.append(s("circle", { cx: px(here[0]), cy: py(here[1]), r: 5, class: "now" }), handle);
  });
}
