import assert from "node:assert/strict";
import { test } from "node:test";
import { otherHalf, parcels, size, waitsFor } from "../../src/firstread/clinic/static/clinic/js/parcels.js";

const sized = (/** @type {number[]} */ ...sizes) => ({ files: sizes.map((bytes) => ({ name: "a.png", size: bytes })) });
const named = (/** @type {string} */ name) => ({ name, size: 1 });

test("the two files of a recording find each other, whatever the case of their endings", () => {
  assert.equal(otherHalf("100.hea"), "100.dat");
  assert.equal(otherHalf("100.DAT"), "100.hea");
  assert.equal(otherHalf("100.csv"), "");
  assert.ok(waitsFor([named("100.hea")], "100.dat"));
  assert.ok(waitsFor([named("100.DAT")], "100.hea"));
});

test("files of another recording, a second copy or a whole pair wait for nothing", () => {
  assert.ok(!waitsFor([named("100.hea")], "101.dat"));
  assert.ok(!waitsFor([named("100.hea")], "100.hea"));
  assert.ok(!waitsFor([named("100.csv")], "100.csv"));
  assert.ok(!waitsFor([named("100.hea"), named("100.dat")], "100.dat"));
});

test("a request holds no more bytes than the server takes", () => {
  const groups = parcels([sized(40), sized(40), sized(30), sized(70), sized(71)], 100);
  assert.deepEqual(groups.map((group) => group.map((item) => item.files[0].size)), [[40, 40], [30, 70], [71]]);
});

test("a request holds no more than 200 samples, and none is left out", () => {
  const groups = parcels(Array.from({ length: 450 }, () => sized(1)), 1e9);
  assert.deepEqual(groups.map((group) => group.length), [200, 200, 50]);
});

test("both files of a sample count, and a sample above the limit goes alone", () => {
  assert.equal(parcels([sized(60, 30), sized(20)], 100).length, 2);
  assert.deepEqual(parcels([sized(500), sized(1)], 100).map((group) => group.length), [1, 1]);
  assert.deepEqual(parcels([], 100), []);
});

test("sizes are told in kB and MB, and nothing is 0 kB", () => {
  assert.deepEqual([1, 1499, 999_499, 1_000_000, 12_340_000].map(size), ["1 kB", "1 kB", "999 kB", "1.0 MB", "12.3 MB"]);
});
