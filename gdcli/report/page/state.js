// What is chosen, what follows from it, and the address that holds it.
import { problemOf, converged, unpacked } from "./problem.js";
import { OPTIMIZERS, descend } from "./descent.js";
import { forecastOf } from "./forecast.js";
import { rateText } from "./numbers.js";
import { verdict } from "./words.js";

// Numbers that a path may hold, and iterations at most.
const MOST_NUMBERS = 4e6;
export const MOST_ITERATIONS = 100000;

export const SCALES = ["standard", "minmax", "none"];

export function lessonOf(told) {
  const data = unpacked(told.triangle), { chosen } = told, all = data.features.map(() => true);
  const usual = {
    lr: chosen.rate, n: chosen.iterations, optimizer: chosen.optimizer, parameter: chosen.parameter,
    scale: chosen.scale, l2: chosen.l2, m: data.start.m, c: data.start.c, features: all, kept: told.rates,
  };
  usual.n = clampIterations(usual.n, data.columns.length);
  const state = { ...usual, k: 0 }, memo = {}, watchers = [];

  const once = (name, key, make) => {
    const text = JSON.stringify(key);
    if (memo[name]?.text !== text) memo[name] = { text, value: make() };
    return memo[name].value;
  };
  const problemKey = () => [state.scale, state.l2, state.m, state.c, state.features];
  const lesson = {
    told, data, state, usual,
    get columns() {
      return data.features.flatMap((feature, i) => (state.features[i] ? feature.columns : []));
    },
    get problem() {
      return once("problem", problemKey(), () => problemOf(data, { chosen: lesson.columns, scale: state.scale, l2: state.l2, start: data.columns.length ? state : { m: [], c: state.c } }));
    },
    get forecast() {
      return once("forecast", [problemKey(), state.optimizer, state.parameter], () => {
        const forecast = forecastOf(lesson.problem, state.optimizer, state.parameter), [best, bestIterations] = forecast.best();
        return { ...forecast, best, bestIterations };
      });
    },
    get path() {
      return once("path", [problemKey(), state.optimizer, state.parameter, state.lr, state.n], () => lesson.pathAt(state.lr));
    },
    get reached() {
      return once("reached", [problemKey(), state.optimizer, state.parameter, state.lr], () => lesson.forecast.iterationsTo(state.lr));
    },
    reachedAt: (rate) => once(`reached ${rate}`, [problemKey(), state.optimizer, state.parameter], () => lesson.forecast.iterationsTo(rate)),
    pathAt: (rate) => descend(lesson.problem, { optimizer: state.optimizer, parameter: state.parameter, rate }, state.n),
    keptPaths: () => once("kept", [problemKey(), state.optimizer, state.parameter, state.kept, state.n], () => state.kept.map((rate) => ({ rate, path: lesson.pathAt(rate) }))),
    get k() {
      return Math.min(state.k, lesson.path.last);
    },
    get word() {
      return state.parameter === null ? state.optimizer : `${state.optimizer}:${rateText(state.parameter)}`;
    },
    set(changes) {
      if (changes.optimizer && changes.optimizer !== state.optimizer) {
        const rule = OPTIMIZERS[changes.optimizer];
        changes = { parameter: rule.parameter?.value ?? null, ...changes };
      }
      Object.assign(state, changes);
      state.n = clampIterations(state.n, data.columns.length);
      state.k = Math.max(0, Math.min(Math.round(state.k), state.n));
      watchers.forEach((watch) => watch());
    },
    watch: (callback) => watchers.push(callback),
    fit: (k = lesson.k) => fitAt(lesson, k),
    verdict: () => verdict(lesson.fit(), (rate, n) => lesson.command({ lr: rate, n })),
    command: ({ lr = state.lr, n = lesson.k } = {}) => commandLine(lesson, lr, n),
  };
  return lesson;
}

function clampIterations(n, p) {
  return Math.max(1, Math.min(Math.round(n) || 1, MOST_ITERATIONS, Math.floor(MOST_NUMBERS / (2 * p + 3))));
}

// The descent up to iteration k, for the verdict.
export function fitAt(lesson, k) {
  const { problem, forecast, path, state } = lesson, theta = path.thetaAt(k), lost = path.diverged && k === path.last;
  const behaviour = forecast.behaviour(state.lr), gap = problem.gapOf(theta), share = (value) => (value === 0 ? 0 : problem.measure > 0 ? value / problem.measure : null);
  const weights = forecast.gaps(state.lr, k), diverged = lost || behaviour === "unstable";
  return {
    k, lost, diverged, behaviour, rate: state.lr, optimizer: lesson.word, plain: ["gd", "newton"].includes(state.optimizer),
    converged: !diverged && converged(problem, theta, gap), gap, share: share(gap), startShare: share(problem.gapOf(problem.theta0)),
    perfect: problem.perfect, saturated: problem.saturated, coefficients: problem.p + problem.first,
    limit: forecast.limit, best: forecast.best, bestIterations: forecast.bestIterations, reached: lesson.reached,
    condition: forecast.condition, scale: state.scale, slowest: slowest(problem, weights),
    slopes: problem.toFile(theta).m, startSlopes: problem.toFile(problem.theta0).m, bestSlopes: problem.minimum.m,
    deviations: problem.deviations, deviation: problem.deviations[problem.p], cost: path.costAt(k),
  };
}

