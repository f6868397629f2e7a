// Gradient descent on a polynomial of one variable, and what becomes of it: fitting/curve.py, report/curve_verdict.py.
import { count, general, percent, rateText, roundedRate } from "./numbers.js";

const ARRIVED = 1e-3, RESTING = 1e-9, ROUNDING = 8 * 2 ** -52;

const steps = (k) => `${count(k)} ${k === 1 ? "step" : "steps"}`;
const kindOf = ({ left, right }) => (left === right ? "inflection" : left < 0 ? "minimum" : "maximum");
const stableLimit = (point) => (point && kindOf(point) === "minimum" && point.curvature > 0 && Number.isFinite(2 / point.curvature) ? 2 / point.curvature : null);
const behaviourAt = (point, rate) => {
  if (stableLimit(point) === null) return null;
  const factor = 1 - rate * point.curvature;
  return factor <= -1 + 1e-12 ? "unstable" : factor < 0 ? "oscillating" : "monotone";
};

// y and its slope at x by Horner's scheme.
export function heightAt(polynomial, x) {
  let y = polynomial[polynomial.length - 1], slope = 0;
  for (let i = polynomial.length - 2; i >= 0; i--) [slope, y] = [slope * x + (i + 1) * polynomial[i + 1], y * x + polynomial[i]];
  return { y, slope };
}

// The stationary point at x or next on the way down from there; null if the curve falls without end.
export function downhill({ points, ends }, x) {
  let after = points.findIndex((point) => point.x >= x);
  if (after < 0) after = points.length;
  if (after < points.length && points[after].x === x) return points[after];
  const slope = after ? points[after - 1].right : ends[0], target = slope > 0 ? after - 1 : after;
  return slope && target >= 0 && target < points.length ? points[target] : null;
}

// The walk of a rate: x, y and slope at each step, and how it ends.
export function walkDown({ polynomial, shape }, { start, rate, n }) {
  const at = (x) => ({ x, ...heightAt(polynomial, x) }), path = [at(start)], first = path[0];
  const sizes = shape.points.map((point) => Math.abs(first.y - point.y));
  const limit = Math.min(1e6 * Math.max(sizes.length ? Math.max(...sizes) : Infinity, ROUNDING * Math.abs(first.y)), Number.MAX_VALUE);
  const lost = () => !(Math.abs(path[path.length - 1].y - first.y) <= limit);
  while (!lost() && path.length <= n) {
    const { x, slope } = path[path.length - 1];
    path.push(at(x - rate * slope));
  }
  return judged({ path, rate, shape, start, polynomial, lost: lost() });
}

function judged(walk) {
  const { path, rate, shape, lost, start } = walk, last = path[path.length - 1], origin = downhill(shape, start);
  let target = downhill(shape, last.x), outcome;
  const rests = last.slope === 0 || (origin && origin.x === start && path.every(({ x }) => Math.abs(x - start) <= RESTING * Math.abs(start)));
  if (lost) [outcome, target] = [target ? "diverged" : "falling", null];
  else if (rests) {
    target = shape.points.reduce((near, point) => (!near || Math.abs(point.x - last.x) < Math.abs(near.x - last.x) ? point : near), null);
    outcome = target && kindOf(target) === "minimum" ? "reached" : "stuck";
  } else outcome = target ? onTheWay(path, target, rate) : "falling";
  const point = target ?? origin, valley = point && kindOf(point) === "minimum" ? point : null;
  return { ...walk, last, outcome, target, origin, valley, behaviour: behaviourAt(valley, rate), moved: path.some(({ x }) => x !== start), iterations: path.length - 1 };
}

const arrival = (path, target) => Math.max(ARRIVED * Math.abs(path[0].x - target.x), RESTING * Math.abs(target.x));

function onTheWay(path, target, rate) {
  if (kindOf(target) === "inflection") return "approaching";
  if (behaviourAt(target, rate) === "unstable") return "unsettled";
  const away = path.map(({ x }) => Math.abs(x - target.x)), n = away.length;
  if (away[n - 1] <= arrival(path, target)) return "reached";
  return n === 1 || away[n - 1] < away[n - 2] ? "approaching" : "unsettled";
}

// --- in words

const brief = (value) => general(value + 0, 6);
const shownLimit = (rate) => rateText(roundedRate(rate, 6));

export function walkVerdict(walk) {
  const { outcome, iterations, moved, start } = walk;
  if (outcome === "stuck") return stuck(walk);
  if (outcome === "reached") return reached(walk);
  if (outcome === "diverged") return diverged(walk);
  if (!iterations) return `No step taken: downhill of x = ${brief(start)} ${below(walk)}.`;
  if (!moved) return `Does not move: lr * slope is so small that x = ${brief(start)} stays the same number.`;
  if (outcome === "falling") return falling(walk);
  return outcome === "unsettled" ? unsettled(walk) : approaching(walk);
}

const goesOn = (point) => (point.right > 0 ? "left" : "right");

function stuck({ target, moved }) {
  if (!target) return "The curve is flat: its slope is 0 everywhere, and no rate moves x.";
  const where = `${moved ? "Landed on" : "Stuck at"} the ${kindOf(target)} at x = ${brief(target.x)}, where the slope is 0`;
  if (kindOf(target) === "maximum") return `${where}: no rate leads away from it. A start beside it would.`;
  return `${where}, though the curve falls on to the ${goesOn(target)}: no rate leads away from it. A start on that side would.`;
}

