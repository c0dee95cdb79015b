// Every text of the page, in English and Chinese. "a|b": singular and plural. {name}: a value.

import { SERVICE } from "./service.js";

const TEXTS = {
  skip: ["Skip to the content", "跳到主要内容"],
  language: ["中文", "English"],
  key: ["API key", "API 密钥"],
  keySet: ["API key entered", "已输入 API 密钥"],
  welcome: ["Read the text in images and documents", "识别图像和文档中的文字"],
  lead: [
    "Chinese and English text from photographs, scans and PDF files, line by line, each with its place and confidence.",
    "从照片、扫描件和 PDF 中识别中文和英文，逐行给出文字、位置和置信度。",
  ],
  drop: ["Drop files here, or paste an image", "将文件拖到此处，或粘贴图像"],
  choose: ["Choose files", "选择文件"],
  photograph: ["Take a photograph", "拍照"],
  taken: [
    "JPEG, PNG, WebP, AVIF, GIF, BMP, TIFF or PDF, up to {size}",
    "支持 JPEG、PNG、WebP、AVIF、GIF、BMP、TIFF 和 PDF，最大 {size}",
  ],
  docs: ["API documentation", "API 文档"],
  privacy: [
    "Files are processed in memory on this server and not stored.",
    "文件仅在本服务器的内存中处理，不会存储。",
  ],
  promise1: ["Nothing is stored", "不留存任何内容"],
  promise2: ["Encrypted in transit", "传输全程加密"],
  promise2text: [
    "Files and text are sent over TLS to the address of this page, and to no other.",
    "文件和文字通过 TLS 发送，且只发往本页面的地址。",
  ],
  promise3: ["Uncertain lines are marked", "标出存疑的行"],
  promise3text: [
    "Each line has a confidence; those that a person should check are marked.",
    "每行文字都有置信度，需要人工核对的行会被标出。",
  ],
  keyTitle: ["Enter your API key", "请输入 API 密钥"],
  keyHelp: [
    "The key stays in this tab's memory until you close or reload it. Leave the field empty if a client certificate identifies you.",
    "密钥只保存在此标签页的内存中，关闭或刷新后即清除。如使用客户端证书验证身份，可留空。",
  ],
  keyWrong: [
    "The service did not accept this key. Check that it is complete and has not expired.",
    "服务未接受此密钥。请检查密钥是否完整、是否已过期。",
  ],
  keyLabel: ["Key", "密钥"],
  continue: ["Continue", "继续"],
  cancel: ["Cancel", "取消"],
  files: ["Files", "文件"],
  add: ["Add files", "添加文件"],
  remove: ["Remove {name}", "移除 {name}"],
  pane: ["Image of the page", "页面图像"],
  image: ["Image", "图像"],
  previous: ["Previous page", "上一页"],
  next: ["Next page", "下一页"],
  pageOf: ["Page {page} of {pages}", "第 {page} 页，共 {pages} 页"],
  pageSoFar: ["Page {page} of {pages} read so far", "第 {page} 页，已识别 {pages} 页"],
  zoomIn: ["Enlarge", "放大"],
  zoomOut: ["Reduce", "缩小"],
  outlines: ["Show lines", "显示行框"],
  text: ["Text", "文字"],
  textOf: ["Text of the page", "页面文字"],
  help: ["Arrow keys move from line to line.", "用方向键逐行移动。"],
  awaited: ["The text appears here.", "文字将显示在此处。"],
  noText: ["No text was found on this page.", "此页没有识别到文字。"],
  check: ["Check, {percent} %", "请核对，{percent} %"],
  nextCheck: ["{n} line to check|{n} lines to check", "{n} 行需核对"],
  nextCheckTitle: ["Go to the next line to check", "转到下一个需核对的行"],
  copy: ["Copy text", "复制文字"],
  copied: ["Copied", "已复制"],
  notCopied: ["The browser did not allow copying.", "浏览器不允许复制。"],
  download: ["Download", "下载"],
  downloading: ["Preparing {title}", "正在生成 {title}"],
  waiting: ["Waiting", "等待中"],
  sending: ["Sending, {percent} %", "正在上传 {percent} %"],
  reading: ["Reading page {page}", "正在识别第 {page} 页"],
  cancelled: ["Cancelled", "已取消"],
  failed: ["Not read", "未识别"],
  partly: ["Partly read", "部分识别"],
  done: ["Read", "已完成"],
  pages: ["{n} page|{n} pages", "{n} 页"],
  lines: ["{n} line|{n} lines", "{n} 行"],
  seconds: ["{s} s", "用时 {s} 秒"],
  quota: ["{n} of {of} requests per {s} s left", "每 {s} 秒 {of} 次请求，剩余 {n} 次"],
  quota60: ["{n} of {of} requests per minute left", "每分钟 {of} 次请求，剩余 {n} 次"],
  retry: ["Try again", "重试"],
  dismiss: ["Close", "关闭"],
  countdown: ["Trying again in {s} s", "{s} 秒后自动重试"],
  rest: ["Read the remaining pages", "识别其余页面"],
  enterKey: ["Enter a key", "输入密钥"],
  shrink: ["Reduce the image and try again", "缩小图像后重试"],
  progress: ["Progress", "进度"],
  choosePages: ["Pages, for example 1-10", "页码，例如 1-10"],
  readPages: ["Read these pages", "识别这些页面"],
  codeIs: ["Code {code}", "代码 {code}"],
  requestIs: ["request {id}", "请求 {id}"],
  readSoFar: ["The pages read until then are shown below.", "此前识别的页面显示在下方。"],
  warning_lower_resolution: ["This page was rendered at a lower resolution: check small print.", "此页以较低分辨率渲染，小字可能受影响。"],
  warning_font_not_embedded: ["The PDF lacks a font that this page needs: text may be missing.", "PDF 未嵌入此页所需的字体，可能缺少文字。"],
};

