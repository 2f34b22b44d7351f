// A value as a heatmap. Zero is always neutral and both signs reach equally far, blue for plus and orange for minus; the
// sign is written, too. What is no number is hatched, what is not known is an empty box with words: never a zero.
//
// Up to a few hundred elements are cells of a table, larger arrays a canvas with one moving cell over it; both are an
// ARIA grid. The arrow keys move, Enter probes. Arrays of more than two axes are seen one slice at a time.

const NUMBERED = { columns: 6, cells: 60 }; // a table with the numbers in it
const MARKED = { columns: 32, cells: 512 }; // a table with a mark for the sign
const LONGEST = 2048; // rows and columns that are drawn
const PALE = 0.75; // what is not lit beside what is
const CANVAS = { width: 420, largest: 12, smallest: 2 }; // pixels
// From where on black on a full colour reads better than white, or the other way round: [light, dark] pages.
const DEEP = { plus: [0.925, 0.605], minus: [2, 0.595] };

class Heat {
  /** `probe(cell)` is called for a chosen element; without it the cells can only be read. `note` says what it is. */
  constructor(name, value, words, { probe = null, note = "" } = {}) {
    Object.assign(this, { name, value, words, probe, lit: new Set() });
    this.whole = value instanceof NumArray; // else only a summary is there, or nothing
    this.element = newElement("figure", { class: probe ? "heat probed" : "heat", "data-name": name });
    this.element.append(this._caption(note));
    if (!hasShape(value)) {
      this.element.append(newElement("p", { class: "heat-unknown", text: words.lens_unknown }));
      return;
    }
    this.limit = limitOf(value);
    this.slice = this.whole ? value.shape.slice(0, -2).map(() => 0) : [];
    this.picker = newElement("div", { class: "heat-picker" });
    this.body = newElement("div", { class: "heat-body" });
    this.readout = newElement("p", { class: "heat-readout" });
    this.element.append(this.picker, this.body, this.readout);
    this._pickers();
    if (!this.whole) this.element.append(statisticsOf(value, words));
    this._draw();
  }

  /** Marks these cells; the first of them comes into view. None: no marks. */
  light(cells) {
    if (this.whole) {
      this.lit = new Set(cells.map((cell) => flatIndex(cell, this.value.shape)));
      if (cells.length) this._turnTo(cells[0].slice(0, -2));
    }
    this.grid?.paint();
    if (this.whole && cells.length) this.grid.bringIntoView(...[0, 0, ...cells[0]].slice(-2));
  }

  /** Puts the cursor on a cell. */
  show(cell) {
    if (!this.whole) return;
    this._turnTo(cell.slice(0, -2));
    const place = [0, 0, ...cell].slice(-2);
    if (place.every((k) => k < LONGEST)) this.grid.moveTo(...place);
  }

  _caption(note) {
    const { value, words } = this;
    const facts = [note];
    if (hasShape(value)) {
      if (value.shape.length) facts.push(phrase(words.lens_shape, { shape: shapeText(value.shape) }));
      const { smallest, largest, odd } = value.range;
      if (value.size > 1 && smallest !== null) {
        const [low, high] = [smallest, largest].map((x) => number(x, isWhole(value) ? "i" : "f"));
        facts.push(phrase(words.lens_range, { smallest: low, largest: high }));
      }
      if (this.whole && value.shape.slice(-2).some((n) => n > LONGEST)) {
        facts.push(phrase(words.lens_part, { count: LONGEST }));
      }
      if (odd) facts.push(phrase(words.lens_odd, { count: odd }));
    }
    return newElement(
      "figcaption",
      {},
      newElement("span", { class: "heat-name", text: this.name }),
      newElement("span", { class: "heat-facts", text: facts.filter(Boolean).join(" · ") }),
    );
  }

  _pickers() {
    this.slice.forEach((at, axis) => {
      const input = newElement("input", { type: "number", min: 0, max: this.value.shape[axis] - 1, value: at });
      input.addEventListener("change", () => {
        const chosen = Math.min(Math.max(Math.round(Number(input.value)) || 0, 0), this.value.shape[axis] - 1);
        this._turnTo(this.slice.map((i, k) => (k === axis ? chosen : i)));
      });
      this.picker.append(newElement("label", { text: phrase(this.words.lens_axis, { axis }) }, input));
    });
  }

  _turnTo(slice) {
    if (String(slice) === String(this.slice)) return;
    this.slice = slice;
    this.picker.querySelectorAll("input").forEach((input, axis) => (input.value = slice[axis]));
    this._draw();
  }

