"use strict";
// The votes on their way: example, task, answer token, word.

const MOST_FLOWS = 24;

// [{label, votes: [[task, vote], ...], size}] : examples, or groups that vote alike.
function sources() {
  const each = DATA.examples.map((example, i) => ({
    label: `${i + 1}  ${example[1].map(apart).join(", ")} → ${apart(example[2])}`,
    votes: voters(example[3]).map(({ k, vote }) => [k, float(vote)]),
    size: 1,
  }));
  if (each.length <= MOST_FLOWS) return each;
  const groups = new Map();
  for (const { votes } of each) {
    const key = votes.map(([k]) => k).join(",");
    const group = groups.get(key) || { votes: votes.map(([k]) => [k, 0]), size: 0 };
    votes.forEach(([, vote], i) => (group.votes[i][1] += vote));
    group.size += 1;
    groups.set(key, group);
  }
  const found = [...groups.values()].sort((a, b) => b.size - a.size);
  const kept = found.slice(0, MOST_FLOWS - 1);
  const rest = found.slice(MOST_FLOWS - 1);
  if (rest.length) {
    const votes = new Map();
    for (const [k, vote] of rest.flatMap((group) => group.votes))
      votes.set(k, (votes.get(k) || 0) + vote);
    kept.push({ votes: [...votes], size: rest.reduce((sum, { size }) => sum + size, 0) });
  }
  return kept.map((group) => ({
    ...group,
    label: group.votes.length
      ? count(group.size, "example")
      : `${count(group.size, "example")}: no task`,
  }));
}

// What stands at the right: [label, share], one for each different thing that tasks say.
function targets(voting) {
  const found = new Map();
  for (const k of voting) {
    const says = DATA.tasks[k].says || "no word";
    found.set(says, (found.get(says) || 0) + float(DATA.tasks[k].weight));
  }
  return [...found];
}

function ribbon(from, to, thickness, k, title) {
  const middle = (from[0] + to[0]) / 2;
  const path = svg("path", {
    d: `M${from} C${middle},${from[1]} ${middle},${to[1]} ${to}`,
    fill: "none",
    stroke: taskColour(k),
    "stroke-width": Math.max(1.2, thickness),
    "stroke-opacity": 0.6,
  });
  path.append(svg("title", {}, title));
  return path;
}

function label(x, y, text, anchor, most, kind = "") {
  const full = svg("title", {}, text);
  return svg(
    "text",
    { x, y, "text-anchor": anchor, "dominant-baseline": "middle", class: kind },
    clip(text, most),
    full,
  );
}

// Where boxes of these heights begin, one below the other with a gap, in the middle of a column.
function stacked(heights, gap, height) {
  const whole = heights.reduce((sum, one) => sum + one + gap, -gap);
  let y = (height - whole) / 2;
  return heights.map((one) => {
    const top = y;
    y += one + gap;
    return top;
  });
}

const extent = (heights, gap) => heights.reduce((sum, one) => sum + one + gap, 0);

// Places of the three columns: examples, tasks, and what tasks say.
function layout(left, voting, right, total) {
  const scale = Math.min(14, 130 / total);
  const sum = (votes) => votes.reduce((all, [, vote]) => all + vote, 0) * scale;
  const heights = [
    left.map(({ votes }) => Math.max(16, sum(votes))),
    voting.map((k) => float(DATA.tasks[k].votes) * scale),
    right.map(([, share]) => share * total * scale),
  ];
  const gaps = [6, 30, 16];
  const height = Math.max(...heights.map((some, i) => extent(some, gaps[i]))) + 24;
  const tops = heights.map((some, i) =>
    stacked(some, gaps[i], height).map((y) => y + (i === 1 ? 8 : 0)),
  );
  return { scale, heights, tops, height };
}

// The left column and the lines from it; `into` is how far down each task's box is filled.
function drawSources(drawn, left, voting, { scale, heights, tops, x, letters }) {
  const into = tops[1].slice();
  left.forEach((source, i) => {
    const y = tops[0][i] + heights[0][i] / 2;
    const kind = source.votes.length ? "" : "quiet";
    drawn.append(label(x[0] - 6, y, source.label, "end", letters, kind));
    let out = y - (source.votes.reduce((sum, [, vote]) => sum + vote, 0) * scale) / 2;
    for (const [k, vote] of source.votes) {
      const [thick, place] = [vote * scale, voting.indexOf(k)];
      const [from, to] = [
        [x[0], out + thick / 2],
        [x[1], into[place] + thick / 2],
      ];
      const title = `${source.label}: ${short(vote)} for ${DATA.tasks[k].name}`;
      drawn.append(ribbon(from, to, thick, k, title));
      out += thick;
      into[place] += thick;
    }
  });
}

