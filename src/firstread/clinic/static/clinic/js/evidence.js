// @ts-check
/** Evidence is hidden until somebody asks for it: whoever looks at the sample first is not led by it. */

/** Whether this page was asked for it: another cell of the case then shows its own at once. */
let asked = false;

/**
 * @param {HTMLElement} root
 * @param {(strength: number) => void} show is told from 0, where it is hidden, to 1
 */
export function evidence(root, show) {
  const button = root.querySelector("[data-evidence]");
  const how = root.querySelector("[data-evidence-how]");
  const slider = /** @type {HTMLInputElement | null} */ (root.querySelector("[data-evidence-strength]"));
  const tell = () => show(asked && slider ? Number(slider.value) / 100 : 0);
  const turn = () => {
    button?.setAttribute("aria-pressed", String(asked));
    if (how instanceof HTMLElement) how.hidden = !asked;
    tell();
  };
  const ask = () => {
    if (!button) return;
    asked = !asked;
    turn();
  };
  button?.addEventListener("click", ask);
  if (slider) {
    slider.value = localStorage.getItem("evidence") ?? slider.value;
    slider.addEventListener("input", () => { localStorage.setItem("evidence", slider.value); tell(); });
  }
  turn();
  return { ask };
}
