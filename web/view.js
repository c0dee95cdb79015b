// One page: its image with its lines drawn over it, and its text, joined in both directions.
// Recognised text is hostile input: it is only ever written as text.

import { t, isKnown } from "./texts.js";

export const DOUBT = 0.9; // of the lines with this confidence about nine in ten are right
const SVG = "http://www.w3.org/2000/svg";
const ZOOMS = [1, 1.5, 2, 3, 4];

export const $ = (id) => document.getElementById(id);
const pane = $("pane");
const figure = $("figure");
const picture = $("picture");
const overlay = $("overlay");
const text = $("text");

let zoom = 0;
let shown = null;

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export const isDoubtful = (line) => line.confidence < DOUBT;

/** Show an image before its page has been read, or nothing. */
export function showImage(url) {
  figure.hidden = !url;
  overlay.replaceChildren();
  text.replaceChildren();
  shown = null;
  if (url) text.append(element("p", { className: "empty", textContent: t("awaited") }));
  if (url && picture.src !== url) picture.src = url;
}

/** Show a page that has been read; `url` is its image. */
export function showPage(page, url) {
  if (shown === page) return;
  showImage(url);
  text.replaceChildren();
  shown = page;
  figure.style.setProperty("--ratio", page.width / page.height);
  overlay.setAttribute("viewBox", `0 0 ${page.width} ${page.height}`);
  page.lines.forEach(drawOutline);
  text.lang = /\p{Script=Han}/u.test(page.text) ? "zh-Hans" : "";
  for (const key of page.warnings.map((warning) => `warning_${warning}`).filter(isKnown)) {
    text.append(element("p", { className: "note", textContent: t(key) }));
  }
  if (!page.lines.length) text.append(element("p", { className: "empty", textContent: t("noText") }));
  for (const block of page.blocks) text.append(block.cells ? tableOf(block, page) : paragraphOf(block.lines, page));
  text.querySelector(".line")?.setAttribute("tabindex", "0");
}

picture.addEventListener("load", () => {
  if (!shown) figure.style.setProperty("--ratio", picture.naturalWidth / picture.naturalHeight);
});

function drawOutline(line, index) {
  const outline = document.createElementNS(SVG, "polygon");
  outline.setAttribute("points", line.polygon.join(" "));
  outline.dataset.line = index;
  outline.classList.toggle("doubtful", isDoubtful(line));
  overlay.append(outline);
}

function paragraphOf(indices, page) {
  return element("p", { className: "block" }, ...indices.map((index) => lineOf(index, page)));
}

/** Return a table; cells without text are not in the response. */
function tableOf({ cells }, page) {
  const covered = new Map();
  for (const cell of cells) {
    for (let row = 0; row < cell.row_span; row++) {
      for (let column = 0; column < cell.column_span; column++) {
        covered.set(`${cell.row + row} ${cell.column + column}`, row || column ? null : cell);
      }
    }
  }
  const rows = Math.max(...cells.map((cell) => cell.row + cell.row_span));
  const columns = Math.max(...cells.map((cell) => cell.column + cell.column_span));
  const body = element("tbody");
  for (let row = 0; row < rows; row++) {
    const made = body.appendChild(element("tr"));
    for (let column = 0; column < columns; column++) {
      const cell = covered.get(`${row} ${column}`);
      if (cell !== null) made.append(cellOf(cell, page));
    }
  }
  return element("div", { className: "block table" }, element("table", {}, body));
}

function cellOf(cell, page) {
  if (!cell) return element("td");
  const lines = cell.lines.map((index) => lineOf(index, page));
  return element("td", { rowSpan: cell.row_span, colSpan: cell.column_span }, ...lines);
}

function lineOf(index, page) {
  const line = page.lines[index];
  const made = element("span", { className: "line", tabIndex: -1 }, line.text ?? "");
  made.dataset.line = index;
  if (isDoubtful(line)) {
    const percent = Math.floor(line.confidence * 100);
    made.classList.add("doubtful");
    made.append(element("span", { className: "mark", textContent: t("check", { percent }) }));
  }
  return made;
}

// ---- joining a line and its text ----

function join(index, { scroll = false } = {}) {
  for (const each of document.querySelectorAll(".on")) each.classList.remove("on");
  if (index === undefined) return;
  const outline = overlay.querySelector(`[data-line="${index}"]`);
  const line = text.querySelector(`[data-line="${index}"]`);
  outline?.classList.add("on");
  line?.classList.add("on");
  if (scroll && outline) bringIntoPane(outline);
}

/** Scroll the pane, and nothing else, so that an outline is in it. */
function bringIntoPane(outline) {
  const [box, frame] = [outline.getBoundingClientRect(), pane.getBoundingClientRect()];
  const outside = box.top < frame.top || box.bottom > frame.bottom || box.left < frame.left || box.right > frame.right;
  if (!outside) return;
  pane.scrollBy({
    top: (box.top + box.bottom - frame.top - frame.bottom) / 2,
    left: Math.min(box.left - frame.left - 24, (box.left + box.right - frame.left - frame.right) / 2),
  });
}

const lineAt = (event) => event.target.closest("[data-line]")?.dataset.line;

overlay.addEventListener("pointerover", (event) => join(lineAt(event)));
overlay.addEventListener("pointerleave", () => join(focused()));
overlay.addEventListener("click", (event) => focusLine(text.querySelector(`[data-line="${lineAt(event)}"]`)));
text.addEventListener("pointerover", (event) => join(lineAt(event) ?? focused(), { scroll: lineAt(event) !== undefined }));
text.addEventListener("pointerleave", () => join(focused()));
text.addEventListener("focusin", (event) => {
  text.querySelector('[tabindex="0"]')?.setAttribute("tabindex", "-1");
  event.target.tabIndex = 0;
  join(lineAt(event), { scroll: true });
});
text.addEventListener("focusout", () => join());
text.addEventListener("keydown", (event) => {
  const lines = [...text.querySelectorAll(".line")];
  const at = lines.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: lines.length - 1 }[event.key];
  if (at < 0 || to === undefined || !lines[to]) return;
  event.preventDefault();
  focusLine(lines[to]);
});

const focused = () => (text.contains(document.activeElement) ? document.activeElement.dataset.line : undefined);

function focusLine(line) {
  line?.focus({ preventScroll: true });
  line?.scrollIntoView({ block: "nearest" });
}

/** Go to the next line to check, or the first; return whether there is one. */
export function goToDoubt({ first }) {
  const doubts = [...text.querySelectorAll(".line.doubtful")];
  const from = text.querySelector(".on") ?? text.querySelector(".line[tabindex='0']");
  const isAfter = (each) => from.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING;
  const next = first ? doubts[0] : doubts.find(isAfter);
  focusLine(next);
  return Boolean(next);
}

// ---- zoom, outlines ----

function setZoom(step) {
  zoom = Math.max(0, Math.min(ZOOMS.length - 1, step));
  figure.style.setProperty("--zoom", ZOOMS[zoom]);
  $("zoom-in").disabled = zoom === ZOOMS.length - 1;
  $("zoom-out").disabled = zoom === 0;
}

$("zoom-in").addEventListener("click", () => setZoom(zoom + 1));
$("zoom-out").addEventListener("click", () => setZoom(zoom - 1));
$("outlines").addEventListener("click", ({ currentTarget }) => {
  const on = currentTarget.getAttribute("aria-pressed") !== "true";
  currentTarget.setAttribute("aria-pressed", on);
  overlay.classList.toggle("off", !on);
});
setZoom(0);

/** Write the page again, in another language. */
export function rewrite() {
  shown = null;
}