// The boxes of the tasks, and the lines to what they say.
function drawTasks(drawn, voting, right, { heights, tops, x, letters, width }) {
  const end = tops[2].slice();
  voting.forEach((k, i) => {
    const { name, votes, says, weight } = DATA.tasks[k];
    const [y, thick] = [tops[1][i], heights[1][i]];
    const to = right.findIndex(([text]) => text === (says || "no word"));
    const [from, there] = [
      [x[2], y + thick / 2],
      [x[3], end[to] + thick / 2],
    ];
    const box = { x: x[1], y, width: x[2] - x[1], height: Math.max(1.2, thick) };
    const text = `${apart(clip(name, letters - 4))} ${short(votes)}`;
    drawn.append(
      ribbon(from, there, thick, k, `${name}: ${percent(weight)}`),
      svg("rect", { ...box, fill: taskColour(k) }),
      label(width / 2, y - 9, text, "middle", letters + 6),
    );
    end[to] += thick;
  });
}

function flow(width) {
  const left = sources();
  const voting = DATA.tasks.map((_, k) => k).filter((k) => float(DATA.tasks[k].votes));
  const right = targets(voting);
  const total = voting.reduce((sum, k) => sum + float(DATA.tasks[k].votes), 0) || 1;
  const size = width < 560 ? 11 : 13;
  const letters = Math.floor((width * 0.3) / (size * 0.57));
  const x = [0.31, 0.48, 0.52, 0.7].map((share) => width * share);
  const places = { ...layout(left, voting, right, total), x, letters, width };
  const { heights, tops, height } = places;
  const drawn = svg("svg", {
    class: "flow",
    "font-size": size,
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    "aria-label": flowText(voting, total),
  });
  drawSources(drawn, left, voting, places);
  drawTasks(drawn, voting, right, places);
  right.forEach(([text, share], i) => {
    const said = `${apart(clip(text, Math.max(5, letters - 7)))} ${percent(share, 3)}`;
    drawn.append(label(x[3] + 6, tops[2][i] + heights[2][i] / 2, said, "start", letters + 10));
  });
  return drawn;
}

function flowText(voting, total) {
  const parts = voting.map(
    (k) =>
      `${short(DATA.tasks[k].votes)} of ${short(total)} votes for ${DATA.tasks[k].name}, ` +
      `which says ${DATA.tasks[k].says || "no word"}`,
  );
  return parts.length ? `Votes: ${parts.join("; ")}.` : "No votes.";
}

// Which heads bring something to the answer token after the votes are found.
function readings() {
  const found = [];
  DATA.layers.forEach(({ name, heads }, i) => {
    heads.forEach((head, k) => {
      const reads = PAIRS[i][k].filter(([asks]) => asks === DATA.answer_token);
      if (i + 1 > DATA.vote_layer && reads.some(([asks, read]) => read !== asks))
        found.push([i + 1, name, head.name, reads.length]);
    });
  });
  return found;
}

function voting() {
  const { level_layer: level } = DATA;
  if (level === null) return "votes at every example that the task explains: 1, or nothing.";
  const name = DATA.layers[level - 1].name;
  return (
    "gives every example that the task explains a score of at least 1, and any other " +
    `nothing; layer ${level} (${name}) takes away what is above 1: a vote.`
  );
}

function votesText() {
  const { vote_layer: layer } = DATA;
  const start = `In layer ${layer} (${DATA.layers[layer - 1].name}) a head for each task `;
  if (!DATA.tasks.some(({ votes }) => float(votes))) {
    return `${start}looks at every example; none found a match, so there is nothing to draw.`;
  }
  const on = readings().map(
    ([number, name, head, reads]) =>
      `in layer ${number} (${name}) its head ${head} reads ${count(reads, "token")}, ` +
      "with votes and without",
  );
  const way = on.length ? `: ${on.join("; ")}` : " through the layers after it";
  return (
    `${start}${voting()} The votes reach ` +
    `the answer token (${tokenName(DATA.answer_token)})${way}. Lines are as thick as their votes.`
  );
}

function votesTable() {
  const headers = [["example"], ["stands at"], ["votes for"]];
  const rows = DATA.examples.map((example, i) => {
    const found = voters(example[3]);
    return [
      [`${i + 1}  `, exampleText(example)],
      found.length ? tokenButton(found[0].token) : "nowhere",
      found.length
        ? found.flatMap(({ k, vote }) => [task(k), ` ${short(vote)}  `])
        : el("span", { class: "quiet" }, "no task"),
    ];
  });
  return scrolled(
    "Votes of the examples",
    table("Each example, the token at which its votes stand, and the tasks", headers, rows),
  );
}

function drawVotes() {
  at("votes-says").textContent = votesText();
  const drawn = el("div", { id: "flow" });
  fill("votes", drawn, DATA.examples.length ? folded("The votes as a table", votesTable) : "");
  let width = 0;
  const draw = () => {
    if (at("votes").clientWidth === width) return;
    width = at("votes").clientWidth;
    drawn.replaceChildren(flow(Math.max(320, Math.min(1100, width))));
  };
  draw();
  addEventListener("resize", draw);
}
