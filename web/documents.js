// The files that were added, read one after the other, each with a request of its own.

import { askForKey, currentKey } from "./key.js";
import { send } from "./send.js";
import { SERVICE } from "./service.js";

const STREAM = "application/x-ndjson";
const SEVERAL_FRAMES = /^image\/(gif|webp)$/; // and then the browser shows the first one only
const LARGEST_SIDE = 3500; // pixels of an image that is reduced: small print stays legible

export const documents = [];
let running = false;
let changed = () => {};

/** Call `listener(document)` whenever something of a document has changed. */
export function onChange(listener) {
  changed = listener;
}

export function add(file) {
  const added = {
    file,
    name: file.name,
    pages: [],
    images: new Map(), // page number: object URL
    preview: null, // an object URL of the file itself, where the browser can show it
    state: "waiting", // sending, reading, done, failed, cancelled
    problem: null,
    chosen: "", // the pages that a person chose
    pagesToRead: "",
    seconds: 0,
    at: 0, // index of the page that is shown
  };
  documents.push(added);
  added.looked = look(added);
  runQueue();
  return added;
}

export function remove(doc) {
  cancel(doc);
  documents.splice(documents.indexOf(doc), 1);
  for (const url of [...doc.images.values(), doc.preview]) if (url) URL.revokeObjectURL(url);
}

/** Read a document again. */
export function again(doc, { pages = doc.chosen, rest = false, file = doc.file } = {}) {
  if (!rest) Object.assign(doc, { chosen: pages, pages: [], seconds: 0, at: 0 });
  Object.assign(doc, { state: "waiting", problem: null, pagesToRead: pages, file });
  changed(doc);
  runQueue();
}

export function dismiss(doc) {
  doc.problem = null;
  changed(doc);
}

export function cancel(doc) {
  if (doc.abort) doc.abort();
  else if (doc.state === "waiting") finish(doc, "cancelled");
}

async function runQueue() {
  if (running) return;
  running = true;
  for (let next; (next = documents.find((each) => each.state === "waiting")); ) await read(next);
  running = false;
}

async function read(doc) {
  await doc.looked;
  if (currentKey() === null && (await askForKey()) === null) return giveUp();
  if (doc.state !== "waiting") return;
  const problem = (await hindrance(doc.file)) ?? (await request(doc));
  if (problem?.code === "cancelled") return finish(doc, "cancelled");
  finish(doc, problem ? "failed" : "done", problem);
  if (problem?.code === "not_authenticated") {
    if ((await askForKey({ refused: true })) === null) return giveUp();
    again(doc, { rest: true, pages: doc.pagesToRead });
  } else if (problem?.retryAfter) {
    if (await countDown(doc)) again(doc, { rest: true, pages: doc.pagesToRead });
    else finish(doc, "cancelled");
  }
}

/** Send a document and take in its pages; return the problem, if there is one. */
async function request(doc) {
  const parameters = {};
  if (doc.pagesToRead) parameters.pages = doc.pagesToRead;
  if (!doc.preview || SEVERAL_FRAMES.test(doc.file.type)) parameters.page_image = "jpeg";
  Object.assign(doc, { state: "sending", sent: 0 });
  const began = performance.now();
  const { done, abort } = send(doc.file, {
    key: currentKey(),
    parameters,
    accept: STREAM,
    onUpload: (fraction) => {
      Object.assign(doc, { state: fraction < 1 ? "sending" : "reading", sent: fraction });
      changed(doc);
    },
    onLine: (page) => addPage(doc, page),
  });
  doc.abort = abort;
  changed(doc);
  try {
    doc.quota = (await done).quota;
    return null;
  } catch (problem) {
    doc.quota = problem.quota ?? doc.quota;
    return withRest(doc, problem);
  } finally {
    doc.abort = null;
    doc.seconds += (performance.now() - began) / 1000;
  }
}

/** Add the pages that are left to the problem of a connection that ended. */
function withRest(doc, problem) {
  if (problem.code !== "broken_off" || !doc.pages.length) return problem;
  return { ...problem, next_pages: `${doc.pages.at(-1).page + 1}-` };
}

function addPage(doc, page) {
  if (page.page_image) doc.images.set(page.page, urlOf(page.page_image));
  delete page.page_image; // the blob holds them
  doc.pages.push(page);
  changed(doc);
}

function urlOf({ media_type: type, data }) {
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes], { type }));
}

/** Without a key nothing that waits can be read. */
function giveUp() {
  for (const each of documents) if (each.state === "waiting") finish(each, "failed", { code: "no_key" });
}

function finish(doc, state, problem = null) {
  Object.assign(doc, { state, problem });
  changed(doc);
}

/** Wait for the time that the service asked for; return false if that was cancelled. */
function countDown(doc) {
  const due = performance.now() + doc.problem.retryAfter * 1000;
  return new Promise((resolve) => {
    const tick = () => {
      doc.problem.wait = Math.ceil((due - performance.now()) / 1000);
      if (doc.problem.wait <= 0) stop(true);
      else changed(doc);
    };
    const timer = setInterval(tick, 1000);
    const stop = (finished) => {
      clearInterval(timer);
      doc.abort = null;
      resolve(finished);
    };
    doc.abort = () => stop(false);
    tick();
  });
}

/** Return what keeps a file from being sent, as a problem. */
async function hindrance(file) {
  if (file.size > SERVICE.max_bytes) return { code: "body_too_large", status: 413 };
  try {
    await file.slice(0, 1).arrayBuffer();
    return null;
  } catch {
    return { code: "not_a_file" };
  }
}

/** Find out whether this browser can show the file. */
async function look(doc) {
  const url = URL.createObjectURL(doc.file);
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
    doc.preview = url;
    changed(doc);
  } catch {
    URL.revokeObjectURL(url);
  }
}

/** Return the image, as the browser shows it, as a JPEG of fewer pixels. */
export async function reduced(file) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, LARGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = Object.assign(document.createElement("canvas"), {
    width: Math.round(bitmap.width * scale),
    height: Math.round(bitmap.height * scale),
  });
  const context = canvas.getContext("2d");
  context.fillStyle = "white"; // JPEG has no transparency
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
}
