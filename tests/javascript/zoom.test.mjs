import assert from "node:assert/strict";
import { test } from "node:test";
import { UNMOVED, zoomed } from "../../src/firstread/clinic/static/clinic/js/zoom.js";

/** Where a point of the sheet is seen. */
const seen = (/** @type {{scale: number, x: number, y: number}} */ view, /** @type {number} */ x) => view.x + view.scale * x;

test("the point under the finger stays under it, however often it is made larger", () => {
  let view = UNMOVED;
  for (const by of [1.5, 2, 0.8, 3]) {
    const under = (120 - view.x) / view.scale;
    view = zoomed(view, by, 120, 40);
    assert.ok(Math.abs(seen(view, under) - 120) < 1e-9);
  }
});

test("it grows sixteen times at most and never shrinks below the whole", () => {
  assert.equal(zoomed(UNMOVED, 1000, 5, 5).scale, 16);
  assert.deepEqual(zoomed(zoomed(UNMOVED, 4, 9, 9), 0.01, 70, 70), UNMOVED);
});
