// One picture of the graph, or of a part of it: a finished drawing. Steps light its edges and fill in its numbers; no
// card ever moves. The part may be there several times, as the steps of a loop are; the picture shows one instance.

function createView(svg, view, page) {
  const cards = cardsOf(svg), halves = halvesOf(svg);
  const { data, lives, words } = page;
  const count = view.instances?.length || 1;
  let about, cardOf, innerOf, made, instance;

  const title = svg.querySelector("title");
  svg.setAttribute("aria-label", title.textContent);
  title.remove(); // else it would cover the graph as a tooltip
  svg.querySelector("desc").remove(); // the list says it, as far as it is computed
  choose(0);

  /* Show another instance: which vertex of the trace each card speaks of, and when what is drawn comes about. */
  function choose(k) {
    instance = k;
    const ids = view.instances?.length ? view.instances[k] : data.vertices.map((_, id) => id);
    const shown = view.shown ?? ids;
    about = view.about ? view.about.map((inner) => (inner === null ? null : ids[inner])) : ids;
    innerOf = new Map(ids.map((id, inner) => [id, inner]));
    cardOf = new Map();
    made = new Map();
    ids.forEach((id, inner) => {
      cardOf.set(id, shown[inner]);
      const first = lives.made[id];
      if (first !== undefined) made.set(shown[inner], Math.min(first, made.get(shown[inner]) ?? Infinity));
    });
    for (const half of halves.values()) half.first = null;
    for (const [target, slot] of view.arcs ?? view.edges.map(([, ...end]) => end)) begin(ids[target], slot);
    if (count > 1) for (const [id, copies] of cards) if (about[id] !== null) rename(copies, about[id]);
  }

  function begin(target, slot) {
    for (const kind of ["forward", "backward"]) {
      const half = halfOf(kind, target, slot), i = lives.edges.get(`${kind} ${target} ${slot}`);
      if (half && i !== undefined) half.first = Math.min(i, half.first ?? Infinity);
    }
  }

  function rename(copies, id) {
    for (const card of copies) card.name.textContent = data.texts[data.cards[id][0]];
  }

  /** The drawn half that shows one of an edge of the trace. */
  function halfOf(kind, target, slot) {
    return halves.get(`${kind} ${view.edgeBy.get(`${innerOf.get(target)} ${slot}`)}`);
  }

  function show(moment) {
    const ends = [moment.vertex, moment.contribution?.target ?? moment.vertex].map((id) => cardOf.get(id));
    for (const [id, copies] of cards) for (const card of copies) drawCard(card, id, moment, ends.includes(id));
    const lit = new Set(litHalves(moment));
    for (const half of halves.values()) drawHalf(half, moment.i, lit.has(half));
    svg.classList.toggle("updating", moment.kind === "update");
    const alone = ends.map((id) => cards.get(id)).filter((copies) => copies?.length === 1);
    return [...Array.from(lit, (half) => half.element), ...alone.map(([card]) => card.element)];
  }

  function litHalves({ kind, vertex, contribution }) {
    if (kind === "update") return [];
    const slots = contribution ? [contribution.slot] : page.slots[vertex];
    return slots.map((slot) => halfOf(kind, vertex, slot)).filter(Boolean);
  }

  function drawCard(card, id, { i }, current) {
    const whole = about[id], computed = !made.has(id) || made.get(id) <= i;
    card.element.classList.toggle("future", !computed);
    card.element.classList.toggle("current", current);
    const known = whole !== null && (lives.made[whole] ?? 0) <= i;
    const value = known ? latest(lives.values[whole], i) : null;
    const gradient = whole === null ? null : latest(lives.gradients[whole], page.revealed ? i : i - 1);
    if (card.value && whole !== null) {
      card.value.textContent = `value ${value?.text ?? data.texts[data.cards[whole][1]] ?? ""}`;
      for (const part of [card.value, card.valueTick]) part.classList.toggle("hidden", !known);
      card.value.classList.toggle("changed", (value?.i ?? lives.made[whole]) === i);
    }
    if (card.gradient) {
      card.gradient.textContent = gradient ? `grad ${gradient.text}` : words.missing;
      card.gradient.classList.toggle("none", !gradient);
      card.gradientTick.classList.toggle("hidden", !gradient);
      card.gradient.classList.toggle("changed", gradient?.i === i);
    }
    const rows = card.rows.filter((row) => !row.classList.contains("hidden")).map((row) => row.textContent);
    card.title.textContent = [nameOf(id, card), ...rows].join("; ");
  }

  const nameOf = (id, card) => (about[id] === null || view.groups[id] ? card.name.textContent : page.called[about[id]]);

  function drawHalf(half, i, lit) {
    const state = lit ? "current" : half.first === null ? "never" : i < half.first ? "future" : "done";
    if (half.state === state) return;
    if (half.state) half.element.classList.remove(half.state);
    half.element.classList.add(state);
    half.state = state;
  }

  return {
    svg, view, cards, count, show, choose,
    get instance() { return instance; },
    describe: (id) => cards.get(id)?.[0].title.textContent ?? "",
    about: (id) => about[id],
    cardOf: (id) => cardOf.get(id),
    holds: (id) => cardOf.has(id),
    size: svg.getAttribute("viewBox").split(" ").slice(2).map(Number),
  };
}

