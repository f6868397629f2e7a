// The verdict in the terminal's words: report/verdict.py and report/pace.py, for gradient descent on a squared error.
import { norm } from "./linear.js";
import { count, counted, percent, rateText, rough, roughly, roundedBelow, roundedRate, roundedUp } from "./numbers.js";

const ILL_CONDITIONED = 100, MOST_TO_ADVISE = 1e7, DEFAULT_ITERATIONS = 1000, NEAR = 0.01, MOST_LINES = 3, LINE = 78;

// The sentences, the first of which begins with the state, and a command at the end if there is one. `fit` is the
// descent up to iteration k, as `gdfit -n k` would report it; see `fitAt` in state.js.
export function verdict(fit, command) {
  if (fit.diverged) return [howItDiverged(fit), ...wayOut(fit, command)];
  const [told, pasted] = advice(fit, command);
  const wait = onTheWait(fit);
  const ranked = [
    [outcome(fit), 0], [onSaturation(fit), 1], [onTheRate(fit, told.length > 0), 5], [onScaling(fit, told), 2],
    ...wait.map((text, i) => [text, 3 + i]), ...told.map((text) => [text, 1]),
  ];
  return [...inThreeLines(ranked.filter(([text]) => text)), ...(pasted === null ? [] : [pasted])];
}

// The sentences that three lines hold, those of the lowest rank first; the first two ranks in any case.
function inThreeLines(ranked) {
  let kept = ranked.filter(([, rank]) => rank <= 1);
  for (const one of [...ranked].sort((a, b) => a[1] - b[1])) {
    const more = ranked.filter((other) => other === one || kept.includes(other));
    if (lines(more.map(([text]) => text).join(" ")) <= MOST_LINES) kept = more;
  }
  return kept.map(([text]) => text);
}

function lines(paragraph) {
  let count = 1, length = 0;
  for (const word of paragraph.split(/ (?!%)/)) {
    if (length && length + 1 + word.length > LINE) count += 1, length = word.length;
    else length += word.length + (length ? 1 : 0);
  }
  return count;
}

function outcome(fit) {
  const after = fit.k ? `after ${counted(fit.k)}` : "at the start";
  if (!fit.converged && fit.share === null) return `Ended ${after}: the distance to the minimum is not known.`;
  const state = fit.converged ? "Converged" : fit.share <= NEAR ? "Nearly there" : "Not there yet";
  return `${state}: ${distance(fit)} ${after}${withinOnePercent(fit)}.`;
}

function onSaturation(fit) {
  if (!fit.saturated) return "";
  const coefficients = fit.coefficients === 1 ? "1 coefficient" : `${fit.coefficients} coefficients`;
  return `A low cost is no merit of a fit with ${coefficients} for as many rows or fewer.`;
}

function distance(fit) {
  const { share } = fit;
  if (share === null) return "the distance to the minimum is not known";
  if (fit.perfect) {
    if (share === 0) return fit.saturated ? "the cost is at its minimum, zero," : "a perfect fit, with a cost of zero,";
    return `${percent(share)} of the start's gap to a perfect fit is left`;
  }
  if (share === 0) return "exactly at the minimum";
  if (fit.converged) return `at the minimum to ${Math.min(Math.trunc(-Math.log10(share)), 15)} digits`;
  return `${percent(share)} above the minimum${share <= 1e-6 ? ", the slopes still more than 1 % off," : ""}`;
}

function withinOnePercent({ reached, k, behaviour, plain, converged, perfect, share }) {
  if (reached === null || (share === 0 && !perfect)) return "";
  if (reached === 0) return " (within 1 % from the start)";
  if (reached <= k) {
    const known = behaviour === "oscillating" && !plain;
    return ` (${known ? "first within 1 % at" : "within 1 % since"} ${count(reached)})`;
  }
  if (converged) return "";
  if (reached > MOST_TO_ADVISE) return `; it would be within 1 % after about ${rough(reached)}`;
  return `; it would be within 1 % at ${count(reached)}${k ? `, ${count(reached - k)} more` : ""}`;
}

const stableRate = (fit) => rateText(roundedBelow(fit.limit));
const named = (fit) => `lr ${rateText(fit.rate)}${fit.optimizer === "gd" ? "" : ` with ${fit.optimizer}`}`;

function onTheRate(fit, advised) {
  if (fit.limit === null || fit.behaviour === null) return "";
  const stable = stableRate(fit), then = faster(fit, advised);
  if (fit.behaviour === "monotone") {
    return `${named(fit)} is safe${betterRate(fit) === null ? "" : " but slow"}: rates below ${stable} are stable.${then}`;
  }
  if (!fit.plain) return `${named(fit)} swings about the minimum, less each time, which is harmless below ${stable}.${then}`;
  const swing = steepest(fit, fit.rate);
  if (swing > 0.9) {
    return `${named(fit)} comes back only ${percent(1 - swing)} closer at each step: from ${stable} on rates are unstable.${then}`;
  }
  return `${named(fit)} overshoots slightly at each step, which is harmless below ${stable}.${then}`;
}

