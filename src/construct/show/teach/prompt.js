"use strict";
/* The prompt that a setting makes: the same one for the same setting, on any machine. */

/* A 32-bit number that looks random, for some whole numbers. */
function mixed(...numbers) {
  let found = 0x9e3779b9;
  for (const number of numbers) {
    found = Math.imul(found ^ number, 0x85ebca6b);
    found = Math.imul(found ^ (found >>> 13), 0xc2b2ae35);
    found ^= found >>> 16;
  }
  return found >>> 0;
}

/* Entries in an order that the seed gives; each keeps its place when others come or go. */
function shuffled(entries, ...seeds) {
  const keyed = entries.map((entry) => [mixed(...seeds, ...entry), entry]);
  keyed.sort(([a, one], [b, other]) => a - b || one[0] - other[0]);
  return keyed.map(([, entry]) => entry);
}

/* [input, label] in the order in which examples of a task are taken; none is on the query.

   Those that another task explains too come last, unless `several` lets them in: as a rule an
   example votes for the task whose slider it is from. After the tasks come, as the last number,
   examples that none explains. */
function drawn(data, number, { query, seed, several }) {
  const { tasks } = data;
  if (number === tasks.length) return unexplained(data, query, seed);
  const own = tasks[number].table.filter(([input]) => input !== query);
  const found = shuffled(own, seed, number);
  if (several) return found;
  const others = tasks.filter((_, k) => k !== number).map((task) => new Map(task.table));
  const alone = ([input, label]) => others.every((table) => table.get(input) !== label);
  return [...found.filter(alone), ...found.filter((entry) => !alone(entry))];
}

/* For each slider all that it can give, in order. */
function allDrawn(data, setting) {
  return [...data.tasks, null].map((_, k) => drawn(data, k, setting).slice(0, data.sizes.m));
}

/* As many as a prompt can hold. */
function unexplained({ tasks, words, queries, sizes }, query, seed) {
  const tables = tasks.map((task) => new Map(task.table));
  const found = [];
  for (let i = 0; found.length < sizes.m && i < 100 * sizes.m; i += 1) {
    const input = queries[mixed(seed, tasks.length, i) % queries.length];
    const label = mixed(seed, tasks.length + 1, i) % words.length;
    const fits = tables.some((table) => table.get(input) === label);
    if (input !== query && !fits) found.push([input, label]);
  }
  return found;
}

/* The examples of a setting, as [input, label, number of the task that they are taken from]. */
function examplesOf(data, setting, lists = allDrawn(data, setting)) {
  const found = setting.counts.flatMap((count, k) => lists[k].slice(0, count)
    .map(([input, label]) => [input, label, k]));
  return shuffled(found, setting.seed, data.tasks.length + 2);
}

/* What `Network.run` takes, for words. */
function oneHot(examples, query) {
  return {
    examples: examples.map(([input, label]) => [[[input, 1]], [[label, 1]]]),
    query: [[[query, 1]]],
  };
}

/* The text of a prompt file. */
function promptText(words, examples, query) {
  const lines = examples.map(([input, label]) => `${words[input]} -> ${words[label]}`);
  return [...lines, `${words[query]} ->`].join("\n") + "\n";
}

/* A setting as the address of the page keeps it, and back; what does not fit is left out. */
function toHash({ counts, query, seed, several, layer }, words) {
  const kept = { c: counts.join(","), query: words[query], seed, several: several ? 1 : 0, layer };
  return new URLSearchParams(kept).toString();
}

function fromHash(hash, start, data) {
  const asked = new URLSearchParams(hash.replace(/^#/, ""));
  const found = { ...start, counts: [...start.counts] };
  const whole = (text, most) => (/^\d{1,9}$/.test(text ?? "") && +text <= most ? +text : null);
  const counts = (asked.get("c") ?? "").split(",").map((text) => whole(text, data.sizes.m));
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (counts.length === start.counts.length && !counts.includes(null) && total <= data.sizes.m) {
    found.counts = counts;
  }
  const query = data.words.indexOf(asked.get("query"));
  if (data.queries.includes(query)) found.query = query;
  found.seed = whole(asked.get("seed"), 999999999) ?? start.seed;
  found.several = (whole(asked.get("several"), 1) ?? Number(start.several)) === 1;
  found.layer = whole(asked.get("layer"), data.layers.length) ?? start.layer;
  return found;
}
