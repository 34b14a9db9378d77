"use strict";
/* What is shown, and what the reader does. */

const data = JSON.parse(byId("data").textContent);
const network = new Network(data);
let setting = fromHash(location.hash, data.start, data);
let shown = null;

/* Everything that a setting shows: the prompt, the pass over it, and what is read off it. */
function computed() {
  const lists = allDrawn(data, setting);
  const counts = setting.counts.map((count, k) => Math.min(count, lists[k].length));
  setting = { ...setting, counts };
  const examples = examplesOf(data, setting, lists);
  const pass = network.run(oneHot(examples, setting.query));
  const heads = pass.attended[data.votes - 1];
  const { length } = data.sizes;
  // Of each example the tasks whose heads gave something at one of its tokens.
  const voters = examples.map((_, slot) => heads.flatMap((given, k) =>
    (given.subarray(slot * length, (slot + 1) * length).some((x) => x > 0) ? [k] : [])));
  const votes = data.tasks.map((_, k) => heads[k].reduce((sum, x) => sum + x, 0));
  const field = (name) => {
    const { start, width } = data.fields.find((one) => one.name === name);
    return pass.states[setting.layer][network.answer].slice(start, start + width);
  };
  return {
    data, setting, lists, examples, pass, voters, votes, field,
    query: data.words[setting.query],
    total: votes.reduce((sum, x) => sum + x, 0),
    prompt: examples,
    answer: wordSum(pass.answer, data.words, percent).replaceAll("·", " "),
  };
}

const map = new StreamMap(data, (token, field) => showNumbers(shown, map.tokens, token, field));

function show() {
  cancelAnimationFrame(due);
  due = 0;
  shown = computed();
  showSliders(shown);
  byId("query").value = setting.query;
  showPrompt(shown);
  showBars(shown);
  showFormula(shown);
  showLayer();
}

function showLayer() {
  const { layer } = setting;
  [...byId("steps").children].forEach((button, i) => {
    if (i === layer) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  });
  byId("back").disabled = layer === 0;
  byId("next").disabled = layer === data.layers.length;
  const name = layer ? data.layers[layer - 1].name : "embedding";
  byId("layer-name").textContent = layer ? `Layer ${layer}: ${name}` : "Before layer 1: embedding";
  byId("sentence").textContent = sentenceOf(layer, shown);
  const one = data.layers[layer - 1];
  byId("lemma").textContent = one ? one.lemma
    : "Each token holds its vector, and codes of its place.";
  const heads = one ? one.heads.filter(Boolean) : [];
  byId("heads").replaceChildren(
    ...heads.map((head) => element("li", {}, `head ${head.name}: ${head.purpose}`)),
    ...(one?.mlp ? [element("li", {}, `MLP: ${one.mlp}`)] : []),
    ...(one && !one.idle ? [] : [element("li", {}, "no head and no MLP works here")]));
  map.show(shown);
}

/* Change the setting. A slider says more in a moment than a screen shows: one pass a frame. */
let due = 0;
function set(change) {
  setting = { ...setting, ...change };
  if (due === 0) due = requestAnimationFrame(show);
  keep();
}

/* What is shown, once all that was set is shown. */
function settled() {
  if (due !== 0) show();
  return shown;
}

/* The address keeps the setting; browsers take few changes of it in a second. */
let keeping = 0;
function keep() {
  clearTimeout(keeping);
  keeping = setTimeout(() => {
    history.replaceState(null, "", `#${toHash(setting, data.words)}`);
  }, 250);
}

function count(k, wanted) {
  const others = setting.counts.reduce((sum, one, i) => (i === k ? sum : sum + one), 0);
  const counts = [...setting.counts];
  counts[k] = Math.min(wanted, data.sizes.m - others);
  set({ counts });
}

function step(by) {
  const layer = Math.min(Math.max(setting.layer + by, 0), data.layers.length);
  if (layer !== setting.layer) set({ layer });
}

function prepare() {
  madeSliders({ data, onCount: count });
  byId("query").replaceChildren(
    ...[...data.queries]
      .sort((a, b) => data.words[a].localeCompare(data.words[b], "en"))
      .map((word) => element("option", { value: word }, data.words[word])));
  byId("several").onchange = (event) => set({ several: event.target.checked });
  byId("query").onchange = (event) => set({ query: Number(event.target.value) });
  byId("others").onclick = () => set({ seed: setting.seed + 1 });
  byId("back").onclick = () => step(-1);
  byId("next").onclick = () => step(1);
  byId("steps").replaceChildren(...[{ name: "embed" }, ...data.layers].map((layer, i) =>
    element("button", { type: "button", onclick: () => set({ layer: i }) },
      String(i), element("span", { class: "name" }, ` ${layer.name}`))));
  byId("voting").textContent = data.votes;
  byId("nonzeros").textContent = Object.values(data.weights)
    .reduce((sum, weight) => sum + weight.values.length, 0).toLocaleString("en");
  byId("fields").replaceChildren(...data.fields.flatMap((field) => [
    element("dt", {}, field.name),
    element("dd", {}, `${field.holds} (${plural(field.width, "coordinate")})`),
  ]));
}

document.addEventListener("keydown", (event) => {
  const busy = event.target.closest("input, select, textarea, table, pre, aside");
  if (busy || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
  if (event.key === "ArrowRight") step(1);
  else if (event.key === "ArrowLeft") step(-1);
  else return;
  event.preventDefault();
});

window.addEventListener("hashchange", () => {
  setting = fromHash(location.hash, data.start, data);
  show();
});

prepare();
show();

/* For tests, and for those who want to look: change a weight and show what becomes of it. */
window.construct = {
  data,
  network,
  set,
  show,
  shown: settled,
};
