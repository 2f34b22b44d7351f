// The graph's place on the page: one view of it at a time, moved, enlarged, walked along its edges, entered by groups.

function createGraph(page) {
  const { data, words } = page;
  const box = one("graph"), crumbs = one("crumbs"), expand = one("expand");
  const whole = data.views.findLastIndex((view, k) => k > 0 && !view.shown);
  const opened = new Map(); // number of a view -> the view
  const path = []; // the views from the first to the one that is shown, with the labels of their groups
  let scale = 1, cursor = null, now = null, drag = null;

  for (const view of data.views) prepareView(view, data.vertices);
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", words.graph_help);
  expand.hidden = !data.views[0].shown; // nothing is folded
  if (whole < 0) label(expand, `${words.expand}: ${words.too_large}`);
  expand.addEventListener("click", () => {
    if (whole < 0) page.announce(words.too_large);
    else enter(path[0].number === whole ? [{ number: 0 }] : [{ number: whole }]);
  });

  const current = () => path.at(-1).view;

  function viewOf(number) {
    if (!opened.has(number)) {
      const drawn = number === 0 ? box.querySelector("svg") : svgOf(data.views[number].svg);
      opened.set(number, createView(drawn, data.views[number], page));
    }
    return opened.get(number);
  }

  /* Show the last view of a path [{number, label, instance}]. */
  function enter(steps) {
    path.splice(0, path.length, ...steps.map((step) => ({ ...step, view: viewOf(step.number) })));
    const view = current(), instance = path.at(-1).instance ?? 0;
    if (view.instance !== instance) view.choose(instance);
    box.replaceChildren(view.svg);
    cursor = null;
    expand.setAttribute("aria-pressed", String(path[0].number === whole));
    writeCrumbs();
    zoom(Math.min(1.6, Math.max(0.7, fitting())));
    page.viewed();
    if (now) show(now);
  }

  function writeCrumbs() {
    crumbs.hidden = path.length === 1;
    const steps = path.map(({ label }, k) => {
      const button = newElement("button", { type: "button", text: label ?? data.name, "aria-current": k === path.length - 1 && "true" });
      button.addEventListener("click", () => enter(path.slice(0, k + 1)));
      return newElement("li", {}, button);
    });
    crumbs.replaceChildren(newElement("ol", {}, ...steps), ...(current().count > 1 ? [instances()] : []));
  }

  function instances() {
    const { count, instance } = current();
    const text = newElement("output", { text: phrase(words.instance, { k: instance + 1, n: count }) });
    const slider = newElement("input", { type: "range", min: 1, max: count, value: instance + 1, "aria-label": words.instances });
    slider.addEventListener("input", () => {
      turnTo(Number(slider.value) - 1);
      text.textContent = phrase(words.instance, { k: slider.value, n: count });
      show(now);
    });
    return newElement("label", {}, slider, text);
  }

  function turnTo(instance) {
    path.at(-1).instance = instance;
    current().choose(instance);
  }

  function open(card) {
    const view = current(), group = view.view.groups[card];
    if (group?.inside === undefined) return false;
    const label = group.times > 1 ? `${group.label} ×${group.times}` : group.label;
    const first = view.instance * group.times, inner = data.views[group.inside].instances;
    const holding = inner.findIndex((ids, k) => k >= first && k < first + group.times && ids.includes(now?.vertex));
    enter([...path, { number: group.inside, label, instance: Math.max(first, holding) }]);
    return true;
  }

  /* Follow the steps: to another instance, or out of a group that they leave. */
  function follow({ vertex }) {
    while (!current().holds(vertex) && path.length > 1) {
      const { view } = current(), there = view.instances.findIndex((ids) => ids.includes(vertex));
      if (there >= 0) {
        turnTo(there);
        writeCrumbs();
      } else {
        enter(path.slice(0, -1));
      }
    }
  }

  function show(moment) {
    const arrived = now !== moment;
    now = moment;
    if (arrived) follow(moment);
    keepInView(current().show(moment));
  }

  function keepInView(elements) {
    if (!elements.length) return;
    const rects = elements.map((element) => element.getBoundingClientRect()), room = box.getBoundingClientRect();
    const least = (side) => Math.min(...rects.map((rect) => rect[side]));
    const most = (side) => Math.max(...rects.map((rect) => rect[side]));
    const left = shift(least("left"), most("right"), room.left, room.left + box.clientWidth);
    const top = shift(least("top"), most("bottom"), room.top, room.top + box.clientHeight);
    if (left || top) box.scrollBy({ left, top, behavior: page.calm() ? "instant" : "smooth" });
  }

  /* How far to scroll so that a..b comes into from..to; 0 where it is there already. */
  function shift(a, b, from, to) {
    return a >= from && b <= to ? 0 : (a + b) / 2 - (from + to) / 2;
  }

  function zoom(to) {
    const x = (box.scrollLeft + box.clientWidth / 2) / scale, y = (box.scrollTop + box.clientHeight / 2) / scale;
    const { svg, size: [width, height] } = current();
    scale = Math.min(4, Math.max(0.05, to));
    svg.setAttribute("width", width * scale);
    svg.setAttribute("height", height * scale);
    box.scrollTo({ left: x * scale - box.clientWidth / 2, top: y * scale - box.clientHeight / 2, behavior: "instant" });
  }

  function fitting() {
    const [width, height] = current().size;
    return Math.min(box.clientWidth / width, box.clientHeight / height) * 0.98;
  }

  /* Along the edges: right to what uses a card, left to its inputs, up and down among what goes into the same one. */
  function walk(way) {
    const { view, cardOf, cards } = current();
    if (cursor === null) return point(cardOf(now.vertex) ?? cards.keys().next().value);
    const user = view.users[cursor][0], beside = user === undefined ? [cursor] : view.inputs[user];
    const place = beside.indexOf(cursor);
    const next = { right: user, left: view.inputs[cursor][0], up: beside[place - 1], down: beside[place + 1] }[way];
    if (next !== undefined) point(next);
  }

  function point(id) {
    const { cards, describe } = current();
    for (const copies of cards.values()) for (const card of copies) card.element.classList.remove("cursor");
    cursor = id;
    if (id === null) return;
    for (const card of cards.get(id)) card.element.classList.add("cursor");
    keepInView([cards.get(id)[0].element]);
    page.announce(describe(id));
  }

  /* Into a group; or to the moment of a card: in the backward pass where its gradient is made, else where its value is. */
  function visit(id) {
    if (id === null || open(id)) return;
    const vertex = current().about(id), { made, gradients } = page.lives;
    const gradient = gradients[vertex]?.find(({ i }) => i > 0)?.i;
    const i = now.kind !== "forward" && gradient ? gradient : made[vertex] ?? gradient;
    if (i) page.go(i);
  }

  /* Out of a group; false where there is none to leave. */
  function leave() {
    if (path.length > 1) enter(path.slice(0, -1));
    else box.blur();
  }

  box.addEventListener("mousedown", (event) => event.preventDefault()); // a click leaves the arrow keys to the steps
  box.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.button === 0) drag = { x: event.clientX, y: event.clientY, moved: false };
  });
  window.addEventListener("pointermove", (event) => {
    if (!drag) return;
    if (!drag.moved && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < 4) return;
    box.classList.add("dragged");
    box.scrollBy({ left: drag.x - event.clientX, top: drag.y - event.clientY, behavior: "instant" });
    drag = { x: event.clientX, y: event.clientY, moved: true };
  });
  window.addEventListener("pointerup", () => {
    box.classList.toggle("dragged", false);
    setTimeout(() => { drag = null; }); // after the click that follows
  });
  box.addEventListener("click", (event) => {
    const card = event.target.closest("[data-vertex]");
    if (card && !drag?.moved) visit(Number(card.dataset.vertex));
  });
  box.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(scale * Math.exp(-event.deltaY / 300));
  }, { passive: false });
  box.addEventListener("blur", () => point(null));

  return {
    show, walk, visit, leave, current,
    begin: () => enter([{ number: 0 }]),
    enter: () => visit(cursor),
    fit: () => zoom(fitting()),
    larger: () => zoom(scale * 1.25),
    smaller: () => zoom(scale / 1.25),
  };
}

/** A picture from the text of its SVG. */
function svgOf(text) {
  return document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true);
}
