// @ts-check
/** One recording on ECG paper: scroll, change the paper's speed, walk along the abnormal beats. */
import { evidence } from "./evidence.js";
import { BAND, FOOT, coloursOf, drawBeats, drawClock, drawEvidence, drawGrid, drawLeads, drawMeasure, drawOverview, drawPick, sized } from "./paper.js";
import { fetchBeats, fetchStretches, firstFrom, tilesOf } from "./tiles.js";
import { clock } from "./times.js";

const SPEEDS = [2.5, 5, 12.5, 25, 50, 100];
const USUAL = 3;
const OVERVIEW_PX = 60;
/** Of light paper, whatever the page's theme: what is printed. */
const PRINTED = {
  paper: "#ffffff", fine: "#f8dfda", bold: "#eebbb2", line: "#000000", quiet: "#4f4442", alarm: "#ad1f2d",
  caution: "#7d5200", accent: "#086170", other: "#5b3f8f", evidence: "#f0c674", pick: "#fbe8e8",
};

/** @param {HTMLElement} root */
export function trace(root) {
  const meta = /** @type {import("./tiles.js").Meta} */ (JSON.parse(document.getElementById("trace-meta")?.textContent ?? "{}"));
  const paper = /** @type {HTMLElement} */ (root.querySelector("[data-paper]"));
  const over = /** @type {HTMLElement} */ (root.querySelector("[data-over]"));
  const range = /** @type {HTMLInputElement} */ (root.querySelector("[data-over-range]"));
  const speeds = /** @type {HTMLSelectElement} */ (root.querySelector("[data-speed]"));
  const gains = /** @type {HTMLSelectElement} */ (root.querySelector("[data-gain]"));
  const said = /** @type {HTMLElement} */ (root.querySelector("[data-sight]"));
  const measureButton = /** @type {HTMLElement} */ (root.querySelector("[data-measure]"));
  const lasts_s = meta.samples / meta.rate_hz;
  const ended = new AbortController();
  const { signal } = ended;

  const canvas = document.createElement("canvas");
  canvas.setAttribute("aria-hidden", "true");
  const overview = document.createElement("canvas");
  overview.setAttribute("aria-hidden", "true");
  paper.querySelector("img")?.replaceWith(canvas);
  over.prepend(overview);
  root.dataset.ready = "yes";

  let start_s = 0;
  let speed = USUAL;
  let gain = meta.mm_per_mv;
  let picked = -1;
  /** The label that is walked along; null: every one that matters. @type {string | null} */
  let walked = null;
  let measuring = false;
  /** @type {{from: number, to: number} | null} */
  let measured = null;
  /** @type {import("./tiles.js").Beats | null} */
  let beats = null;
  /** @type {{steps: number, data: Uint8Array}} */
  let stretches = { steps: 0, data: new Uint8Array() };
  let colours = coloursOf(root);
  let strength = 0;
  let due = false;

  const tiles = tilesOf(meta, ask);
  function ask() {
    if (due) return;
    due = true;
    requestAnimationFrame(() => { due = false; if (!signal.aborted) draw(); });
  }

  function sight() {
    const width = Math.max(200, paper.clientWidth);
    const px_per_mm = Math.min(4.4, Math.max(2.6, width / 251));
    const crowd = meta.leads.length > 6 ? 0.55 : meta.leads.length > 3 ? 0.75 : 1;
    return { start_s, width, px_per_mm, gain, px_per_s: SPEEDS[speed] * px_per_mm, row_px: meta.row_mm * crowd * px_per_mm };
  }
  const seen_s = () => { const now = sight(); return now.width / now.px_per_s; };

  function draw() {
    const now = sight();
    const height = Math.round(BAND + meta.leads.length * now.row_px + FOOT);
    canvas.style.height = `${height}px`;
    const pen = sized(canvas, now.width, height);
    drawGrid(pen, now, height, colours);
    if (beats && picked >= 0) drawPick(pen, now, beats.at[picked], height, colours);
    if (beats) drawEvidence(pen, now, beats, meta, stretches, colours, strength, height);
    drawLeads(pen, now, tiles, meta, colours);
    if (beats) drawBeats(pen, now, beats, meta, colours, picked);
    drawClock(pen, now, height, colours);
    if (measured) drawMeasure(pen, now, measured, height, colours);
    if (over.clientWidth) {
      const wide = over.clientWidth;
      const frame = { from_s: start_s, to_s: Math.min(lasts_s, start_s + now.width / now.px_per_s) };
      drawOverview(sized(overview, wide, OVERVIEW_PX), wide, OVERVIEW_PX, tiles, meta, beats, colours, frame);
    }
  }

  /* ---- where one looks ---- */
  /** @param {number} to_s */
  function go(to_s) {
    start_s = Math.max(0, Math.min(to_s, lasts_s - seen_s()));
    range.value = String(Math.round(start_s * 10) / 10);
    ask();
    tellSoon();
  }

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let soon;
  function tellSoon() {
    clearTimeout(soon);
    soon = setTimeout(tell, 180);
  }
  function tell() {
    const ends_s = Math.min(lasts_s, start_s + seen_s());
    let words = `${clock(start_s, true)} – ${clock(ends_s, true)}`;
    if (meta.began) words += ` · ${timeOfDay(start_s)}`;
    if (beats) {
      const first = firstFrom(beats.at, start_s);
      const last = firstFrom(beats.at, ends_s);
      /** @type {Map<string, number>} */
      const found = new Map();
      for (let beat = first; beat < last; beat += 1) {
        const label = meta.labels[beats.label[beat]];
        if (label?.notable) found.set(label.title, (found.get(label.title) ?? 0) + 1);
      }
      words += ` · ${last - first} beats`;
      for (const [title, count] of found) words += `, ${title.toLowerCase()}: ${count}`;
    }
    said.textContent = words;
    range.setAttribute("aria-valuetext", words);
  }
  /** @param {number} at_s */
  function timeOfDay(at_s) {
    const [hours, minutes, seconds] = meta.began.split(":").map(Number);
    const all = Math.floor(hours * 3600 + minutes * 60 + seconds + at_s) % 86_400;
    return [all / 3600, (all / 60) % 60, all % 60].map((each) => String(Math.floor(each)).padStart(2, "0")).join(":");
  }

  /** Change the speed so that the moment under the finger stays under it. @param {number} next @param {number} [at_px] */
  function setSpeed(next, at_px) {
    const before = sight();
    const at = at_px ?? before.width / 2;
    const moment = start_s + at / before.px_per_s;
    speed = Math.max(0, Math.min(SPEEDS.length - 1, next));
    speeds.value = String(SPEEDS[speed]);
    range.max = String(Math.max(0, lasts_s - seen_s()));
    go(moment - at / sight().px_per_s);
  }

  /* ---- the beats that matter ---- */
  /** @param {number} beat */
  function matters(beat) {
    const label = beats && meta.labels[beats.label[beat]];
    return Boolean(label && (walked === null ? label.notable : label.code === walked));
  }
  /** @param {number} beat */
  function show(beat) {
    if (!beats || beat < 0 || beat >= beats.count) return;
    picked = beat;
    const at = beats.at[beat];
    const shown_s = seen_s();
    if (at < start_s + 0.15 * shown_s || at > start_s + 0.85 * shown_s) start_s = at - shown_s / 2;
    go(start_s);
    const label = meta.labels[beats.label[beat]];
    clearTimeout(soon);
    said.textContent = `${label.title} at ${clock(at, true)}, ${beats.percent[beat]} %`;
    const rows = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-beat]")]);
    for (const row of rows) row.removeAttribute("aria-current");
    const row = rows.find((each) => Number(each.dataset.beat) <= beat && beat < Number(each.dataset.beat) + Number(each.dataset.count));
    row?.setAttribute("aria-current", "true");
    const list = row?.closest(".episodes-scroll");
    if (row && list) {
      const box = row.getBoundingClientRect();
      const frame = list.getBoundingClientRect();
      if (box.top < frame.top + 32 || box.bottom > frame.bottom) list.scrollTop += box.top - frame.top - frame.height / 2;
    }
  }
  /** @param {number} by */
  function walk(by) {
    if (!beats) return;
    const from = picked >= 0 ? picked + by : by > 0 ? firstFrom(beats.at, start_s) : firstFrom(beats.at, start_s + seen_s()) - 1;
    for (let beat = from; beat >= 0 && beat < beats.count; beat += by) {
      if (matters(beat)) { show(beat); return; }
    }
    said.textContent = by > 0 ? "No more of them after this." : "No more of them before this.";
  }
  /** @param {string | null} code */
  function setWalk(code) {
    walked = walked === code ? null : code;
    for (const button of document.querySelectorAll("[data-walk]")) {
      button.setAttribute("aria-pressed", String(button.getAttribute("data-walk") === walked));
    }
    for (const row of document.querySelectorAll("[data-episode]")) {
      if (row instanceof HTMLElement) row.hidden = walked !== null && row.dataset.episode !== walked;
    }
    if (walked !== null) { picked = -1; start_s = start_s > lasts_s - 2 * seen_s() ? 0 : start_s; walk(1); }
  }

  /* ---- fingers, mouse, wheel ---- */
  /** @type {Map<number, {x: number, y: number}>} */
  const fingers = new Map();
  let spread = 0;
  paper.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    paper.setPointerCapture(event.pointerId);
    if (measuring || event.shiftKey) {
      const at = momentAt(event.clientX);
      measured = { from: at, to: at };
    }
    if (fingers.size === 2) spread = apart();
  });
  paper.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (fingers.size === 2) {
      const now = apart();
      const by = now / Math.max(1, spread);
      if (by > 1.5 || by < 1 / 1.5) { setSpeed(speed + (by > 1 ? 1 : -1), middle()); spread = now; }
    } else if (measured && (measuring || event.shiftKey)) {
      measured.to = momentAt(event.clientX);
      ask();
    } else go(start_s - (event.clientX - before.x) / sight().px_per_s);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    paper.addEventListener(end, (event) => {
      fingers.delete(/** @type {PointerEvent} */ (event).pointerId);
      if (measured && measured.from === measured.to) { measured = null; ask(); }
    });
  }
  const apart = () => { const [a, b] = [...fingers.values()]; return Math.abs(a.x - b.x) + Math.abs(a.y - b.y); };
  const middle = () => { const [a, b] = [...fingers.values()]; return (a.x + b.x) / 2 - paper.getBoundingClientRect().left; };
  /** @param {number} x */
  const momentAt = (x) => start_s + (x - paper.getBoundingClientRect().left) / sight().px_per_s;
  let rolled = 0;
  paper.addEventListener("wheel", (event) => {
    const across = event.shiftKey ? event.deltaY : event.deltaX;
    if (event.ctrlKey) {
      event.preventDefault();
      rolled += event.deltaY;
      if (Math.abs(rolled) > 30) { setSpeed(speed - Math.sign(rolled), event.clientX - paper.getBoundingClientRect().left); rolled = 0; }
    } else if (across) { // what rolls down is the page's
      event.preventDefault();
      go(start_s + across / sight().px_per_s);
    }
  }, { passive: false });

  /* ---- controls ---- */
  range.addEventListener("input", () => { picked = -1; go(Number(range.value)); });
  speeds.addEventListener("change", () => setSpeed(SPEEDS.indexOf(Number(speeds.value))));
  gains.addEventListener("change", () => { gain = Number(gains.value); ask(); });
  for (const button of root.querySelectorAll("[data-go]")) {
    button.addEventListener("click", () => walk(Number(button.getAttribute("data-go"))));
  }
  const setMeasuring = (/** @type {boolean} */ on) => {
    measuring = on;
    if (!on) measured = null;
    measureButton.setAttribute("aria-pressed", String(on));
    paper.classList.toggle("measuring", on);
    ask();
  };
  measureButton.addEventListener("click", () => setMeasuring(!measuring));
  const shown = evidence(root, (now) => { strength = now; ask(); });
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || event.ctrlKey || event.metaKey) return;
    const row = event.target.closest("[data-beat]");
    const kind = event.target.closest("[data-walk]");
    if (row instanceof HTMLElement) {
      event.preventDefault();
      show(Number(row.dataset.beat));
      if (root.getBoundingClientRect().top < 0) root.scrollIntoView({ block: "start" });
    } else if (kind) setWalk(kind.getAttribute("data-walk"));
  }, { signal });

  /* ---- theme, size, print ---- */
  const recolour = () => { colours = matchMedia("print").matches ? PRINTED : coloursOf(root); draw(); };
  for (const query of ["print", "(prefers-color-scheme: dark)"]) matchMedia(query).addEventListener("change", recolour, { signal });
  const watching = new MutationObserver(recolour);
  watching.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  const sizing = new ResizeObserver(() => { range.max = String(Math.max(0, lasts_s - seen_s())); go(start_s); });
  sizing.observe(paper);

  setSpeed(USUAL);
  go(0);
  if (meta.beats) {
    void fetchBeats(meta.beats).then(async (found) => {
      beats = found;
      ask();
      tell();
      const asked = Number(root.dataset.beat ?? -1);
      if (asked >= 0) show(asked);
      if (meta.stretches) stretches = await fetchStretches(meta.stretches, found.count);
      ask();
    }).catch(() => { said.textContent = "The beats could not be fetched. Open the case anew."; });
  }

  return {
    zoomed: () => true,
    stop() { ended.abort(); watching.disconnect(); sizing.disconnect(); },
    /** @param {KeyboardEvent} event @returns {boolean} whether the key was one of the trace's */
    key(event) {
      const far = event.shiftKey ? 0.9 * seen_s() : 0.2 * seen_s();
      /** @type {Record<string, () => void>} */
      const does = {
        ArrowLeft: () => go(start_s - far),
        ArrowRight: () => go(start_s + far),
        PageUp: () => go(start_s - 0.9 * seen_s()),
        PageDown: () => go(start_s + 0.9 * seen_s()),
        Home: () => { picked = -1; go(0); },
        End: () => { picked = -1; go(lasts_s); },
        n: () => walk(1),
        p: () => walk(-1),
        m: () => setMeasuring(!measuring),
        "+": () => setSpeed(speed + 1),
        "=": () => setSpeed(speed + 1),
        "-": () => setSpeed(speed - 1),
        0: () => setSpeed(USUAL),
      };
      const act = does[event.key];
      const aside = ["PageUp", "PageDown", "Home", "End"].includes(event.key) && event.target !== paper;
      if (act && !aside) act();
      else if (event.key === "e") shown.ask();
      else return false;
      event.preventDefault();
      return true;
    },
  };
}
