"use strict";
/* The residual stream after a layer: a map of tokens by fields, and one token in numbers. */

/* The tokens of the prompt, the query's first: what reads the answer is worth the top row. */
function tokensOf({ data, examples, setting }) {
  const { length, m } = data.sizes;
  const { words } = data;
  const pair = (slot, owner, texts) => texts.map((text, i) => ({
    index: slot * length + i, owner, text, role: i === 0 ? "input" : "label", first: i === 0,
  }));
  const [input, answer] = pair(m, "query", [words[setting.query], "answer"]);
  const found = [input, { ...answer, role: "answer" }];
  examples.forEach(([one, label], slot) =>
    found.push(...pair(slot, `example ${slot + 1}`, [words[one], words[label]])));
  return found;
}

const ownerOf = (token) => token.owner[0].toUpperCase() + token.owner.slice(1);

/* What a field holds at a token, as a vector; null where the stream is 0 throughout. */
function held(rows, token, field) {
  const row = rows[token];
  const of = (vector) => vector.subarray(field.start, field.start + field.width);
  return row && of(row).some((x) => x !== 0) ? of(row) : null;
}

/* In words where a field has a coordinate for each of them, else in numbers, codes by sign. */
function writtenField(vector, field, data, write = number) {
  if (!vector) return "";
  if (field.width === data.sizes.d) return wordSum(vector, data.words, write);
  const plain = Array.from(vector);
  const code = plain.every((x) => Math.abs(x) === 1) && field.width > 1;
  if (code) return plain.map((x) => (x > 0 ? "+" : "−")).join("");
  return plain.map(write).join(", ");
}

function isChanged(states, layer, token, field) {
  if (layer === 0) return false;
  const [now, before] = [states[layer], states[layer - 1]].map((rows) => held(rows, token, field));
  if (!now || !before) return Boolean(now) !== Boolean(before);
  return now.some((x, i) => x !== before[i]);
}

class StreamMap {
  constructor(data, onSelect) {
    this.data = data;
    this.onSelect = onSelect;
    this.selected = { row: 1, column: 0 };
    this.table = byId("map");
    this.table.addEventListener("keydown", (event) => this.key(event));
    this.table.addEventListener("click", (event) => {
      const cell = event.target.closest("td");
      if (cell) this.select(Number(cell.dataset.row), Number(cell.dataset.column), true);
    });
  }

  show(shown) {
    this.shown = shown;
    this.tokens = tokensOf(shown);
    if (this.selected.row >= this.tokens.length) this.selected = { row: 1, column: 0 };
    const focused = this.table.contains(document.activeElement);
    const { fields } = this.data;
    const heads = fields.map((field) =>
      element("th", { scope: "col", class: this.kind(field), title: field.holds }, field.name));
    this.table.replaceChildren(
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "token"), ...heads)),
      element("tbody", {}, ...this.tokens.map((token, row) => this.row(token, row))));
    this.select(this.selected.row, this.selected.column, focused);
    const { m, length, N } = this.data.sizes;
    const empty = (m - shown.examples.length) * length;
    byId("map-name").textContent =
      `The residual stream after ${layerName(shown)}: a row for each token, a column for each `
      + "field; framed is what this layer changed. The query stands last in the context and first "
      + `here. Not shown: ${plural(empty, "token")} of empty slots, which hold codes and 1 alone, `
      + `and ${N - (m + 1) * length} of padding, which are 0.`;
  }

  kind(field) {
    if (field.width === this.data.sizes.d) return "wide";
    return field.width > 1 ? "code" : "single";
  }

  row(token, row) {
    const { states } = this.shown.pass;
    const { layer } = this.shown.setting;
    const number_ = token.owner === "query" ? "?" : token.owner.replace("example ", "");
    const name = element("th", { scope: "row" },
      element("span", { class: "quiet owner" }, token.first ? number_ : ""),
      token.role === "label" ? `→ ${token.text}` : token.text);
    const cells = this.data.fields.map((field, column) => {
      const vector = held(states[layer], token.index, field);
      const changed = isChanged(states, layer, token.index, field);
      const text = writtenField(vector, field, this.data);
      return element("td", {
        tabindex: -1, "data-row": row, "data-column": column,
        class: `${this.kind(field)} ${vector ? "on" : ""} ${changed ? "changed" : ""}`,
      }, element("span", {}, text || "0"),
      changed && element("span", { class: "spoken" }, " changed"));
    });
    return element("tr", { class: token.first ? "first" : "" }, name, ...cells);
  }

  cell(row, column) {
    return this.table.querySelector(`td[data-row="${row}"][data-column="${column}"]`);
  }

  select(row, column, focus) {
    const old = this.cell(this.selected.row, this.selected.column);
    if (old) {
      old.tabIndex = -1;
      old.removeAttribute("aria-selected");
    }
    this.selected = { row, column };
    const cell = this.cell(row, column);
    cell.tabIndex = 0;
    cell.setAttribute("aria-selected", "true");
    if (focus) cell.focus();
    this.onSelect(this.tokens[row], this.data.fields[column]);
  }

  key(event) {
    const { row, column } = this.selected;
    const [lastRow, lastColumn] = [this.tokens.length - 1, this.data.fields.length - 1];
    const to = {
      ArrowUp: [Math.max(row - 1, 0), column],
      ArrowDown: [Math.min(row + 1, lastRow), column],
      ArrowLeft: [row, Math.max(column - 1, 0)],
      ArrowRight: [row, Math.min(column + 1, lastColumn)],
      Home: [row, 0],
      End: [row, lastColumn],
      PageUp: [Math.max(row - 10, 0), column],
      PageDown: [Math.min(row + 10, lastRow), column],
    }[event.key];
    if (!to || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.select(...to, true);
  }
}

