// The graph: a finished picture. Steps light edges and fill in numbers; no card ever moves.

function createGraph(page) {
  const { data, moments, words } = page;
  const box = one("graph"), svg = box.querySelector("svg");
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  const lives = livesOf(data, moments);
  const cards = cardsOf(svg), edges = edgesOf(svg, data, moments);
  const inputs = data.vertices.map(() => []), users = data.vertices.map(() => []);
  for (const { source, target } of data.edges) {
    inputs[target].push(source);
    users[source].push(target);
  }
  let scale = 1, cursor = null, now = null;

  svg.querySelector("desc").remove(); // the list says it, as far as it is computed
  const title = svg.querySelector("title");
  svg.setAttribute("aria-label", title.textContent);
  title.remove(); // else it would cover the graph as a tooltip
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", words.graph_help);

  function show(moment) {
    now = moment;
    const [from, to] = endsOf(moment);
    for (const [id, copies] of cards) {
      for (const card of copies) drawCard(card, id, moment, id === from || id === to);
    }
    const lit = new Set(currentHalves(moment));
    for (const half of edges.values()) drawHalf(half, moment.i, lit.has(half));
    svg.classList.toggle("update", moment.kind === "update");
    keepInView([...[...lit].map((half) => half.element), ...[from, to].flatMap((id) => single(id))]);
  }

  // The vertices that a moment is about: what is computed, or where the gradient comes from and where it goes.
  function endsOf(moment) {
    return [moment.vertex, moment.contribution ? moment.contribution.target : moment.vertex];
  }

  function currentHalves({ kind, vertex, contribution }) {
    if (kind === "update") return [];
    if (kind === "backward") return [edges.get(`backward ${contribution.target} ${vertex} ${contribution.slot}`)].filter(Boolean);
    return [...edges.values()].filter((half) => half.kind === "forward" && half.target === vertex);
  }

  function drawCard(card, id, moment, current) {
    const value = latest(lives.values[id], moment.i);
    const gradient = latest(lives.gradients[id], page.revealed ? moment.i : moment.i - 1);
    const computed = !lives.made[id] || lives.made[id] <= moment.i;
    card.element.classList.toggle("future", !computed);
    card.element.classList.toggle("current", current);
    if (card.value) {
      card.value.textContent = value ? value.text : card.written;
      for (const part of [card.value, card.valueTick]) part.classList.toggle("hidden", !computed);
      const changed = value ? value.i === moment.i : lives.made[id] === moment.i;
      card.value.classList.toggle("changed", changed);
    }
    if (card.gradient) {
      card.gradient.textContent = gradient ? gradient.text : words.missing;
      card.gradient.classList.toggle("none", !gradient);
      card.gradientTick.classList.toggle("hidden", !gradient);
      card.gradient.classList.toggle("changed", Boolean(gradient) && gradient.i === moment.i);
    }
    card.title.textContent = [page.called[id], ...Array.from(card.rows, (row) => row.textContent)].join("; ");
  }

  function drawHalf(half, i, lit) {
    const state = lit ? "current" : half.first === null ? "never" : i < half.first ? "future" : "done";
    if (half.state === state) return;
    if (half.state) half.element.classList.remove(half.state);
    half.element.classList.add(state);
    half.state = state;
  }

  const single = (id) => (cards.get(id)?.length === 1 ? [cards.get(id)[0].element] : []);

  function keepInView(elements) {
    if (!elements.length) return;
    const rects = elements.map((element) => element.getBoundingClientRect()), room = box.getBoundingClientRect();
    const left = Math.min(...rects.map((r) => r.left)), right = Math.max(...rects.map((r) => r.right));
    const top = Math.min(...rects.map((r) => r.top)), bottom = Math.max(...rects.map((r) => r.bottom));
    const dx = shift(left, right, room.left, room.left + box.clientWidth);
    const dy = shift(top, bottom, room.top, room.top + box.clientHeight);
    if (dx || dy) box.scrollBy({ left: dx, top: dy, behavior: page.calm() ? "auto" : "smooth" });
  }

  // How far to scroll so that a..b comes into from..to; 0 where it is there already.
  function shift(a, b, from, to) {
    return a >= from && b <= to ? 0 : (a + b) / 2 - (from + to) / 2;
  }

  function zoom(to) {
    const x = (box.scrollLeft + box.clientWidth / 2) / scale, y = (box.scrollTop + box.clientHeight / 2) / scale;
    scale = Math.min(4, Math.max(0.05, to));
    svg.setAttribute("width", width * scale);
    svg.setAttribute("height", height * scale);
    box.scrollTo({ left: x * scale - box.clientWidth / 2, top: y * scale - box.clientHeight / 2, behavior: "instant" });
  }

  const whole = () => Math.min(box.clientWidth / width, box.clientHeight / height) * 0.98;

  // Along the edges: right to what uses a vertex, left to its inputs, up and down among what goes into the same one.
  function walk(way) {
    if (cursor === null) return point(now ? now.vertex : data.vertices.length - 1);
    const user = users[cursor][0], beside = user === undefined ? [cursor] : inputs[user];
    const place = beside.indexOf(cursor);
    const next = { right: user, left: inputs[cursor][0], up: beside[place - 1], down: beside[place + 1] }[way];
    if (next !== undefined) point(next);
  }

  function point(id) {
    for (const copies of cards.values()) for (const card of copies) card.element.classList.remove("cursor");
    cursor = id;
    if (id === null) return;
    for (const card of cards.get(id) || []) card.element.classList.add("cursor");
    keepInView((cards.get(id) || []).slice(0, 1).map((card) => card.element));
    page.announce(describe(id));
  }

  // A vertex in words, as far as it is computed.
  function describe(id) {
    const card = cards.get(id)?.[0];
    return card ? card.title.textContent : page.called[id];
  }

  // The moment that a card stands for: in the backward pass where its gradient is made, else where its value is.
  function momentOf(id) {
    const gradient = lives.gradients[id][0];
    return now && now.kind !== "forward" && gradient ? gradient.i : lives.made[id] || (gradient ? gradient.i : null);
  }

  function visit(id) {
    if (id !== null && momentOf(id)) page.go(momentOf(id));
  }

  let drag = null;
  box.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.button === 0) drag = { x: event.clientX, y: event.clientY, moved: false };
  });
  window.addEventListener("pointermove", (event) => {
    if (!drag) return;
    if (!drag.moved && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < 4) return;
    drag.moved = true;
    box.classList.add("dragged");
    box.scrollBy({ left: drag.x - event.clientX, top: drag.y - event.clientY, behavior: "instant" });
    Object.assign(drag, { x: event.clientX, y: event.clientY });
  });
  window.addEventListener("pointerup", (event) => {
    const clicked = drag && !drag.moved ? event.target.closest?.("#graph [data-vertex]") : null;
    drag = null;
    box.classList.remove("dragged");
    if (clicked) visit(Number(clicked.dataset.vertex));
  });
  box.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(scale * Math.exp(-event.deltaY / 300));
  }, { passive: false });
  box.addEventListener("blur", () => point(null));

  return {
    show, walk, visit, describe, inputs,
    enter: () => visit(cursor),
    fit: () => zoom(whole()),
    open: () => zoom(Math.min(1.6, Math.max(0.8, whole()))),
    larger: () => zoom(scale * 1.25),
    smaller: () => zoom(scale / 1.25),
  };
}

