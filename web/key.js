// The API key: asked for once, kept in this module's memory only.

import { SERVICE } from "./service.js";
import { t } from "./texts.js";
import { $ } from "./view.js";

const dialog = $("key-dialog");
const field = $("key-field");
const wrong = $("key-wrong");
const button = $("key-button");

let key = SERVICE.needs_key ? null : ""; // null: not asked yet; "": none is needed

export const currentKey = () => key;

/** Ask for the key; `refused`: the last one was wrong. Returns null if it was not given. */
export function askForKey({ refused = false } = {}) {
  if (refused) key = null;
  wrong.hidden = !refused;
  field.setAttribute("aria-invalid", refused);
  field.value = "";
  showState();
  dialog.returnValue = "";
  dialog.showModal();
  field.focus();
  return new Promise((resolve) => {
    dialog.onclose = () => {
      if (dialog.returnValue === "given") key = field.value.trim();
      field.value = "";
      showState();
      resolve(dialog.returnValue === "given" ? key : null);
    };
  });
}

export function showState() {
  button.hidden = !SERVICE.needs_key;
  const name = key ? "keySet" : "key";
  button.dataset.label = name;
  button.classList.toggle("set", Boolean(key));
  button.setAttribute("aria-label", t(name));
  button.title = t(name);
}

$("key-form").addEventListener("submit", (event) => {
  event.preventDefault(); // form-action is 'none'
  dialog.close("given");
});
$("key-cancel").addEventListener("click", () => dialog.close(""));
button.addEventListener("click", () => askForKey());
