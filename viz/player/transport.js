/* The transport bar: play, scrub, go, search, and the dialogs. Nothing plays by itself. */

const PAUSE = 1800; // milliseconds that a moment stays, at speed 1

function makeTransport(page) {
  const { words, moments, n } = page;
  const scrub = one("scrub"), speed = one("speed"), goTo = one("go"), play = one("play");
  let timer = null;

  scrub.max = goTo.max = n;
  for (const kind of ["forward", "backward", "update"]) {
    const count = moments.filter((moment) => moment.kind === kind).length;
    if (!count) continue;
    const part = make("span", words[kind], kind);
    part.style.flexGrow = count;
    one("phases").append(part);
  }

  function show({ i, kind }) {
    scrub.value = i;
    scrub.setAttribute("aria-valuetext", `${filled(words.count, { i, n })}, ${words[kind]}`);
    if (document.activeElement !== goTo) goTo.value = i;
    one("first").disabled = one("back").disabled = i === 1;
    one("last").disabled = one("next").disabled = i === n;
  }

  function stop() {
    clearTimeout(timer);
    timer = null;
    play.setAttribute("aria-pressed", "false");
    label(play, words.play);
  }

  function toggle() {
    if (timer) return stop();
    if (page.i === n) page.go(1);
    play.setAttribute("aria-pressed", "true");
    label(play, words.pause);
    tick();
  }

  function tick() {
    timer = setTimeout(() => {
      page.forward();
      if (page.i === n) stop();
      else tick();
    }, PAUSE / Number(speed.value));
  }

  const byHand = (act) => () => {
    stop();
    act();
  };
  const actions = {
    first: byHand(() => page.go(1)),
    last: byHand(() => page.go(n)),
    back: byHand(() => page.backward()),
    next: byHand(() => page.forward()),
    "to-backward": byHand(() => page.go(page.firstBackward)),
    play: toggle,
    elements: () => page.setGrain(page.grain === "ops" ? "elements" : "ops"),
    "search-button": () => openSearch(page),
    "help-button": () => one("help").showModal(),
    "help-close": () => one("help").close(),
    "search-close": () => one("search").close(),
  };
  for (const [id, act] of Object.entries(actions)) one(id).addEventListener("click", act);
  one("to-backward").disabled = !page.firstBackward;
  scrub.addEventListener("input", byHand(() => page.go(Number(scrub.value))));
  goTo.addEventListener("change", byHand(() => page.go(Number(goTo.value))));
  for (const [keys, word] of KEYS) {
    const term = make("dt");
    term.append(...keys.flatMap((key) => [make("kbd", key), " "]));
    one("keys").append(term, make("dd", words[word]));
  }
  one("query").addEventListener("input", () => search(page));
  return { show, stop, toggle };
}

const KEYS = [
  [["←", "→"], "key_step"],
  [["Shift ←", "Shift →"], "key_op"],
  [["Home", "End"], "key_ends"],
  [["Space"], "key_play"],
  [["B"], "key_backward"],
  [["E"], "key_elements"],
  [["P"], "key_predict"],
  [["G"], "key_go"],
  [["/"], "key_search"],
  [["+", "−", "0"], "key_zoom"],
  [["Tab", "← ↑ → ↓", "Enter"], "key_graph"],
  [["?"], "key_help"],
  [["Esc"], "key_escape"],
];

function label(element, text) {
  element.setAttribute("aria-label", text);
  element.title = text;
}

const FOUND = 30; // results of a search that are shown

function openSearch(page) {
  one("query").value = "";
  search(page);
  one("search").showModal();
  one("query").focus();
}

/* Moments whose sentence, file or code holds every word of the query. */
function search(page) {
  const wanted = one("query").value.toLowerCase().split(/\s+/).filter(Boolean);
  const hits = [];
  for (const moment of page.moments) {
    if (!wanted.length || hits.length === FOUND) break;
    const vertex = page.data.vertices[moment.vertex];
    const text = [page.sentence(moment), moment.said.place, moment.said.code, ...(vertex.scope || [])].join(" ").toLowerCase();
    if (wanted.every((word) => text.includes(word))) hits.push(moment);
  }
  const items = hits.map((moment) => {
    const item = make("li"), button = make("button", page.sentence(moment));
    button.addEventListener("click", () => {
      one("search").close();
      page.go(moment.i);
    });
    item.append(button);
    return item;
  });
  one("found").replaceChildren(...(items.length || !wanted.length ? items : [make("li", page.words.nothing)]));
}
