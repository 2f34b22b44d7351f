// The transport bar: play, scrub, go, search, and the dialogs. Nothing plays by itself.

const PAUSE = 1800; // milliseconds that a moment stays, at speed 1
const FOUND = 30; // results of a search that are shown
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

function createTransport(page) {
  const { words, moments, n } = page;
  const scrub = one("scrub"), speed = one("speed"), goTo = one("go"), play = one("play");
  let timer = null;

  scrub.max = goTo.max = n;
  for (const kind of ["forward", "backward", "update"]) {
    const count = moments.filter((moment) => moment.kind === kind).length;
    const part = newElement("span", { class: kind, text: words[kind] });
    part.style.flexGrow = count;
    if (count) one("phases").append(part);
  }

  function show({ i, kind }) {
    scrub.value = i;
    scrub.setAttribute("aria-valuetext", `${phrase(words.count, { i, n })}, ${words[kind]}`);
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
      if (page.revealed) page.forward();
      if (page.i === n || !page.revealed) stop(); // at the end, or at a question
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
    back: byHand(page.back),
    next: byHand(page.forward),
    "to-backward": byHand(() => page.go(page.firstBackward)),
    play: toggle,
    elements: byHand(() => page.setGrain(page.grain === "ops" ? "elements" : "ops")),
    predict: byHand(page.togglePredict),
    "search-button": () => openSearch(page),
    "help-button": () => one("help").showModal(),
    "help-close": () => one("help").close(),
    "search-close": () => one("search").close(),
  };
  for (const [id, act] of Object.entries(actions)) one(id).addEventListener("click", act);
  one("to-backward").disabled = !page.firstBackward;
  scrub.addEventListener("input", byHand(() => page.go(Number(scrub.value))));
  goTo.addEventListener("change", byHand(() => page.go(Number(goTo.value))));
  goTo.addEventListener("keydown", (event) => event.key === "Enter" && goTo.blur());
  one("query").addEventListener("input", () => search(page));
  for (const [keys, word] of KEYS) {
    const marks = keys.flatMap((key) => [newElement("kbd", { text: key }), " "]);
    one("keys").append(newElement("dt", {}, ...marks), newElement("dd", { text: words[word] }));
  }
  return { show, stop, toggle };
}

function openSearch(page) {
  one("query").value = "";
  search(page);
  one("search").showModal();
  one("query").focus();
}

// Moments whose sentence, file, code or modules hold every word of the query.
function search(page) {
  const wanted = one("query").value.toLowerCase().split(/\s+/).filter(Boolean);
  const hits = [];
  for (const moment of wanted.length ? page.moments : []) {
    if (wanted.every((word) => page.searchable(moment).includes(word))) hits.push(moment);
    if (hits.length === FOUND) break;
  }
  const found = hits.map((moment) => newElement("button", { type: "button", text: page.sentence(moment), on: { click: () => choose(moment) } }));
  const items = found.map((button) => newElement("li", {}, button));
  one("found").replaceChildren(...(items.length || !wanted.length ? items : [newElement("li", { text: page.words.nothing })]));

  function choose(moment) {
    one("search").close();
    page.go(moment.i);
  }
}
