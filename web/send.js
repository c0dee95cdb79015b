// Requests to the function that reads. XMLHttpRequest reports the progress of an upload.

import { SERVICE } from "./service.js";
import { language } from "./texts.js";

/**
 * Send a file. `parameters` go into the query; `accept` is the media type wanted.
 * `onUpload(fraction)` and `onLine(object)`, for NDJSON, are called on the way.
 * Returns {done, abort}: `done` becomes {blob, quota} or is rejected with a problem document.
 */
export function send(file, { key, parameters = {}, accept = "*/*", onUpload, onLine }) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    if (/[^!-~]/.test(key)) reject({ code: "not_authenticated" }); // no header can have it
    request.open("POST", `${SERVICE.path}?${new URLSearchParams(parameters)}`);
    request.setRequestHeader("Accept", accept);
    request.setRequestHeader("Accept-Language", language());
    request.setRequestHeader("Content-Type", "application/octet-stream");
    if (key) request.setRequestHeader("X-API-Key", key);
    request.responseType = onLine ? "text" : "blob";
    const lines = onLine && lineReader(request, onLine);
    request.upload.onprogress = (event) => onUpload?.(event.loaded / event.total);
    request.upload.onload = () => onUpload?.(1);
    request.onprogress = () => lines?.();
    request.onload = async () => {
      if (request.status !== 200) reject(await problemOf(request));
      else if (onLine) finishStream(lines, request, resolve, reject);
      else resolve({ blob: request.response, quota: quotaOf(request) });
    };
    request.onerror = () => {
      lines?.();
      reject({ code: request.status === 200 ? "broken_off" : "network" });
    };
    request.onabort = () => reject({ code: "cancelled" });
    request.send(file);
  });
  return { done, abort: () => request.abort() };
}

function finishStream(lines, request, resolve, reject) {
  const problem = lines(true);
  const quota = quotaOf(request);
  if (problem) reject({ ...problem, quota });
  else resolve({ quota });
}

/** Return a function that handles the new lines; it returns a problem. */
function lineReader(request, onLine) {
  let handled = 0;
  let problem = null;
  return (ended) => {
    if (request.status !== 200) return null;
    const text = request.responseText;
    for (let end; (end = text.indexOf("\n", handled)) >= 0; handled = end + 1) {
      let line = bad(request);
      try {
        line = JSON.parse(text.slice(handled, end));
      } catch {}
      if ("code" in line) problem = line;
      else onLine(line);
    }
    return ended && !handled ? bad(request) : problem;
  };
}

const bad = ({ status }) => ({ code: "bad_answer", status });

async function problemOf(request) {
  const type = request.getResponseHeader("Content-Type") ?? "";
  if (!type.startsWith("application/problem+json")) {
    return bad(request);
  }
  const text = request.responseType === "blob" ? await request.response.text() : request.responseText;
  const retryAfter = Number(request.getResponseHeader("Retry-After")) || null;
  const lang = request.getResponseHeader("Content-Language");
  return { ...JSON.parse(text), retryAfter, lang, quota: quotaOf(request) };
}

/** Return the scarcest of the key's limits: {n: requests left, of: requests, s: in seconds}. */
function quotaOf(request) {
  const items = (name, pattern) => [...(request.getResponseHeader(name) ?? "").matchAll(pattern)];
  const left = items("RateLimit", /";r=(\d+)/g);
  const limits = items("RateLimit-Policy", /"(\w+)[^"]*";q=(\d+);w=(\d+)/g).map(([, name, of, s], at) => ({ name, n: +left[at][1], of: +of, s: +s }));
  const own = limits.filter(({ name }) => name === "key" || name === "function");
  return own.sort((a, b) => a.n - b.n)[0] ?? null;
}