function faster(fit, advised) {
  const better = betterRate(fit);
  if (better !== null) return advised ? "" : ` The fastest, ${rateText(better)}, is within 1 % after ${roughly(fit.bestIterations)}.`;
  return fit.reached !== null && fit.reached > fit.k && fit.best !== null ? " No rate is much faster." : "";
}

const waits = (fit) => !fit.converged && fit.condition !== null && fit.condition > ILL_CONDITIONED && fit.behaviour !== null;

function onScaling(fit, told) {
  if (fit.scale === "standard" || !waits(fit) || told.some((text) => text.includes("--scale"))) return "";
  return `--scale standard usually needs far fewer iterations than --scale ${fit.scale}.`;
}

function onTheWait(fit) {
  if (!waits(fit)) return [];
  const slowest = direction(fit.slowest);
  const text = `What takes long is a condition number of about ${rough(fit.condition)}.`;
  return slowest ? [text, `Slowest: ${slowest}.`] : [text];
}

function direction(slowest) {
  const dominant = slowest.filter(([, weight]) => Math.abs(weight) >= Math.abs(slowest[0][1]) / 2).slice(0, 3);
  if (!dominant.length) return "";
  const sign = dominant[0][1] > 0, side = (ahead) => dominant.filter(([, weight]) => (weight > 0 === sign) === ahead).map(([term]) => term);
  const ahead = side(true), against = side(false);
  const together = ahead.length === 1 ? ahead[0] : `${ahead[0]} together with ${ahead.slice(1).join(" and ")}`;
  return against.length ? `${together} against ${against.join(" and ")}` : together;
}

// Sentences on what to change, and the command that does it or null.
function advice(fit, command) {
  if (fit.converged) return [[], null];
  if (fit.behaviour === null) return [["More iterations (-n), or another rate, may bring it closer."], null];
  const [rate, enough] = fit.plain ? quickest(fit) : [fit.rate, null];
  if (enough === null && rate === fit.rate) return [["More iterations (-n) bring it closer."], null];
  if (enough > MOST_TO_ADVISE) {
    const text = `At lr ${rateText(rate)} it may take ${rough(enough)} iterations to converge`;
    const scaled = fit.scale === "standard" ? "" : `; --scale standard usually needs far fewer than --scale ${fit.scale}`;
    return [[`${text}${scaled}.`], null];
  }
  const run = enough === null ? null : roundedUp(enough), needed = run || fit.bestIterations || 0;
  let text = `The fastest, ${rateText(rate)}, needs ${run === null ? "" : rough(run)} to converge`;
  if (run === null) text = `Try lr ${rateText(rate)}`;
  else if (rate === fit.rate) text = `At this rate ${roughly(run)} converge${run === 1 ? "s" : ""}`;
  return [[`${text}:`], command(rate, fit.k < needed && needed <= MOST_TO_ADVISE ? needed : fit.k)];
}

function howItDiverged(fit) {
  if (!fit.lost) return `Diverged, if slowly: after ${counted(fit.k)} the steps grow, and at this rate never settle.`;
  const plain = fit.behaviour === "unstable" && fit.plain;
  const how = plain ? "each step overshot by more than the last" : "the cost grew beyond all bounds";
  return `Diverged at iteration ${count(fit.k)}: ${how}.`;
}

function wayOut(fit, command) {
  if (fit.limit === null) {
    const smaller = roundedRate(fit.rate / 10);
    return [`${named(fit)} is too large. Try a tenth of it, ${rateText(smaller)}:`, command(smaller, fit.k)];
  }
  const stable = stableRate(fit);
  let first = `${named(fit)} is below the largest stable rate ${stable}, and yet too large;`;
  if (fit.rate > fit.limit * (1 + 1e-9)) first = `${named(fit)} is too large: rates below ${stable} are stable here, and`;
  else if (fit.behaviour === "unstable") first = `${named(fit)} is just too large: rates up to ${stable} are stable here, and`;
  const better = roundedRate(fit.best ?? fit.limit / 2), needed = fit.bestIterations;
  let text = `${first} ${rateText(better)} is ${fit.best === null ? "stable" : "the best"}`;
  if (needed !== null) text += `, within 1 % after ${roughly(needed)}`;
  if (fit.scale !== "standard" && fit.condition > ILL_CONDITIONED) text += ` (--scale standard usually needs far fewer than --scale ${fit.scale})`;
  const more = needed > DEFAULT_ITERATIONS && needed <= MOST_TO_ADVISE ? roundedUp(needed) : 0;
  return [`${text}:`, command(better, Math.max(more, fit.k))];
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
