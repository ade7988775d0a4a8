// @ts-check
/** The bar with the answer stays in sight wherever the answer itself is out of it. */

/** @type {IntersectionObserver | null} */
let watching = null;

/** Begins anew after a part of the page was replaced. */
export function watchAnswer() {
  watching?.disconnect();
  const bar = document.querySelector("#answer-bar");
  const answer = document.querySelector("#decide, .decision [data-next]");
  if (!bar || !answer) return;
  // What has only just come in at the bottom lies behind the bar.
  watching = new IntersectionObserver(
    ([entry]) => bar.toggleAttribute("data-away", entry.isIntersecting),
    { rootMargin: "0px 0px -20% 0px" },
  );
  watching.observe(answer);
}
