// Predict mode: before a moment of the backward pass it asks for a sign, a value or a shape, and hides the result until
// it is answered or skipped. What is asked depends on the moment alone, so a class sees the same questions.

const CLOSE = 0.02; // a value is right within 2 %, or in all digits that would be shown
const FORMS = ["shape", "sign", "value"];

/** What to ask at a moment: {form, cell}, or null where nothing fair can be asked. */
function questionAt(values, moment) {
  if (moment.kind !== "backward") return null;
  const value = values.get(moment.part.value);
  if (!hasShape(value) || value.size === 0 || isInSight(moment)) return null;
  if (!value.shape.length) return known(values, moment, []) ? { form: "value", cell: [] } : null;
  const form = FORMS[moment.i % FORMS.length];
  const cell = form === "shape" ? null : askedCell(values, moment, value);
  return cell ? { form, cell } : { form: "shape", cell: null };
}

/** True where the rule is a name, before a sum: its value is what the page already shows under that name. */
function isInSight({ contribution, part }) {
  return part !== contribution.parts.at(-1) && part.text in (contribution.names ?? {});
}

/** A cell whose terms are known, and which is neither infinite nor what rounding has left of a zero. */
function askedCell(values, moment, value) {
  const count = Math.min(value.size, WALKED);
  for (let k = 0; k < count; k++) {
    const cell = cellAt((moment.i * 7 + k) % count, value.shape);
    if (known(values, moment, cell)) return cell;
  }
  return null;
}

function known(values, moment, cell) {
  const found = termsAt(values, moment, cell);
  if (!found || isComplex(found.total) || !Number.isFinite(Number(found.total))) return false;
  return found.total === 0 || Math.abs(Number(found.total)) > 1e-9 * sizeOfTerms(found.terms);
}

function sizeOfTerms(terms) {
  return terms.reduce((sum, term) => sum + Math.abs(realOf(term.product)), 0);
}

// ---- answers ----

/** A number that a person wrote: 0.5, .5, 5e-1, 1/2, -∞; undefined if it is none. */
function readNumber(text) {
  const plain = text.normalize("NFKC").replace(/[−–]/g, "-").replace(/\s+/g, "").toLowerCase();
  const [over, under, ...more] = plain.split("/").map(readDecimal);
  if (more.length || over === undefined || (plain.includes("/") && !under)) return undefined;
  return plain.includes("/") ? over / under : over;
}

function readDecimal(text) {
  const special = /^([+-]?)(?:∞|inf|infinity)$/.exec(text);
  if (special) return special[1] === "-" ? -Infinity : Infinity;
  if (text === "nan") return NaN;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}

/** A shape that a person wrote: (3, 2), 3x2, 3,2, [3], 3, (); undefined if it is none. */
function readShape(text) {
  const plain = text.normalize("NFKC").replace(/、/g, ",").trim().toLowerCase();
  const inner = plain.replace(/^\((.*)\)$|^\[(.*)\]$/, (whole, round, square) => round ?? square ?? "").trim();
  if (inner === "") return plain === "" ? undefined : [];
  if (!/^\d+(\s*[,x×*]\s*\d+|\s+\d+)*\s*,?$/.test(inner)) return undefined;
  return inner.match(/\d+/g).map(Number);
}

function isClose(answer, truth, digits = 4) {
  if (Number.isNaN(truth)) return Number.isNaN(answer);
  if (!Number.isFinite(truth) || !Number.isFinite(answer)) return answer === truth;
  return Math.abs(answer - truth) <= CLOSE * Math.abs(truth) || number(answer, "f", digits) === number(truth, "f", digits);
}

/** Whether an answer is right; undefined if it cannot be read. */
function isRight(form, text, truth) {
  if (form === "sign") return Math.sign(truth) === { plus: 1, zero: 0, minus: -1 }[text];
  const answer = form === "shape" ? readShape(text) : readNumber(text);
  if (answer === undefined) return undefined;
  return form === "shape" ? String(answer) === String(truth) : isClose(answer, truth);
}