function slowest(problem, weights) {
  if (!weights) return [];
  const vector = problem.spectrum.vectors[weights.indexOf(Math.max(...weights))];
  if (!vector) return [];
  const names = [...(problem.first ? ["(intercept)"] : []), ...problem.labels];
  return names.map((name, i) => [name, vector[i]]).filter(([, weight]) => Math.abs(weight) >= 0.25).sort((one, other) => Math.abs(other[1]) - Math.abs(one[1]));
}

// --- the command line that does the same

function commandLine(lesson, lr, n) {
  const { state, data, told, usual } = lesson, words = told.command;
  if (!words) return `lr ${rateText(lr)}, ${n} iterations`;
  const parts = [state.features.every(Boolean) ? words.data : words.bare];
  if (!state.features.every(Boolean)) data.features.forEach((feature, i) => { if (state.features[i]) parts.push(`-x ${feature.word}`); });
  parts.push(`--lr ${rateText(lr)}`, `-n ${n}`);
  if (state.optimizer !== "gd") parts.push(`--optimizer ${lesson.word}`);
  if (state.scale !== "standard") parts.push(`--scale ${state.scale}`);
  if (state.l2 > 0) parts.push(`--l2 ${rateText(state.l2)}`);
  for (const j of lesson.columns) if (state.m[j]) parts.push(`--start ${data.words[j]}=${rateText(state.m[j])}`);
  if (data.intercept && state.c) parts.push(`--start c=${rateText(state.c)}`);
  return parts.join(" ");
}

// --- the address

const list = (values) => values.map(rateText).join(",");

export function addressOf({ state, usual, data, word }) {
  const parts = [`lr=${rateText(state.lr)}`, `k=${state.k}`], same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
  if (state.n !== usual.n) parts.push(`n=${state.n}`);
  if (state.optimizer !== usual.optimizer || state.parameter !== usual.parameter) parts.push(`optimizer=${word}`);
  if (state.scale !== usual.scale) parts.push(`scale=${state.scale}`);
  if (state.l2 !== usual.l2) parts.push(`l2=${rateText(state.l2)}`);
  if (!same(state.m, usual.m)) parts.push(`m=${list(state.m)}`);
  if (state.c !== usual.c) parts.push(`c=${rateText(state.c)}`);
  if (!same(state.features, usual.features)) parts.push(`x=${data.features.flatMap((_, i) => (state.features[i] ? [i] : [])).join(",")}`);
  if (!same(state.kept, usual.kept)) parts.push(`with=${list(state.kept)}`);
  return `#${parts.join("&")}`;
}

// The settings of an address; what means nothing is left out.
export function settingsOf(hash, { usual, data }) {
  const given = Object.fromEntries(hash.replace(/^#/, "").split("&").map((part) => part.split("=")).filter((pair) => pair.length === 2));
  const settings = { ...usual, k: 0 }, finite = (text) => text.trim() !== "" && Number.isFinite(Number(text));
  const read = (name, good, key = name) => {
    if (given[name] !== undefined && finite(given[name]) && good(Number(given[name]))) settings[key] = Number(given[name]);
  };
  read("lr", (value) => value > 0);
  read("k", (value) => value >= 0);
  read("n", (value) => value >= 1);
  read("l2", (value) => value >= 0);
  read("c", () => true);
  if (SCALES.includes(given.scale)) settings.scale = given.scale;
  const [name, parameter] = (given.optimizer ?? "").split(":");
  if (Object.hasOwn(OPTIMIZERS, name)) {
    const own = OPTIMIZERS[name].parameter;
    settings.optimizer = name;
    settings.parameter = own ? (parameter && Number(parameter) >= 0 && Number(parameter) < own.most ? Number(parameter) : own.value) : null;
  }
  const numbers = (text) => (text ?? "").split(",").filter(finite).map(Number);
  if (numbers(given.m).length === usual.m.length) settings.m = numbers(given.m);
  if (given.with !== undefined) settings.kept = numbers(given.with).filter((rate) => rate > 0);
  if (given.x !== undefined) {
    const places = numbers(given.x), features = data.features.map((_, i) => places.includes(i));
    if (features.some(Boolean)) settings.features = features;
  }
  return settings;
}
