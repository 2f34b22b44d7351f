/* The page: reads its data, holds the number of the moment, and hands it to graph, panel, transport bar and lenses. */

async function start() {
  const data = await readData();
  const language = data.lang || (navigator.languages || [navigator.language]).map((l) => l.slice(0, 2)).find((l) => l in data.words) || "en";
  const page = makePage(data, language);
  fillWords(page.words, language, data.name);
  document.documentElement.dataset.live = "";
  page.begin();
}

async function readData() {
  const block = one("data");
  if (block.type === "application/json") return JSON.parse(block.textContent);
  const bytes = Uint8Array.from(atob(block.textContent), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

/* Every moment of the trace, in order, with the texts that Python has written for it. */
function momentsOf(data) {
  const found = [];
  data.vertices.forEach((vertex, id) => {
    if (vertex.kind === "op") found.push({ kind: "forward", vertex: id });
  });
  for (const step of data.backward) {
    for (const contribution of step.contributions || []) {
      for (const part of contribution.parts) {
        const accumulates = part === contribution.parts.at(-1);
        found.push({ kind: "backward", vertex: step.vertex, step, contribution, part, accumulates });
      }
    }
  }
  for (const step of data.updates) found.push({ kind: "update", vertex: step.vertex, step });
  return found.map((moment, k) => ({ ...moment, i: k + 1, ...texts(data, data.moments[k]) }));
}

function texts(data, { phrase, slots, ...said }) {
  const read = (places) => Object.fromEntries(Object.entries(places).map(([name, place]) => [name, data.texts[place]]));
  return { phrase, slots: read(slots), said: read(said) };
}

function makePage(data, lang) {
  const moments = momentsOf(data), words = data.words[lang], n = moments.length;
  const phrases = data.phrases[lang] || data.phrases.en;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let graph, panel, transport, outline;

  const page = {
    data, lang, words, moments, n,
    i: 0, grain: "ops",
    called: data.called.map((place) => data.texts[place]),
    firstBackward: moments.find((moment) => moment.kind === "backward")?.i,
    calm: () => still.matches,
    announce: (text) => { one("said").textContent = text; },
    sentence: (moment) => filled(phrases[moment.phrase], { ...moment.slots, i: moment.i, n }),
    go, forward: () => go(page.i + 1), backward: () => go(page.i - 1), operation, setGrain, begin,
  };

  function begin() {
    graph = makeGraph(page);
    panel = makePanel(page);
    outline = makeOutline(page, graph);
    transport = makeTransport(page);
    listSteps(page);
    graph.open();
    listen(page, graph, transport);
    go(fromLink() || 1);
  }

  function go(i) {
    i = Math.min(n, Math.max(1, Math.trunc(i) || 1));
    if (i === page.i) return;
    page.i = i;
    const moment = moments[i - 1];
    for (const view of [graph, panel, transport, outline]) view.show(moment);
    if (location.protocol !== "about:") history.replaceState(null, "", `#step=${i}`);
  }

  /* To the first moment of the next operation, or of the one before. */
  function operation(direction) {
    const same = (k) => moments[k].kind === moments[page.i - 1].kind && moments[k].vertex === moments[page.i - 1].vertex;
    let k = page.i - 1;
    while (k >= 0 && k < n && same(k)) k += direction;
    if (k < 0 || k >= n) return go(direction < 0 ? 1 : n);
    while (direction < 0 && k > 0 && moments[k - 1].vertex === moments[k].vertex && moments[k - 1].kind === moments[k].kind) k--;
    go(k + 1);
  }

  function setGrain(grain) {
    page.grain = grain;
    one("elements").setAttribute("aria-pressed", String(grain === "elements"));
  }

  return page;
}

const fromLink = () => Number(/^#step=(\d+)$/.exec(location.hash)?.[1]);

function fillWords(words, lang, name) {
  document.documentElement.lang = lang;
  document.title = document.querySelector("h1").textContent = filled(words.title, { name });
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = words[element.dataset.word];
  for (const element of document.querySelectorAll("[data-label]")) label(element, words[element.dataset.label]);
  for (const element of document.querySelectorAll("[data-name]")) element.setAttribute("aria-label", words[element.dataset.name]);
}

/* The list of all steps, in the reader's language and with a way to each. */
function listSteps(page) {
  const list = one("all").querySelector("ol");
  const most = list.children.length;
  list.replaceChildren(...page.moments.slice(0, most).map((moment) => {
    const item = make("li"), button = make("button", page.sentence(moment), "link");
    button.addEventListener("click", () => page.go(moment.i));
    item.append(button);
    return item;
  }));
  if (page.n > most) list.append(make("li", filled(page.words.more, { count: page.n - most })));
}

const WRITTEN_IN = "input:not([type=range]), select, textarea";

function listen(page, graph, transport) {
  const stopped = (act) => () => {
    transport.stop();
    act();
  };
  const keys = {
    ArrowLeft: stopped(page.backward),
    ArrowRight: stopped(page.forward),
    "Shift ArrowLeft": stopped(() => page.operation(-1)),
    "Shift ArrowRight": stopped(() => page.operation(1)),
    Home: stopped(() => page.go(1)),
    End: stopped(() => page.go(page.n)),
    " ": transport.toggle,
    b: () => one("to-backward").click(),
    e: () => one("elements").click(),
    p: () => one("predict").click(),
    g: () => { one("go").focus(); one("go").select(); },
    "/": () => one("search-button").click(),
    "?": () => one("help-button").click(),
    "+": graph.larger,
    "=": graph.larger,
    "-": graph.smaller,
    0: graph.fit,
    Escape: () => document.activeElement.blur(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const at = event.target, inGraph = at.id === "graph";
    if (at.matches(WRITTEN_IN) && event.key !== "Escape") return;
    if (at.matches("button, summary") && (event.key === " " || event.key === "Enter")) return;
    let act = keys[event.shiftKey && event.key.startsWith("Arrow") ? `Shift ${event.key}` : event.key.toLowerCase()] || keys[event.key];
    if (inGraph && event.key.startsWith("Arrow") && !event.shiftKey) act = () => graph.walk(event.key);
    if (inGraph && event.key === "Enter") act = graph.enter;
    if (!act) return;
    event.preventDefault();
    act();
  });
  window.addEventListener("hashchange", () => page.go(fromLink() || page.i));
  one("zoom-in").addEventListener("click", graph.larger);
  one("zoom-out").addEventListener("click", graph.smaller);
  one("fit").addEventListener("click", graph.fit);
  one("theme").addEventListener("click", changeTheme);
  one("go").addEventListener("keydown", (event) => { if (event.key === "Enter") one("go").blur(); });
  adoptTheme();
}

/* A notebook's own theme, where it lets us see it. */
function adoptTheme() {
  try {
    const around = parent.document;
    if (parent === window) return;
    const light = around.body.dataset.jpThemeLight;
    const dark = light === "false" || around.documentElement.getAttribute("theme") === "dark";
    if (light || dark) document.documentElement.dataset.theme = dark ? "dark" : "light";
  } catch {
    // another origin: the system's preference decides
  }
}

function changeTheme() {
  const root = document.documentElement;
  const dark = getComputedStyle(root).colorScheme === "dark" || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "light" : "dark";
}

start();