  _draw() {
    const sheet = sheetOf(this);
    const cells = sheet.rows * sheet.columns;
    const small = cells <= MARKED.cells && sheet.columns <= MARKED.columns && this.whole;
    this.grid = cells === 0 ? new NoGrid() : small ? new TableGrid(this, sheet) : new CanvasGrid(this, sheet);
    this.body.replaceChildren(this.grid.element);
    this.grid.paint();
  }
}

// ---- what is drawn ----

/** A matrix to look at: of a slice of an array, or of the thumbnail of a summary. */
function sheetOf(heat) {
  const { value, slice, limit, words, name } = heat;
  if (value instanceof Summary) {
    const [rows, columns] = value.thumbnail.shape;
    const at = (r, c) => value.thumbnail.at([r, c]) / 127;
    const mean = (r, c) => number(at(r, c) * value.scale);
    const label = (r, c) => phrase(words.lens_block, { row: r, column: c, mean: mean(r, c) });
    return { rows, columns, strength: at, label, text: mean, cell: () => null, place: () => -1 };
  }
  const [height, width] = [1, 1, ...value.shape].slice(-2);
  const [rows, columns] = [height, width].map((n) => Math.min(n, LONGEST));
  const cell = (r, c) => [...slice, ...[r, c].slice(2 - Math.min(value.shape.length, 2))];
  const start = flatIndex(cell(0, 0), value.shape);
  const place = (r, c) => start + r * width + c;
  return {
    rows,
    columns,
    cell,
    place,
    strength: (r, c) => strengthOf(realOf(value.data[place(r, c)]), limit),
    text: (r, c) => value.text(cell(r, c)),
    label: (r, c) => `${cellText(name, cell(r, c))} = ${value.text(cell(r, c))}`,
  };
}

/** From -1 to 1; what is not finite stays as it is. */
function strengthOf(x, limit) {
  return Number.isFinite(x) && limit ? x / limit : x;
}

/** The largest size of a finite element, which the deepest colour stands for. */
function limitOf(value) {
  if (value instanceof Summary) return value.scale;
  return Math.max(Math.abs(value.range.smallest), Math.abs(value.range.largest)); // null counts as 0
}

function isWhole(value) {
  return "biu".includes(value.kind);
}

function statisticsOf(summary, words) {
  const { mean, norm, zeros, nans, infs } = summary;
  const facts = { mean, norm };
  const counts = { zeros, nans, infs };
  const list = newElement("ul", { class: "heat-statistics" });
  list.append(newElement("li", { text: words.lens_summary }));
  for (const [key, x] of Object.entries(facts)) {
    if (x !== null) list.append(newElement("li", { text: `${words[`lens_${key}`]} ${number(x)}` }));
  }
  for (const [key, count] of Object.entries(counts)) {
    if (count) list.append(newElement("li", { text: `${words[`lens_${key}`]} ${count}` }));
  }
  for (const [cell, x] of summary.cells) {
    list.append(newElement("li", { text: `[${cell.replaceAll(",", ", ")}] = ${number(x, summary.kind)}` }));
  }
  return list;
}

/** The mark of a sign, of what is not finite, or of zero. */
function markOf(strength) {
  if (Number.isNaN(strength)) return "n";
  if (!Number.isFinite(strength)) return strength > 0 ? "∞" : "-∞";
  return strength > 0 ? "+" : strength < 0 ? "−" : "0";
}

// ---- grids ----

/** The keyboard of a grid: where a key leads, or null. */
function ledTo(key, row, column, rows, columns) {
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[key];
  if (step) {
    return [Math.min(Math.max(row + step[0], 0), rows - 1), Math.min(Math.max(column + step[1], 0), columns - 1)];
  }
  return { Home: [row, 0], End: [row, columns - 1], PageUp: [0, column], PageDown: [rows - 1, column] }[key] ?? null;
}

/** What a table and a canvas have in common: a cursor, its keys, and choosing an element. */
class Grid {
  constructor(heat, sheet) {
    Object.assign(this, { heat, sheet, row: 0, column: 0 });
  }

  onKey(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const target = ledTo(event.key, this.row, this.column, this.sheet.rows, this.sheet.columns);
    if (target) this.moveTo(...target, true);
    else if (event.key === "Enter") this.choose();
    else return;
    event.preventDefault(); // the player has the same keys for its steps
    event.stopPropagation();
  }

