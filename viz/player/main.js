// The page: reads its data, holds the number of the moment, and hands it to graph, panel, lenses and transport bar.

async function start() {
  const data = await readData();
  const spoken = (navigator.languages ?? [navigator.language]).map((tag) => tag.slice(0, 2));
  const lang = data.lang ?? spoken.find((tag) => tag in data.words) ?? "en";
  fillWords(data.words[lang], lang, data.name);
  for (const part of document.querySelectorAll(".live, .still")) part.hidden = part.matches(".still"); // it is alive
  createPage(data, lang).begin();
}

async function readData() {
  const block = one("data");
  if (block.type === "application/json") return JSON.parse(block.textContent);
  const bytes = Uint8Array.from(atob(block.textContent), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

function fillWords(words, lang, name) {
  document.documentElement.lang = lang;
  document.title = document.querySelector("h1").textContent = phrase(words.title, { name });
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = words[element.dataset.word];
  for (const element of document.querySelectorAll("[data-label]")) label(element, words[element.dataset.label]);
  for (const element of document.querySelectorAll("[data-region]")) element.setAttribute("aria-label", words[element.dataset.region]);
}

// The moments with their numbers, and with the texts that Python has written for them: by their places in the table, or
// -1, -2, ... for those that come up in a moment for the first time.
function momentsWithTexts(data) {
  let start = 0;
  return momentsOf(data).map((moment, k) => {
    const { phrase: key, slots, ...said } = data.moments[k], from = start;
    const text = (place) => {
      start = Math.max(start, from - place);
      return data.texts[place < 0 ? from - 1 - place : place];
    };
    const read = (places) => Object.fromEntries(Object.entries(places).map(([name, place]) => [name, text(place)]));
    const accumulates = moment.contribution !== undefined && moment.part === moment.contribution.parts.at(-1);
    return { ...moment, i: k + 1, accumulates, phrase: key, slots: read(slots), said: read(said) };
  });
}

function createPage(data, lang) {
  const words = data.words[lang], phrases = data.phrases[lang] ?? data.phrases.en;
  const moments = momentsWithTexts(data), n = moments.length;
  const slots = data.vertices.map(() => []); // of the inputs of each vertex
  for (const { target, slot } of data.edges) slots[target].push(slot);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let views = [], lenses = null, outline = null;

  const page = {
    data, lang, words, moments, n, slots,
    lives: livesOf(data, moments, slots),
    i: 0, grain: "ops", cell: null, cells: [], revealed: true,
    called: data.called.map((place) => data.texts[place]),
    firstBackward: moments.find((moment) => moment.kind === "backward")?.i,
    calm: () => still.matches,
    announce: (text) => { one("said").textContent = text; },
    begin, go, forward, back, operation, setGrain, sentence, searchable,
    togglePredict,
    viewed: () => outline.draw(),
    repaint: () => lenses.repaint(),
  };

  function begin() {
    const graph = createGraph(page), transport = createTransport(page);
    outline = createOutline(page, graph);
    lenses = createLenses(one("lens"), data, words, refresh);
    views = [graph, createPanel(page), transport, outline];
    createList(page);
    graph.begin();
    listen(page, graph, transport);
    go(fromLink() || 1);
  }

  function go(i) {
    i = Math.min(n, Math.max(1, Math.trunc(i) || 1));
    if (i === page.i) return;
    Object.assign(page, { i, cell: null, cells: [] });
    refresh();
    if (location.protocol !== "about:") history.replaceState(null, "", `#step=${i}`);
  }

  // Everything anew for the moment that it is.
  function refresh() {
    const state = { number: page.i };
    lenses.update(state);
    page.revealed = state.revealed;
    for (const view of views) view.show(moments[page.i - 1]);
  }

  // The grain decides how far a step goes: to the next moment, or to the next element of this one.
  function forward() {
    if (page.grain === "ops" || !toCell(page.cell === null ? 0 : page.cell + 1)) go(page.i + 1);
  }

  function back() {
    if (page.grain === "ops" || !toCell(page.cell === null ? -1 : page.cell - 1)) go(page.i - 1);
  }

  function toCell(k) {
    page.cells = page.revealed ? lenses.cells(page.i) : [];
    if (!page.cells[k]) return false;
    page.cell = k;
    lenses.showCell(page.cells[k]);
    views[1].show(moments[page.i - 1]);
    return true;
  }

  function setGrain(grain) {
    page.grain = grain;
    one("elements").setAttribute("aria-pressed", String(grain === "elements"));
    if (grain === "elements") return toCell(0);
    page.cell = null;
    lenses.showCell(null);
    refresh();
  }

  function togglePredict() {
    const on = lenses.togglePredict();
    one("predict").setAttribute("aria-pressed", String(on));
    one("all").hidden = one("search-button").disabled = on; // they would tell the answers
  }

  // To the first moment of the next operation, or of this one, or of the one before.
  function operation(direction) {
    const key = (k) => `${moments[k]?.kind} ${moments[k]?.vertex}`;
    const here = page.i - 1;
    let k = direction < 0 && key(here - 1) !== key(here) ? here - 1 : here;
    while (direction > 0 && k < n && key(k) === key(here)) k++;
    while (direction < 0 && k > 0 && key(k - 1) === key(k)) k--;
    go(k + 1);
  }

  function sentence(moment, revealed = true) {
    const hidden = revealed ? {} : { equation: `${moment.part.text} = ?`, value: "?", after: "?", total: "?", grown: "?" };
    const template = [...moment.phrase.split(" "), "stop"].map((key) => phrases[key]).join("");
    return phrase(template, { ...moment.slots, ...hidden, i: moment.i, n });
  }

  function searchable({ said, vertex, ...moment }) {
    return [sentence(moment), said.place, said.code, ...(data.vertices[vertex].scope ?? [])].join(" ").toLowerCase();
  }

  return page;
}

const fromLink = () => Number(/^#step=(\d+)$/.exec(location.hash)?.[1]);

const WRITTEN_IN = "input:not(#scrub), select, textarea";

function listen(page, graph, transport) {
  const press = (id) => () => one(id).click();
  const jump = (direction) => () => {
    transport.stop();
    page.operation(direction);
  };
  const keys = {
    arrowleft: press("back"),
    arrowright: press("next"),
    "shift arrowleft": jump(-1),
    "shift arrowright": jump(1),
    home: press("first"),
    end: press("last"),
    " ": transport.toggle,
    b: press("to-backward"),
    e: press("elements"),
    p: press("predict"),
    g: () => one("go").select(),
    "/": press("search-button"),
    "?": press("help-button"),
    "+": graph.larger,
    "=": graph.larger,
    "-": graph.smaller,
    0: graph.fit,
    escape: () => document.activeElement.blur(),
  };
  const inGraph = {
    arrowleft: () => graph.walk("left"),
    arrowright: () => graph.walk("right"),
    arrowup: () => graph.walk("up"),
    arrowdown: () => graph.walk("down"),
    enter: graph.enter,
    escape: graph.leave,
  };
  document.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase(), at = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (at.matches(WRITTEN_IN) && key !== "escape") return;
    if (at.matches("button, summary") && (key === " " || key === "enter")) return;
    const shifted = event.shiftKey && key.startsWith("arrow") ? `shift ${key}` : key;
    const act = (at.id === "graph" && inGraph[shifted]) || keys[shifted];
    if (!act) return;
    event.preventDefault();
    act();
  });
  window.addEventListener("hashchange", () => page.go(fromLink() || page.i));
  one("zoom-in").addEventListener("click", graph.larger);
  one("zoom-out").addEventListener("click", graph.smaller);
  one("fit").addEventListener("click", graph.fit);
  one("theme").addEventListener("click", () => {
    changeTheme();
    page.repaint();
  });
  adoptTheme();
}

// A notebook's own theme, where it lets the page see it.
function adoptTheme() {
  if (parent === window) return;
  try {
    const { body, documentElement } = parent.document;
    const dark = body.dataset.jpThemeLight === "false" || documentElement.getAttribute("theme") === "dark";
    if (dark || body.dataset.jpThemeLight === "true") document.documentElement.dataset.theme = dark ? "dark" : "light";
  } catch {
    // the frame has no rights to look: the system's preference decides
  }
}

function changeTheme() {
  const { dataset } = document.documentElement;
  const dark = dataset.theme ? dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  dataset.theme = dark ? "light" : "dark";
}

start();
