"use strict";
/* What each layer does, in a sentence, with the numbers of the prompt that is shown. */

const plural = (count, one) => `${count} ${one}${Number(count) === 1 ? "" : "s"}`;

/* A number as people read it: whole, or with six digits. */
function number(x) {
  return Number.isInteger(x) ? String(x) : String(Number(x.toPrecision(6)));
}

function percent(share) {
  return `${Number((100 * share).toPrecision(4))} %`;
}

/* What a vector over words holds: "Paris", or "8·Berlin + 2·Europe". */
function wordSum(vector, words, write = number) {
  const found = [];
  vector.forEach((x, i) => x !== 0 && found.push([x, words[i]]));
  found.sort(([a], [b]) => b - a);
  return found.map(([x, word]) => (x === 1 ? word : `${write(x)}·${word}`)).join(" + ");
}

const EMBEDDING = ({ data, query, prompt }) =>
  `Every word of the prompt is a token, ${plural(prompt.length, "example")} of two tokens each `
  + `and ${query}, the query. A token holds its own word (tok) and codes of its place (pe: which `
  + `example, pt: which place in it). ${data.layers.length} layers follow.`;

const IDLE = () => "Nothing happens here: for these tasks all heads of this layer are idle.";

const LAYERS = {
  gather: () => "Tokens fetch what a task reads at other places of the same example.",
  label: () =>
    "Every token reads the label of its own example, the word after the arrow, into lab: now the "
    + "question and its answer stand at one token.",
  query: ({ query }) =>
    `Every token that is an input reads the query, ${query}, into qry. The query has no label, so `
    + "its lab stays empty.",
  superpose: ({ data, votes }) =>
    "All tasks at once: head k asks each example whether task k turns its word into its label. "
    + "If so, it writes task k's answer for the query into out and 1 into cnt: a vote. "
    + `Examples found: ${data.tasks.map((task, k) => `${task.name} ${votes[k]}`).join(", ")}.`,
  pool: ({ data, field }) =>
    `The answer token adds up what all tokens found: ${plural(number(field("tot")[0]), "vote")} `
    + `(tot), and in out ${wordSum(field("out"), data.words) || "nothing"}.`,
  square: ({ data, field }) => {
    const [total] = field("tot").map(number);
    const found = `a table of reciprocals, ${data.sizes.N} / ${total} = ${number(field("rec")[0])}`;
    return `To divide by ${total}, the answer token takes its square (sq), which picks out the `
      + `entry of ${field("tot")[0] ? found : "a table; for 0 there is none"} (rec).`;
  },
  divide: ({ data, answer }) =>
    `out times rec, over the ${data.sizes.N} places of the context, goes to tok: the answer, `
    + `${answer || "which is 0 as nothing voted"}.`,
};

/* The sentence of layer `number` (0: the embedding) for what is shown. */
function sentenceOf(layerNumber, shown) {
  if (layerNumber === 0) return EMBEDDING(shown);
  const layer = shown.data.layers[layerNumber - 1];
  const said = layer.idle ? IDLE : (LAYERS[layer.name] ?? (() => layer.lemma));
  return said(shown);
}
