"use strict";
// What the page is about, and the stream in a form that is quick to ask.

const DATA = JSON.parse(document.getElementById("data").textContent);
const LAST = DATA.layers.length;
const N = DATA.tokens.length;

// contents[field][layer][token]: which of the field's cells the token holds.
const CONTENTS = DATA.stream.fields.map(({ changes }) => {
  let now = new Int32Array(N);
  return changes.map((list) => {
    if (list.length) now = now.slice();
    for (let i = 0, token = 0; i < list.length; i += 2) {
      token += list[i];
      now[token] = list[i + 1];
    }
    return now;
  });
});

const cell = (field, layer, token) =>
  DATA.stream.fields[field].cells[CONTENTS[field][layer][token]];
const changed = (field, layer, token) =>
  layer > 0 && CONTENTS[field][layer][token] !== CONTENTS[field][layer - 1][token];

// A number of the page as a float: fractions are texts "p/q".
function float(x) {
  if (typeof x === "number") return x;
  const [above, below] = x.split("/");
  if (!below) return Number(x);
  // Of numbers beyond the range of floats the first digits are enough.
  const end = Math.min(0, 300 - Math.max(above.length, below.length)) || undefined;
  return Number(above.slice(0, end)) / Number(below.slice(0, end));
}

// [[first entry, how many, value], ...] of the entries that are not 0.
function runs(content) {
  if (content.all) {
    return content.all.map((value, at) => [at, 1, value]).filter(([, , value]) => value !== 0);
  }
  if (content.largest) return runs(content.largest);
  const found = [];
  for (let i = 0; i < content.length; i += 3) found.push(content.slice(i, i + 3));
  return found;
}

// What is smaller is not told from 0 in pictures: softmax gives every token some weight, e^-gamma.
const LEAST = DATA.stream.fields.map(({ largest }) =>
  Math.max(largest * 1e-9, DATA.softmax ? 1e-12 : 0),
);

// The entry of largest absolute value, of each cell of a field: how strong its colour is.
const STRONGEST = DATA.stream.fields.map(({ cells }, f) =>
  cells.map((content) =>
    runs(content).reduce((most, [, , value]) => {
      const x = float(value);
      return Math.abs(x) > Math.max(Math.abs(most), LEAST[f]) ? x : most;
    }, 0),
  ),
);

// Tokens that the prompt fills; the others are empty places. So is what stands behind the answer
// token of a decoder.
const FILLED = [];
DATA.tokens.forEach(([kind], index) => {
  const behind = DATA.causal && index > DATA.answer_token;
  if (kind !== "blank" && kind !== "padding" && !behind) FILLED.push(index);
});

function owner(token) {
  const [, example, query] = DATA.tokens[token];
  return query ? "query" : example ? `example ${example}` : "";
}

function role(token) {
  const [kind, , , position] = DATA.tokens[token];
  if (token === DATA.answer_token && kind === "input") return `input ${position}, answers`;
  if (kind === "answer" && token !== DATA.answer_token) return "label, empty";
  return kind === "input" || kind === "scratch" ? `${kind} ${position}` : kind;
}

function tokenPlace(token) {
  const whose = owner(token);
  if (whose) return `${whose}, ${role(token)}`;
  return DATA.tokens[token][0] === "sink" ? "the sink" : `${role(token)} ${token + 1}`;
}

function tokenName(token) {
  const text = DATA.tokens[token][4];
  return text ? `${tokenPlace(token)}: ${text}` : tokenPlace(token);
}

// The pairs of a head: [asking, read, value] of those that the page has one by one.
const PAIRS = DATA.layers.map(({ heads }) =>
  heads.map((head) => {
    if (!head.pairs) return [];
    const found = [];
    const { values, each } = head.pairs;
    for (let i = 0, asks = 0; i < each.length; i += 3) {
      asks += each[i];
      found.push([asks, each[i + 1], values[each[i + 2]]]);
    }
    return found;
  }),
);
