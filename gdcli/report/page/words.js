// The verdict in the terminal's words: report/verdict.py and report/pace.py, for gradient descent on a squared error.
import { norm } from "./linear.js";
import { count, counted, percent, rateText, rough, roughly, roundedBelow, roundedRate, roundedUp } from "./numbers.js";

const ILL_CONDITIONED = 100, MOST_TO_ADVISE = 1e7, DEFAULT_ITERATIONS = 1000;

// `fit` is the descent up to iteration k, as `gdfit -n k` would report it; see `fitAt` in state.js.
export function verdict(fit, command) {
  if (fit.diverged) return onDivergence(fit, command);
  return [outcome(fit), onSaturation(fit), onTheRate(fit), onTheWait(fit), ...advice(fit, command)].filter(Boolean);
}

function outcome(fit) {
  const why = fit.k ? `after ${counted(fit.k)}` : "at the start";
  const parts = [`${fit.converged ? "Converged" : "Not converged"}: ${why} ${distance(fit)}`, withinOnePercent(fit)];
  return `${parts.filter(Boolean).join(". ")}.`;
}

function onSaturation(fit) {
  if (!fit.saturated) return "";
  const coefficients = fit.coefficients === 1 ? "1 coefficient" : `${fit.coefficients} coefficients`;
  return `A low cost is no merit of a fit with ${coefficients} for as many rows or fewer.`;
}

function distance(fit) {
  const { share } = fit;
  if (share === null) return "the distance to the optimum is not known";
  if (fit.perfect) {
    if (share === 0) return fit.saturated ? "the cost is at its minimum, zero" : "the fit is perfect, with a cost of zero";
    return `${percent(share)} of the start's gap is left; the optimum ${fit.saturated ? "has" : "is a perfect fit, with"} a cost of zero`;
  }
  if (share === 0) return "the cost is at its minimum";
  const far = !fit.converged && share <= 1e-6 ? ", but the slopes are still more than 1 % off the optimum's" : "";
  return `the cost is ${percent(share)} above its minimum${far}`;
}

function withinOnePercent({ reached, k, behaviour, plain }) {
  if (reached === null) return "";
  if (reached === 0) return "The start was within 1 % already";
  if (reached <= k) return `It ${behaviour === "oscillating" && !plain ? "first " : ""}came within 1 % at iteration ${count(reached)}`;
  if (reached > MOST_TO_ADVISE) return `It would come within 1 % after about ${rough(reached)} iterations`;
  return `It would come within 1 % at iteration ${count(reached)}${k ? `, ${count(reached - k)} more than were run` : ""}`;
}

const stableRate = (fit) => rateText(roundedBelow(fit.limit));
const named = (fit) => `lr ${rateText(fit.rate)}${fit.optimizer === "gd" ? "" : ` with ${fit.optimizer}`}`;

function onTheRate(fit) {
  if (fit.limit === null || fit.behaviour === null) return "";
  const stable = stableRate(fit);
  if (fit.behaviour === "monotone") {
    return `${named(fit)} approaches the optimum without overshooting; rates up to ${stable} are stable. ${faster(fit)}`.trimEnd();
  }
  if (!fit.plain) {
    return `${named(fit)} swings about the optimum, less each time: harmless, as it is below the largest stable rate ${stable}. ${faster(fit)}`.trimEnd();
  }
  const swing = steepest(fit, fit.rate);
  const how = swing <= 0.9
    ? "and comes back closer each time: harmless, as it is below the largest stable rate"
    : `and comes back only ${percent(1 - swing)} closer each time, just below the largest stable rate`;
  return `${named(fit)} overshoots along the steepest direction ${how} ${stable}. ${faster(fit)}`.trimEnd();
}

function faster(fit) {
  const better = betterRate(fit);
  if (better !== null) return `lr ${rateText(better)}, the best for this start, comes within 1 % after about ${roughly(fit.bestIterations)}.`;
  return fit.reached !== null && fit.reached > fit.k && fit.best !== null ? "No rate is much faster." : "";
}

function onTheWait(fit) {
  if (fit.converged || fit.condition === null || fit.condition <= ILL_CONDITIONED || fit.behaviour === null) return "";
  const slowest = direction(fit.slowest);
  let text = `What takes long is a condition number of about ${rough(fit.condition)}${slowest ? `; slowest: ${slowest}` : ""}.`;
  const factor = flattest(fit, fit.rate);
  if (fit.plain && factor > 0.5 && factor < 1) {
    text += ` Along the flattest direction the distance halves about every ${roughly(Math.ceil(Math.log(0.5) / Math.log(factor)))}.`;
  }
  if (fit.scale !== "standard") text += ` --scale standard usually needs far fewer iterations than --scale ${fit.scale}.`;
  return text;
}

