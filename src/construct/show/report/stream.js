"use strict";
// The residual stream: tokens by named fields, after the layer that is shown.

const WINDOW = 40;
const LINE = 18;
const shown = { layer: DATA.vote_layer, token: DATA.answer_token, from: 0 };

const names = (field) =>
  field.entries === "words"
    ? DATA.words
    : field.entries === "tasks"
      ? DATA.tasks.map(({ name }) => name)
      : null;

// Fields that are 0 at every token after every layer say nothing.
const SILENT = DATA.fields.map((_, f) => STRONGEST[f].every((x) => x === 0));

// A cell in a few characters. What is below a billionth of the field's largest is left out.
function brief(f, content) {
  const field = DATA.fields[f];
  const found = runs(content).filter(([, , value]) => Math.abs(float(value)) > LEAST[f]);
  if (!found.length) return "";
  if (field.width === 1) return short(found[0][2]);
  const entries = [];
  for (const [start, many, value] of found) {
    for (let i = start; i < start + many && entries.length < 200; i += 1) entries.push([i, value]);
  }
  const called = names(field);
  const full = found.reduce((sum, [, many]) => sum + many, 0);
  if (field.entries === "code" && full === field.width) {
    return entries.map(([, value]) => (float(value) > 0 ? "+" : "−")).join("");
  }
  if (called) return briefNames(called, entries, full, field.width);
  if (content.largest)
    return (
      `${count(found.length + content.more, "entry", "entries")}, up to ` +
      `${short(found.reduce((most, [, , x]) => Math.max(most, Math.abs(float(x))), 0))}`
    );
  const dense = Array(field.width).fill(0);
  for (const [i, value] of entries) dense[i] = value;
  return `(${dense
    .slice(0, 6)
    .map((x) => short(x, 7))
    .join(", ")}${field.width > 6 ? ", …" : ""})`;
}

// Words or tasks with their numbers; of a dense cell, those that stand out of the rest.
function briefNames(called, entries, full, width) {
  let some = entries;
  if (full > width / 2 && width > 8) {
    const often = new Map();
    for (const [, value] of entries) often.set(value, (often.get(value) || 0) + 1);
    const [rest] = [...often].sort((a, b) => b[1] - a[1])[0];
    some = entries.filter(([, value]) => value !== rest);
    if (!some.length) return `all ${short(rest)}`;
  }
  some = some.slice().sort((a, b) => float(b[1]) - float(a[1]));
  const listed = some
    .slice(0, 3)
    .map(([i, value]) => (float(value) === 1 ? called[i] : `${called[i]} ${short(value)}`));
  return listed.join(", ") + (some.length > 3 ? ", …" : "");
}

function tokenButton(token) {
  const text = DATA.tokens[token][4];
  return el(
    "button",
    {
      type: "button",
      "data-token": token,
      "aria-pressed": token === shown.token,
      title: tokenName(token),
      onclick: () => choose(token),
    },
    word(tokenPlace(token)),
    text ? el("span", { class: "name" }, ": ", word(text)) : "",
  );
}

function mapCell(f, token) {
  const content = cell(f, shown.layer, token);
  const strength = STRONGEST[f][CONTENTS[f][shown.layer][token]];
  const isNew = changed(f, shown.layer, token);
  const text = brief(f, content);
  const much = DATA.stream.fields[f].largest
    ? Math.min(1, Math.abs(strength) / DATA.stream.fields[f].largest)
    : 0;
  const shade = strength < 0 ? "var(--negative)" : "var(--positive)";
  return el(
    "td",
    {
      class: isNew ? "new" : "",
      title: text,
      "--shade": shade,
      "--much": text ? 0.06 + 0.26 * much : 0,
    },
    word(text),
  );
}

function drawMap() {
  const some = FILLED.slice(shown.from, shown.from + WINDOW);
  const fields = DATA.fields.map((_, f) => f).filter((f) => !SILENT[f]);
  const head = el(
    "tr",
    {},
    el("th", { scope: "col" }, "token"),
    ...fields.map((f) =>
      el("th", { scope: "col", title: DATA.fields[f].holds }, DATA.fields[f].name),
    ),
  );
  const rows = some.map((token) =>
    el(
      "tr",
      { class: token === shown.token ? "chosen" : "" },
      el("th", { scope: "row" }, tokenButton(token)),
      ...fields.map((f) => mapCell(f, token)),
    ),
  );
  at("map").replaceChildren(
    el(
      "table",
      { class: "map" },
      el(
        "caption",
        {},
        `After layer ${shown.layer}: tokens ${shown.from + 1} to ` +
          `${shown.from + some.length} of ${FILLED.length.toLocaleString("en")}`,
      ),
      el("thead", {}, head),
      el("tbody", {}, ...rows),
    ),
  );
  at("stream")
    .querySelectorAll("[data-page]")
    .forEach((button) => {
      const ahead = Number(button.dataset.page) > 0;
      button.disabled = ahead ? shown.from + WINDOW >= FILLED.length : shown.from === 0;
    });
}

