// Small dense linear algebra. A matrix is an array of rows, each a Float64Array.

export const EPSILON = 2 ** -52;

export function zeros(rows, columns) {
  return Array.from({ length: rows }, () => new Float64Array(columns));
}

export function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

export function norm(a) {
  return Math.sqrt(dot(a, a));
}

export function times(A, x) {
  return Float64Array.from(A, (row) => dot(row, x));
}

export function column(A, j) {
  return Float64Array.from(A, (row) => row[j]);
}

export function columns(A, chosen) {
  return A.map((row) => Float64Array.from(chosen, (j) => row[j]));
}

// The R of a QR factorization by Householder reflections: square, with as many rows as columns.
export function triangularize(A) {
  const m = A.length, n = m ? A[0].length : 0;
  const R = A.map((row) => Float64Array.from(row));
  while (R.length < n) R.push(new Float64Array(n));
  for (let k = 0; k < Math.min(n, R.length - 1); k++) {
    let size = 0;
    for (let i = k; i < R.length; i++) size = Math.hypot(size, R[i][k]);
    if (size === 0) continue;
    const alpha = R[k][k] > 0 ? -size : size, v = R.slice(k).map((row) => row[k]);
    v[0] -= alpha;
    const scale = 2 / dot(v, v);
    for (let j = k; j < n; j++) {
      let along = 0;
      for (let i = 0; i < v.length; i++) along += v[i] * R[k + i][j];
      for (let i = 0; i < v.length; i++) R[k + i][j] -= scale * along * v[i];
    }
    for (let i = k + 1; i < R.length; i++) R[i][k] = 0;
  }
  return R.slice(0, n);
}

export function backSubstituted(R, z) {
  const x = new Float64Array(R.length);
  for (let i = R.length - 1; i >= 0; i--) {
    let left = z[i];
    for (let j = i + 1; j < R.length; j++) left -= R[i][j] * x[j];
    x[i] = left / R[i][i];
  }
  return x;
}

// The singular values, largest first, and the right vectors, as rows of V, by one-sided Jacobi rotations
// (Golub & Van Loan, Matrix Computations, section 8.6.3). `scaled` are the left vectors times the singular values.
export function svd(A) {
  const n = A.length ? A[0].length : 0;
  const W = Array.from({ length: n }, (_, j) => column(A, j));
  const V = Array.from({ length: n }, (_, j) => Float64Array.from({ length: n }, (_, i) => Number(i === j)));
  for (let sweep = 0, turned = true; turned && sweep < 60; sweep++) {
    turned = false;
    for (let i = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++) {
        const a = dot(W[i], W[i]), b = dot(W[j], W[j]), c = dot(W[i], W[j]);
        if (c === 0 || Math.abs(c) <= EPSILON * Math.sqrt(a) * Math.sqrt(b)) continue;
        turned = true;
        const zeta = (b - a) / (2 * c), t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const cosine = 1 / Math.hypot(1, t), sine = cosine * t;
        for (const pair of [W, V]) {
          const p = pair[i], q = pair[j];
          for (let k = 0; k < p.length; k++) [p[k], q[k]] = [cosine * p[k] - sine * q[k], sine * p[k] + cosine * q[k]];
        }
      }
    }
  }
  const order = W.map(norm).map((size, j) => [size, j]).sort((one, other) => other[0] - one[0]);
  return { values: order.map(([size]) => size), V: order.map(([, j]) => V[j]), scaled: order.map(([, j]) => W[j]) };
}

// An orthonormal basis of the space that the rows span, by Gram and Schmidt, twice for its digits.
export function orthonormal(rows) {
  const basis = [];
  for (const row of rows) {
    const left = Float64Array.from(row);
    for (let round = 0; round < 2; round++) {
      for (const one of basis) {
        const along = dot(one, left);
        for (let i = 0; i < left.length; i++) left[i] -= along * one[i];
      }
    }
    const size = norm(left);
    if (size > 0) basis.push(left.map((value) => value / size));
  }
  return basis;
}

// The part of x in the space of an orthonormal basis.
export function projected(x, basis) {
  const found = new Float64Array(x.length);
  for (const one of basis) {
    const along = dot(one, x);
    for (let i = 0; i < x.length; i++) found[i] += along * one[i];
  }
  return found;
}
