// Sensitivity: one element of a leaf is moved, and the change that its gradient predicts stands beside what really
// happened to the result. Only recorded points are shown: the slider goes from one to the next.

const FITS = 0.1; // the largest relative difference for which the line fits
const ROUNDING = { float16: 1e-2, float32: 1e-6 }; // of the result, else 1e-12: differences below it say nothing
const SVG = "http://www.w3.org/2000/svg";
const CHART = { width: 320, height: 180, margin: 14 };

/** A recorded nudge with what its gradient predicts: rows {offset, result, change, predicted, apart, fits}. */
function nudgeRows(values, trace, nudge) {
  const [offsets, results] = [values.get(nudge.offsets), values.get(nudge.results)];
  const gradient = values.get(gradientOf(trace, nudge.vertex));
  const slope = hasShape(gradient) ? gradient.at(nudge.cell ?? []) : undefined;
  const root = trace.vertices.at(-1);
  const base = Number(values.get(root.value)?.data?.[0]);
  const noise = (ROUNDING[root.dtype] ?? 1e-12) * Math.abs(base);
  const rows = offsets.data.map((offset, k) => {
    const change = results.data[k] - base;
    const predicted = slope === undefined ? undefined : Number(slope) * offset;
    const apart = apartBy(change, predicted);
    const fits = apart <= FITS || Math.abs(change - predicted) <= noise;
    return { offset, result: results.data[k], change, predicted, apart, fits };
  });
  return { base, slope, rows: rows.sort((a, b) => a.offset - b.offset) };
}

/** The difference of two changes, relative to the larger one. */
function apartBy(change, predicted) {
  if (predicted === undefined) return undefined;
  return change === predicted ? 0 : Math.abs(change - predicted) / Math.max(Math.abs(change), Math.abs(predicted));
}

/** The offsets nearest to 0 on either side at which the line no longer fits. */
function breaks(rows) {
  const bad = rows.filter(({ fits }) => !fits).map(({ offset }) => offset);
  const below = bad.filter((offset) => offset < 0);
  const above = bad.filter((offset) => offset > 0);
  return [...below.slice(-1), ...above.slice(0, 1)];
}

class Sensitivity {
  constructor(values, trace, words, called) {
    Object.assign(this, { values, trace, words, called });
    this.nudges = trace.nudges ?? [];
    this.element = newElement("details", { class: "nudge" }, newElement("summary", { text: words.lens_sensitivity }));
    this.note = newElement("p", { class: "nudge-note" });
    this.element.append(this.note);
    if (!this.nudges.length) {
      this.note.textContent = words.lens_nudge_none;
      return;
    }
    this.body = newElement("div", { class: "nudge-body" });
    this.element.append(this._chooser(), this.body);
    this._choose(0);
  }

  /** At a moment of a leaf with recorded nudges these are chosen. */
  arrive(moment) {
    if (!this.nudges.length) return;
    const vertex = moment.kind === "backward" ? moment.contribution.target : moment.vertex;
    const k = this.nudges.findIndex((nudge) => nudge.vertex === vertex);
    const leaf = this.trace.vertices[vertex].kind === "leaf";
    this.note.textContent = k < 0 && leaf ? phrase(this.words.lens_nudge_none_of, { name: this.called[vertex] }) : "";
    if (k >= 0 && this.nudges[this.select.value].vertex !== vertex) {
      this.select.value = k;
      this._choose(k);
    }
  }

  _chooser() {
    this.select = newElement("select", { on: { change: () => this._choose(Number(this.select.value)) } });
    this.nudges.forEach((nudge, k) => this.select.append(newElement("option", { value: k, text: this._name(nudge) })));
    return newElement("label", {}, `${this.words.lens_nudge_cell} `, this.select);
  }

  _name({ vertex, cell = [] }) {
    return cellText(this.called[vertex], cell);
  }

  _choose(k) {
    const { words } = this;
    this.found = nudgeRows(this.values, this.trace, this.nudges[k]);
    this.name = this._name(this.nudges[k]);
    const { rows } = this.found;
    const nearest = rows.reduce((best, row, i) => (Math.abs(row.offset) < Math.abs(rows[best].offset) ? i : best), 0);
    this.slider = newElement("input", { type: "range", min: 0, max: rows.length - 1, step: 1, value: nearest });
    this.slider.addEventListener("input", () => this._move());
    this.slider.addEventListener("keydown", (event) => event.stopPropagation());
    this.numbers = newElement("dl", { class: "nudge-numbers" });
    this.chart = chartOf(this.found, phrase(words.lens_nudge_chart, { result: this.called.at(-1), name: this.name }));
    this.body.replaceChildren(
      newElement("label", {}, `${words.lens_nudge_offset} `, this.slider),
      this.numbers,
      newElement("figure", { class: "nudge-chart" }, this.chart.element, this._legend()),
      newElement("p", { class: "nudge-verdict", text: this._verdict() }),
    );
    this._move();
  }