// When each vertex gets which value and which gradient: lists of {i, text}, oldest first.
function livesOf(data, moments) {
  const values = data.vertices.map(() => []), gradients = data.vertices.map(() => []), made = [];
  for (const { i, kind, vertex, contribution, accumulates, said } of moments) {
    if (kind === "forward") made[vertex] = i;
    if (kind === "update") values[vertex].push({ i, text: "value " + said.card });
    if (kind === "backward" && said.incoming && !gradients[vertex].length) gradients[vertex].push({ i, text: "grad " + said.incoming });
    if (accumulates) gradients[contribution.target].push({ i, text: "grad " + said.card });
  }
  return { values, gradients, made };
}

function latest(list, i) {
  for (let k = list.length - 1; k >= 0; k--) if (list[k].i <= i) return list[k];
  return null;
}

// The cards of each vertex: a leaf has one for each use.
function cardsOf(svg) {
  const found = new Map();
  for (const element of svg.querySelectorAll("[data-vertex]")) {
    const value = element.querySelector("text.value");
    const card = {
      element,
      title: element.querySelector("title"),
      rows: [...element.querySelectorAll("text")].slice(1),
      value,
      written: value && value.textContent,
      valueTick: element.querySelector(".tick.value"),
      gradient: element.querySelector("text.gradient"),
      gradientTick: element.querySelector(".tick.gradient"),
    };
    const id = Number(element.dataset.vertex);
    found.set(id, [...(found.get(id) || []), card]);
  }
  return found;
}

// Each edge's two halves, by "kind source target slot", with the first moment that runs along it (null: none does).
function edgesOf(svg, data, moments) {
  const first = new Map();
  for (const { i, kind, vertex, contribution } of moments) {
    if (kind === "forward") first.set(`forward ${vertex}`, i);
    const key = contribution && `backward ${contribution.target} ${vertex} ${contribution.slot}`;
    if (key && !first.has(key)) first.set(key, i);
  }
  const found = new Map();
  for (const edge of svg.querySelectorAll("[data-edge]")) {
    const [source, target] = edge.dataset.edge.split(" ").map(Number);
    for (const element of edge.querySelectorAll(".wire")) {
      const kind = element.classList.contains("forward") ? "forward" : "backward";
      const key = `${kind} ${edge.dataset.edge}`;
      found.set(key, { element, kind, source, target, first: first.get(kind === "forward" ? `forward ${target}` : key) ?? null });
    }
  }
  return found;
}
