// The page: takes files in, and shows the document that is chosen.

import { add, cancel, documents, onChange, remove } from "./documents.js";
import { download, listFormats, textOf } from "./downloads.js";
import * as keys from "./key.js";
import { showProblem } from "./problem.js";
import { SERVICE } from "./service.js";
import { problemTexts, sizeText, switchLanguage, t, translate } from "./texts.js";
import { $, element, goToDoubt, isDoubtful, rewrite, showImage, showPage } from "./view.js";

let current = null;

// ---- files in ----

function take(files) {
  const added = [...files].map(add);
  if (!added.length) return;
  const first = documents.length === added.length;
  current = added[0];
  render();
  if (first) $("title").focus();
}

for (const button of document.querySelectorAll("[data-opens]")) {
  button.addEventListener("click", () => $(button.dataset.opens).click());
}
for (const input of [$("choose"), $("photograph")]) {
  input.addEventListener("change", () => {
    take(input.files);
    input.value = ""; // the same file can be chosen again
  });
}
document.addEventListener("paste", (event) => {
  if (!event.clipboardData.files.length) return;
  event.preventDefault();
  take(event.clipboardData.files);
});
let depth = 0; // dragenter and dragleave come for every element below
const dragged = (event) => event.dataTransfer.types.includes("Files");
document.addEventListener("dragenter", (event) => dragged(event) && document.body.classList.toggle("over", ++depth > 0));
document.addEventListener("dragleave", (event) => dragged(event) && document.body.classList.toggle("over", --depth > 0));
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  depth = 0;
  document.body.classList.remove("over");
  if (!$("key-dialog").open) take(event.dataTransfer.files);
});

// ---- what is shown ----

onChange((changed) => {
  announce(changed);
  if (changed !== current) renderFiles();
  else render();
});

function render() {
  $("welcome").hidden = documents.length > 0;
  $("work").hidden = !documents.length;
  document.body.classList.toggle("working", documents.length > 0);
  renderFiles();
  if (!current) return;
  $("title").textContent = current.name;
  renderFacts();
  showProblem(current);
  renderPage();
}

function stateOf(each) {
  if (each.problem?.wait) return t("waiting");
  if (each.state === "sending") return t("sending", { percent: Math.floor(each.sent * 100) });
  if (each.state === "reading") return t("reading", { page: (each.pages.at(-1)?.page ?? 0) + 1 });
  if (each.state === "failed" && each.pages.length) return t("partly");
  return t(each.state);
}

/** Write the list of files; what is there stays, so that it can be clicked meanwhile. */
function renderFiles() {
  for (const each of documents) {
    each.item ??= itemOf(each);
    const [open, close] = each.item.children;
    if (each === current) open.setAttribute("aria-current", "true");
    else open.removeAttribute("aria-current");
    open.lastChild.className = `state ${each.problem?.wait ? "" : each.state}`;
    open.lastChild.textContent = stateOf(each);
    close.title = close.ariaLabel = t("remove", each);
  }
  const items = documents.map((each) => each.item);
  if (items.length !== $("files").children.length || items.some((item) => !item.isConnected)) $("files").replaceChildren(...items);
}

function itemOf(each) {
  const open = element("button", { className: "file" }, element("span", { className: "name", textContent: each.name }), element("span"));
  open.addEventListener("click", () => {
    current = each;
    render();
  });
  const close = element("button", { className: "close quiet", textContent: "×" });
  close.addEventListener("click", () => removeFile(each));
  return element("li", {}, open, close);
}

function removeFile(each) {
  const at = documents.indexOf(each);
  remove(each);
  if (current === each) current = documents[Math.min(at, documents.length - 1)] ?? null;
  render();
  (current ? $("title") : document.querySelector("#drop button")).focus();
}

