// The panel: one moment in full. The sentence first, then the rule, the rule with numbers, the result, the sum, the line.
// What a learner is asked to predict is not shown before the answer.

function createPanel(page) {
  const { words } = page;
  const facts = one("facts"), sentence = one("sentence"), phase = one("phase"), count = one("count");

  function show(moment) {
    phase.textContent = words[moment.kind];
    phase.dataset.kind = moment.kind;
    count.textContent = page.cell === null ? "" : phrase(words.element, { k: page.cell + 1, n: page.cells.length });
    const text = page.sentence(moment, page.revealed);
    if (sentence.textContent !== text) sentence.textContent = text; // else it would be read out again
    facts.replaceChildren(...rowsOf(moment).filter(Boolean));
    for (const wide of facts.querySelectorAll("dd")) if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
  }

  function rowsOf({ said, contribution, accumulates, kind }) {
    const shown = page.revealed;
    const result = kind === "update" ? `${said.before} → ${said.result}` : said.result;
    return [
      said.rule && row("rule", formulaOf(said.rule), said.letters && newElement("small", { text: said.letters })),
      shown && said.numbers && said.numbers !== said.rule && row("numbers", formulaOf(said.numbers), said.zero && newElement("small", { text: words.zero_wins })),
      !shown && row("result", newElement("i", { text: words.lens_hidden })),
      shown && said.shapes && row("shapes", formulaOf(said.shapes)),
      shown && result && row("result", result, said.shape && newElement("small", { text: ` ${said.shape}` })),
      shown && accumulates && row("sum", ...sumOf(said, contribution)),
      shown && accumulates && said.grown && row("held", ...grownOf(said)),
      said.place && row("python", said.place, newElement("code", { text: said.code ?? "" })),
    ];
  }

  // x.grad: 0.5 + 0.3 = 0.8, use 2 of 2. What x.grad held before this pass comes to it at the end.
  function sumOf({ name, total = "", after, held }, { use, uses }) {
    const what = held === undefined ? `${name}.grad` : words.pass;
    return [`${what}: ${termsOf(total)}`, newElement("b", { text: after }), `, ${phrase(words.use, { use, uses })}`];
  }

  // x.grad already held 3 from before: 3 + 0.8 = 3.8 (zero_grad() was not called)
  function grownOf({ name, held, grown }) {
    const terms = termsOf(grown), result = newElement("b", { text: grown.slice(terms.length) });
    return [`${phrase(words.already, { name, held })} ${terms}`, result, ` ${words.not_zeroed}`];
  }

  const termsOf = (equation) => equation.slice(0, equation.lastIndexOf("= ") + 2 || 0);

  function row(kind, ...content) {
    const shown = newElement("dd", {}, ...content.filter(Boolean));
    return newElement("div", { class: kind }, newElement("dt", { text: words[kind] }), shown);
  }

  return { show };
}

// The graph as nested lists, in the order and with the names of the picture: modules, their operations, their inputs.
function createOutline(page, graph) {
  const place = one("outline");
  let items = [];
  place.addEventListener("toggle", show);

  function draw() {
    const { view, cards } = graph.current(), top = newElement("ul");
    const open = [{ scope: [], list: top }];
    items = [];
    for (const id of view.inputs.keys()) {
      if (!cards.get(id)?.[0].element.matches(".op, .group")) continue;
      const inputs = newElement("ul", {}, ...view.inputs[id].map((source) => newElement("li", {}, entry(source))));
      const scope = (view.scopes ?? page.data.vertices.map((vertex) => vertex.scope))[id] ?? [];
      listFor(open, scope).append(newElement("li", {}, entry(id), inputs));
    }
    place.replaceChildren(place.querySelector("summary"), top);
    show();
  }

  function listFor(open, scope) {
    while (!open.at(-1).scope.every((name, k) => name === scope[k])) open.pop();
    while (open.at(-1).scope.length < scope.length) {
      const depth = open.at(-1).scope.length + 1, list = newElement("ul");
      open.at(-1).list.append(newElement("li", { text: scope[depth - 1] }, list));
      open.push({ scope: scope.slice(0, depth), list });
    }
    return open.at(-1).list;
  }

  function entry(id) {
    const button = newElement("button", { type: "button", class: "link", on: { click: () => graph.visit(id) } });
    items.push([id, button]);
    return button;
  }

  function show() {
    if (place.open) for (const [id, button] of items) button.textContent = graph.current().describe(id);
  }
  return { draw, show };
}

// All steps as sentences, in the reader's language and with a way to each; on paper this is what is left of the steps.
function createList(page) {
  const list = one("all").querySelector("ol"), most = list.children.length;
  one("all").open = false;
  const button = (moment) =>
    newElement("button", { type: "button", class: "link", text: page.sentence(moment), on: { click: () => page.go(moment.i) } });
  list.replaceChildren(...page.moments.slice(0, most).map((moment) => newElement("li", {}, button(moment))));
  if (page.n > most) list.append(newElement("li", { text: phrase(page.words.more, { count: page.n - most }) }));
}
