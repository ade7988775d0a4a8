// @ts-check
/** What every page has: theme, keys, menus, clocks, and the news that something changed. */
import { inWords } from "./times.js";

const root = document.documentElement;

for (const button of document.querySelectorAll("[data-theme-toggle]")) {
  button.addEventListener("click", () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
  });
}

/* ---- menus close when one looks elsewhere ---- */
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (event.target instanceof Node && !menu.contains(event.target)) menu.removeAttribute("open");
  }
});

/* ---- keys ---- */
const keys = /** @type {HTMLDialogElement | null} */ (document.querySelector("dialog.keys"));
for (const button of document.querySelectorAll("[data-keys-open]")) {
  button.addEventListener("click", () => keys?.showModal());
}

/** @param {EventTarget | null} target */
export function typing(target) {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.matches("textarea, select, input:not([type=radio]):not([type=checkbox]):not([type=range])"))
  );
}

/* ---- an answer can be taken back for ten seconds: a bar counts them ---- */
const takeBack = /** @type {HTMLFormElement | null} */ (document.querySelector("[data-take-back]"));
if (takeBack) {
  const ends = Date.now() + 1000 * Number(takeBack.dataset.left);
  const count = setInterval(() => {
    const left = Math.ceil((ends - Date.now()) / 1000);
    const words = takeBack.querySelector("[data-seconds]");
    if (words) words.textContent = String(Math.max(0, left));
    if (left > 0) return;
    clearInterval(count);
    takeBack.remove();
    document.body.dispatchEvent(new CustomEvent("final"));
  }, 250);
}

let going = false;
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details.menu[open]")) menu.removeAttribute("open");
    if (typing(event.target) && event.target instanceof HTMLElement) event.target.blur();
  }
  if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey || keys?.open) return;
  if (event.key === "u" && takeBack?.isConnected) {
    event.preventDefault();
    if (!event.repeat) takeBack.requestSubmit();
  } else if (event.key === "?") {
    event.preventDefault();
    keys?.showModal();
  } else if (going) {
    going = false;
    const place = { w: "/", p: "/put-in", o: "/outbox" }[event.key];
    if (place) location.assign(place);
  } else if (event.key === "g") {
    going = true;
    setTimeout(() => (going = false), 1200);
  }
});

/* ---- clocks ---- */
const moments = new Intl.DateTimeFormat(undefined, {
  day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false,
});

function tellTimes() {
  for (const time of document.querySelectorAll("time[data-shape]")) {
    const at = new Date(time.getAttribute("datetime") ?? "");
    if (Number.isNaN(at.valueOf())) continue;
    const shape = time.getAttribute("data-shape");
    const text = shape === "since" ? inWords((Date.now() - at.valueOf()) / 1000) : moments.format(at);
    if (time.textContent !== text) time.textContent = text;
  }
}
tellTimes();
setInterval(tellTimes, 15_000);
document.addEventListener("htmx:afterSettle", tellTimes);

/* ---- a letter that is open stays open when its list is fetched again ---- */
/** @type {string[]} */
let openLetters = [];
document.addEventListener("htmx:beforeSwap", () => {
  openLetters = [...document.querySelectorAll("details.letter[open]")].map((letter) => letter.id);
});
document.addEventListener("htmx:afterSettle", () => {
  for (const id of openLetters) document.getElementById(id)?.setAttribute("open", "");
});

/* ---- news: the server says "changed", each part that listens fetches itself again ---- */
const AGAIN_MS = 5000;
const address = document.body.dataset.live;
if (address && "EventSource" in window) {
  const shown = () => document.querySelectorAll("[data-live-state]");
  /** @param {string} state @param {string} words */
  const say = (state, words) => {
    for (const element of shown()) {
      element.setAttribute("data-state", state);
      element.textContent = words;
    }
  };
  /** @type {EventSource | null} */
  let stream = null;
  const listen = () => {
    if (stream) return;
    stream = new EventSource(address);
    stream.onopen = () => {
      say("on", "Live");
      // What changed before the line was open, or while it was down, is fetched now.
      document.body.dispatchEvent(new CustomEvent("changed"));
    };
    stream.addEventListener("changed", () => document.body.dispatchEvent(new CustomEvent("changed")));
    stream.onerror = () => {
      say("off", "Connection lost, trying again");
      // A browser tries again where the line broke, and never where something else was answered.
      if (stream?.readyState === EventSource.CLOSED) void askWhy();
    };
  };
  const askWhy = async () => {
    rest();
    const asking = new AbortController();
    const answer = await fetch(address, { signal: asking.signal }).catch(() => null);
    asking.abort();
    if (answer?.status === 204) tellSignedOut();
    else setTimeout(() => document.hidden || listen(), AGAIN_MS);
  };
  const tellSignedOut = () => {
    say("off", "Signed out");
    const said = document.querySelector(".messages");
    if (!said || said.querySelector("[data-signed-out]")) return;
    const note = document.createElement("p");
    const link = document.createElement("a");
    note.className = "note caution";
    note.dataset.signedOut = "";
    link.href = `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;
    link.textContent = "Sign in again";
    note.append("You have been signed out, and this page is not kept up to date any more. What you wrote here is not sent yet. ", link);
    said.append(note);
  };
  const rest = () => {
    stream?.close();
    stream = null;
  };
  // Once every script of the page listens: news told before would be heard by nobody, and never told again.
  document.addEventListener("DOMContentLoaded", () => {
    // A browser has six lines to a server: pages that nobody looks at must not hold them all.
    document.addEventListener("visibilitychange", () => (document.hidden ? rest() : listen()));
    addEventListener("pagehide", rest);
    addEventListener("pageshow", (event) => event.persisted && listen());
    if (!document.hidden) listen();
  });
}

/* Whoever was signed out meanwhile sees the sign-in page whole, not inside a list. */
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = /** @type {CustomEvent<{xhr: XMLHttpRequest}>} */ (event).detail;
  if (new URL(xhr.responseURL).pathname === "/sign-in" || xhr.status === 403) location.reload();
});