// All filled tokens from left to right, the fields from top to bottom: of each stretch the
// strongest.
function drawOverview() {
  const canvas = at("overview");
  if (!canvas) return;
  const fields = DATA.fields.map((_, f) => f).filter((f) => !SILENT[f]);
  const columns = Math.min(FILLED.length, 600);
  const squares = [];
  fields.forEach((f, row) => {
    const largest = DATA.stream.fields[f].largest;
    for (let column = 0; column < columns; column += 1) {
      const [from, to] = [column, column + 1].map((c) => Math.floor((c * FILLED.length) / columns));
      let most = 0;
      for (let i = from; i < to; i += 1) {
        const x = STRONGEST[f][CONTENTS[f][shown.layer][FILLED[i]]];
        if (Math.abs(x) > Math.abs(most)) most = x;
      }
      squares.push([column, row * 4, 1, 3, largest ? most / largest : 0]);
    }
  });
  paint(canvas, columns, fields.length * 4, squares);
  canvas.style.height = `${fields.length * LINE}px`;
}

function go(from) {
  shown.from = Math.max(0, Math.min(from, FILLED.length - WINDOW));
  drawMap();
}

function show(token) {
  const place = FILLED.indexOf(token);
  if (place >= 0 && (place < shown.from || place >= shown.from + WINDOW)) {
    shown.from = Math.max(0, Math.min(Math.floor(place / WINDOW) * WINDOW, FILLED.length - WINDOW));
  }
}

function overview() {
  if (FILLED.length <= WINDOW) return "";
  const fields = DATA.fields.filter((_, f) => !SILENT[f]);
  const click = (event) => {
    const box = event.target.getBoundingClientRect();
    choose(
      FILLED[
        Math.min(
          FILLED.length - 1,
          Math.floor(((event.clientX - box.left) / box.width) * FILLED.length),
        )
      ],
    );
  };
  return el(
    "div",
    { class: "over" },
    el(
      "ol",
      { "aria-hidden": true },
      ...fields.map(({ name, holds }) => el("li", { title: holds }, name)),
    ),
    el("canvas", {
      id: "overview",
      class: "overview",
      role: "img",
      onclick: click,
      "aria-label":
        `All ${FILLED.length} tokens from left to right, ${fields.length} ` +
        `fields from top to bottom; the table below has their contents.`,
    }),
  );
}

function tools() {
  if (FILLED.length <= WINDOW) return "";
  const page = (by, text) =>
    el(
      "button",
      { type: "button", "data-page": by, onclick: () => go(shown.from + by * WINDOW) },
      text,
    );
  const input = el("input", { type: "number", id: "example", min: 1, max: DATA.examples.length });
  const jump = () => {
    const token = DATA.tokens.findIndex(([, example]) => example === Number(input.value));
    if (token >= 0) choose(token);
  };
  input.addEventListener("change", jump);
  return el(
    "div",
    { class: "tools" },
    page(-1, "Tokens before"),
    page(1, "Tokens after"),
    el("label", { for: "example" }, "Example"),
    input,
    el("button", { type: "button", onclick: jump }, "Go"),
    el("button", { type: "button", onclick: () => choose(DATA.answer_token) }, "Answer token"),
  );
}

function streamFrame() {
  const empty = N - FILLED.length;
  const silent = DATA.fields.filter((_, f) => SILENT[f]).map(({ name }) => name);
  at("stream-says").textContent =
    "Each row is a token, each column a named part of its vector (hover over a name, or " +
    "read the list below). " +
    "Blue is above 0, orange below; a line under a cell means that this layer wrote it. " +
    "Choose a token to see its numbers." +
    (empty
      ? ` ${count(empty, "empty place")} of the context, without examples, ` +
        `${empty === 1 ? "is" : "are"} left out.`
      : "") +
    (silent.length
      ? ` ${silent.join(", ")} ${silent.length === 1 ? "is" : "are"} 0 throughout.`
      : "") +
    (DATA.softmax
      ? " What is below 10⁻¹² is left out here: softmax gives every token some weight."
      : "");
  const meanings = () =>
    el(
      "dl",
      { class: "pair" },
      ...DATA.fields.map(({ name, holds, width }) =>
        el(
          "div",
          {},
          el("dt", { class: "mono" }, name),
          el("dd", {}, `${holds} (${count(width, "coordinate")})`),
        ),
      ),
    );
  fill(
    "stream",
    overview(),
    tools(),
    el("div", {
      id: "map",
      class: "scroll",
      tabindex: 0,
      role: "region",
      "aria-label": "The residual stream, tokens by fields",
    }),
    folded("What the fields hold", meanings),
  );
}
