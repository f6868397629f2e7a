// What the eigenvalues say of a rate before the first step: engine/spectrum.py, engine/recurrence.py.

const MARGIN = 1e-12, NEVER = 1e18, GRID = 64, MOST_LOOKS = 1e7, MOST_AT_ONCE = 1 << 14;

export function forecastOf(problem, optimizer, beta) {
  const { values, distances } = problem.spectrum;
  if (!values.length) return unknown;
  if (optimizer === "gd") return plain({ values, distances }, problem.within);
  if (optimizer === "newton") {
    return plain({ values: values.map(() => 1), distances: distances.map((d, i) => d * Math.sqrt(values[i])) }, problem.within);
  }
  if (optimizer === "momentum" || optimizer === "nesterov") {
    return swinging({ values, distances }, problem.within, optimizer === "nesterov" ? nesterov(beta) : heavyBall(beta));
  }
  return unknown;
}

const unknown = { limit: null, condition: null, behaviour: () => null, iterationsTo: () => null, best: () => [null, null], gaps: () => null };

// The smallest whole number from which on a predicate that stays true is true; null if it is too large.
export function firstWhere(reached) {
  if (reached(0)) return 0;
  let high = 1;
  while (!reached(high)) if ((high *= 2) > NEVER) return null;
  let low = Math.floor(high / 2);
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    if (reached(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function plain({ values, distances }, within) {
  const steepest = values[0], flattest = values[values.length - 1], allowed = Math.log(within);
  const starts = values.map((value, i) => Math.log(0.5 * value * distances[i] ** 2));
  const logs = (rate, k) => starts.map((start, i) => {
    if (k === 0) return start;
    const product = rate * values[i];
    return start + 2 * k * (product > 0.5 ? Math.log(Math.abs(1 - product)) : Math.log1p(-product));
  });
  const total = (rate, k) => {
    const all = logs(rate, k), top = Math.max(...all);
    return Number.isFinite(top) ? top + Math.log(all.reduce((sum, one) => sum + Math.exp(one - top), 0)) : top;
  };
  const behaviour = (rate) => {
    const factor = 1 - rate * steepest;
    return factor <= -1 + MARGIN ? "unstable" : factor < 0 ? "oscillating" : "monotone";
  };
  const lowest = (k, rounds) => {
    let low = Math.log(10 * MARGIN), high = 0, found = [0, Infinity];
    for (let round = 0; round < rounds; round++) {
      let at = 0;
      const rates = Array.from({ length: GRID }, (_, i) => (2 - Math.exp(low + ((high - low) * i) / (GRID - 1))) / steepest);
      const totals = rates.map((rate) => total(rate, k));
      totals.forEach((value, i) => { if (value < totals[at]) at = i; });
      found = [rates[at], totals[at]];
      const step = (high - low) / (GRID - 1);
      [low, high] = [low + step * Math.max(at - 1, 0), low + step * Math.min(at + 1, GRID - 1)];
    }
    return found;
  };
  return {
    limit: 2 / steepest, condition: steepest / flattest, behaviour,
    gaps: (rate, k) => logs(rate, k),
    iterationsTo: (rate) => (behaviour(rate) === "unstable" ? null : firstWhere((k) => total(rate, k) <= allowed)),
    best() {
      const k = firstWhere((iteration) => lowest(iteration, 4)[1] <= allowed), worst = 2 / (steepest + flattest);
      if (!k) return k === 0 ? [Math.min(worst, 1 / steepest), k] : [worst, k];
      return [lowest(k, 8)[0], k];
    },
  };
}

// Momentum: e ← (1 − a·h)·e − b·v, v ← h·e + β·v along each eigenvector, with h = η·λ.
function heavyBall(beta) {
  const root = Math.sqrt(beta);
  return recurrence(beta, 1, beta, [((1 - beta) / (1 + root)) ** 2, (1 + root) ** 2]);
}

function nesterov(beta) {
  return recurrence(beta, 1 + beta, beta * beta, [((1 - beta) / (1 + beta)) ** 2, 1]);
}

function recurrence(beta, a, b, bends) {
  return { beta, a, b, bends, limit: (2 * (1 + beta)) / (a * (1 + beta) - b) };
}

function swinging({ values, distances }, within, rule) {
  const steepest = values[0], stop = rule.limit / steepest;
  // |e_k| ≤ slow·|z₁|ᵏ + fast·|z₂|ᵏ with the roots z of z² − t·z + d.
  const motion = (rate) => values.map((value, i) => {
    const h = rate * value, t = 1 + rule.beta - rule.a * h, d = rule.beta - (rule.a * rule.beta - rule.b) * h;
    const discriminant = rule.a ** 2 * (h - rule.bends[0]) * (h - rule.bends[1]), width = Math.sqrt(Math.abs(discriminant));
    const e0 = distances[i], e1 = (1 - rule.a * h) * e0, apart = Math.max(width, 1e-7);
    if (discriminant < 0) return { h, e: e0, v: 0, log: 0.5 * Math.log(Math.abs(d)), head: 0, z1: Math.sqrt(Math.abs(d)), z2: 0, slow: Math.hypot(e0, (2 * e1 - t * e0) / apart), fast: 0 };
    const z1 = (t < 0 ? -1 : 1) * 0.5 * (Math.abs(t) + width), z2 = z1 === 0 ? 0 : d / z1;
    const margin = t >= 0 ? h : (rule.a * (1 + rule.beta) - rule.b) * (rule.limit - h), near = (2 * margin) / (2 - Math.abs(t) + width);
    const log = near < 0.5 ? Math.log1p(-near) : Math.log(Math.abs(z1));
    return { h, e: e0, v: 0, log, head: Math.abs(e1 - z2 * e0) / apart, z1: Math.abs(z1), z2: Math.abs(z2), slow: Math.abs(e1 - z2 * e0) / apart, fast: Math.abs(z1 * e0 - e1) / apart };
  });
  // Of several rates the one that is within the limit first, to stay: [iteration, place, its gap then] or null.
  const arrival = (rates, most) => {
    let racing = rates.map((rate, place) => ({ parts: motion(rate), place, since: 0, gap: 0 })), best = null;
    for (let k = 0; racing.length; k++) {
      for (const one of racing) {
        let gap = 0, bound = 0;
        one.parts.forEach((part, i) => {
          const most = part.slow + part.fast, e = part.e;
          gap += 0.5 * values[i] * e * e;
          bound += 0.5 * values[i] * most * most;
          part.e = (1 - rule.a * part.h) * e - rule.b * part.v;
          part.v = part.h * e + rule.beta * part.v;
          part.slow *= part.z1;
          part.fast *= part.z2;
        });
        if (!(gap <= within)) one.since = k + 1;
        else {
          if (one.since === k) one.gap = gap;
          one.done = bound <= within;
          if (one.done && (!best || one.since < best[0] || (one.since === best[0] && one.gap < best[2]))) best = [one.since, one.place, one.gap];
        }
      }
      racing = racing.filter((one) => !one.done && !(best && one.since > best[0]));
      looks -= racing.length * values.length;
      if (looks < 0 || k > most) return best;
    }
    return best;
  };
  let looks = 0;
  const grid = (many) => {
    const near = Math.min(Math.floor(many / 4), 64), few = Math.log(1e-11), far = Math.log(0.01 * rule.limit);
    const around = Array.from({ length: many }, (_, i) => 0.5 * rule.limit * (1 - Math.cos((Math.PI * (i + 1)) / (many + 1))));
    const below = Array.from({ length: near }, (_, i) => rule.limit - Math.exp(few + ((far - few) * i) / Math.max(near - 1, 1)));
    return unique([...around, ...below].map((h) => h / steepest));
  };
  const behaviour = (rate) => {
    const h = rate * steepest;
    return h >= rule.limit - MARGIN ? "unstable" : h > rule.bends[0] ? "oscillating" : "monotone";
  };
  const iterationsTo = (rate) => {
    looks = MOST_LOOKS;
    if (behaviour(rate) === "unstable") return null;
    const found = arrival([rate], Infinity);
    if (found) return found[0];
    // After so many iterations only the slow real roots are left, and the gap falls without swinging.
    const parts = motion(rate);
    return firstWhere((k) => parts.reduce((sum, part, i) => sum + 0.5 * values[i] * (part.head * Math.exp(k * part.log)) ** 2, 0) <= within);
  };
  return {
    limit: stop, condition: steepest / values[values.length - 1], behaviour, iterationsTo,
    gaps(rate, k) {
      const parts = motion(rate);
      for (let i = 0; i < k; i++) {
        for (const part of parts) [part.e, part.v] = [(1 - rule.a * part.h) * part.e - rule.b * part.v, part.h * part.e + rule.beta * part.v];
      }
      return parts.map((part, i) => 0.5 * values[i] * part.e ** 2);
    },
    best() {
      const r = values.length;
      let rates = grid(Math.min(Math.max(Math.floor(MOST_AT_ONCE / r), 32), 4096));
      looks = MOST_LOOKS;
      let found = arrival(rates, Infinity);
      if (!found) return [null, null];
      if (!found[0]) return [0.5 * stop, iterationsTo(0.5 * stop)];
      let best = [rates[found[1]], found[0]];
      let finer = grid(Math.min(16 * best[1], Math.floor(MOST_LOOKS / (4 * best[1] * r))));
      for (let round = 0; round < 7; round++) {
        rates = unique([...finer, best[0]]);
        looks = MOST_LOOKS;
        found = arrival(rates, Math.max(2000, 50 * best[1]));
        if (found && found[0] <= best[1]) best = [rates[found[1]], found[0]];
        const at = rates.indexOf(best[0]), low = rates[Math.max(at - 1, 0)], high = rates[Math.min(at + 1, rates.length - 1)];
        finer = Array.from({ length: 33 }, (_, i) => low + ((high - low) * i) / 32);
      }
      return best;
    },
  };
}

const unique = (values) => [...new Set(values)].sort((one, other) => one - other);
