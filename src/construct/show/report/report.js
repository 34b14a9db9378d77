"use strict";
// Steps through the layers, and chooses tokens.

const layerName = (layer) => (layer ? DATA.layers[layer - 1].name : "embedding");

function stepper() {
  const step = (by, text, sign) =>
    el(
      "button",
      {
        type: "button",
        "data-step": by,
        "aria-label": text,
        title: text,
        onclick: () => step_to(shown.layer + by),
      },
      sign,
    );
  const each = Array.from({ length: LAST + 1 }, (_, layer) =>
    el(
      "li",
      {},
      el(
        "button",
        { type: "button", "data-layer": layer, onclick: () => step_to(layer) },
        `${layer}`,
        el("span", { class: "name" }, ` ${layerName(layer)}`),
      ),
    ),
  );
  fill(
    "stepper",
    step(-1, "Layer before (left arrow key)", "◀"),
    el("ol", {}, ...each),
    step(1, "Next layer (right arrow key)", "▶"),
  );
}

function drawNow() {
  const { layer } = shown;
  document.querySelectorAll("#stepper [data-layer]").forEach((button) => {
    if (Number(button.dataset.layer) === layer) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  });
  document.querySelectorAll("#stepper [data-step]").forEach((button) => {
    const to = layer + Number(button.dataset.step);
    button.setAttribute("aria-disabled", to < 0 || to > LAST);
  });
  const lemma = layer
    ? DATA.layers[layer - 1].lemma
    : "Every token has its own vector, and the codes of its place; nothing has moved yet.";
  fill(
    "now",
    el(
      "h2",
      {},
      layer ? `Layer ${layer} of ${LAST}: ${layerName(layer)}` : `Before layer 1: the embedding`,
    ),
    el("p", {}, lemma),
  );
}

function step_to(layer) {
  if (layer < 0 || layer > LAST) return;
  shown.layer = layer;
  drawNow();
  drawHeads();
  drawMap();
  drawOverview();
  drawNumbers();
}

function choose(token) {
  shown.token = token;
  const inside = document.activeElement?.closest?.("#map");
  show(token);
  drawMap();
  drawNumbers();
  if (inside) at("map").querySelector(`[data-token="${token}"]`)?.focus();
}

addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (event.ctrlKey || event.altKey || event.metaKey || target.closest?.("input, select, textarea"))
    return;
  if (target.classList?.contains("scroll")) return;
  if (key === "ArrowLeft" || key === "ArrowRight") {
    step_to(shown.layer + (key === "ArrowLeft" ? -1 : 1));
    event.preventDefault();
  }
});

document.title = `${DATA.asked.map(apart).join(", ")} → ? One pass, layer by layer`;
drawAbout();
drawPrompt();
drawAnswer();
drawVotes();
stepper();
streamFrame();
show(shown.token);
step_to(shown.layer);
drawMargins();
fill(
  "made",
  "Written by construct report. Layers, examples, tokens and heads are counted from 1; " +
    "layer 0 is the embedding. The left and right arrow keys step through the layers.",
);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => step_to(shown.layer));