// ---- the form ----

class Predict {
  constructor(values, moments, words, called, changed) {
    Object.assign(this, { values, moments, words, called, changed, on: false, moment: moments[0] });
    this.answers = new Map(); // number of a moment -> "right", "wrong" or "skipped"
    this.hinted = new Set();
    this.asked = new Map(); // number of a moment -> its question
    this.form = newElement("form", { class: "predict-form", novalidate: true });
    this.form.addEventListener("keydown", (event) => this._entered(event));
    this.feedback = newElement("p", { class: "predict-feedback", role: "status" });
    this.score = newElement("p", { class: "predict-score" });
    this.element = newElement("section", { class: "predict", "aria-label": words.lens_predict, tabindex: -1, hidden: true });
    this.element.append(this.form, this.feedback, this.score);
  }

  toggle() {
    this.on = !this.on;
    this.element.hidden = !this.on;
    this.arrive(this.moment);
    this.changed();
    if (this.on) this._focus();
    return this.on;
  }

  /** Whether the result of moment number i may be seen. */
  revealed(i) {
    return !this.on || this.answers.has(i) || this._questionAt(i) === null;
  }

  _questionAt(i) {
    if (!this.asked.has(i)) this.asked.set(i, questionAt(this.values, this.moments[i - 1]));
    return this.asked.get(i);
  }

  /** Shows the question of a moment. */
  arrive(moment) {
    this.moment = moment;
    if (!this.on) return;
    const question = this._questionAt(moment.i);
    const focused = this.element.contains(document.activeElement);
    this.feedback.textContent = "";
    this.form.replaceChildren();
    if (question && !this.answers.has(moment.i)) this._ask(question);
    else if (!question) this.feedback.textContent = this.words.lens_nothing_to_ask;
    this._keepScore();
    if (focused) this._focus();
  }

  /** To the answer, or to the section where there is nothing to answer. */
  _focus() {
    (this.form.querySelector("input") ?? this.element).focus({ preventScroll: true });
    this.element.scrollIntoView({ block: "nearest" });
  }

  _ask(question) {
    const { words } = this;
    this.question = question;
    const text = phrase(words[`lens_ask_${question.form}`], { name: this._name(question.cell) });
    const button = (key, act) => newElement("button", { type: "button", text: words[`lens_${key}`], on: { click: act } });
    this.form.append(
      question.form === "sign" ? this._signs(text) : this._line(text, question.form),
      newElement(
        "div",
        { class: "predict-buttons" },
        button("check", () => this._submitted()),
        button("hint", () => this._hint()),
        button("skip", () => this._finish("skipped")),
      ),
      newElement("p", { class: "predict-hint", role: "status" }),
    );
  }

  _signs(text) {
    const choices = ["plus", "zero", "minus"].map((sign) => {
      const radio = newElement("input", { type: "radio", name: "predict-answer", value: sign });
      return newElement("label", {}, radio, ` ${this.words[`lens_${sign}`]}`);
    });
    return newElement("fieldset", {}, newElement("legend", { text }), ...choices);
  }

  _line(text, form) {
    const input = newElement("input", {
      type: "text",
      name: "predict-answer",
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: "false",
      "aria-describedby": "predict-form-note",
    });
    const note = newElement("span", { id: "predict-form-note", class: "predict-note", text: this.words[`lens_form_${form}`] });
    return newElement("div", {}, newElement("label", {}, `${text} `, input), note);
  }

  /** W.grad[0, 1], or the text of a part of a rule. */
  _name(cell) {
    const { contribution, part } = this.moment;
    const last = part === contribution.parts.at(-1);
    const added = addedName(this.moment, this.called[contribution.target], this.words);
    return cellText(last ? added : inFormula(part.text), cell ?? []);
  }

  /** Enter in the answer. (A frame without the right to submit forms, as in a notebook, has no submit event.) */
  _entered(event) {
    if (event.key !== "Enter" || event.target.localName !== "input") return;
    event.preventDefault();
    this._submitted();
  }

