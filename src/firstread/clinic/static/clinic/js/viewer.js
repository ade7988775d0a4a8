// @ts-check
/** One sample, seen closely: zoom by wheel, pinch, keys or buttons; the evidence map on a slider. */

const MOST = 16;

/** @param {Element | null} root */
export function viewer(root) {
  if (!(root instanceof HTMLElement)) return { zoomed: () => false, key: () => {} };
  const canvas = /** @type {HTMLElement} */ (root.querySelector("[data-canvas]"));
  const sheet = /** @type {HTMLElement} */ (root.querySelector("[data-sheet]"));
  const map = /** @type {HTMLImageElement | null} */ (root.querySelector("[data-map]"));
  const slider = /** @type {HTMLInputElement | null} */ (root.querySelector("[data-map-opacity]"));
  const label = /** @type {HTMLSelectElement | null} */ (root.querySelector("[data-map-label]"));
  let scale = 1;
  let x = 0;
  let y = 0;

  function draw() {
    if (scale <= 1) { scale = 1; x = 0; y = 0; }
    sheet.style.transform = scale === 1 ? "" : `translate(${x}px, ${y}px) scale(${scale})`;
  }

  /** Zoom so that the point under the finger stays under it. @param {number} by @param {number} [atX] @param {number} [atY] */
  function zoom(by, atX, atY) {
    const frame = sheet.getBoundingClientRect();
    const home = { left: frame.left - x, top: frame.top - y };
    const box = canvas.getBoundingClientRect();
    const px = (atX ?? box.left + box.width / 2) - home.left;
    const py = (atY ?? box.top + box.height / 2) - home.top;
    const next = Math.min(MOST, Math.max(1, scale * by));
    x = px - ((px - x) * next) / scale;
    y = py - ((py - y) * next) / scale;
    scale = next;
    draw();
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
    } else if (scale > 1) {
      x += event.clientX - before.clientX;
      y += event.clientY - before.clientY;
      draw();
    }
    fingers.set(event.pointerId, event);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, (event) => fingers.delete(/** @type {PointerEvent} */ (event).pointerId));
  }
  canvas.addEventListener("dblclick", (event) => {
    if (scale > 1) { scale = 1; draw(); } else zoom(3, event.clientX, event.clientY);
  });

  for (const button of root.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => act(button.getAttribute("data-zoom")));
  }
  /** @param {string | null} what */
  function act(what) {
    if (what === "in") zoom(1.5);
    else if (what === "out") zoom(1 / 1.5);
    else { scale = 1; draw(); }
  }

  function veil() {
    if (map && slider) map.style.opacity = String(Number(slider.value) / 100);
  }
  if (slider) {
    slider.value = localStorage.getItem("evidence") ?? slider.value;
    slider.addEventListener("input", () => { veil(); localStorage.setItem("evidence", slider.value); });
  }
  label?.addEventListener("change", () => { if (map) map.src = label.value; });
  veil();

  /** @param {number} by */
  function turn(by) {
    if (!label) return;
    label.selectedIndex = (label.selectedIndex + by + label.options.length) % label.options.length;
    label.dispatchEvent(new Event("change"));
  }

  return {
    zoomed: () => scale > 1,
    /** @param {KeyboardEvent} event */
    key(event) {
      if (event.key === "+" || event.key === "=") act("in");
      else if (event.key === "-") act("out");
      else if (event.key === "0") act("fit");
      else if (event.key === "[") turn(-1);
      else if (event.key === "]") turn(1);
      else if (event.key === "e" && slider) {
        slider.value = Number(slider.value) > 0 ? "0" : "40";
        slider.dispatchEvent(new Event("input"));
      } else if (scale > 1 && event.key.startsWith("Arrow")) {
        x += { ArrowLeft: 60, ArrowRight: -60 }[event.key] ?? 0;
        y += { ArrowUp: 60, ArrowDown: -60 }[event.key] ?? 0;
        draw();
      } else return;
      event.preventDefault();
    },
  };
}