  choose() {
    const cell = this.sheet.cell(this.row, this.column);
    if (cell && this.heat.probe) this.heat.probe(cell);
  }

  /** Scrolls the figure, and not the page, so far that a cell is in the middle. */
  bringIntoView(row, column) {
    const { element, sheet } = this;
    element.scrollLeft = ((column + 0.5) / sheet.columns) * element.scrollWidth - element.clientWidth / 2;
    element.scrollTop = ((row + 0.5) / sheet.rows) * element.scrollHeight - element.clientHeight / 2;
  }

  isLit(row, column) {
    return this.heat.lit.has(this.sheet.place(row, column));
  }
}

/** An array without elements. */
class NoGrid {
  constructor() {
    this.element = newElement("p", { class: "heat-unknown", text: "[]" });
  }
  paint() {}
  moveTo() {}
  bringIntoView() {}
}

/** Cells of a table: with their numbers if these fit, else with marks. */
class TableGrid extends Grid {
  constructor(heat, sheet) {
    super(heat, sheet);
    const { rows, columns } = sheet;
    const numbered = columns <= NUMBERED.columns && rows * columns <= NUMBERED.cells;
    this.table = newElement("table", { role: "grid", class: numbered ? "numbered" : "marked", "aria-label": heat.name });
    this.cells = Array.from({ length: rows }, (_, r) =>
      Array.from({ length: columns }, (_, c) => this._cell(r, c, numbered)),
    );
    this.table.append(newElement("tbody", {}, ...this.cells.map((row) => newElement("tr", {}, ...row))));
    this.cells[0][0].tabIndex = 0;
    this.table.addEventListener("keydown", (event) => this.onKey(event));
    this.element = newElement("div", { class: "heat-scroll" }, this.table);
  }

  _cell(r, c, numbered) {
    const strength = this.sheet.strength(r, c);
    const text = numbered ? this.sheet.text(r, c) : markOf(strength);
    const label = this.sheet.label(r, c);
    const element = newElement(
      "td",
      { role: "gridcell", tabindex: -1, "aria-label": label, title: label, class: colourClass(strength) },
      newElement("span", { text }),
    );
    element.style.setProperty("--m", `${Math.abs(strength) * 100}%`);
    element.addEventListener("focus", () => this._at(r, c));
    element.addEventListener("click", () => {
      this.moveTo(r, c, true);
      this.choose();
    });
    return element;
  }

  _at(row, column) {
    this.cells[this.row][this.column].tabIndex = -1;
    [this.row, this.column] = [row, column];
    this.cells[row][column].tabIndex = 0;
  }

  moveTo(row, column, focus = false) {
    this._at(row, column);
    if (focus) this.cells[row][column].focus();
  }

  paint() {
    this.cells.forEach((row, r) => row.forEach((cell, c) => cell.classList.toggle("lit", this.isLit(r, c))));
  }
}

function colourClass(strength) {
  if (!Number.isFinite(strength)) return "odd";
  if (strength === 0) return "zero";
  const sign = strength > 0 ? "plus" : "minus";
  const [light, dark] = DEEP[sign].map((from) => Math.abs(strength) > from);
  return sign + (light ? " deep-light" : "") + (dark ? " deep-dark" : "");
}

/** A canvas, with one grid cell over it that moves. */
class CanvasGrid extends Grid {
  constructor(heat, sheet) {
    super(heat, sheet);
    const { rows, columns } = sheet;
    this.size = Math.min(Math.max(Math.floor(CANVAS.width / columns), CANVAS.smallest), CANVAS.largest);
    this.canvas = newElement("canvas", {
      width: columns * this.size,
      height: rows * this.size,
      "aria-hidden": "true",
      on: { click: (event) => this._clicked(event), mousemove: (event) => this._hovered(event) },
    });
    this.cursor = newElement("div", { role: "gridcell", tabindex: 0, class: "heat-cursor" });
    this.line = newElement("div", { role: "row" }, this.cursor);
    this.cursor.style.width = this.cursor.style.height = `${this.size}px`;
    const grid = newElement(
      "div",
      {
        role: "grid",
        class: "heat-canvas",
        "aria-label": heat.name,
        "aria-rowcount": rows,
        "aria-colcount": columns,
        on: { keydown: (event) => this.onKey(event) },
      },
      this.canvas,
      this.line,
    );
    this.element = newElement("div", { class: "heat-scroll" }, grid);
    this.moveTo(0, 0);
    heat.readout.setAttribute("aria-live", "polite"); // the focus stays where it is while the cell below it changes
  }