function layerName({ data, setting }) {
  return setting.layer === 0 ? "the embedding"
    : `layer ${setting.layer}, ${data.layers[setting.layer - 1].name}`;
}

/* Whom the token read in this layer, head by head; the rest is counted. */
const LISTED = 4;

function readBy(shown, token, names) {
  const { data, pass, setting } = shown;
  if (setting.layer === 0) return [];
  return data.layers[setting.layer - 1].heads.flatMap((head, k) => {
    const own = pass.pairs[setting.layer - 1][k].filter(([asks]) => asks === token.index);
    if (!own.length) return [];
    const alike = own.every(([, , score]) => score === own[0][2]);
    const listed = own.slice(0, LISTED)
      .map(([, j, score]) => names(j) + (alike ? "" : ` with ${number(score)}`));
    const rest = own.length - listed.length;
    const more = rest > 0 ? `; and ${plural(rest, "other token")}` : "";
    const score = alike ? `, with ${number(own[0][2])}${own.length > 1 ? " each" : ""}` : "";
    return [`Head ${head.name} read ${listed.join("; ")}${more}${score}.`];
  });
}

/* The numbers of the selected token, all digits of them. */
function showNumbers(shown, tokens, token, field) {
  const { data, pass, setting } = shown;
  const byIndex = new Map(tokens.map((one) => [one.index, one]));
  const name = (one) => `${one.text} (${one.owner})`;
  const names = (index) => (byIndex.has(index) ? name(byIndex.get(index)) : `token ${index + 1}`);
  const rows = data.fields.flatMap((one) => {
    const vector = held(pass.states[setting.layer], token.index, one);
    if (!vector && one !== field) return [];
    const fresh = isChanged(pass.states, setting.layer, token.index, one);
    return [
      element("dt", { class: one === field ? "here" : "" }, one.name),
      element("dd", {}, writtenField(vector, one, data, String) || "0",
        fresh && element("span", { class: "new" }, " new")),
    ];
  });
  const read = readBy(shown, token, names).map((text) => element("p", {}, text));
  byId("numbers").replaceChildren(
    element("h3", {}, `${ownerOf(token)}, ${token.role}`),
    element("p", { class: "quiet" }, `${token.text}; after ${layerName(shown)}`),
    element("dl", {}, ...rows),
    element("p", { class: "quiet" }, `${field.name}: ${field.holds}.`),
    ...read);
}