/** The edge of each [target, slot], as the picture names it, and what goes into each card and out of it. */
function prepareView(view, vertices) {
  const name = ([source, target, slot]) => `${source} ${target} ${slot}`;
  view.edgeBy = new Map((view.arcs ?? view.edges.map(([, target, slot], k) => [target, slot, k]))
    .map(([target, slot, k]) => [`${target} ${slot}`, name(view.edges[k])]));
  view.inputs = Array.from({ length: view.scopes?.length ?? vertices.length }, () => []);
  view.users = view.inputs.map(() => []);
  for (const [source, target] of view.edges) {
    view.inputs[target].push(source);
    view.users[source].push(target);
  }
}

/** When each vertex gets which value and gradient, as lists of {i, text}; when it is made; when edges are first used. */
function livesOf(data, moments, slots) {
  const values = data.vertices.map(() => []), gradients = data.vertices.map(() => []), made = [], edges = new Map();
  data.cards.forEach(([, , held], id) => { if (held !== undefined) gradients[id].push({ i: 0, text: data.texts[held] }); });
  for (const { i, kind, vertex, contribution, accumulates, said } of moments) {
    if (kind === "forward") made[vertex] = i;
    if (kind === "forward") for (const slot of slots[vertex]) edges.set(`forward ${vertex} ${slot}`, i);
    if (kind === "update") values[vertex].push({ i, text: said.card });
    if (kind !== "backward") continue;
    if (!gradients[vertex].length) gradients[vertex].push({ i, text: said.incoming });
    if (accumulates) gradients[contribution.target].push({ i, text: said.card });
    const edge = `backward ${vertex} ${contribution.slot}`;
    if (!edges.has(edge)) edges.set(edge, i);
  }
  return { values, gradients, made, edges };
}

/** The last of a list of {i, ...} that is there at moment i; null if none is. */
function latest(list, i) {
  for (let k = list.length - 1; k >= 0; k--) if (list[k].i <= i) return list[k];
  return null;
}

/** The cards of each vertex: a leaf has one for each use. */
function cardsOf(svg) {
  const found = new Map();
  for (const element of svg.querySelectorAll("[data-vertex]")) {
    const [name, ...rows] = element.querySelectorAll("text"), id = Number(element.dataset.vertex);
    const part = (selector) => element.querySelector(selector);
    const card = {
      element, name, rows,
      title: part("title"),
      value: part("text.value"),
      valueTick: part(".tick.value"),
      gradient: part("text.gradient"),
      gradientTick: part(".tick.gradient"),
    };
    found.set(id, [...(found.get(id) ?? []), card]);
  }
  return found;
}

/** Both halves of each edge, by "kind source target slot". */
function halvesOf(svg) {
  const found = new Map();
  for (const edge of svg.querySelectorAll("[data-edge]")) {
    for (const element of edge.querySelectorAll(".wire")) {
      const kind = element.classList.contains("forward") ? "forward" : "backward";
      found.set(`${kind} ${edge.dataset.edge}`, { element, first: null });
    }
  }
  return found;
}
