// From the triangle of all rows to the problem that is descended on, as engine/scaling.py, least_squares.py and
// fitting/problem.py do it: any of the columns, any scaling, any ridge penalty, exactly.
import {
  backSubstituted, column, columns, dot, norm, orthonormal, projected, svd, times, triangularize, zeros,
} from "./linear.js";

const PERFECT = 1e-24, WITHIN = 0.01, RANK_TOLERANCE = 1e-13;

// The columns of the triangle that take part, the target last.
export function selected(data, chosen) {
  const kept = [...chosen, data.columns.length], of = (values) => Float64Array.from(kept, (j) => values[j]);
  const whole = chosen.length === data.columns.length;
  return {
    labels: chosen.map((j) => data.columns[j]),
    R: whole ? data.R.map((row) => Float64Array.from(row)) : triangularize(columns(data.R, kept)),
    mean: of(data.mean), low: of(data.mean_low), minimum: of(data.minimum), maximum: of(data.maximum),
    weight: data.weight, count: data.count, intercept: data.intercept,
  };
}

function deviations({ R, minimum: low, maximum: high, mean, count, weight }) {
  const root = Math.sqrt(count / (count - 1) / weight);
  return mean.map((_, j) => (low[j] < high[j] && count > 1 ? norm(column(R, j)) * root : 0));
}

function widths(triangle) {
  const { R, mean, weight, intercept } = triangle;
  if (intercept) return deviations(triangle).map((value) => value || 1);
  return mean.map((value, j) => Math.hypot(norm(column(R, j)) / Math.sqrt(weight), value) || 1);
}

function scalingOf(triangle, kind) {
  const p = triangle.labels.length, all = widths(triangle), standard = kind === "standard";
  const center = new Float64Array(p), low = new Float64Array(p), scale = new Float64Array(p).fill(1);
  for (let j = 0; j < p; j++) {
    if (standard) {
      scale[j] = all[j];
      if (triangle.intercept) [center[j], low[j]] = [triangle.mean[j], triangle.low[j]];
    } else if (kind === "minmax") {
      scale[j] = triangle.maximum[j] - triangle.minimum[j] || 1;
      center[j] = triangle.minimum[j];
    }
  }
  return { center, low, scale, target: kind === "none" ? 1 : all[p] };
}

// R₁, z and ρ of ‖z − R₁θ‖² + ρ² on a scaling.
function scaled(triangle, scaling) {
  const p = triangle.labels.length, first = triangle.intercept ? 1 : 0, root = Math.sqrt(triangle.weight);
  const R1 = zeros(p + 1, p + first), z = new Float64Array(p + 1), offset = new Float64Array(p);
  if (first) R1[0][0] = root;
  for (let j = 0; j < p; j++) {
    offset[j] = triangle.mean[j] - scaling.center[j] + (triangle.low[j] - scaling.low[j]);
    R1[0][first + j] = (offset[j] * root) / scaling.scale[j];
    for (let i = 0; i <= j; i++) R1[i + 1][first + j] = triangle.R[i][j] / scaling.scale[j];
  }
  z[0] = ((triangle.mean[p] + triangle.low[p]) * root) / scaling.target;
  for (let i = 0; i < p; i++) z[i + 1] = triangle.R[i][p] / scaling.target;
  return { R1, z, rho: triangle.R[p][p] / scaling.target, offset };
}

function compact(R1, z, rho) {
  const p = R1.length ? R1[0].length : 0;
  const R = triangularize([...R1.map((row, i) => Float64Array.of(...row, z[i])), Float64Array.of(...new Float64Array(p), rho)]);
  return { R1: R.slice(0, p).map((row) => row.slice(0, p)), z: column(R.slice(0, p), p), rho: R[p][p] };
}