function direction(slowest) {
  const dominant = slowest.filter(([, weight]) => Math.abs(weight) >= Math.abs(slowest[0][1]) / 2).slice(0, 3);
  if (!dominant.length) return "";
  const sign = dominant[0][1] > 0, side = (ahead) => dominant.filter(([, weight]) => (weight > 0 === sign) === ahead).map(([term]) => term);
  const ahead = side(true), against = side(false);
  const together = ahead.length === 1 ? ahead[0] : `${ahead[0]} together with ${ahead.slice(1).join(" and ")}`;
  return against.length ? `${together} against ${against.join(" and ")}` : together;
}

function advice(fit, command) {
  if (fit.converged) return [];
  if (fit.behaviour === null) return ["More iterations (-n), or another rate, may bring it closer."];
  const [rate, enough] = fit.plain ? quickest(fit) : [fit.rate, null];
  if (enough === null && rate === fit.rate) return ["More iterations (-n) bring it closer."];
  if (enough > MOST_TO_ADVISE) {
    return [`At lr ${rateText(rate)} it may take ${rough(enough)} iterations to converge; the optimum beside the coefficients needs none.`];
  }
  const run = enough === null ? null : roundedUp(enough), needed = run || fit.bestIterations || 0;
  const text = run === null ? `Try lr ${rateText(rate)}` : `At lr ${rateText(rate)} about ${roughly(run)} ${run === 1 ? "is" : "are"} enough to converge`;
  return [`${text}:`, command(rate, fit.k < needed && needed <= MOST_TO_ADVISE ? needed : fit.k)];
}

function onDivergence(fit, command) {
  const lost = fit.lost, ended = lost
    ? `the descent diverged at iteration ${count(fit.k)}`
    : `after ${counted(fit.k)} the descent has not diverged yet, but at this rate it never settles`;
  if (fit.limit === null) {
    const smaller = roundedRate(fit.rate / 10);
    return [`lr ${rateText(fit.rate)} is too large: ${ended}.`, `Try a tenth of it, lr ${rateText(smaller)}:`, command(smaller, fit.k)];
  }
  const stable = stableRate(fit);
  let first = `${named(fit)} is below the largest stable rate ${stable} for this data, and yet ${ended}.`;
  if (fit.rate > fit.limit * (1 + 1e-9)) first = `${named(fit)} is above the largest stable rate ${stable} for this data; ${ended}.`;
  else if (fit.behaviour === "unstable") first = `${named(fit)} is just too large for this data, where rates up to ${stable} are stable; ${ended}.`;
  const better = roundedRate(fit.best ?? fit.limit / 2), needed = fit.bestIterations;
  let text = `lr ${rateText(better)} is stable`;
  if (needed !== null) text += ` and comes within 1 % of the minimum after about ${roughly(needed)}`;
  if (fit.scale !== "standard" && fit.condition > ILL_CONDITIONED) text += ` (--scale standard usually needs far fewer than --scale ${fit.scale})`;
  const more = needed > DEFAULT_ITERATIONS && needed <= MOST_TO_ADVISE ? roundedUp(needed) : 0;
  return [first, `${text}:`, command(better, Math.max(more, fit.k))];
}

// --- how fast it comes closer

const steepest = (fit, rate) => Math.abs(1 - (2 * rate) / fit.limit);
const flattest = (fit, rate) => Math.abs(1 - (2 * rate) / (fit.limit * fit.condition));

export function betterRate(fit) {
  if (fit.best === null || fit.bestIterations === null) return null;
  return fit.reached === null || fit.reached > 1.2 * fit.bestIterations + 2 ? roundedRate(fit.best) : null;
}

function quickest(fit) {
  const better = betterRate(fit), given = enough(fit, fit.rate, false);
  if (better === null) return [fit.rate, given];
  const other = enough(fit, better, true);
  return given !== null && other !== null && given < other ? [fit.rate, given] : [better, other];
}

function enough(fit, rate, changed) {
  const slopes = slopeError(fit, changed), gap = changed ? fit.startShare : fit.share;
  if (slopes === null || gap === null) return null;
  const factor = Math.max(steepest(fit, rate), flattest(fit, rate));
  if (!(factor > 0 && factor < 1)) return factor === 0 ? 1 : null;
  const needed = Math.max(Math.log(Math.max(gap / 1e-6, 1)) / 2, Math.log(Math.max(slopes / 0.01, 1)));
  return Math.ceil(needed / -Math.log(factor)) + (changed ? 0 : fit.k);
}

function slopeError(fit, atStart) {
  if (!fit.deviation) return null;
  const scales = fit.slopes.map((slope, j) => (fit.scale === "none" || !slope ? 1 : fit.deviations[j] / fit.deviation));
  if (fit.slopes.some((slope, j) => !slope && fit.bestSlopes[j])) return null;
  const here = atStart ? fit.startSlopes : fit.slopes;
  const size = norm(scales.map((scale, j) => scale * fit.bestSlopes[j]));
  return size ? norm(scales.map((scale, j) => scale * (here[j] - fit.bestSlopes[j]))) / size : 0;
}