  moveTo(row, column, focus = false) {
    [this.row, this.column] = [row, column];
    const label = this.sheet.label(row, column);
    this.cursor.setAttribute("aria-label", label);
    this.cursor.setAttribute("aria-colindex", column + 1);
    this.line.setAttribute("aria-rowindex", row + 1);
    this.cursor.style.left = `${column * this.size}px`;
    this.cursor.style.top = `${row * this.size}px`;
    this.heat.readout.textContent = label;
    if (focus) this.cursor.focus();
  }

  _place(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const row = Math.floor((y / box.height) * this.sheet.rows);
    const column = Math.floor((x / box.width) * this.sheet.columns);
    return [Math.min(Math.max(row, 0), this.sheet.rows - 1), Math.min(Math.max(column, 0), this.sheet.columns - 1)];
  }

  _clicked(event) {
    this.moveTo(...this._place(event), true);
    this.choose();
  }

  _hovered(event) {
    this.canvas.title = this.sheet.label(...this._place(event));
  }

  paint() {
    if (!this.element.isConnected) return; // it has no colours yet
    const context = this.canvas.getContext("2d");
    const colours = coloursOf(this.heat.element);
    this.hatching = hatching(context, colours);
    context.imageSmoothingEnabled = false;
    context.drawImage(this._pixels(colours), 0, 0, this.canvas.width, this.canvas.height);
    this._each((r, c, strength) => {
      if (!Number.isFinite(strength)) this._hatch(context, r, c);
      else if (this.size >= 10 && strength) this._mark(context, r, c, markOf(strength), colours);
    });
  }

  _each(act) {
    for (let r = 0; r < this.sheet.rows; r++) {
      for (let c = 0; c < this.sheet.columns; c++) act(r, c, this.sheet.strength(r, c));
    }
  }

  /** A canvas with one pixel for each cell; where some are lit the others are pale. */
  _pixels(colours) {
    const { rows, columns } = this.sheet;
    const small = newElement("canvas", { width: columns, height: rows });
    const context = small.getContext("2d");
    const image = context.createImageData(columns, rows);
    const some = this.heat.lit.size > 0;
    this._each((r, c, strength) => {
      const colour = blended(colours, strength);
      const pale = some && !this.isLit(r, c) ? PALE : 0;
      const pixel = [...colour.map((x, k) => x + (colours.paper[k] - x) * pale), 255];
      image.data.set(pixel, 4 * (r * columns + c));
    });
    context.putImageData(image, 0, 0);
    return small;
  }

  _hatch(context, r, c) {
    context.fillStyle = this.hatching;
    context.fillRect(c * this.size, r * this.size, this.size, this.size);
  }

  _mark(context, r, c, mark, colours) {
    context.fillStyle = markColour(colours, this.sheet.strength(r, c));
    context.font = `${this.size - 1}px monospace`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(mark, (c + 0.5) * this.size, (r + 0.5) * this.size);
  }
}

// ---- colours, from the style sheet ----

function coloursOf(element) {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(`--heat-${name}`).match(/[\d.]+/g).map(Number); // rgb(0, 114, 178)
  return { plus: read("plus"), minus: read("minus"), zero: read("zero"), ink: read("ink"), paper: read("paper") };
}

/** The same straight line between neutral and full colour as `color-mix(in srgb, ...)` in the style sheet. */
function blended(colours, strength) {
  const full = strength < 0 ? colours.minus : colours.plus;
  const m = Math.min(Math.abs(strength) || 0, 1);
  return colours.zero.map((x, k) => Math.round(x + (full[k] - x) * m));
}

/** Black or white, whichever stands out. */
function markColour(colours, strength) {
  if (!Number.isFinite(strength)) return rgb(colours.ink);
  const [r, g, b] = blended(colours, strength);
  return 0.3 * r + 0.59 * g + 0.11 * b > 115 ? "#000000" : "#ffffff";
}

function rgb(colour) {
  return `rgb(${colour.join(" ")})`;
}

function hatching(context, colours) {
  const tile = newElement("canvas", { width: 4, height: 4 });
  const brush = tile.getContext("2d");
  brush.fillStyle = rgb(colours.paper);
  brush.fillRect(0, 0, 4, 4);
  brush.fillStyle = rgb(colours.ink);
  for (let k = 0; k < 4; k++) brush.fillRect(k, 3 - k, 1, 1);
  return context.createPattern(tile, "repeat");
}