// The least-squares minimum; of collinear columns the one of least norm on the descent's own scale.
function minimum(triangle, scaling, own) {
  const p = triangle.labels.length, first = triangle.intercept ? 1 : 0;
  const standard = scalingOf(triangle, "standard");
  let rows = scaled(triangle, standard);
  if (!first) rows = { ...compact(rows.R1, rows.z, rows.rho), offset: rows.offset };
  const R = rows.R1.slice(first, first + p).map((row) => row.slice(first)), z = rows.z.slice(first, first + p);
  const { values, V, scaled: U } = svd(R);
  const size = triangle.minimum.map((low, j) => Math.max(Math.abs(low), Math.abs(triangle.maximum[j])));
  const kept = values.map((value, i) => {
    const brought = norm(V[i].map((share, j) => (share * spacing(size[j])) / standard.scale[j])) * Math.sqrt(triangle.weight);
    return value > Math.max(RANK_TOLERANCE * values[0], brought);
  });
  const rank = kept.filter(Boolean).length, slopes = new Float64Array(p);
  const found = rank === p ? backSubstituted(R, z) : new Float64Array(p);
  const basis = V.filter((_, i) => kept[i]);
  if (rank < p) {
    U.forEach((left, i) => {
      if (!kept[i]) return;
      const along = dot(left, z) / values[i] ** 2;
      for (let j = 0; j < p; j++) found[j] += along * V[i][j];
    });
  }
  const residual = rank < p ? norm(times(R, found).map((value, i) => z[i] - value)) : 0;
  let value = triangle.mean[p] + triangle.low[p];
  for (let j = 0; j < p; j++) {
    slopes[j] = (found[j] * standard.target) / standard.scale[j];
    value -= slopes[j] * own.offset[j];
  }
  let theta = through(scaling, slopes, value, first), rowSpace = null, R1 = own.R1;
  if (rank < p) {
    const onScale = (row) => {
      const moved = Float64Array.from(row);
      for (let j = 0; j < p; j++) {
        moved[first + j] *= standard.scale[j] / scaling.scale[j];
        if (first) moved[first + j] += (row[0] * own.offset[j]) / scaling.scale[j];
      }
      return moved;
    };
    const wide = basis.map((row) => Float64Array.of(...new Float64Array(first), ...row));
    if (first) wide.unshift(Float64Array.from({ length: p + 1 }, (_, i) => Number(i === 0)));
    rowSpace = orthonormal(wide.map(onScale));
    theta = projected(theta, rowSpace);
    // What is judged to be rounding leaves the problem, so that no descent goes below its minimum.
    R1 = scaled(triangle, standard).R1.map((row) => onScale(Float64Array.of(...row.slice(0, first), ...projected(row.slice(first), basis))));
  }
  const cost = ((rows.rho ** 2 + residual ** 2) / triangle.weight) * standard.target ** 2;
  return { theta, rank, rowSpace, cost, R1 };
}

function spacing(value) {
  return value > 0 ? 2 ** (Math.floor(Math.log2(value)) - 52) : 2 ** -1074;
}

function through(scaling, slopes, value, first) {
  const theta = new Float64Array(slopes.length + first);
  if (first) theta[0] = value / scaling.target;
  slopes.forEach((slope, j) => { theta[first + j] = (slope * scaling.scale[j]) / scaling.target; });
  return theta;
}

