/* The panel: one moment in full. The sentence first, then the rule, the rule with numbers, the result, the sum, the line. */

function makePanel(page) {
  const { words } = page;
  const facts = one("facts"), sentence = one("sentence"), phase = one("phase"), count = one("count");

  function show(moment) {
    phase.textContent = words[moment.kind];
    phase.dataset.kind = moment.kind;
    count.textContent = filled(words.count, { i: moment.i, n: page.n });
    sentence.textContent = page.sentence(moment);
    facts.replaceChildren(...rows(moment).filter(Boolean));
  }

  function rows({ said, contribution, accumulates, kind }) {
    return [
      said.rule && row("rule", formula(said.rule)),
      said.numbers && said.numbers !== said.rule && row("numbers", formula(said.numbers)),
      kind === "update" ? row("result", `${said.before} → ${said.result}`, said.shape) : said.result && row("result", said.result, said.shape),
      accumulates && row("sum", ...sum(said, contribution)),
      said.place && row("python", said.place, make("code", said.code)),
    ];
  }

  /* x.grad: 0.5 + 0.3 = 0.8, use 2 of 2 */
  function sum(said, contribution) {
    const terms = said.before === undefined ? "" : `${said.before} + ${said.plus} = `;
    const use = filled(words.use, { use: contribution.use, uses: contribution.uses });
    return [`${said.name}.grad: ${terms}`, make("b", said.after), ", ", use];
  }

  function row(kind, ...content) {
    const element = make("div", "", kind), shown = make("dd");
    const [first, ...rest] = content;
    shown.append(first, ...rest.map((part) => (kind === "result" && part ? make("small", ` ${part}`) : part || "")));
    element.append(make("dt", words[kind]), shown);
    return element;
  }

  return { show };
}

/* The graph as nested lists, in the order and with the names of the picture: modules, their operations, the inputs. */
function makeOutline(page, graph) {
  const { data, words } = page;
  const top = make("ul"), open = [{ scope: [], list: top }];
  const items = [];
  data.vertices.forEach((vertex, id) => {
    if (vertex.kind !== "op") return;
    const list = listFor(vertex.scope || []), item = make("li"), given = make("ul");
    item.append(entry(id), given);
    for (const source of graph.inputs[id]) given.append(inside(source));
    list.append(item);
  });
  one("outline").append(top);

  function inside(source) {
    const item = make("li");
    item.append(entry(source));
    return item;
  }

  function listFor(scope) {
    while (!open.at(-1).scope.every((name, k) => name === scope[k])) open.pop();
    while (open.at(-1).scope.length < scope.length) {
      const item = make("li", scope[open.at(-1).scope.length]), list = make("ul");
      item.append(list);
      open.at(-1).list.append(item);
      open.push({ scope: scope.slice(0, open.at(-1).scope.length + 1), list });
    }
    return open.at(-1).list;
  }

  function entry(id) {
    const button = make("button", "", "link");
    button.type = "button";
    button.addEventListener("click", () => graph.visit(id));
    items.push([id, button]);
    return button;
  }

  function show() {
    if (one("outline").open) for (const [id, button] of items) button.textContent = graph.describe(id);
  }
  one("outline").addEventListener("toggle", show);
  return { show };
}
