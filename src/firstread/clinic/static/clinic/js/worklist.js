// @ts-check
/** The worklist by keyboard; what is new lights up; what is selected stays selected. */
import { typing } from "./page.js";

const list = /** @type {HTMLElement} */ (document.querySelector("#list"));
/** @type {string | null} */
let selected = sessionStorage.getItem("case");
let known = new Set(rows().map((row) => row.dataset.case));

function rows() {
  return /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".case-row")]);
}

/** @param {string | undefined | null} id */
function select(id) {
  selected = id ?? null;
  if (selected) sessionStorage.setItem("case", selected);
  for (const row of rows()) row.toggleAttribute("data-selected", row.dataset.case === selected);
}

/** @param {number} by */
function move(by) {
  const all = rows();
  if (!all.length) return;
  const now = all.findIndex((row) => row.dataset.case === selected);
  const next = all[Math.min(all.length - 1, Math.max(0, now < 0 ? 0 : now + by))];
  select(next.dataset.case);
  /** @type {HTMLElement | null} */ (next.querySelector(".case-link"))?.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (typing(event.target)) return;
  if (event.key === "j" || event.key === "ArrowDown") { event.preventDefault(); move(1); }
  else if (event.key === "k" || event.key === "ArrowUp") { event.preventDefault(); move(-1); }
  else if (event.key === "/") {
    event.preventDefault();
    /** @type {HTMLInputElement | null} */ (document.querySelector("[data-search]"))?.select();
  } else if ("1234".includes(event.key)) {
    /** @type {HTMLElement | null} */ (document.querySelector(`[data-tab="${event.key}"]`))?.click();
  } else if (event.key === "Enter" && event.target === document.body) {
    /** @type {HTMLElement | null} */ (document.querySelector("[data-selected] .case-link"))?.click();
  }
});

/* Filters act at once. */
list.addEventListener("change", (event) => {
  if (event.target instanceof HTMLSelectElement) event.target.form?.requestSubmit();
});

/* A list that fetches itself again must not take the words from whoever is typing a search. */
document.addEventListener("htmx:beforeSwap", (event) => {
  const search = document.querySelector("[data-search]");
  if (search && search === document.activeElement) {
    /** @type {CustomEvent} */ (event).detail.shouldSwap = false;
    search.addEventListener("blur", () => document.body.dispatchEvent(new CustomEvent("changed")), { once: true });
  }
});
let focused = false;
document.addEventListener("htmx:beforeSwap", () => {
  focused = Boolean(document.activeElement?.matches(".case-link"));
});
document.addEventListener("htmx:afterSwap", () => {
  const news = rows().filter((row) => !known.has(row.dataset.case));
  for (const row of news) row.classList.add("fresh");
  known = new Set(rows().map((row) => row.dataset.case));
  select(selected);
  if (focused) {
    /** @type {HTMLElement | null} */ (document.querySelector("[data-selected] .case-link"))?.focus({ preventScroll: true });
  }
});
list.addEventListener("focusin", (event) => {
  const row = event.target instanceof Element && event.target.closest(".case-row");
  if (row instanceof HTMLElement) select(row.dataset.case);
});
if (rows().some((row) => row.dataset.case === selected)) select(selected);
