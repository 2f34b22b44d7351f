// The values of a trace: decoded when asked for, indexed, and written as the Python side writes them.
//
// `new Values(data.values).get(ref)` gives a NumArray, a Summary, a tuple (an Array of these), text, or null for what is
// not known. Null is never zero. Elements are numbers, booleans, BigInts beyond 2^53, or {re, im}.

const READERS = {
  b1: (view, at) => view.getUint8(at) !== 0,
  i1: (view, at) => view.getInt8(at),
  u1: (view, at) => view.getUint8(at),
  i2: (view, at) => view.getInt16(at, true),
  u2: (view, at) => view.getUint16(at, true),
  i4: (view, at) => view.getInt32(at, true),
  u4: (view, at) => view.getUint32(at, true),
  i8: (view, at) => exactInteger(view.getBigInt64(at, true)),
  u8: (view, at) => exactInteger(view.getBigUint64(at, true)),
  f2: (view, at) => halfFloat(view.getUint16(at, true)),
  f4: (view, at) => view.getFloat32(at, true),
  f8: (view, at) => view.getFloat64(at, true),
  c8: (view, at) => ({ re: view.getFloat32(at, true), im: view.getFloat32(at + 4, true) }),
  c16: (view, at) => ({ re: view.getFloat64(at, true), im: view.getFloat64(at + 8, true) }),
};

function exactInteger(big) {
  const x = Number(big);
  return Number.isSafeInteger(x) ? x : big;
}

/** A float16 from its bits: 1 for the sign, 5 for the exponent, 10 for the fraction. */
function halfFloat(bits) {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : (fraction / 1024) * 2 ** -14);
}

/** An element that is written as a number, or as text where JSON has no number for it. */
function listedElement(x) {
  if (Array.isArray(x)) return { re: listedElement(x[0]), im: listedElement(x[1]) };
  if (typeof x !== "string") return x;
  return x === "nan" ? NaN : x === "inf" ? Infinity : -Infinity;
}

/** A whole array: elements in C order. */
class NumArray {
  constructor(dtype, shape, data) {
    this.dtype = dtype;
    this.kind = dtype[1];
    this.shape = shape;
    this.size = sizeOf(shape);
    this.data = data;
  }

  at(cell) {
    return this.data[flatIndex(cell, this.shape)];
  }

  text(cell) {
    return number(this.at(cell), this.kind);
  }

  /** The smallest and the largest finite element (null: there is none), and how many are not finite. */
  get range() {
    this.seen ??= rangeOf(this.data);
    return this.seen;
  }
}

function rangeOf(data) {
  const found = { smallest: null, largest: null, odd: 0 };
  for (const element of data) {
    const x = realOf(element);
    if (!Number.isFinite(x)) found.odd++;
    else {
      found.smallest = found.smallest === null ? x : Math.min(x, found.smallest);
      found.largest = found.largest === null ? x : Math.max(x, found.largest);
    }
  }
  return found;
}

/** What is kept of a large array: statistics, a thumbnail, a few cells. */
class Summary {
  constructor(row) {
    Object.assign(this, row, { kind: row.dtype[1], size: sizeOf(row.shape), thumbnail: decodedArray(row.thumbnail) });
    for (const name of ["smallest", "largest", "mean", "norm", "scale"]) this[name] = listedElement(row[name]);
    this.range = { smallest: this.smallest, largest: this.largest, odd: row.nans + row.infs };
    this.cells = new Map(row.cells.map(([cell, x]) => [String(cell), listedElement(x)]));
  }

  /** The element at a cell, or undefined where it is not kept. */
  at(cell) {
    return this.cells.get(String(cell));
  }

  text(cell) {
    return number(this.at(cell), this.kind);
  }
}

/** True for an array or what is kept of one: not for several results, text, or what is not known. */
function hasShape(value) {
  return value instanceof NumArray || value instanceof Summary;
}

/** The table of values. Each is decoded once. */
class Values {
  constructor(rows) {
    this.rows = rows;
    this.known = new Map();
  }

  get(ref) {
    if (typeof ref !== "number") return ref ?? null;
    if (!this.known.has(ref)) this.known.set(ref, this._decoded(this.rows[ref]));
    return this.known.get(ref);
  }

  _decoded(row) {
    if (row.tuple) return row.tuple.map((ref) => this.get(ref));
    if (row.transpose !== undefined) return transposed(this.get(row.transpose));
    return row.summary ? new Summary(row.summary) : decodedArray(row);
  }
}

