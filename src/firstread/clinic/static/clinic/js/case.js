// @ts-check
/** The case page: look closely, change cells, answer by keyboard, stay up to date. */
import { watchAnswer } from "./answer_bar.js";
import { typing } from "./page.js";
import { trace } from "./trace.js";
import { viewer } from "./viewer.js";

/** @template {Element} T @param {string} selector @returns {T | null} */
const find = (selector) => /** @type {T | null} */ (document.querySelector(selector));

/** What shows the sample: a picture is looked at closely, a recording is scrolled. */
function openStage() {
  const recording = find("[data-trace]");
  return recording instanceof HTMLElement ? trace(recording) : viewer(find("[data-viewer]"));
}
let stage = openStage();
watchAnswer();
function openStageAgain() {
  stage.stop();
  stage = openStage();
}

/* ---- another cell: its stage and its read are taken from its page ---- */
/** @param {Document} page @param {string[]} ids */
function take(page, ids) {
  for (const id of ids) {
    const now = document.getElementById(id);
    const next = page.getElementById(id);
    if (now && next) now.replaceWith(next);
  }
  document.dispatchEvent(new CustomEvent("htmx:afterSettle"));
}

/** What the address gives; null where it is not for this person, or no longer there. @param {string} address */
async function ask(address) {
  const answer = await fetch(address, { headers: { "X-Requested-With": "fetch" } });
  if (answer.status >= 500) throw new Error(`The server could not answer: ${answer.status}`);
  return answer.ok && !answer.redirected ? answer.text() : null;
}

/** @param {string} address */
async function fetchPage(address) {
  const text = await ask(address);
  return text === null ? null : new DOMParser().parseFromString(text, "text/html");
}

let wanted = 0;
/** @param {HTMLAnchorElement} link */
async function showCell(link) {
  const mine = ++wanted;
  for (const other of document.querySelectorAll("[data-cell]")) other.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
  link.scrollIntoView({ block: "nearest" });
  const page = await fetchPage(link.href);
  if (!page || mine !== wanted) return;
  take(page, ["stage", "read-panel"]);
  history.replaceState(null, "", link.href);
  openStageAgain();
}
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element && event.target.closest("[data-cell]");
  if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  void showCell(link);
});

/** @param {number} by */
function moveCell(by) {
  const cells = /** @type {HTMLAnchorElement[]} */ ([...document.querySelectorAll("[data-cell]")]);
  const now = cells.findIndex((cell) => cell.hasAttribute("aria-current"));
  const next = cells[now + by];
  if (next) void showCell(next);
}

/* ---- keys ---- */
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || typing(event.target) || event.ctrlKey || event.metaKey || event.altKey || find("dialog[open]")) return;
  /** @param {string} selector */
  const press = (selector) => find(selector) && (event.preventDefault(), /** @type {HTMLElement} */ (find(selector)).click());
  if (event.target instanceof HTMLInputElement && event.target.type === "range" && event.key.startsWith("Arrow")) return;
  if (event.key === "a" && !event.repeat) {
    press("[data-agree]");
    const first = find("summary[data-agree]");
    if (first instanceof HTMLElement) first.focus();
  } else if (event.key >= "1" && event.key <= "9") {
    const choice = /** @type {HTMLInputElement | null} */ (find(`[data-answer="${event.key}"]`));
    if (choice) { choice.checked = true; choice.focus(); event.preventDefault(); }
  } else if (event.key === "Enter" && event.target instanceof HTMLInputElement && event.target.name === "label") press("[data-record]");
  else if (event.key === "N") press("[data-next]");
  else if (event.key === "c") { const box = find("#comment"); if (box instanceof HTMLElement) { event.preventDefault(); box.focus(); } }
  else if (event.key === "n" && !find("[data-trace]")) press("[data-next]");
  else if (event.key === "u") press(".back");
  else if (event.key === "ArrowLeft" && !stage.zoomed()) moveCell(-1);
  else if (event.key === "ArrowRight" && !stage.zoomed()) moveCell(1);
  else stage.key(event);
});

/* An answer is sent once, however often the key is pressed. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});

/* ---- what came of an answer is shown once that can no longer be taken back ---- */
document.body.addEventListener("final", () => {
  if (!(box instanceof HTMLElement)) return;
  // The last moment is the server's to say: the page asks a little after its own.
  setTimeout(() => { box.dataset.stamp = ""; document.body.dispatchEvent(new CustomEvent("changed")); }, 1200);
});

/* ---- news ---- */
const AGAIN_MS = 3000;
const box = find("#case");
let asking = false;
let again = false;
document.body.addEventListener("changed", async () => {
  if (!(box instanceof HTMLElement)) return;
  // What changes while the page asks may be newer than what it is told: it asks once more.
  again = true;
  if (asking) return;
  asking = true;
  try {
    while (again) {
      again = false;
      await update(box);
    }
  } catch {
    // The line for news may still be open and say nothing more, so the page asks again by itself.
    setTimeout(() => document.body.dispatchEvent(new CustomEvent("changed")), AGAIN_MS);
  } finally {
    asking = false;
  }
});

/** @param {HTMLElement} box */
async function update(box) {
  const stamp = await ask(box.dataset.stampUrl ?? "");
  if (stamp === null || stamp === box.dataset.stamp) return;
  const page = await fetchPage(location.href);
  if (!page) return;
  const comment = /** @type {HTMLTextAreaElement | null} */ (find("#comment"))?.value;
  const choice = /** @type {HTMLInputElement | null} */ (find("input[name=label]:checked"))?.value;
  const listed = /** @type {HTMLSelectElement | null} */ (find("#answer-label"))?.value;
  const busy = Boolean(comment || choice || listed);
  const hadMap = Boolean(find("[data-map], [data-trace][data-read]"));
  take(page, ["case-head", "read-panel", "cells", "beats", "differential", "history", "mails", "decision", "answer-bar"]);
  watchAnswer();
  if (busy) {
    const words = /** @type {HTMLTextAreaElement | null} */ (find("#comment"));
    if (words && comment) words.value = comment;
    const list = /** @type {HTMLSelectElement | null} */ (find("#answer-label"));
    if (list && listed) list.value = listed;
    for (const radio of document.querySelectorAll("input[name=label]")) {
      if (radio instanceof HTMLInputElement && radio.value === choice) radio.checked = true;
    }
  }
  // The stage is left alone while somebody looks at it, unless it gained its map.
  if (!hadMap) { take(page, ["stage", "trace-meta"]); openStageAgain(); }
  if (page.querySelectorAll(".case-left > *").length !== document.querySelectorAll(".case-left > *").length) location.reload();
  box.dataset.stamp = stamp;
}
