// The element probe: why one element of a gradient is what it is, as a sum of products whose places are lit.
//
// `termsOf` answers it from the record alone, in the order of `viz/tracing/elements.py`: an elementwise rule by its
// local derivative, a product of matrices by row times column, anything else by the terms that were recorded. Products
// that do not add up to the recorded element are no answer. `termsAt` also answers for the moves inside a contribution,
// and for a softmax with cross entropy, whose rule tells all.

const OPERAND = String.raw`(transpose\((\w+)\)|\w+)`;
const PRODUCT = new RegExp(`^${OPERAND} @ ${OPERAND}$`);
const SOFTMAX = /^g \* \(softmax\((\w+)\) - one_hot\((\w+)\)\) \/ N$/;
const PRECISION = { f2: 2 ** -5, f4: 2 ** -11.5, c8: 2 ** -11.5 }; // the roots of the machine epsilons
const SHOWN = 12; // terms
const WALKED = 256; // elements of one moment in the grain of elements

/** The terms of an element of what is shown at a moment of the backward pass: {terms, total}, or null. */
function termsAt(values, moment, cell) {
  const { contribution, part } = moment;
  if (part.what === "transpose") return copyOf(values, contribution, part, cell);
  const upTo = contribution.parts.slice(0, contribution.parts.indexOf(part) + 1);
  const last = upTo.length === contribution.parts.length;
  const given = { ...contribution, parts: upTo, probes: last ? contribution.probes : [] };
  return termsOf(values, given, cell) ?? summedUp(values, given, cell) ?? softmaxTerm(values, given, cell);
}

/** The terms of an element of a contribution: [{left, right, product}] with factors {name, cell, value}; or null. */
function termsOf(values, contribution, cell) {
  const value = valueOf(values, contribution);
  if (!hasShape(value) || !inside(cell, value.shape)) return null;
  for (const find of [elementwise, rowTimesColumn, probed]) {
    const terms = find(values, contribution, cell);
    const found = terms && addedUp(value, cell, terms);
    if (found) return found;
  }
  return null;
}

function valueOf(values, contribution) {
  return values.get(contribution.parts[contribution.parts.length - 1].value);
}

function factor(name, array, cell, shown = cell) {
  return { name, cell: shown, value: array.at(cell), dtype: array.dtype };
}

function elementwise(values, { names = {}, local, parts }, cell) {
  const [g, d] = [values.get(names.g), values.get(local)];
  if (!(g instanceof NumArray && d instanceof NumArray)) return null;
  const full = broadcastShape(g.shape, d.shape);
  if (String(full) !== String(g.shape) || full.length < cell.length) return null; // a file can claim any two shapes
  return placesAlong(full, parts[parts.length - 1].axes ?? [], cell).map((at) => ({
    left: factor("g", g, broadcastCell(at, g.shape), at),
    right: factor("local", d, broadcastCell(at, d.shape), at),
  }));
}

/** The cells of `shape` that a sum over `axes` puts into `cell`. */
function placesAlong(shape, axes, cell) {
  const missing = shape.length - cell.length;
  return shape.reduce((places, length, axis) => {
    const along = axis < missing || axes.includes(axis) ? [...Array(length).keys()] : [cell[axis - missing]];
    return places.flatMap((place) => along.map((i) => [...place, i]));
  }, [[]]);
}

function rowTimesColumn(values, { rule, names = {} }, cell) {
  const match = PRODUCT.exec(rule);
  if (!match || cell.length !== 2) return null;
  const [a, b] = [match.slice(1, 3), match.slice(3, 5)].map(([whole, inner]) => ({
    name: inner ?? whole,
    turned: inner !== undefined,
    array: values.get(names[inner ?? whole]),
  }));
  if (![a, b].every(({ array }) => array instanceof NumArray && array.shape.length === 2)) return null;
  const at = ({ name, turned, array }, place) => factor(name, array, turned ? place.toReversed() : place);
  const length = ({ turned, array }, axis) => array.shape[turned ? 1 - axis : axis];
  if (length(a, 1) !== length(b, 0) || cell[0] >= length(a, 0) || cell[1] >= length(b, 1)) return null;
  return Array.from({ length: length(a, 1) }, (_, k) => ({ left: at(a, [cell[0], k]), right: at(b, [k, cell[1]]) }));
}

function probed(values, { probes = [] }, cell) {
  const probe = probes.find((p) => String(p.cell ?? []) === String(cell));
  if (!probe) return null;
  const [at, g, local] = [probe.at, probe.g, probe.local].map((ref) => values.get(ref));
  if (![at, g, local].every((array) => array instanceof NumArray)) return null;
  const axes = at.shape[1];
  return Array.from({ length: at.shape[0] }, (_, k) => {
    const place = at.data.slice(k * axes, (k + 1) * axes);
    return { left: factor("g", g, [k], place), right: factor("local", local, [k], place) };
  });
}

