/* What somebody would see to be wrong with a page: asked by test_every_page_fits.py, at every size. */
() => {
  const wrong = new Set();
  const shown = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const named = (e) => `${e.tagName.toLowerCase()}.${e.className?.baseVal ?? e.className} "${e.textContent.trim().slice(0, 40)}"`;
  const styles = new Map();
  const style = (e) => styles.get(e) ?? (styles.set(e, getComputedStyle(e)), styles.get(e));

  /** The box that a text must lie within; null where its box scrolls, or says by "…" that there is more. */
  const frame = (e) => {
    for (let up = e; up && up !== document.body; up = up.parentElement) {
      const { overflowX, textOverflow, clipPath } = style(up);
      if (overflowX === "auto" || overflowX === "scroll" || textOverflow === "ellipsis" || clipPath !== "none") return null;
      if (overflowX !== "visible" || up.matches(".panel, .note, .chip, .button, .answer-bar")) return up.getBoundingClientRect();
    }
    return { left: 0, right: innerWidth };
  };

  const beside = document.documentElement.scrollWidth - innerWidth;
  if (beside > 0) wrong.add(`${beside} px stick out`);

  for (const row of document.querySelectorAll("li, tr, summary, .case-row"))
    if (!row.querySelector("form:not([hidden])") && row.offsetHeight > innerHeight)
      wrong.add(`taller than the window: ${named(row)}`);

  const range = document.createRange();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const box = text.parentElement;
    const words = text.data.trim();
    if (words.length < 2 || !shown(box) || box.closest("script, style, noscript, option, .unseen, .skip")) continue;
    range.selectNodeContents(text);
    const lines = new Set([...range.getClientRects()].map((line) => Math.round(line.top)));
    if (words.length > 5 && words.length / lines.size < 3) wrong.add(`a letter or two a line: ${named(box)}`);
    const place = range.getBoundingClientRect();
    const within = place.width ? frame(box) : null;
    if (within && (place.right > within.right + 1 || place.left < within.left - 1)) wrong.add(`sticks out of its box, or is cut: ${named(box)}`);
    if (lines.size < 2 || place.width > 240) continue;
    for (const word of text.data.matchAll(/(?<!\S)\p{L}{4,18}(?![^\s,.;:)])/gu)) { // of a language: no accession, no address
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((line) => Math.round(line.top))).size > 1) wrong.add(`broken within "${word[0]}": ${named(box)}`);
    }
  }

  const pressed = "button, summary, select, .button, .input, .bottom a, .tabs a, .ways a, .back, .question, label:has(input[type=radio], input[type=checkbox])";
  for (const one of innerWidth < 700 ? document.querySelectorAll(pressed) : []) {
    if (!shown(one) || one.closest(".unseen, dialog:not([open])")) continue;
    const { width, height } = one.getBoundingClientRect();
    if (one.scrollWidth > one.clientWidth + 1 && !one.matches("select, input, textarea")) wrong.add(`wider inside than outside: ${named(one)}`);
    if (width && (height < 43.5 || width < 43.5)) wrong.add(`small for a finger, ${Math.round(width)} x ${Math.round(height)}: ${named(one)}`);
  }
  return [...wrong];
}
