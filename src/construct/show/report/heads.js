"use strict";
// The heads of the layer that is shown, and the margins of all.

const FEW_PAIRS = 30;
const FEW_HEADS = 12;

function headText(head) {
  if (!head.count) return "No token reads anything here.";
  const [least, largest] = [short(head.least), short(head.largest)];
  const range = least === largest ? `each with ${largest}` : `with ${least} to ${largest}`;
  return (
    `${count(head.asking, "token")} read${head.asking === 1 ? "s" : ""} ` +
    `${count(head.count, "token")} in all, ${range}.`
  );
}

function closestText(head) {
  const [outside, inside] = head.closest;
  const parts = [];
  if (DATA.softmax) {
    if (inside !== null) parts.push(`least weight that counts ${short(inside)}`);
    if (outside !== null) parts.push(`largest that is to be 0: ${short(outside)}`);
  } else {
    if (inside !== null) parts.push(`least score above 0: ${short(inside)}`);
    if (outside !== null) parts.push(`closest score not above 0: ${short(outside)}`);
  }
  return parts.length ? `Margin: ${parts.join("; ")}.` : "";
}

// Rows and columns of the heat map of a head: tokens that are filled, or stretches of all tokens.
function axes(head) {
  if (!head.many) {
    const side = Math.min(FILLED.length, 256);
    return { side, token: (place) => FILLED[Math.floor((place * FILLED.length) / side)] };
  }
  const { width } = head.many;
  return {
    side: Math.ceil((FILLED[FILLED.length - 1] + 1) / width),
    token: (place) => Math.min(place * width, N - 1),
  };
}

// [column, row, strength] of what is not 0.
function dots(layer, k, side) {
  const head = DATA.layers[layer - 1].heads[k];
  const top = float(head.largest) || 1;
  if (head.many) {
    const { squares } = head.many;
    return Array.from({ length: squares.length / 3 }, (_, i) => [
      squares[3 * i + 1],
      squares[3 * i],
      squares[3 * i + 2] / top,
    ]);
  }
  const place = new Map(FILLED.map((token, i) => [token, Math.floor((i * side) / FILLED.length)]));
  return PAIRS[layer - 1][k]
    .filter(([asks, reads]) => place.has(asks) && place.has(reads))
    .map(([asks, reads, value]) => [place.get(reads), place.get(asks), float(value) / top]);
}

// Who asks from top to bottom, who is read from left to right; thin lines between examples.
function heatmap(layer, k, said) {
  const head = DATA.layers[layer - 1].heads[k];
  const { side, token } = axes(head);
  const unit = Math.max(1, Math.floor(480 / side));
  const squares = dots(layer, k, side).map(([x, y, strength]) => [
    x * unit,
    y * unit,
    unit,
    unit,
    strength,
  ]);
  const canvas = el("canvas", {
    role: "img",
    class: unit > 1 ? "" : "fine",
    "aria-label": `Heat map of head ${head.name}: ${headText(head)}`,
  });
  paint(canvas, side * unit, side * unit, squares);
  if (unit >= 8) {
    const context = canvas.getContext("2d");
    context.fillStyle = colour("--line");
    FILLED.forEach((one, i) => {
      if (!i || owner(one) === owner(FILLED[i - 1])) return;
      context.fillRect(i * unit, 0, 1, side * unit);
      context.fillRect(0, i * unit, side * unit, 1);
    });
  }
  canvas.addEventListener("mousemove", (event) => {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [
      (event.clientX - box.left) / box.width,
      (event.clientY - box.top) / box.height,
    ].map((share) => token(Math.max(0, Math.min(side - 1, Math.floor(share * side)))));
    said.replaceChildren("↓ ", word(tokenName(y)), "  → ", word(tokenName(x)));
  });
  return canvas;
}

function pairRows(pairs) {
  return pairs
    .slice(0, FEW_PAIRS)
    .map(([asks, reads, value]) => [word(tokenName(asks)), word(tokenName(reads)), short(value)]);
}

const PAIR_HEADERS = [["token"], ["reads"], ["with", "number"]];

function pairTable(layer, k) {
  const pairs = PAIRS[layer - 1][k].slice().sort((a, b) => float(b[2]) - float(a[2]));
  const more = DATA.layers[layer - 1].heads[k].count - Math.min(FEW_PAIRS, pairs.length);
  return scrolled(
    `Pairs of head ${DATA.layers[layer - 1].heads[k].name}`,
    table("The strongest", PAIR_HEADERS, pairRows(pairs)),
    more > 0 ? el("p", { class: "quiet" }, `and ${count(more, "more pair")}.`) : "",
  );
}

