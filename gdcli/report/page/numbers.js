// Numbers as people read them: report/numbers.py.

const SPARE = 6, FEWEST = 3, SMALLEST_PERCENT = 1e-5, LARGEST_PERCENT = 1e7, EXACT_COUNT = 1e7;

// 7.8e9 for 7.8e+9.
function scientific(value, decimals) {
  return value.toExponential(decimals).replace("e+", "e");
}

function exponent(value, digits) {
  return Number(value.toExponential(digits - 1).split("e")[1]);
}

// Significant digits without zeros at the end, as Python's %g.
export function general(value, digits) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value < 0 ? "-inf" : "inf";
  if (value === 0) return "0";
  const power = exponent(Math.abs(value), digits);
  if (power < -4 || power >= digits) return value.toExponential(digits - 1).replace(/\.?0+e/, "e").replace(/e([+-])(\d)$/, "e$10$2");
  const text = value.toFixed(digits - 1 - power);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function thousands(text) {
  const [whole, decimals] = text.split(".");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (decimals === undefined ? "" : `.${decimals}`);
}

function decimalsFor(smallest, largest, digits, relative) {
  const top = exponent(largest, digits), low = exponent(smallest, digits), width = digits + SPARE;
  const before = Math.max(top, 0) + 1, room = before < width ? width - before - 1 : 0;
  const fewest = Math.max(0, Math.min(digits, FEWEST) - 1 - low), own = Math.max(0, digits - 1 - top);
  if (before > width || own > room) return null;
  if (relative) return fewest <= Math.min(own + FEWEST, room) ? Math.max(own, fewest) : own;
  return fewest <= room ? Math.min(Math.max(0, digits - 1 - low), room) : null;
}

const shortPower = (text) => text.replace(/e\+?(-?)0*(?=\d)/, "e$1");

export function numberColumn(values, digits = 6, relative = false) {
  const sizes = values.filter((value) => value !== null && Number.isFinite(value) && value !== 0).map(Math.abs);
  const decimals = sizes.length ? decimalsFor(Math.min(...sizes), Math.max(...sizes), digits, relative) : 0;
  return values.map((value) => {
    return cell(value, digits, decimals);
  });
}

function cell(value, digits, decimals) {
  if (value === null) return "";
  if (!Number.isFinite(value)) return general(value, digits);
  if (decimals === null) return value === 0 ? "0" : scientific(value, digits - 1);
  const text = value.toFixed(decimals);
  return thousands(text.startsWith("-") && Number(text) === 0 ? text.slice(1) : text);
}

// Different quantities, each to its own digits.
export function mixed(values, digits = 6) {
  const sizes = values.filter((value) => value !== null && Number.isFinite(value) && value !== 0).map(Math.abs);
  const most = sizes.length ? decimalsFor(Math.min(...sizes), Math.max(...sizes), digits, false) : 0;
  if (most === null) return numberColumn(values, digits);
  return values.map((value) => cell(value, digits, value ? Math.min(Math.max(digits - 1 - (Number.isFinite(value) ? exponent(Math.abs(value), digits) : 0), 0), most) : 0));
}

export function number(value, digits = 6) {
  return mixed([value], digits)[0];
}

export function percent(share) {
  const value = 100 * share;
  if (value >= LARGEST_PERCENT) return `${shortPower(general(value, 2))} %`;
  if (value === 0) return "0 %";
  if (value < SMALLEST_PERCENT) return `less than ${SMALLEST_PERCENT.toFixed(5)} %`;
  return `${thousands(value.toFixed(Math.max(0, FEWEST - 1 - exponent(value, FEWEST))))} %`;
}

export function count(value) {
  return value < EXACT_COUNT ? thousands(String(value)) : `about ${rough(value)}`;
}

export function rough(value) {
  const rounded = Number(value.toExponential(1));
  for (const [size, name] of [[1e12, "trillion"], [1e9, "billion"], [1e6, "million"]]) {
    if (size <= rounded && rounded < 1000 * size) return `${general(rounded / size, 6)} ${name}`;
  }
  return rounded < EXACT_COUNT ? thousands(rounded.toFixed(0)) : shortPower(general(rounded, 6));
}

// All digits of a rate, as Python writes it.
export function rateText(value) {
  const power = Math.floor(Math.log10(Math.abs(value))), size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  return power > 20 ? value.toExponential() : String(value);
}

export function roundedBelow(value, digits = 3) {
  const below = value * (1 - 1e-9), [mantissa, power] = below.toExponential(20).split("e");
  return Number(`${mantissa.slice(0, digits + 1)}e${power}`);
}

export function roundedRate(value, digits = 3) {
  const nearest = Number(value.toExponential(digits - 1));
  return nearest <= value * (1 + 1e-14) ? nearest : roundedBelow(value, digits);
}

export function roundedUp(value) {
  const unit = 10 ** Math.max(String(value).length - 2, 0);
  return Math.ceil(value / unit) * unit;
}

export const counted = (k) => `${count(k)} ${k === 1 ? "iteration" : "iterations"}`;
export const roughly = (k) => `${rough(k)} ${k === 1 ? "iteration" : "iterations"}`;
