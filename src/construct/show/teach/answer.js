"use strict";
/* Sliders, the prompt, the bars of the answer, and the formula with its numbers. */

const byId = (id) => document.getElementById(id);

/* An element with attributes and children; a property that is no attribute goes by `on...`. */
function element(name, attributes = {}, ...children) {
  const found = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) found[key] = value;
    else if (key.startsWith("--")) found.style.setProperty(key, value);
    else if (value !== null && value !== false) found.setAttribute(key, value);
  }
  found.append(...children.filter((child) => child !== false && child !== null));
  return found;
}

const taskColour = (k) => `var(--task-${(k % 8) + 1})`;

/* One for each task, and one for examples that none explains. */
function madeSliders({ data, onCount }) {
  byId("sliders").replaceChildren(...[...data.tasks, null].map((task, k) => {
    const slider = element("input", {
      type: "range", id: `slider-${k}`, min: 0, step: 1, max: data.sizes.m,
      oninput: (event) => onCount(k, Number(event.target.value)),
    });
    const label = element("label", { for: slider.id },
      element("strong", {}, task ? task.name : "no task"),
      element("span", { class: "quiet such" }));
    return element("div", { class: "slider", "--task": task ? taskColour(k) : "var(--quiet)" },
      label, element("output", { for: slider.id }), slider);
  }));
}

function showSliders({ data, setting, lists, examples }) {
  [...byId("sliders").children].forEach((box, k) => {
    const [first] = lists[k];
    const such = first ? ` ${data.words[first[0]]} → ${data.words[first[1]]}` : "";
    const slider = box.querySelector("input");
    slider.max = lists[k].length;
    slider.value = setting.counts[k];
    slider.setAttribute("aria-valuetext", plural(setting.counts[k], "example"));
    box.querySelector(".such").textContent = such;
    box.querySelector("output").textContent = setting.counts[k];
  });
  byId("several").checked = setting.several;
  const { m } = data.sizes;
  byId("room").textContent = examples.length < m
    ? `${plural(examples.length, "example")}; this network takes up to ${m}.`
    : `${m} examples: this network takes no more. Take some of one task for more of another.`;
}

/* One row for each word that a task answers, and for what else the network says. */
function rowsOf({ data, setting, pass, votes }) {
  const rows = new Map();
  data.tasks.forEach((task, k) => {
    const image = task.table.find(([input]) => input === setting.query)?.[1];
    if (image === undefined) return;
    if (!rows.has(image)) rows.set(image, { word: image, tasks: [] });
    rows.get(image).tasks.push(k);
  });
  pass.answer.forEach((share, word) => {
    if (share !== 0 && !rows.has(word)) rows.set(word, { word, tasks: [] });
  });
  return [...rows.values()].map((row) => ({
    ...row,
    share: pass.answer[row.word],
    votes: row.tasks.reduce((sum, k) => sum + votes[k], 0),
  }));
}

function showBars(shown) {
  const { data, votes, total } = shown;
  byId("bars").replaceChildren(...rowsOf(shown).map((row) => {
    const parts = row.tasks.map((k) => element("span", {
      class: "part", "--task": taskColour(k),
      "--share": row.votes ? (100 * row.share * votes[k]) / row.votes : 0,
    }));
    const why = row.tasks.map((k) => `${data.tasks[k].name}: ${number(votes[k])}`).join(", ");
    return element("li", { class: row.share ? "" : "none" },
      element("strong", { class: "word" }, data.words[row.word]),
      element("span", { class: "share number" }, percent(row.share)),
      element("span", { class: "track" }, ...parts),
      element("span", { class: "why quiet" }, `${why || "no task"} of ${plural(total, "vote")}`));
  }));
  const several = shown.voters.filter((tasks) => tasks.length > 1).length;
  const none = shown.voters.filter((tasks) => tasks.length === 0).length;
  byId("note").textContent = [
    several && `${plural(several, "example")} fit${several === 1 ? "s" : ""} more than one task, `
      + `and vote${several === 1 ? "s" : ""} for each.`,
    none && `${plural(none, "example")} fit${none === 1 ? "s" : ""} no task: no vote.`,
    !total && "No example votes: the answer is 0 for every word. Move a slider.",
  ].filter(Boolean).join(" ");
}

function fraction(over, under) {
  return element("span", { class: "fraction", "aria-hidden": "true" },
    element("span", {}, ...[over].flat()), element("span", {}, ...[under].flat()));
}

function showFormula(shown) {
  const { data, votes, total, setting } = shown;
  const terms = data.tasks.map((task, k) => {
    const image = task.table.find(([input]) => input === setting.query)?.[1];
    return `${number(votes[k])}·${image === undefined ? "0" : data.words[image]}`;
  });
  const under = `${votes.map(number).join(" + ")} = ${number(total)}`;
  const said = rowsOf(shown).filter((row) => row.share)
    .map((row) => `${number(row.share)}·${data.words[row.word]}`).join(" + ") || "0";
  const sub = (text) => element("sub", {}, text);
  if (!total) {
    byId("formula").replaceChildren(
      element("p", {}, "No example votes: the answer is 0 by definition; nothing is divided."));
    return;
  }
  const spoken = (text) => element("span", { class: "spoken" }, text);
  byId("formula").replaceChildren(
    element("p", {}, "answer = ",
      fraction(["Σ c", sub("k"), " f", sub("k"), `(${shown.query})`], ["Σ c", sub("k")]),
      spoken("the sum of c k times f k of the query, over the sum of c k")),
    element("p", {}, "= ", fraction(terms.join(" + "), under),
      spoken(`(${terms.join(" + ")}) / (${under})`)),
    element("p", {}, `= ${said}`));
}

function showPrompt({ data, examples, voters, query }) {
  const { words } = data;
  byId("prompt").replaceChildren(...examples.map(([input, label], i) => {
    const found = voters[i].map((k) =>
      element("span", { class: "found", "--task": taskColour(k) }, data.tasks[k].name));
    if (!found.length) found.push(element("span", { class: "found" }, "no task"));
    const [first] = voters[i];
    return element("li", { "--task": first === undefined ? "var(--quiet)" : taskColour(first) },
      element("span", { class: "pair" }, `${words[input]} → ${words[label]}`), " ", ...found);
  }));
  byId("text").textContent = promptText(words, examples, words.indexOf(query));
  for (const place of document.querySelectorAll(".asked")) place.textContent = query;
}