function card(layer, k) {
  const head = DATA.layers[layer - 1].heads[k];
  const said = el("p", { class: "axis" }, "↓ asks, → is read");
  return el(
    "article",
    { class: "card", "data-head": k },
    el("h3", {}, "Head ", word(head.name)),
    el("p", {}, word(ordinal(head.purpose))),
    heatmap(layer, k, said),
    said,
    el("p", {}, headText(head)),
    el("p", { class: "quiet" }, closestText(head)),
    folded("The pairs", () => pairTable(layer, k)),
  );
}

// What the chosen token reads in this head, in numbers.
function readingsOf(layer, k, token) {
  const head = DATA.layers[layer - 1].heads[k];
  const own = PAIRS[layer - 1][k].filter(([asks]) => asks === token);
  if (own.length || !head.many) return own;
  const { tokens } = head.many;
  for (let i = 0; i < tokens.length; i += 4) {
    if (tokens[i] === token) return [[token, tokens[i + 2], tokens[i + 3], tokens[i + 1]]];
  }
  return [];
}

function headsText(working, mlp) {
  const squares = working.length
    ? "Each square is a head. A dot means that the token of its row, counted from the top, reads " +
      "the token of its column, counted from the left; the stronger, the fuller its colour."
    : "No head works here.";
  return mlp ? `${squares} Then the MLP of this layer, at each token by itself: ${mlp}.` : squares;
}

function drawHeads() {
  const { layer } = shown;
  if (!layer) {
    at("heads-says").textContent =
      "The embedding has no heads: every token is put into its place by itself.";
    fill("heads");
    return;
  }
  const { heads, mlp } = DATA.layers[layer - 1];
  const all = heads.map((_, k) => k);
  const working = all.filter((k) => heads[k].count);
  const found = all.filter((k) => !heads[k].idle && !heads[k].count);
  const idle = all.filter((k) => heads[k].idle).length;
  at("heads-says").textContent = headsText(working, mlp);
  const cards = (some) => el("div", { class: "cards" }, ...some.map((k) => card(layer, k)));
  const named = (k) => el("li", {}, el("b", {}, word(heads[k].name)), ": ", word(heads[k].purpose));
  const [first, rest] = [working.slice(0, FEW_HEADS), working.slice(FEW_HEADS)];
  const nothing = `${count(found.length, "head")} that found nothing in this prompt`;
  const why =
    "Every layer has equally many heads; these have no weight other than 0, and do nothing.";
  fill(
    "heads",
    cards(first),
    rest.length ? folded(`${count(rest.length, "more head")} at work`, () => cards(rest)) : "",
    found.length ? folded(nothing, () => el("ul", {}, ...found.map(named))) : "",
    idle ? folded(`${count(idle, "idle head")}, all zero`, () => el("p", {}, why)) : "",
  );
}

function drawMargins() {
  const rows = [];
  DATA.layers.forEach(({ name, heads }, i) => {
    for (const head of heads) {
      if (head.idle || head.closest.every((x) => x === null)) continue;
      const [outside, inside] = head.closest.map((x) => (x === null ? "none" : short(x)));
      rows.push([`${i + 1} ${name}`, word(head.name), outside, inside]);
    }
  });
  at("margins-says").textContent = DATA.softmax
    ? `A weight of attention is meant to be there, or to be 0. For each head: the largest ` +
      `weight that is to be 0 (at most ${short(DATA.leak)} is allowed), and the least one ` +
      `that counts. The wider the gap, the farther the pass was from a wrong decision.`
    : "A pair of tokens counts if its score is above 0, and not otherwise. For each head: " +
      "the score closest to 0 among the pairs that do not count (0 is a pair that is " +
      "switched off), and the least among those that do. The farther both are from 0, the " +
      "farther the pass was from a wrong decision.";
  const headers = DATA.softmax
    ? [["layer"], ["head"], ["largest that is to be 0", "number"], ["least that counts", "number"]]
    : [["layer"], ["head"], ["closest not above 0", "number"], ["least above 0", "number"]];
  fill(
    "margins",
    rows.length
      ? scrolled("Margins of the heads", table("Scores closest to the line", headers, rows))
      : el("p", {}, "No head had a pair of tokens to decide about."),
  );
}