// The scaled problem with its minimum and its spectrum. `start` is {m: by column of the data, c}.
export function problemOf(data, { chosen, scale, l2, start }) {
  const triangle = selected(data, chosen), p = chosen.length, first = triangle.intercept ? 1 : 0;
  const scaling = scalingOf(triangle, scale), own = scaled(triangle, scaling), weight = triangle.weight;
  const least = minimum(triangle, scaling, own), { z, rho } = own, unit = scaling.target ** 2;
  let { theta, cost, rank, rowSpace } = least, quadratic = { R1: least.R1, z, rho };
  if (l2 > 0) {
    const root = Math.sqrt(weight * l2);
    const more = Array.from({ length: p }, (_, j) => Float64Array.from({ length: p + first }, (_, i) => (i === first + j ? root : 0)));
    quadratic = compact([...least.R1, ...more], Float64Array.of(...z, ...new Float64Array(p)), rho);
    theta = backSubstituted(quadratic.R1, quadratic.z);
    const residual = times(quadratic.R1, theta).map((value, i) => quadratic.z[i] - value);
    [cost, rank, rowSpace] = [((dot(residual, residual) + quadratic.rho ** 2) / weight) * unit, p, null];
  }
  const toFile = (point) => {
    const m = new Float64Array(p);
    let c = first ? point[0] * scaling.target : 0, low = 0;
    for (let j = 0; j < p; j++) m[j] = point[first + j] * (scaling.target / scaling.scale[j]);
    for (let j = 0; j < p; j++) [c, low] = [c - m[j] * scaling.center[j], low + m[j] * scaling.low[j]];
    return { m, c: c - low };
  };
  const toScaled = (m, c) => {
    let value = c;
    for (let j = 0; j < p; j++) value += m[j] * scaling.center[j] + m[j] * scaling.low[j];
    return through(scaling, m, value, first);
  };
  const theta0 = toScaled(Float64Array.from(chosen, (j) => start.m[j] ?? 0), first ? start.c : 0);
  const eigen = svd(quadratic.R1), r = rank + first, N = weight;
  const distance = theta0.map((value, i) => value - theta[i]);
  const vectors = eigen.V.slice(0, r), values = eigen.values.slice(0, r).map((s) => (2 / N) * s * s);
  const gapOf = (point) => {
    const away = point.map((value, i) => value - theta[i]), moved = times(quadratic.R1, away);
    return (dot(moved, moved) / N) * unit;
  };
  const meanSquare = ((dot(z, z) + rho ** 2) / N) * unit, perfect = cost <= PERFECT * meanSquare;
  const measure = perfect ? gapOf(theta0) : cost;
  return {
    triangle, labels: triangle.labels, p, first, scaling, kind: scale, l2, unit, theta0, toFile, toScaled, gapOf,
    meanSquare, perfect, measure, within: (WITHIN * measure) / unit, rowSpace, rank,
    minimum: { theta, cost, ...toFile(theta) },
    spectrum: { values, vectors, distances: vectors.map((vector) => dot(vector, distance)) },
    deviations: deviations(triangle),
    saturated: !(l2 > 0) && p + first >= triangle.count,
    at: costOf(least.R1, z, rho, N, l2, first),
  };
}

// θ -> its cost and gradient on the scaled problem.
function costOf(R1, z, rho, weight, l2, first) {
  const rows = R1.length, P = rows ? R1[0].length : 0, share = 1 / weight, floor = (rho * rho) / weight;
  const G = R1.map((row) => row.map((value) => (-2 / weight) * value)), residual = new Float64Array(rows);
  return (theta, gradient) => {
    let cost = 0;
    for (let i = 0; i < rows; i++) {
      residual[i] = z[i] - dot(R1[i], theta);
      cost += residual[i] * residual[i];
    }
    cost = cost * share + floor;
    for (let j = 0; j < P; j++) {
      let slope = 0;
      for (let i = 0; i < rows; i++) slope += G[i][j] * residual[i];
      if (l2 > 0 && j >= first) {
        slope += 2 * l2 * theta[j];
        cost += l2 * theta[j] * theta[j];
      }
      gradient[j] = slope;
    }
    return cost;
  };
}

// Converged: a gap of a millionth of the measure, and slopes within 1 % of the minimum's.
export function converged(problem, theta, gap) {
  const { minimum: best, first, rowSpace, measure } = problem;
  let away = theta.map((value, i) => value - best.theta[i]);
  if (rowSpace) away = projected(away, rowSpace);
  return gap <= 1e-6 * measure && norm(away.slice(first)) <= 0.01 * norm(best.theta.slice(first)) + 1e-12;
}

// The triangle as the page is told it: rows from the diagonal on become whole ones.
export function unpacked(data) {
  const q = data.R.length;
  return { ...data, R: data.R.map((row, i) => Float64Array.of(...new Float64Array(q - row.length), ...row)) };
}
