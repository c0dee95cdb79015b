// What went wrong with a document, and what can be done about it.

import { again, cancel, dismiss, reduced } from "./documents.js";
import { askForKey } from "./key.js";
import { problemTexts, t } from "./texts.js";
import { $, element } from "./view.js";

const BY_PAGES = new Set(["too_many_pages", "no_such_page", "unknown_parameter", "deadline_exceeded"]);
const FINAL = 400; // and above, below 500: another attempt would end in the same way

let shown = {};
let written = ""; // what the buttons are for: they are left alone while it is the same

export function showProblem(doc) {
  const { problem } = doc;
  $("problem").hidden = !problem;
  if (!problem) return void (written = "");
  const [title, advice, lang] = problemTexts(problem, doc.file);
  $("problem-title").textContent = title;
  $("problem-advice").textContent = advice;
  $("problem-title").lang = $("problem-advice").lang = lang;
  $("problem-kept").hidden = !doc.pages.length || problem.of;
  $("problem").classList.toggle("calm", Boolean(problem.wait));
  $("problem-wait").textContent = problem.wait ? t("countdown", { s: problem.wait }) : "";
  const id = problem.request_id;
  $("problem-code").textContent = [t("codeIs", problem), ...(id ? [t("requestIs", { id })] : [])].join(" · ");
  $("pages-form").hidden = !BY_PAGES.has(problem.code);
  const key = [problem.code, id, Boolean(problem.wait), t("retry")].join();
  if (key !== written || doc !== shown) renderRemedies(doc, problem);
  [written, shown] = [key, doc];
}

function renderRemedies(doc, problem) {
  $("remedies").replaceChildren(
    ...remediesOf(doc, problem).map(([text, act], at) => {
      const button = element("button", { className: at ? "" : "primary", textContent: text });
      button.addEventListener("click", act);
      return button;
    }),
  );
}

/** Return the text and the action of each button. */
function remediesOf(doc, problem) {
  const rest = { pages: doc.pagesToRead, rest: doc.pages.length > 0 };
  if (problem.of) return [[t("dismiss"), () => dismiss(doc)]];
  if (problem.wait) return [[t("cancel"), () => cancel(doc)]];
  if (problem.next_pages) return [[t("rest"), () => again(doc, { pages: problem.next_pages, rest: true })]];
  if (["not_authenticated", "scope_missing", "function_not_allowed", "no_key"].includes(problem.code)) {
    return [[t("enterKey"), async () => (await askForKey()) !== null && again(doc, rest)]];
  }
  if (problem.code === "body_too_large" && doc.preview) {
    return [[t("shrink"), async () => again(doc, { file: await reduced(doc.file) })]];
  }
  const status = problem.status ?? 0;
  return status >= FINAL && status < 500 && status !== 408 ? [] : [[t("retry"), () => again(doc, rest)]];
}

$("pages-form").addEventListener("submit", (event) => {
  event.preventDefault();
  again(shown, { pages: $("pages-field").value.trim() });
});
