"use strict";
// The prompt, and the answer beside the shares of the examples.

const FEW_EXAMPLES = 60;
const FEW_TASKS = 12;

function drawAbout() {
  const { sizes, design, of, attention, executor, dtype } = DATA;
  const kind = of ? `${design} of ${of}` : design;
  const numbers = executor === "exact" ? "exact rationals" : `${dtype}, by ${executor}`;
  fill(
    "about",
    `A transformer whose weights were written down by a compiler, not trained: design ${kind}, ` +
      `${attention.replace("relu", "ReLU")} attention, ${count(LAST, "layer")} of ` +
      `${count(DATA.layers[0].heads.length, "head")}, ` +
      `width ${sizes.D}, ${sizes.N.toLocaleString("en")} tokens. It holds ` +
      `${count(sizes.K, "task")}, ` +
      `read the prompt below once (${numbers}), and ` +
      (DATA.tasks.some(({ votes }) => float(votes))
        ? "answered with all of them at once, in the shares in which the examples show them."
        : "found no example of any of them."),
  );
}

function voters(votes) {
  const found = [];
  for (let i = 0; i < votes.length; i += 3)
    found.push({ k: votes[i], vote: votes[i + 1], token: votes[i + 2] });
  return found;
}

function exampleText([, inputs, label]) {
  const parts = inputs.flatMap((input, i) => (i ? [", ", word(input)] : [word(input)]));
  return el("span", {}, ...parts, " → ", word(label));
}

function exampleItem(example, i) {
  const found = voters(example[3]);
  const tasks = found.length
    ? found.map(({ k }) => task(k))
    : [el("span", { class: "quiet" }, "no task")];
  return el(
    "li",
    {},
    el("span", { class: "at quiet" }, `${i + 1}`),
    el("span", {}, exampleText(example), ...tasks),
  );
}

function drawPrompt() {
  const examples = DATA.examples;
  const none = examples.filter((example) => !example[3].length).length;
  const several = examples.filter((example) => example[3].length > 3).length;
  const apart = [
    none ? `${count(none, "example")} fit${none === 1 ? "s" : ""} no task` : "",
    several ? `${count(several, "example")} fit${several === 1 ? "s" : ""} several` : "",
  ].filter(Boolean);
  at("prompt-says").textContent = examples.length
    ? `${count(examples.length, "example")}, none of which says what its task is, and a ` +
      `query. Beside ` +
      `each stands the task that the network recognised in ` +
      `it${apart.length ? `; ${apart.join(", ")}` : ""}.`
    : "A query without any example: no task has a vote.";
  const list = (some, from) =>
    el("ol", { class: "examples" }, ...some.map((example, i) => exampleItem(example, from + i)));
  const query = DATA.asked.flatMap((input, i) => (i ? [", ", word(input)] : [word(input)]));
  const rest = examples.length - FEW_EXAMPLES;
  fill(
    "prompt",
    list(examples.slice(0, FEW_EXAMPLES), 0),
    rest > 0
      ? folded(`The other ${count(rest, "example")}`, () =>
          list(examples.slice(FEW_EXAMPLES), FEW_EXAMPLES),
        )
      : "",
    el("p", { class: "query" }, "Query: ", ...query, " → ?"),
  );
}

function answerTable() {
  const { distribution, missing, answer } = DATA.answer;
  if (distribution) {
    const rows = distribution.map(([name, share]) => [
      word(name),
      bar(float(share)),
      exact(share, percent(share)),
    ]);
    if (missing) rows.push(["no word", bar(float(missing)), exact(missing, percent(missing))]);
    if (!rows.length) return el("p", {}, "No word: no example voted, and the answer is 0.");
    return table("The answer", [["word"], ["share", "bars"], ["probability", "number"]], rows, {
      class: "full",
    });
  }
  const largest = Math.max(...answer.map((x) => Math.abs(float(x))), 0) || 1;
  const rows = answer.map((x, i) => [
    `entry ${i + 1}`,
    bar(Math.abs(float(x)) / largest),
    exact(x, short(x)),
  ]);
  const listed = (some) =>
    table("The answer", [["entry"], ["size", "bars"], ["value", "number"]], some, {
      class: "full",
    });
  if (rows.length <= 16) return listed(rows);
  return el(
    "div",
    {},
    listed(rows.slice(0, 16)),
    folded(`The other ${rows.length - 16} entries`, () => listed(rows.slice(16))),
  );
}

function taskRows(some) {
  const total = DATA.tasks.reduce((sum, { votes }) => sum + float(votes), 0);
  return some.map((k) => {
    const { votes, weight, says, computes } = DATA.tasks[k];
    const name = task(k);
    name.title = computes;
    return [
      name,
      bar(float(weight), k),
      [exact(votes, short(votes)), ` of ${short(total)}`],
      says ? word(says) : el("span", { class: "quiet" }, "no word"),
    ];
  });
}

function sharesTable() {
  const order = DATA.tasks
    .map((_, k) => k)
    .sort((a, b) => float(DATA.tasks[b].votes) - float(DATA.tasks[a].votes));
  const shown = order.filter((k) => float(DATA.tasks[k].votes) || order.length <= FEW_TASKS);
  const headers = [
    ["task"],
    ["share of the votes", "bars"],
    ["votes", "number"],
    ["says of the query"],
  ];
  const rest = order.filter((k) => !shown.includes(k));
  const listed = el(
    "div",
    { class: "scroll", tabindex: 0, role: "group", "aria-label": "Votes of the tasks" },
    table("The votes of the examples", headers, taskRows(shown), { class: "full" }),
  );
  if (!rest.length) return listed;
  const others = () => table("Tasks without a vote", headers, taskRows(rest), { class: "full" });
  return el("div", {}, listed, folded(`${count(rest.length, "task")} without a vote`, others));
}

function drawAnswer() {
  const voted = DATA.tasks.some(({ votes }) => float(votes));
  at("answer-says").textContent = voted
    ? "On the left what the network answered; on the right how many examples each task " +
      "explains, and " +
      "what that task alone would say. The answer is the mixture: each task's own answer, " +
      "weighed by its share of the votes."
    : "No example is explained by any task, so nothing is mixed and the answer is 0.";
  fill("answer", answerTable(), sharesTable());
}
