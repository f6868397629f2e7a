// The optimizers, with the formulas of engine/optimizers.py, and the loop. g is the gradient, η the rate.

export const OPTIMIZERS = {
  gd: { kind: "plain", memories: 0, rate: 0.01, step: (g, s, rate, t, u) => each(u, (i) => -rate * g[i]) },
  momentum: {
    kind: "momentum", memories: 1, rate: 0.01, parameter: { name: "β", value: 0.9, most: 1 },
    step(g, [b], rate, t, u, beta) {
      each(u, (i) => -rate * (b[i] = beta * b[i] + g[i]));
    },
  },
  nesterov: {
    kind: "momentum", memories: 1, rate: 0.01, parameter: { name: "β", value: 0.9, most: 1 },
    step(g, [b], rate, t, u, beta) {
      each(u, (i) => -rate * (g[i] + beta * (b[i] = beta * b[i] + g[i])));
    },
  },
  adam: {
    kind: "adaptive", memories: 2, rate: 0.01,
    step(g, [m, v], rate, t, u) {
      each(u, (i) => {
        m[i] = 0.9 * m[i] + (1 - 0.9) * g[i];
        v[i] = 0.999 * v[i] + (1 - 0.999) * (g[i] * g[i]);
        return (-rate * (m[i] / (1 - 0.9 ** t))) / (Math.sqrt(v[i] / (1 - 0.999 ** t)) + 1e-8);
      });
    },
  },
  newton: {
    kind: "newton", memories: 0, rate: 1,
    step: (g, s, rate, t, u, parameter, newton) => each(u, (i, d) => -rate * d[i], newton(g)),
  },
};

function each(update, value, extra) {
  for (let i = 0; i < update.length; i++) update[i] = value(i, extra);
}

// H⁺ · gradient, from the spectrum.
export function newtonDirection({ values, vectors }, gradient) {
  const step = new Float64Array(gradient.length);
  values.forEach((value, k) => {
    let along = 0;
    for (let i = 0; i < step.length; i++) along += gradient[i] * vectors[k][i];
    for (let i = 0; i < step.length; i++) step[i] += (along / value) * vectors[k][i];
  });
  return step;
}

// All iterations: `theta` and `gradient` hold P numbers of each, `cost` one, on the scaled problem.
export function descend(problem, { optimizer, parameter, rate }, iterations) {
  const rule = OPTIMIZERS[optimizer], P = problem.theta0.length;
  const theta = new Float64Array((iterations + 1) * P), gradient = new Float64Array((iterations + 1) * P);
  const cost = new Float64Array(iterations + 1), update = new Float64Array(P);
  const memories = Array.from({ length: rule.memories }, () => new Float64Array(P));
  const newton = (g) => newtonDirection(problem.spectrum, g);
  let limit = Infinity, last = iterations, diverged = false;
  theta.set(problem.theta0);
  for (let k = 0; ; k++) {
    const here = theta.subarray(k * P, k * P + P), slope = gradient.subarray(k * P, k * P + P);
    cost[k] = problem.at(here, slope);
    if (k === 0) limit = 1e6 * Math.max(cost[0], (1e-24 * problem.meanSquare) / problem.unit);
    if (!(cost[k] <= limit)) {
      [last, diverged] = [k, true];
      break;
    }
    if (k === iterations) break;
    rule.step(slope, memories, rate, k + 1, update, parameter, newton);
    for (let i = 0; i < P; i++) theta[(k + 1) * P + i] = here[i] + update[i];
  }
  const at = (values, k) => values.subarray(k * P, k * P + P);
  return {
    last, diverged, cost, gradientAt: (k) => at(gradient, k), thetaAt: (k) => at(theta, k),
    costAt: (k) => cost[k] * problem.unit, fileAt: (k) => problem.toFile(at(theta, k)),
  };
}