function renderFacts() {
  const active = ["waiting", "sending", "reading"].includes(current.state);
  const { fetching } = current;
  $("progress").hidden = $("meter").hidden = $("cancel").hidden = !(active || fetching);
  $("progress").textContent = fetching ? t("downloading", fetching) : stateOf(current);
  $("meter").hidden ||= current.state === "waiting";
  const sent = fetching?.sent ?? (current.state === "sending" ? current.sent : 1);
  if (sent < 1) $("meter").value = sent;
  else $("meter").removeAttribute("value");
  const figures = figuresOf(current);
  if (!active && current.seconds) figures.push(t("seconds", { s: current.seconds.toFixed(1) }));
  $("figures").textContent = current.pages.length ? figures.join(" · ") : "";
  $("quota").textContent = current.quota && !active ? t(current.quota.s === 60 ? "quota60" : "quota", current.quota) : "";
}

const doubtsOf = (each) => each.pages.flatMap((page) => page.lines).filter(isDoubtful).length;

function figuresOf(each) {
  const lines = each.pages.flatMap((page) => page.lines);
  return [t("pages", { n: each.pages.length }), t("lines", { n: lines.length })];
}

function renderPage() {
  const { pages, images, preview, at } = current;
  const page = pages[at];
  $("panes").hidden = !page && !preview;
  const url = page ? (images.get(page.page) ?? (page.page === 1 ? preview : null)) : preview;
  if (page) showPage(page, url);
  else showImage(url);
  $("flip").hidden = pages.length < 2;
  $("image-title").hidden = pages.length > 1;
  const done = current.state !== "reading";
  $("page-of").textContent = page ? t(done ? "pageOf" : "pageSoFar", { page: page.page, pages: pages.length }) : "";
  $("previous").disabled = at === 0;
  $("next").disabled = at >= pages.length - 1;
  for (const id of ["copy", "download"]) $(id).hidden = !pages.length;
  const n = doubtsOf(current);
  $("doubts").hidden = !n;
  $("doubts").textContent = t("nextCheck", { n });
  $("doubts").title = t("nextCheckTitle");
}

/** Say what has happened to those who do not see it: once for each state. */
function announce(each) {
  const state = `${each.state} ${each.problem?.code}`;
  if (each.said === state) return;
  each.said = state;
  const said = each.problem ? problemTexts(each.problem, each.file).slice(0, 2).join(": ") : `${stateOf(each)}.`;
  $("live").textContent = `${each.name}: ${said} ${each.state === "done" ? figuresOf(each).concat(doubtsOf(each) ? t("nextCheck", { n: doubtsOf(each) }) : []).join(", ") : ""}`;
}

// ---- controls ----

function flip(by) {
  if (!current?.pages[current.at + by]) return;
  current.at += by;
  renderPage();
  $("live").textContent = $("page-of").textContent;
}

$("previous").addEventListener("click", () => flip(-1));
$("next").addEventListener("click", () => flip(1));
$("cancel").addEventListener("click", () => (current.fetching ?? { abort: () => cancel(current) }).abort());
$("doubts").addEventListener("click", () => {
  const { pages, at } = current;
  if (goToDoubt({ first: false })) return;
  const order = [...pages.keys()].map((n) => (at + 1 + n) % pages.length);
  flip(order.find((n) => pages[n].lines.some(isDoubtful)) - at);
  goToDoubt({ first: true });
});
$("copy").addEventListener("click", async () => {
  let said = "copied";
  try {
    await navigator.clipboard.writeText(textOf(current));
  } catch {
    said = "notCopied";
  }
  $("copy").textContent = $("live").textContent = t(said);
  setTimeout(() => ($("copy").textContent = t("copy")), 2000);
});
listFormats((format) => download(current, format, () => render()));
$("language").addEventListener("click", () => {
  switchLanguage();
  showAll();
});

function showAll() {
  translate();
  $("taken").textContent = t("taken", { size: sizeText(SERVICE.max_bytes) });
  keys.showState();
  listFormats();
  rewrite();
  render();
}

$("docs").hidden = !SERVICE.docs;
showAll();