/** A transpose holds each element at another place. */
function copyOf(values, { names = {} }, part, cell) {
  const name = part.text.slice("transpose(".length, -1);
  const array = values.get(names[name]);
  if (!(array instanceof NumArray)) return null;
  const place = [...cell.slice(0, -2), ...cell.slice(-2).reverse()];
  const left = factor(name, array, place);
  return { terms: [{ left, right: null, product: left.value }], total: left.value };
}

/** What the sum over broadcast axes adds, whatever the rule was; or the element that the rule takes as it is. */
function summedUp(values, { rule, names = {}, parts }, cell) {
  const last = parts[parts.length - 1];
  const source = last.what === "sum" ? values.get(parts[parts.length - 2].value) : values.get(names[rule]);
  const value = values.get(last.value);
  if (!(source instanceof NumArray) || !hasShape(value)) return null;
  if (last.what !== "sum" && String(source.shape) !== String(value.shape)) return null;
  const name = /^\w+$/.test(rule) ? rule : `(${rule})`;
  const places = placesAlong(source.shape, last.axes ?? [], cell);
  return addedUp(value, cell, places.map((at) => ({ left: factor(name, source, at), right: null })));
}

/** The terms with their products, if these make the recorded element. */
function addedUp(value, cell, terms) {
  const element = value.at(cell);
  const real = element === undefined ? false : !isComplex(element);
  const done = terms.map((term) => ({ ...term, product: productOf(term, element, real) }));
  const total = done.reduce((sum, { product: x }) => plus(sum, x), 0);
  if (element !== undefined && !isSame(total, element, done, value.dtype)) return null;
  return { terms: done, total: element ?? total };
}

function productOf({ left, right }, element, real) {
  if (right === null) return left.value;
  const dead = realOf(left.value) === 0 && !Number.isFinite(realOf(right.value));
  if (dead && element !== undefined && Number.isFinite(realOf(element))) return 0; // a branch that was not taken
  const x = product(left.value, right.value);
  return real && isComplex(x) ? x.re : x;
}

function isSame(total, element, terms, dtype) {
  if (![total, element].every((x) => Number.isFinite(realOf(x)))) return Object.is(realOf(total), realOf(element));
  const dtypes = terms.flatMap(({ left, right }) => [left.dtype, right?.dtype ?? left.dtype]);
  const precision = Math.max(...[dtype, ...new Set(dtypes)].map((name) => PRECISION[name.slice(1)] ?? 2 ** -26));
  const size = terms.reduce((sum, { product: x }) => sum + Math.abs(realOf(x)), 0);
  return Math.abs(realOf(plus(total, product(element, -1)))) <= precision * size;
}

/** The numbers behind (p - t) / N, if they make the element of a softmax with cross entropy. */
function softmaxOf(values, { rule, names = {}, parts }, cell) {
  const match = SOFTMAX.exec(rule);
  if (!match || parts.length !== 1) return null;
  const arrays = [names[match[1]], names[match[2]], names.g, parts[0].value].map((ref) => values.get(ref));
  if (!arrays.every((array) => array instanceof NumArray)) return null;
  const [x, t, g, value] = arrays;
  const row = cell.slice(0, -1);
  const label = t.shape.length < x.shape.length ? t.at(row) : null; // else t has a weight for each class
  const target = label === null ? Number(t.at(cell)) : Number(Number(label) === cell.at(-1));
  const found = { p: softmaxAt(x, cell), t: target, N: sizeOf(x.shape.slice(0, -1)), g: g.data[0], label };
  const result = (found.g * (found.p - target)) / found.N;
  const close = Math.abs(result - value.at(cell)) <= (PRECISION[value.dtype.slice(1)] ?? 2 ** -26) * Math.abs(found.g);
  return close ? { ...found, result: value.at(cell) } : null;
}

function softmaxAt(x, cell) {
  const scores = Array.from({ length: x.shape.at(-1) }, (_, k) => x.at([...cell.slice(0, -1), k]));
  const top = Math.max(...scores);
  const exponentials = scores.map((score) => Math.exp(score - top));
  return exponentials[cell.at(-1)] / exponentials.reduce((sum, e) => sum + e, 0);
}

function softmaxTerm(values, contribution, cell) {
  const why = softmaxOf(values, contribution, cell);
  if (!why) return null;
  const left = factor("g", values.get(contribution.names.g), []);
  const right = { name: "local", cell, value: (why.p - why.t) / why.N, dtype: "<f8" };
  return { terms: [{ left, right, product: why.result }], total: why.result };
}

// ---- what can be probed ----

