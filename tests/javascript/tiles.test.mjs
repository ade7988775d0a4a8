import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { fetchBeats, fetchStretches, firstFrom, tilesOf } from "../../src/firstread/clinic/static/clinic/js/tiles.js";

const META = /** @type {any} */ ({ tiles: "/t/0/0", samples: 20, rate_hz: 10, leads: ["I", "II"], unit_mv: 0.5, steps: [1, 8], tile: 8 });
const first = globalThis.fetch;
afterEach(() => { globalThis.fetch = first; });

/** Answers each address with these bytes. @param {(address: string) => ArrayBuffer} bytes */
function served(bytes) {
  globalThis.fetch = /** @type {any} */ (async (/** @type {string} */ address) => ({ ok: true, redirected: false, arrayBuffer: async () => bytes(address) }));
}

/** What `walk` gives of a stretch. @param {ReturnType<typeof tilesOf>} tiles @param {[number, number, number, number]} where */
function walked(tiles, where) {
  /** @type {number[][]} */
  const given = [];
  tiles.walk(...where, (place, low, high) => given.push([place, low, high]));
  return given;
}

test("what is not here yet is a gap, and what came is in mV at its own place", async () => {
  /** @type {string[]} */
  const asked = [];
  served((address) => { asked.push(address); return Int16Array.from({ length: 16 }, (_, n) => n).buffer; });
  const came = new Promise((done) => { setTimeout(done, 1000).unref(); arrived = () => done(undefined); });
  const tiles = tilesOf(META, () => arrived());
  assert.deepEqual(walked(tiles, [0, 1, 6, 7]), [[6, NaN, NaN]]);
  await came;
  assert.deepEqual(walked(tiles, [0, 1, 6, 7]), [[6, 7, 7], [7, 7.5, 7.5]]);
  assert.deepEqual(asked, ["/t/0/0"]);
});
let arrived = () => {};

test("the coarsest level that still gives every pixel a place of its own", () => {
  const tiles = tilesOf(META, () => {});
  assert.deepEqual([0.5, 7.9, 8, 600].map((each) => tiles.levelFor(each)), [0, 0, 1, 1]);
  assert.deepEqual([0, 1].map(tiles.places), [20, 3]);
});

test("beats come as moments, labels and percents one behind another", async () => {
  served(() => {
    const data = new ArrayBuffer(12);
    new Uint32Array(data, 0, 2).set([400, 1250]);
    new Uint8Array(data, 8).set([0, 3, 99, 61]);
    return data;
  });
  const beats = await fetchBeats("/b");
  assert.deepEqual([beats.count, ...beats.at, ...beats.label, ...beats.percent], [2, 0.4, 1.25, 0, 3, 99, 61]);
});

test("stretches are as long as there are beats for them, and none where there is no beat", async () => {
  served(() => new ArrayBuffer(12));
  assert.equal((await fetchStretches("/s", 3)).steps, 4);
  assert.equal((await fetchStretches("/s", 0)).steps, 0);
});

test("an answer that is none is an error, not an empty recording", async () => {
  globalThis.fetch = /** @type {any} */ (async () => ({ ok: true, redirected: true, status: 200 }));
  await assert.rejects(fetchBeats("/b"));
});

test("the first beat at or after a moment", () => {
  const at = Float64Array.of(1, 2, 2, 5);
  assert.deepEqual([0, 1, 1.5, 2, 5, 6].map((moment) => firstFrom(at, moment)), [0, 0, 1, 1, 3, 4]);
});