function reached(walk) {
  const { path, target, behaviour } = walk, limit = arrival(path, target), away = path.map(({ x }) => Math.abs(x - target.x) > limit);
  const arrived = Math.min(away.lastIndexOf(true) + 1, walk.iterations);
  if (!arrived) return `Starts at ${pointName(walk, target)}, where the slope is 0, and stays.`;
  const text = `${leaves(walk)}eaches ${pointName(walk, target)}${crossing(walk)}: `;
  if (behaviour === "unstable") return `${text}a lucky hit at step ${arrived}, for near it this rate is unstable.`;
  return `${text}within 0.1 % of the start's distance from step ${arrived} on.${onFactor(walk)}`;
}

function approaching(walk) {
  const { path, target, origin, last, iterations } = walk, x = brief(last.x);
  if (kindOf(target) === "inflection") {
    return `Creeps towards the inflection at x = ${brief(target.x)} in ever smaller steps: the slope is 0 there, though the curve falls on to the ${goesOn(target)}. After ${steps(iterations)} x = ${x}.`;
  }
  const first = Math.abs(path[0].x - target.x), now = Math.abs(last.x - target.x), left = now <= first ? `${percent(now / first)} of the distance is left` : `x = ${x}`;
  const begin = origin === target ? "Comes closer to" : `${leaves(walk)}uns towards`;
  return `${begin} ${pointName(walk, target)}${crossing(walk)}: after ${steps(iterations)} ${left}.${onFactor(walk)}`;
}

function unsettled(walk) {
  const { path, target, last, iterations, behaviour } = walk, away = brief(Math.abs(last.x - target.x));
  const text = `Does not settle at ${pointName(walk, target)}: ${away} away after ${steps(iterations)}, `;
  if (behaviour !== "unstable") return `${text}no closer than the step before.`;
  return `${text}${brief(Math.abs(path[0].x - target.x))} at the start.${onFactor(walk)}${onStability(walk)}`;
}

function falling(walk) {
  const { shape, last, valley, origin } = walk, left = shape.points.length ? last.x < shape.points[0].x : shape.ends[0] > 0;
  let begin = "F";
  if (valley) begin = `Leaps out of the valley of the minimum at x = ${brief(valley.x)} and f`;
  else if (origin && kindOf(origin) === "inflection") begin = `Leaps over the inflection at x = ${brief(origin.x)} and f`;
  return `${begin}alls without end to the ${left ? "left" : "right"}, where the curve has no minimum: ${lastHeight(walk)}.`;
}

function diverged(walk) {
  const { iterations, valley, behaviour, start } = walk;
  if (!iterations) return `Cannot start: at x = ${brief(start)} y or its slope is too large for a number.`;
  const text = `Diverges ${iterations === 1 ? "with its first step" : "in steps that overshoot and grow"}: ${lastHeight(walk)}.`;
  if (!valley) return text;
  if (behaviour === "unstable") {
    const near = `the minimum at x = ${brief(valley.x)}`;
    return `${text}${onFactor(walk, near) || ` This rate is far too large near ${near}.`}${onStability(walk)}`;
  }
  const steep = `from x = ${brief(start)} the slope is too steep for this rate.`, limit = stableLimit(valley);
  if (limit === null) return `${text} F${steep.slice(1)}`;
  return `${text} Near x = ${brief(valley.x)} rates below ${shownLimit(limit)} are stable, but ${steep}`;
}

function lastHeight({ last, iterations }) {
  if ([last.x, last.y, last.slope].every(Number.isFinite)) return `at step ${iterations} y = ${brief(last.y)}`;
  return `at step ${iterations} the numbers are too large to compute with`;
}

function below(walk) {
  const { target } = walk;
  if (!target) return "the curve falls without end";
  return kindOf(target) === "minimum" ? `lies ${pointName(walk, target)}` : `lies the inflection at x = ${brief(target.x)}`;
}

const minima = ({ points }) => points.filter((point) => kindOf(point) === "minimum");

function lowest(shape) {
  const all = minima(shape);
  if (!all.length || shape.ends[0] > 0 || shape.ends[1] < 0) return [];
  const sizes = all.map(({ y }) => Math.abs(y)).filter(Number.isFinite), level = Math.min(...all.map(({ y }) => y)) + ROUNDING * Math.max(0, ...sizes);
  return all.filter(({ y }) => y <= level);
}

function pointName({ shape }, point) {
  const low = lowest(shape), where = `minimum at x = ${brief(point.x)}`;
  if (low.includes(point)) return low.length === minima(shape).length ? `the ${where}` : `the lowest ${where}`;
  if (low.length) return `a local ${where} (not the lowest one, which is at x = ${brief(low[0].x)})`;
  const [left, right] = [shape.ends[0] > 0, shape.ends[1] < 0];
  return `a local ${where} (${left && right ? "on both sides" : left ? "to the left" : "to the right"} the curve falls without end)`;
}

function leaves({ origin, target }) {
  return !origin || origin === target || kindOf(origin) !== "minimum" ? "R" : `Leaps out of the valley of x = ${brief(origin.x)} and r`;
}

function crossing({ path, target }) {
  const sides = path.map(({ x }) => Math.sign(x - target.x)).filter(Boolean), times = sides.filter((side, i) => i && side !== sides[i - 1]).length;
  return times === 0 ? " from one side" : `, stepping over it ${["", "once", "twice"][times] ?? `${count(times)} times`}`;
}

function onFactor({ valley, behaviour, rate }, near = "it") {
  const factor = behaviour === null ? NaN : 1 - rate * valley.curvature;
  if (!Number.isFinite(factor)) return "";
  let text = general(factor + 0, 4);
  if (Math.abs(Number(text)) === 1) text = factor === 1 ? "almost 1" : rateText(factor);
  return ` Near ${near} each step multiplies the distance by ${text}.`;
}

function onStability({ valley }) {
  const limit = stableLimit(valley);
  return limit === null ? "" : ` Rates below ${shownLimit(limit)} are stable there.`;
}

export const limitNear = (shape, x) => stableLimit(downhill(shape, x));
