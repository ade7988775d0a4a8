// @ts-check
/** One sample, seen closely: zoom by wheel, pinch, keys or buttons; the evidence map when it is asked for. */
import { evidence } from "./evidence.js";
import { UNMOVED, zoomed } from "./zoom.js";

/** @param {Element | null} root */
export function viewer(root) {
  if (!(root instanceof HTMLElement)) return { zoomed: () => false, key: () => {}, stop: () => {} };
  const canvas = /** @type {HTMLElement} */ (root.querySelector("[data-canvas]"));
  const sheet = /** @type {HTMLElement} */ (root.querySelector("[data-sheet]"));
  const map = /** @type {HTMLImageElement | null} */ (root.querySelector("[data-map]"));
  const label = /** @type {HTMLSelectElement | null} */ (root.querySelector("[data-map-label]"));
  let view = UNMOVED;

  /** @param {import("./zoom.js").View} next */
  function show(next) {
    view = next;
    sheet.style.transform = view === UNMOVED ? "" : `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
  }
  /** @param {number} x @param {number} y */
  const move = (x, y) => show({ ...view, x: view.x + x, y: view.y + y });

  /** @param {number} by @param {number} [atX] @param {number} [atY] the finger; else the middle */
  function zoom(by, atX, atY) {
    const frame = sheet.getBoundingClientRect();
    const box = canvas.getBoundingClientRect();
    const x = (atX ?? box.left + box.width / 2) - frame.left + view.x;
    const y = (atY ?? box.top + box.height / 2) - frame.top + view.y;
    show(zoomed(view, by, x, y));
  }

  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016)), event.clientX, event.clientY);
  }, { passive: false });

  /** @type {Map<number, PointerEvent>} */
  const fingers = new Map();
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event);
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const other = [...fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
    if (other) {
      const was = Math.hypot(before.clientX - other.clientX, before.clientY - other.clientY);
      const is = Math.hypot(event.clientX - other.clientX, event.clientY - other.clientY);
      zoom(is / Math.max(1, was), (event.clientX + other.clientX) / 2, (event.clientY + other.clientY) / 2);
    } else if (view.scale > 1) move(event.clientX - before.clientX, event.clientY - before.clientY);
    fingers.set(event.pointerId, event);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, (event) => fingers.delete(/** @type {PointerEvent} */ (event).pointerId));
  }
  canvas.addEventListener("dblclick", (event) => {
    if (view.scale > 1) show(UNMOVED);
    else zoom(3, event.clientX, event.clientY);
  });

  for (const button of root.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => act(button.getAttribute("data-zoom")));
  }
  /** @param {string | null} what */
  function act(what) {
    if (what === "in") zoom(1.5);
    else if (what === "out") zoom(1 / 1.5);
    else show(UNMOVED);
  }

  const shown = evidence(root, (strength) => {
    if (!map || !label) return;
    map.hidden = !strength;
    if (!strength) return;
    if (!map.src) map.src = label.value; // fetched once somebody wants to see it
    map.style.opacity = String(strength);
  });
  label?.addEventListener("change", () => { if (map) map.src = label.value; });

  /** @param {number} by */
  function turn(by) {
    if (!label) return;
    label.selectedIndex = (label.selectedIndex + by + label.options.length) % label.options.length;
    label.dispatchEvent(new Event("change"));
  }

  return {
    stop() {},
    zoomed: () => view.scale > 1,
    /** @param {KeyboardEvent} event */
    key(event) {
      if (event.key === "+" || event.key === "=") act("in");
      else if (event.key === "-") act("out");
      else if (event.key === "0") act("fit");
      else if (event.key === "[") turn(-1);
      else if (event.key === "]") turn(1);
      else if (event.key === "e") shown.ask();
      else if (view.scale > 1 && event.key.startsWith("Arrow")) {
        move({ ArrowLeft: 60, ArrowRight: -60 }[event.key] ?? 0, { ArrowUp: 60, ArrowDown: -60 }[event.key] ?? 0);
      } else return;
      event.preventDefault();
    },
  };
}