// What an error means for a person with a page in front of them, by its code; the service's own
// words are for programs, and shown for codes that are not here.
const PROBLEMS = {
  not_authenticated: [
    ["The key was not accepted", "密钥未被接受"],
    TEXTS.keyWrong,
  ],
  body_too_large: [
    ["The file is too large", "文件过大"],
    ["It has {size}; the limit is {max}. Reduce an image's resolution, or divide a document.", "文件为 {size}，上限为 {max}。请降低图像分辨率，或拆分文档。"],
  ],
  too_many_pages: [
    ["The document has too many pages", "文档页数过多"],
    ["It has {document_pages} pages; at most {max_pages} are read at once. Choose some of them.", "文档共 {document_pages} 页，一次最多识别 {max_pages} 页。请选择部分页面。"],
  ],
  rate_limited: [
    ["Too many requests", "请求过于频繁"],
    ["The limit of this key or address is reached. The file is sent again automatically.", "此密钥或地址的请求次数已达上限，稍后会自动重新发送。"],
  ],
  out_of_time: [
    ["The time ran out before the last page", "在最后一页之前已超时"],
    ["Each request has a time limit. The remaining pages can be read now.", "每次请求有时间限制，现在可以继续识别其余页面。"],
  ],
  no_key: [
    ["No key was entered", "未输入密钥"],
    ["Reading needs an API key. Ask the operator of this service for one.", "识别文件需要 API 密钥，请向服务管理员索取。"],
  ],
  network: [
    ["The service cannot be reached", "无法连接到服务"],
    ["Check the network connection. If other pages work, tell the operator of this service.", "请检查网络连接。若其他网页正常，请联系服务管理员。"],
  ],
  broken_off: [
    ["The connection ended before the last page", "连接在最后一页之前中断"],
    ["The remaining pages can be read now.", "现在可以继续识别其余页面。"],
  ],
  not_a_file: [
    ["The file cannot be opened", "无法打开文件"],
    ["It may be a folder, or was moved or changed.", "可能是文件夹，或文件已被移动或更改。"],
  ],
  bad_answer: [
    ["The response is not from Sealed OCR", "响应并非来自 Sealed OCR"],
    ["Something on the way responded instead. Tell the operator of this service.", "中间的其他程序返回了响应，请联系服务管理员。"],
  ],
};

export const sizeText = (bytes) => `${new Intl.NumberFormat("en", { maximumFractionDigits: 1 }).format(bytes / 1e6)} MB`;

const LANGUAGES = ["en", "zh"];
let current = navigator.languages.map((tag) => LANGUAGES.indexOf(tag.slice(0, 2))).find((at) => at >= 0) ?? 0;

export const language = () => LANGUAGES[current];

/** Return title, advice and language of a problem, in the page's own words if it has any. */
export function problemTexts(problem, file) {
  const own = PROBLEMS[problem.code];
  if (!own) return [problem.title, problem.detail, problem.lang ?? ""];
  const given = { ...problem, n: problem.document_pages, size: sizeText(file.size), max: sizeText(SERVICE.max_bytes) };
  return [...own.map((texts) => fill(texts, given)), document.documentElement.lang];
}

/** Return the entry of a pair that is in the current language. */
export const pick = (pair) => pair[current];

export const t = (key, values = {}) => fill(TEXTS[key], values);

export const isKnown = (key) => key in TEXTS;

function fill(texts, values) {
  const [one, many = one] = texts[current].split("|");
  return (values.n === 1 ? one : many).replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

export function switchLanguage() {
  current = 1 - current;
  translate();
}

/** Write the texts into what has data-text (its text), data-label (its accessible name). */
export function translate() {
  document.documentElement.lang = current ? "zh-Hans" : "en";
  for (const each of document.querySelectorAll("[data-text]")) each.textContent = t(each.dataset.text);
  for (const each of document.querySelectorAll("[data-label]")) {
    each.setAttribute("aria-label", t(each.dataset.label));
    each.title = t(each.dataset.label);
  }
}