function decodedArray(row) {
  const { dtype, shape } = row;
  if (row.data) return new NumArray(dtype, shape, row.data.map(listedElement));
  const read = READERS[dtype.slice(1)];
  if (!read) return null; // a dtype that this page cannot read is not known
  const width = Number(dtype.slice(2));
  const bytes = row.planes ? woven(bytesOf(row.planes), width) : bytesOf(row.base64);
  const view = new DataView(bytes.buffer);
  return new NumArray(dtype, shape, Array.from({ length: sizeOf(shape) }, (_, i) => read(view, i * width)));
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** Bytes that stand plane by plane, the first of each element first, in the order of elements. */
function woven(planes, width) {
  const count = planes.length / width;
  return planes.map((_, k) => planes[(k % width) * count + Math.floor(k / width)]);
}

/** The last two axes of an array exchanged. */
function transposed({ dtype, shape, data }) {
  const [rows, columns] = shape.slice(-2);
  const block = rows * columns;
  const turned = data.map((_, k) => {
    const within = k % block;
    return data[k - within + (within % rows) * columns + Math.floor(within / rows)];
  });
  return new NumArray(dtype, [...shape.slice(0, -2), columns, rows], turned);
}

// ---- shapes ----

function sizeOf(shape) {
  return shape.reduce((n, length) => n * length, 1);
}

/** How far apart neighbours along each axis stand, in elements. */
function stridesOf(shape) {
  const strides = new Array(shape.length);
  let step = 1;
  for (let k = shape.length - 1; k >= 0; k--) {
    strides[k] = step;
    step *= shape[k];
  }
  return strides;
}

function flatIndex(cell, shape) {
  let index = 0;
  for (let k = 0; k < shape.length; k++) index = index * shape[k] + cell[k];
  return index;
}

function cellAt(index, shape) {
  return stridesOf(shape).map((step, k) => Math.floor(index / step) % shape[k]);
}

function inside(cell, shape) {
  return cell.length === shape.length && cell.every((i, k) => i >= 0 && i < shape[k]);
}

/** The shape of two arrays broadcast against each other, or null. */
function broadcastShape(a, b) {
  const shape = [];
  for (let k = 1; k <= Math.max(a.length, b.length); k++) {
    const m = a[a.length - k] ?? 1;
    const n = b[b.length - k] ?? 1;
    if (m !== n && m !== 1 && n !== 1) return null;
    shape.unshift(m === 1 ? n : m);
  }
  return shape;
}

/** The cell of an array of this shape that stands at `cell` after broadcasting. */
function broadcastCell(cell, shape) {
  return cell.slice(cell.length - shape.length).map((i, k) => (shape[k] === 1 ? 0 : i));
}

/** `(3, 2)`, as Python writes a tuple. */
function shapeText(shape) {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
}

/** `W[0, 1]`; a single number has no index. */
function cellText(name, cell) {
  return cell.length ? `${name}[${cell.join(", ")}]` : name;
}

// ---- numbers ----

function isComplex(x) {
  return typeof x === "object" && x !== null;
}

/** A real number to calculate and to colour with: of a complex one its size. */
function realOf(x) {
  return isComplex(x) ? Math.hypot(x.re, x.im) : Number(x);
}

function product(a, b) {
  if (!isComplex(a) && !isComplex(b)) return Number(a) * Number(b);
  const [x, y] = [a, b].map((v) => (isComplex(v) ? v : { re: Number(v), im: 0 }));
  return { re: x.re * y.re - x.im * y.im, im: x.re * y.im + x.im * y.re };
}

function plus(a, b) {
  if (!isComplex(a) && !isComplex(b)) return Number(a) + Number(b);
  const [x, y] = [a, b].map((v) => (isComplex(v) ? v : { re: Number(v), im: 0 }));
  return { re: x.re + y.re, im: x.im + y.im };
}

/** A number with at most `digits` significant digits, as Python's "%.4g" writes it; integers and booleans as they are. */
function number(x, kind = "f", digits = 4) {
  if (kind === "b") return x ? "True" : "False";
  if (kind === "i" || kind === "u") return String(x);
  if (!isComplex(x)) return x ? general(x, digits) : x === 0 ? "0" : "nan"; // never "-0"
  if (x.re === 0 && x.im === 0) return "0";
  const im = general(x.im, digits);
  return general(x.re, digits) + (im.startsWith("-") ? im : `+${im}`) + "j";
}

function general(x, digits) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  const sign = x < 0 || Object.is(x, -0) ? "-" : "";
  if (x === 0) return `${sign}0`;
  const [figures, exponent] = significant(Math.abs(x), digits);
  if (exponent < -4 || exponent >= digits) {
    const [first, rest] = [figures[0], figures.slice(1)];
    const size = String(Math.abs(exponent)).padStart(2, "0");
    return `${sign}${first}${rest && `.${rest}`}e${exponent < 0 ? "-" : "+"}${size}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${figures}`;
  const whole = figures.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  const rest = figures.slice(exponent + 1);
  return sign + whole + (rest && `.${rest}`);
}

/** The digits of x > 0 without zeros at the end, and its exponent. JavaScript rounds a tie up, Python to even. */
function significant(x, digits) {
  const [long, longExponent] = x.toExponential(60).split("e");
  const all = long.replace(".", "");
  const tie = /^50*$/.test(all.slice(digits)) && Number(all[digits - 1]) % 2 === 0;
  const [rounded, exponent] = tie ? [all.slice(0, digits), longExponent] : x.toExponential(digits - 1).split("e");
  return [rounded.replace(".", "").replace(/0+$/, ""), Number(exponent)];
}

/** A value in short: all of it up to `whole` elements, else the first `keep` of the first row. */
function valueText(value, digits = 4, keep = 3, whole = 6) {
  if (Array.isArray(value)) return `(${value.map((v) => valueText(v, digits, keep, whole)).join(", ")})`;
  if (value === null || typeof value === "string") return value ?? "None";
  if (value instanceof Summary) return leadingText(value, digits, keep);
  return nestedText(value, 0, 0, digits, value.size <= whole ? Infinity : keep);
}

function nestedText(array, axis, offset, digits, keep) {
  if (axis === array.shape.length) return number(array.data[offset], array.kind, digits);
  const length = array.shape[axis];
  const last = axis === array.shape.length - 1;
  const shown = Math.min(length, last || keep === Infinity ? keep : 1);
  const step = stridesOf(array.shape)[axis];
  const parts = Array.from({ length: shown }, (_, i) => nestedText(array, axis + 1, offset + i * step, digits, keep));
  return `[${parts.concat(length > shown ? ["…"] : []).join(", ")}]`;
}

function leadingText(summary, digits, keep) {
  const { shape } = summary;
  const row = shape.slice(1).map(() => 0);
  const kept = Array.from({ length: keep }, (_, k) => summary.at([...row, k])).filter((x) => x !== undefined);
  const parts = kept.map((x) => number(x, summary.kind, digits));
  const more = shape[shape.length - 1] > parts.length ? ["…"] : [];
  let text = `[${parts.concat(more).join(", ")}]`;
  for (const length of shape.slice(0, -1).reverse()) text = `[${text}${length > 1 ? ", …" : ""}]`;
  return text;
}

// ---- the trace ----

/** The trace cut into what is seen one at a time, numbered from 1: as `viz/tracing/moments.py` does. */
function momentsOf(trace) {
  const found = [];
  trace.vertices.forEach((vertex, id) => {
    if (vertex.kind === "op") found.push({ kind: "forward", vertex: id });
  });
  for (const step of trace.backward) {
    for (const contribution of step.contributions ?? []) {
      for (const part of contribution.parts) {
        const held = isHeld(trace, contribution.target);
        found.push({ kind: "backward", vertex: step.vertex, step, contribution, part, held });
      }
    }
  }
  for (const step of trace.updates) found.push({ kind: "update", vertex: step.vertex, step });
  return found;
}

/** Whether a leaf had a gradient before the pass, to which the pass adds. */
function isHeld(trace, vertex) {
  return trace.cards?.[vertex][2] !== undefined;
}

/** What the value of a whole contribution is: the gradient itself where there is nothing else in it. */
function addedName({ contribution, held }, target, words) {
  const name = `${target}.grad`;
  return held || contribution.uses > 1 ? phrase(words.lens_added, { name }) : name;
}

// ---- the page ----

/** A new element with attributes (false and null: none), `text`, listeners `on`, and children (null: none). */
function newElement(name, { text, on = {}, ...attributes } = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  for (const [event, act] of Object.entries(on)) element.addEventListener(event, act);
  if (text !== undefined) element.textContent = text;
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** A phrase with its {slots} filled in. */
function phrase(pattern, slots = {}) {
  return pattern.replace(/\{(\w+)\}/g, (whole, name) => slots[name] ?? whole);
}
