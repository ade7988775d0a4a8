import assert from "node:assert/strict";
import { test } from "node:test";
import { clock, inWords } from "../../src/firstread/clinic/static/clinic/js/times.js";

test("how long ago is told in the two largest units", () => {
  const told = [-5, 0, 59.9, 60, 3599, 3600, 3900, 86399, 86400, 93600].map(inWords);
  assert.deepEqual(told, ["0 s", "0 s", "59 s", "1 min", "59 min", "1 h", "1 h 5 min", "23 h 59 min", "1 d", "1 d 2 h"]);
});

test("a moment in a recording has hours only where it needs them", () => {
  assert.deepEqual([0, 59, 60, 3599, 3600, 86399].map((s) => clock(s)), ["0:00", "0:59", "1:00", "59:59", "1:00:00", "23:59:59"]);
});

test("tenths never round up into the next second", () => {
  assert.deepEqual([9.96, 59.99, 0.3, 0.1 + 0.2].map((s) => clock(s, true)), ["0:09.9", "0:59.9", "0:00.3", "0:00.3"]);
});