  _legend() {
    const entry = (kind) => newElement("span", { class: `nudge-key ${kind}`, text: this.words[`lens_nudge_${kind}`] });
    return newElement("figcaption", {}, entry("tangent"), entry("curve"));
  }

  _verdict() {
    const { words } = this;
    if (this.found.slope === undefined) return words.lens_nudge_no_gradient;
    const offsets = breaks(this.found.rows).map((x) => signed(x)).join(", ");
    return offsets ? phrase(words.lens_nudge_fits_within, { offsets }) : words.lens_nudge_fits;
  }

  _move() {
    const { words, slider } = this;
    const k = Number(slider.value);
    const row = this.found.rows[k];
    const at = phrase(words.lens_nudge_at, { name: this.name, offset: signed(row.offset) });
    const predicted = row.predicted === undefined ? words.lens_unknown : signed(row.predicted);
    const apart = row.apart === undefined ? words.lens_unknown : Number.isFinite(row.apart) ? `${number(100 * row.apart)} %` : "nan";
    const lines = [
      [words.lens_nudge_predicted, predicted],
      [words.lens_nudge_true, signed(row.change)],
      [words.lens_nudge_apart, apart],
    ];
    this.numbers.replaceChildren(
      ...[[at, this._resultText(row)], ...lines].flatMap(([term, text]) => [
        newElement("dt", { text: term }),
        newElement("dd", { text }),
      ]),
    );
    slider.setAttribute("aria-valuetext", `${at}: ${lines.map((line) => line.join(" ")).join(", ")}`);
    this.chart.point(k);
  }

  _resultText({ result }) {
    const name = this.called.at(-1);
    return Number.isFinite(result) ? `${name} = ${number(result)}` : this.words.lens_nudge_not_finite;
  }
}

function signed(x) {
  return x > 0 ? `+${number(x)}` : number(x);
}

// ---- the chart ----

/** The tangent and the recorded points as SVG, and `point(k)` to mark one of them. */
function chartOf({ base, slope, rows }, title) {
  const good = rows.filter(({ result }) => Number.isFinite(result));
  const line = slope === undefined ? [] : rows.map(({ offset, predicted }) => [offset, base + predicted]);
  const curve = good.map(({ offset, result }) => [offset, result]);
  const [x, y] = [0, 1].map((axis) => scaleOf([...line, ...curve].map((p) => p[axis]), axis));
  const place = ([offset, result]) => [x(offset), y(result)];
  const svg = svgElement("svg", { viewBox: `0 0 ${CHART.width} ${CHART.height}`, role: "img", "aria-label": title });
  const draw = (kind, points) =>
    svg.append(svgElement("polyline", { class: kind, points: points.map((p) => place(p).map(rounded).join(",")).join(" ") }));
  svg.append(svgElement("line", { class: "zero", x1: x(0), x2: x(0), y1: 0, y2: CHART.height }));
  if (line.length) draw("tangent", [line[0], line.at(-1)]);
  draw("curve", curve);
  for (const p of curve) svg.append(circleAt("recorded", place(p), 3));
  const mark = circleAt("chosen", [0, 0], 6);
  const foot = circleAt("predicted", [0, 0], 5);
  svg.append(foot, mark);
  return { element: svg, point: (k) => pointAt(rows[k], base, place, mark, foot) };
}

function pointAt({ offset, result, predicted }, base, place, mark, foot) {
  movedTo(mark, Number.isFinite(result) ? place([offset, result]) : null);
  movedTo(foot, predicted === undefined ? null : place([offset, base + predicted]));
}

function movedTo(circle, at) {
  circle.setAttribute("visibility", at ? "visible" : "hidden");
  if (!at) return;
  circle.setAttribute("cx", rounded(at[0]));
  circle.setAttribute("cy", rounded(at[1]));
}

function scaleOf(numbers, axis) {
  const finite = numbers.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const length = (axis ? CHART.height : CHART.width) - 2 * CHART.margin;
  const share = (x) => (high > low ? (x - low) / (high - low) : 0.5);
  return (x) => CHART.margin + length * (axis ? 1 - share(x) : share(x));
}

function circleAt(kind, [cx, cy], r) {
  return svgElement("circle", { class: kind, cx: rounded(cx), cy: rounded(cy), r });
}

function rounded(x) {
  return Math.round(x * 100) / 100;
}

function svgElement(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