/** The cells that the grain of elements walks through: those whose terms are known, the first ones of a large array. */
function walkedCells(values, moment) {
  if (moment.kind !== "backward") return [];
  const value = values.get(moment.part.value);
  if (!hasShape(value)) return [];
  const first = Array.from({ length: Math.min(value.size, WALKED) }, (_, k) => cellAt(k, value.shape));
  const others = recordedCells(moment).filter((cell) => flatIndex(cell, value.shape) >= WALKED);
  return [...first, ...others].filter((cell) => termsAt(values, moment, cell) !== null);
}

function recordedCells({ contribution, part }) {
  const last = part === contribution.parts[contribution.parts.length - 1];
  return last ? (contribution.probes ?? []).map((probe) => probe.cell ?? []) : [];
}

// ---- the panel ----

/** The sum of one element as a table, and the cells that it takes part in: a Map from a name to cells. */
function probePanel(values, moment, name, cell, words, goTo) {
  const title = newElement("h2", { text: cellText(name, cell) });
  const found = termsAt(values, moment, cell);
  if (!found) return { element: newElement("div", {}, title, notRecorded(moment, words, goTo)), lit: new Map() };
  const why = softmaxOf(values, moment.contribution, cell);
  const kind = values.get(moment.part.value).kind;
  const element = newElement("div", {}, title, why && softmaxText(why, cell, words), termsTable(found, kind, words));
  return { element, lit: litBy(found.terms) };
}

function litBy(terms) {
  const lit = new Map();
  for (const { left, right } of terms) {
    for (const { name, cell } of [left, right].filter(Boolean)) lit.set(name, [...(lit.get(name) ?? []), cell]);
  }
  return lit;
}

/** All terms by position; of many the largest. */
function chosenTerms(terms) {
  if (terms.length <= SHOWN) return { shown: terms, others: [] };
  const size = ({ product: x }) => (Number.isFinite(realOf(x)) ? Math.abs(realOf(x)) : Infinity);
  const bySize = [...terms].sort((a, b) => (size(a) === size(b) ? 0 : size(b) - size(a)));
  const largest = new Set(bySize.slice(0, SHOWN - 2));
  return { shown: terms.filter((t) => largest.has(t)), others: terms.filter((t) => !largest.has(t)) };
}

function termsTable({ terms, total }, kind, words) {
  const { shown, others } = chosenTerms(terms);
  const rows = shown.map(({ left, right, product: x }) => {
    const factors = [left, right].filter(Boolean);
    const same = right?.name === "local" && String(left.cell) === String(right.cell); // one index says enough
    const places = cellText(left.name, left.cell) + (right ? ` × ${cellText(right.name, same ? [] : right.cell)}` : "");
    const numbers = factors.map((f) => inProduct(number(f.value, f.dtype[1]))).join(" × ");
    return termRow(places, right ? `${numbers} =` : "", termNumber(x, kind));
  });
  if (others.length) {
    const rest = others.reduce((sum, term) => plus(sum, term.product), 0);
    rows.push(termRow(phrase(words.lens_more, { count: others.length }), words.lens_together, termNumber(rest, kind)));
  }
  const total_ = termRow(phrase(words.lens_total, { count: terms.length }), "", termNumber(total, kind));
  return newElement(
    "table",
    { class: "terms" },
    newElement("tbody", {}, ...rows),
    terms.length === 1 ? null : newElement("tfoot", {}, total_),
  );
}

function termRow(...texts) {
  return newElement("tr", {}, ...texts.map((text) => newElement("td", { text })));
}

function termNumber(x, kind) {
  return number(x, isComplex(x) ? "c" : Number.isInteger(x) && "biu".includes(kind) ? "i" : "f");
}

function inProduct(text) {
  return text.startsWith("-") ? `(${text})` : text;
}

function softmaxText({ p, t, N, g, result, label }, cell, words) {
  const where = cell.slice(0, -1);
  const reason = label === null ? "" : phrase(words.lens_label, { label, class: cell.at(-1) });
  const lines = [
    `p = softmax(x)[${cell.join(", ")}] = ${number(p)}`,
    `${cellText("t", label === null ? cell : where)}: t = ${number(t)}${reason && ` (${reason})`}`,
    phrase(words.lens_rows, { N }),
    `${g === 1 ? "" : `${inProduct(number(g))} × `}(p - t) / N = (${number(p)} - ${number(t)}) / ${N} = ${number(result)}`,
  ];
  return newElement("ul", { class: "softmax" }, ...lines.map((text) => newElement("li", { text })));
}

function notRecorded(moment, words, goTo) {
  const cells = recordedCells(moment);
  const element = newElement("p", { text: cells.length ? words.lens_not_this : words.lens_not_any });
  for (const cell of cells) {
    element.append(" ", newElement("button", { type: "button", text: `[${cell.join(", ")}]`, on: { click: () => goTo(cell) } }));
  }
  return element;
}
