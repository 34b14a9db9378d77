"use strict";
// The numbers themselves: of the token that is chosen, after the layer that is shown.

const FEW_VALUES = 48;

function valueSpans(field, content) {
  const called = names(field);
  const spans = [];
  for (const [start, many, value] of runs(content)) {
    const first = called ? called[start] : start + 1;
    const last = called ? called[start + many - 1] : start + many;
    const to = called ? " to " : "–";
    const place = many === 1 ? [word(`${first}`)] : [word(`${first}`), to, word(`${last}`)];
    const number = el(
      "data",
      { value: String(value), "data-from": start, "data-many": many },
      String(value),
    );
    const about =
      typeof value === "string" && value.length > 14
        ? el("span", { class: "quiet" }, ` ${short(value)}`)
        : "";
    spans.push(
      el(
        "span",
        {},
        ...(field.width === 1 ? [] : [...place, many > 1 ? " each: " : ": "]),
        number,
        about,
      ),
    );
  }
  if (content.more)
    spans.push(
      el(
        "span",
        {},
        `and ${count(content.more, "more entry", "more entries")}, at most ${content.below} ` +
          `in size`,
      ),
    );
  return spans;
}

function values(field, content) {
  const spans = valueSpans(field, content);
  if (!spans.length) return el("span", { class: "quiet" }, "0");
  const shownFirst = el("div", { class: "values" }, ...spans.slice(0, FEW_VALUES));
  if (spans.length <= FEW_VALUES) return shownFirst;
  const rest = spans.slice(FEW_VALUES);
  return el(
    "div",
    {},
    shownFirst,
    folded(`${rest.length} more`, () => el("div", { class: "values" }, ...rest)),
  );
}

function tokenReadings() {
  const { layer, token } = shown;
  if (!layer) return "";
  const rows = [];
  DATA.layers[layer - 1].heads.forEach((head, k) => {
    const own = readingsOf(layer, k, token);
    if (!own.length) return;
    const most = own.slice().sort((a, b) => float(b[2]) - float(a[2]));
    const many = most[0][3] || own.length;
    const listed = most
      .slice(0, 5)
      .flatMap(([, reads, value], i) => [i ? "; " : "", word(tokenName(reads)), ` with ${value}`]);
    rows.push([
      word(head.name),
      String(many),
      [...listed, many > Math.min(5, most.length) ? "; …" : ""],
    ]);
  });
  if (!rows.length)
    return el(
      "p",
      { class: "quiet" },
      DATA.softmax
        ? "This token reads nothing but the sink in this layer."
        : "This token reads nothing in this layer.",
    );
  return el(
    "div",
    { class: "scroll", tabindex: 0, role: "group", "aria-label": "What the token reads" },
    table(
      "What it reads in this layer",
      [["head"], ["tokens", "number"], ["which, the strongest first"]],
      rows,
      { class: "full" },
    ),
  );
}

function drawNumbers() {
  const { layer, token } = shown;
  const name = tokenName(token);
  at("numbers-says").replaceChildren(
    el("strong", {}, word(name)),
    ` is token ${token + 1} of the context. After layer ${layer}`,
    layer ? ` (${DATA.layers[layer - 1].name})` : " (the embedding)",
    " it holds these numbers, in full; entries that are not named are 0.",
  );
  const rows = DATA.fields.map((field, f) => {
    const isNew = changed(f, layer, token);
    return [
      [
        el("code", { "data-field": f }, field.name),
        isNew ? el("span", {}, " ", el("span", { class: "badge" }, "written here")) : "",
      ],
      el("span", { class: "quiet" }, field.holds),
      values(field, cell(f, layer, token)),
    ];
  });
  fill(
    "numbers",
    table("Fields", [["field"], ["what it holds"], ["numbers"]], rows, { class: "full facts" }),
    tokenReadings(),
  );
}
