"use strict";
// Elements, words and colours. Texts are set as text, never as HTML.

function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) made.style.setProperty(name, value);
    else if (name.startsWith("aria-")) made.setAttribute(name, String(value));
    else if (value !== false && value !== undefined)
      made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
}

function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const at = (id) => document.getElementById(id);
const fill = (id, ...children) => at(id).replaceChildren(...children);
// A word of the prompt: its direction is its own.
const word = (text) => el("bdi", {}, text);
// The same in a text: the marks keep its direction from what stands beside it.
const apart = (text) => `\u2068${text}\u2069`;
const count = (number, one, many = `${one}s`) =>
  `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
const ordinal = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// Short: four digits. Texts are exact, and shown as they are unless they are long.
function short(x, most = 14) {
  if (typeof x === "string") return x.length > most ? `≈${short(float(x))}` : x;
  if (Number.isInteger(x) && Math.abs(x) < 1e7) return String(x).replace("-", "−");
  return String(Number(x.toPrecision(4))).replace("-", "−");
}

const percent = (x, digits = 4) => `${Number((100 * float(x)).toPrecision(digits))} %`;
const clip = (text, most) =>
  text.length > most ? `${[...text].slice(0, most - 1).join("")}…` : text;

// A number as it is, shown in fewer digits.
const exact = (x, text) => el("data", { value: String(x), title: String(x) }, text);

const taskColour = (k) => (k < 0 ? "var(--quiet)" : `var(--task-${(k % 8) + 1})`);
const task = (k) => el("span", { class: "task", "--own": taskColour(k) }, word(DATA.tasks[k].name));

function table(caption, headers, rows, attributes = {}) {
  const cells = headers.map(([text, kind]) => el("th", { scope: "col", class: kind }, text));
  return el(
    "table",
    attributes,
    el("caption", {}, caption),
    el("thead", {}, el("tr", {}, ...cells)),
    el(
      "tbody",
      {},
      ...rows.map((row) =>
        el(
          "tr",
          {},
          ...row.map((content, i) => {
            const parts = Array.isArray(content) ? content : [content];
            return i === 0
              ? el("th", { scope: "row" }, ...parts)
              : el("td", { class: headers[i][1] }, ...parts);
          }),
        ),
      ),
    ),
  );
}

const bar = (share, k) =>
  !share
    ? ""
    : el("span", {
        class: "bar",
        style: `width:${Math.max(0, Math.min(100, 100 * share))}%`,
        ...(k === undefined ? {} : { "--own": taskColour(k) }),
      });

// What may be wide or long scrolls by itself, also by the keyboard.
const scrolled = (name, ...children) =>
  el("div", { class: "scroll tall", tabindex: 0, role: "group", "aria-label": name }, ...children);

// What may be long is made when it is opened.
function folded(title, make, open = false) {
  const found = el("details", { open }, el("summary", {}, title));
  let made = false;
  const show = () => {
    if (found.open && !made) {
      made = true;
      found.append(...[make()].flat());
    }
  };
  found.addEventListener("toggle", show);
  show();
  return found;
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function paint(canvas, width, height, squares) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const sides = { 1: colour("--positive"), "-1": colour("--negative") };
  context.clearRect(0, 0, width, height);
  for (const [x, y, w, h, strength] of squares) {
    if (!strength) continue;
    const alpha = 0.15 + 0.85 * Math.min(1, Math.abs(strength));
    context.fillStyle = `rgb(${sides[Math.sign(strength)]} / ${alpha})`;
    context.fillRect(x, y, w, h);
  }
}