  _submitted() {
    const answer = new FormData(this.form).get("predict-answer") ?? "";
    const { form } = this.question;
    const right = answer === "" ? undefined : isRight(form, answer, this._truth());
    if (right === undefined) {
      const slots = { answer, form: this.words[`lens_form_${form}`] ?? "" };
      this.feedback.textContent = phrase(this.words[form === "sign" ? "lens_choose_one" : "lens_unread"], slots);
      return;
    }
    this._finish(right ? "right" : "wrong");
  }

  _truth() {
    const { form, cell } = this.question;
    const { moment } = this;
    if (form === "shape") return this.values.get(moment.part.value).shape;
    return Number(termsAt(this.values, moment, cell).total);
  }

  _finish(result) {
    this.answers.set(this.moment.i, result);
    const truth = `${this._name(this.question.cell)}${this._truthText()}`;
    this.form.replaceChildren();
    this._keepScore();
    this.feedback.textContent = `${phrase(this.words[`lens_${result}`], { truth })} ${this._reason()}`;
    this.changed(); // the page shows more now
    this._focus(); // the form that had it is gone
  }

  _truthText() {
    const { form, cell } = this.question;
    const truth = this._truth();
    if (form === "shape") return `: ${shapeText(truth)}`;
    return ` = ${this.values.get(this.moment.part.value).text(cell) ?? number(truth)}`;
  }

  _reason() {
    const { words } = this;
    const { moment } = this;
    const { what } = moment.part;
    if (this.question.form === "shape") {
      if (what === "transpose") return words.lens_turned_why;
      return moment.part === moment.contribution.parts.at(-1) ? words.lens_shape_why : words.lens_part_shape_why;
    }
    const { terms } = termsAt(this.values, moment, this.question.cell);
    return phrase(terms.length > 1 ? words.lens_because : words.lens_because_one, { sum: sumText(terms, words) });
  }

  _hint() {
    this.hinted.add(this.moment.i);
    this.form.querySelector(".predict-hint").textContent = this._hintText();
    this._keepScore();
  }

  _hintText() {
    const { words, values } = this;
    const { moment } = this;
    if (this.question.form === "shape") return shapesHint(values, moment, words);
    const { terms } = termsAt(values, moment, this.question.cell);
    if (terms.length === 1 && terms[0].right?.name === "local") {
      const [g, local] = [terms[0].left, terms[0].right].map((f) => number(f.value, f.dtype[1]));
      return phrase(words.lens_hint_local, { g, local });
    }
    return phrase(words.lens_hint_terms, { count: terms.length, terms: sumText(terms, words) });
  }

  _keepScore() {
    const given = [...this.answers.values()].filter((result) => result !== "skipped");
    const right = given.filter((result) => result === "right").length;
    const slots = { right, asked: given.length, hints: this.hinted.size };
    const { i } = this.moment;
    const last = this.moments.slice(i).every(({ kind }) => kind !== "backward");
    this.score.textContent = phrase(last && this.revealed(i) ? this.words.lens_final : this.words.lens_score, slots);
  }
}

/** The products of a sum in numbers: "0.5 × 0.2 + 0.1 × (-3) + …". */
function sumText(terms, words) {
  const { shown, others } = chosenTerms(terms);
  const texts = shown.map(({ left, right }) =>
    [left, right].filter(Boolean).map((f) => inProduct(number(f.value, f.dtype[1]))).join(" × "),
  );
  const rest = others.length ? [`(${phrase(words.lens_more, { count: others.length })})`] : [];
  return [...texts, ...rest].join(" + ") || "0";
}

function shapesHint(values, { contribution }, words) {
  const { names = {}, rule } = contribution;
  const arrays = Object.entries(names).map(([name, ref]) => [name, values.get(ref)]).filter(([, value]) => hasShape(value));
  const shapes = arrays.map(([name, { shape }]) => `${name} ${shapeText(shape)}`).join(", ");
  return phrase(words.lens_hint_shapes, { rule, shapes });
}
