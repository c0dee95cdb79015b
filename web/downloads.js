// The formats of the service, for download; the list comes with the page.

import { currentKey } from "./key.js";
import { send } from "./send.js";
import { SERVICE } from "./service.js";
import { pick, t } from "./texts.js";
import { $, element } from "./view.js";

const menu = $("download");
const list = $("formats");
const FOR_PEOPLE = ["text", "pdf", "markdown"]; // first in the menu
let chosen = () => {};

/** Write the menu; `whenChosen(format)` is kept from the first call. */
export function listFormats(whenChosen = chosen) {
  chosen = whenChosen;
  const rank = ({ name }) => (FOR_PEOPLE.indexOf(name) + 1 || Infinity);
  const items = SERVICE.formats.toSorted((a, b) => rank(a) - rank(b) || 0).map((format) => {
    const button = element("button", { className: "quiet" }, element("strong", { textContent: pick(format.title) }), element("span", { textContent: pick(format.description) }));
    button.dataset.format = format.name;
    button.addEventListener("click", () => {
      close();
      chosen(format);
    });
    return element("li", {}, button);
  });
  list.replaceChildren(...items);
}

function close() {
  menu.open = false;
  menu.firstElementChild.focus();
}

menu.addEventListener("keydown", (event) => event.key === "Escape" && menu.open && close());
document.addEventListener("click", (event) => !menu.contains(event.target) && (menu.open = false));
menu.addEventListener("focusout", (event) => event.relatedTarget && !menu.contains(event.relatedTarget) && (menu.open = false));

/** The text of a document, as in the service's own format "text". */
export const textOf = ({ pages }) => pages.map((page) => page.text).join("\n\f");

/** Save a document in a format: its text is here; for any other it is read once more. */
export async function download(doc, format, changed) {
  const page = format.single_page && doc.pages.length > 1 ? doc.pages[doc.at].page : "";
  const name = `${doc.name.replace(/\.\w+$/, "")}${page && `-${page}`}.${format.extension}`;
  if (format.name === "text") return save(new Blob([textOf(doc)], { type: "text/plain" }), name);
  const fetching = { title: pick(format.title), sent: 0 };
  const pages = page || doc.chosen;
  const parameters = { format: format.name, ...(pages ? { pages } : {}) };
  const { done, abort } = send(doc.file, {
    key: currentKey(),
    parameters,
    onUpload: (fraction) => {
      fetching.sent = fraction;
      changed();
    },
  });
  Object.assign(doc, { fetching: Object.assign(fetching, { abort }), problem: null });
  try {
    const { blob, quota } = await done;
    doc.quota = quota;
    save(blob, name);
  } catch (problem) {
    if (problem.code !== "cancelled") doc.problem = { ...problem, of: format };
  }
  doc.fetching = null;
  changed();
}

function save(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
