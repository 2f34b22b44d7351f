// The lenses together: what the page puts under a step. The heatmaps of all that takes part in it, the probe of one
// element, the question of predict mode, and the sensitivity of the result.
//
//     const lenses = createLenses(root, data, words, changed);
//     lenses.update({ number });     // at every moment; sets state.revealed, and calls changed() when that changes
//     lenses.cells(number)           // the elements of a moment, one after the other, for the grain of elements
//     lenses.showCell(cell)          // probe one of them; null ends it
//     lenses.togglePredict()         // gives back whether it is on now
//     lenses.repaint()               // after a change of colours
//
// `data` is the trace with the names of its vertices (`called`, places in `texts`), `words` the phrases of a language.

function createLenses(root, data, words, changed = () => {}) {
  return new Lenses(root, data, words, changed);
}

class Lenses {
  constructor(root, data, words, changed) {
    const values = new Values(data.values);
    const called = data.called.map((place) => data.texts[place]);
    const moments = momentsOf(data).map((moment, k) => ({ ...moment, i: k + 1 }));
    Object.assign(this, { data, words, called, values, moments, moment: null, heats: new Map() });
    this.predict = new Predict(values, moments, words, called, changed);
    this.nudges = new Sensitivity(values, data, words, called);
    this.figures = newElement("div", { class: "heats" });
    this.panel = newElement("section", { class: "lens-probe", "aria-label": words.lens_probe, "aria-live": "polite" });
    root.append(this.predict.element, this.figures, this.panel, this.nudges.element);
    root.addEventListener("keydown", (event) => this._escaped(event));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint());
  }

  update(state) {
    const moment = this.moments[state.number - 1];
    const arrived = moment !== this.moment;
    this.moment = moment;
    if (arrived) this.predict.arrive(moment);
    state.revealed = this.revealed();
    this._draw();
    if (arrived) this.nudges.arrive(moment);
  }

  revealed() {
    return this.predict.revealed(this.moment.i);
  }

  cells(number) {
    return walkedCells(this.values, this.moments[number - 1]);
  }

  showCell(cell) {
    if (cell === null) this._clear();
    else if (this.moment.kind === "backward" && this.revealed()) {
      this.result.show(cell);
      this._probe(cell);
    }
  }

  togglePredict() {
    return this.predict.toggle();
  }

  repaint() {
    for (const heat of this.heats.values()) heat.grid?.paint();
  }

  // ---- heatmaps of a moment ----

  _draw() {
    this.heats = new Map();
    this[`_${this.moment.kind}`](this.moment);
    this.figures.replaceChildren(...[...this.heats.values()].map((heat) => heat.element));
    this._clear();
  }

  _add(key, name, value, { words = this.words, ...options } = {}) {
    const parts = Array.isArray(value) ? value : [value]; // several results of one operation
    parts.forEach((part, k) => {
      const [place, label] = parts.length > 1 ? [`${key} ${k}`, `${name}.${k}`] : [key, name];
      this.heats.set(place, new Heat(label, part, words, options));
    });
    return this.heats.get(key) ?? null;
  }

  _forward({ vertex }) {
    const { edges, vertices } = this.data;
    const words = { ...this.words, lens_unknown: this.words.lens_not_kept };
    const into = edges.filter(({ target }) => target === vertex).sort((a, b) => a.slot - b.slot);
    for (const { back, name } of into) {
      const source = vertex - back;
      this._add(`in ${source}`, this.called[source], this.values.get(vertices[source].value), { note: name, words });
    }
    this._add("result", this.called[vertex], this.values.get(vertices[vertex].value), { words });
  }

  _update({ vertex, step }) {
    const { words } = this;
    const name = this.called[vertex];
    this._add("before", name, this.values.get(step.before), { note: words.lens_before });
    const gradient = isHeld(this.data, vertex) ? words.pass : `${name}.grad`;
    this._add("gradient", gradient, this.values.get(gradientOf(this.data, vertex)));
    this._add("after", name, this.values.get(step.after), { note: words.lens_after });
  }

  _backward(moment) {
    const { contribution, part } = moment;
    const last = part === contribution.parts.at(-1);
    const target = this.called[contribution.target];
    for (const [name, ref] of this._operands(moment)) {
      this._add(name, name, this.values.get(ref), { note: this._noteOn(moment, name) });
    }
    if (contribution.local !== undefined && part.what !== "transpose" && this.revealed()) {
      this._add("local", "local", this.values.get(contribution.local), { note: this.words.lens_local_name });
    }
    const name = last ? addedName(moment, target, this.words) : inFormula(part.text);
    this.result = this._result(name, this.values.get(part.value));
    if (last && contribution.uses > 1 && this.revealed()) {
      const note = phrase(this.words.lens_use, contribution);
      const sum = moment.held ? this.words.pass : `${target}.grad`;
      this._add("after", sum, this.values.get(contribution.after), { note });
    }
  }

  _result(name, value) {
    const probe = hasShape(value) ? (cell) => this._probe(cell) : null;
    if (this.revealed()) return this._add("result", name, value, { probe });
    const hidden = new Heat(name, null, { ...this.words, lens_unknown: this.words.lens_hidden });
    this.heats.set("result", hidden);
    return hidden;
  }

  /** The arrays that the rule names, g first; of a transpose only what is transposed, of a sum what is summed. */
  _operands({ contribution, part }) {
    const { names = {}, parts } = contribution;
    if (part.what === "sum" && contribution.local === undefined) {
      return [[inFormula(contribution.rule), parts[parts.indexOf(part) - 1].value]];
    }
    const only = part.what === "transpose" ? part.text.slice("transpose(".length, -1) : null;
    const arrays = Object.entries(names).filter(([, ref]) => typeof ref === "number");
    const chosen = arrays.filter(([name]) => only === null || name === only);
    return chosen.sort(([a], [b]) => (b === "g") - (a === "g"));
  }

  _noteOn({ vertex, step }, name) {
    if (name === "g") return phrase(this.words.lens_gradient_of, { name: this.called[step.vertex] });
    if (name === "y") return this.called[vertex];
    const edge = this.data.edges.find((known) => known.target === vertex && known.name === name);
    return edge ? this.called[vertex - edge.back] : "";
  }

  // ---- one element ----

  _probe(cell) {
    const { moment, words, values } = this;
    const goTo = (other) => this.showCell(other);
    const { element, lit } = probePanel(values, moment, this.result.name, cell, words, goTo);
    this.panel.replaceChildren(element);
    this.panel.scrollIntoView({ block: "nearest" });
    this.heats.forEach((heat, key) => heat.light(key === "result" ? [cell] : (lit.get(key) ?? [])));
  }

  _clear() {
    const { moment, words } = this;
    this.heats.forEach((heat) => heat.light([]));
    const hint = moment.kind === "backward" && this.revealed() ? [newElement("p", { text: words.lens_choose })] : [];
    this.panel.replaceChildren(...hint);
  }

  _escaped(event) {
    if (event.key !== "Escape" || !this.panel.querySelector("h2")) return;
    this._clear();
    event.stopPropagation();
  }
}

/** A rule as the name of its value. */
function inFormula(text) {
  return /^[\w.]+(\([^()]*\))?$/.test(text) ? text : `(${text})`;
}

/** The gradient of a vertex after the whole backward pass, as a place in the table of values. */
function gradientOf(trace, vertex) {
  const contributions = trace.backward.flatMap((step) => step.contributions ?? []);
  return contributions.findLast(({ target }) => target === vertex)?.after ?? trace.vertices[vertex].gradient ?? null;
}
