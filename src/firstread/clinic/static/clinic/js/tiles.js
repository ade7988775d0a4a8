// @ts-check
/** The signal and the beats of a recording, fetched piece by piece as they come into sight. */

/** @typedef {{code: string, title: string, letter: string, tone: string, notable: boolean}} Label */
/**
 * @typedef {object} Meta
 * @property {string} tiles an address that ends in /0/0: level and number of a tile
 * @property {string} beats @property {string} stretches '' where there is none
 * @property {number} rate_hz @property {number} samples @property {string[]} leads
 * @property {number} unit_mv @property {number} row_mm @property {number} mm_per_mv @property {number[]} middles_mv
 * @property {number[]} steps @property {number} tile @property {string} began
 * @property {number} before_s @property {number} after_s
 * @property {Label[]} labels
 */
/** @typedef {{count: number, at: Float64Array, label: Uint8Array, percent: Uint8Array}} Beats */

const MOST_KEPT = 160;

/** @param {string} address */
async function bytesOf(address) {
  const answer = await fetch(address);
  if (!answer.ok || answer.redirected) throw new Error(`${answer.status}`);
  return answer.arrayBuffer();
}

/**
 * @param {Meta} meta @param {() => void} arrived is called whenever something more can be drawn
 */
export function tilesOf(meta, arrived) {
  /** @type {Map<string, Int16Array | null>} in the order of use; null is on its way */
  const kept = new Map();
  const base = meta.tiles.replace(/0\/0$/, "");

  /** @param {number} level @param {number} number @returns {Int16Array | null} */
  function tile(level, number) {
    const key = `${level}/${number}`;
    const there = kept.get(key);
    if (there) {
      kept.delete(key);
      kept.set(key, there);
      return there;
    }
    if (there === undefined) {
      kept.set(key, null);
      bytesOf(base + key)
        .then((data) => {
          kept.set(key, new Int16Array(data));
          for (const old of kept.keys()) {
            if (kept.size <= MOST_KEPT) break;
            if (kept.get(old)) kept.delete(old);
          }
          arrived();
        })
        .catch(() => setTimeout(() => kept.delete(key), 3000));
    }
    return null;
  }

  /** @param {number} level */
  const places = (level) => Math.ceil(meta.samples / meta.steps[level]);

  return {
    /** How many places a level has. */
    places,
    /** The coarsest level that still gives every pixel a place of its own. @param {number} samplesPerPx */
    levelFor(samplesPerPx) {
      let level = 0;
      while (level + 1 < meta.steps.length && meta.steps[level + 1] <= samplesPerPx) level += 1;
      return level;
    },
    /** Call `each` with the lowest and highest of every place of a lead, in mV, as far as it is here.
     * @param {number} level @param {number} lead @param {number} from @param {number} to
     * @param {(place: number, low: number, high: number) => void} each */
    walk(level, lead, from, to, each) {
      const last = Math.min(places(level) - 1, to);
      for (let place = Math.max(0, from); place <= last; ) {
        const number = Math.floor(place / meta.tile);
        const ends = Math.min(last, (number + 1) * meta.tile - 1);
        const data = tile(level, number);
        if (data) {
          const width = Math.min(meta.tile, places(level) - number * meta.tile);
          for (; place <= ends; place += 1) {
            const at = lead * width + place - number * meta.tile;
            if (level) each(place, data[2 * at] * meta.unit_mv, data[2 * at + 1] * meta.unit_mv);
            else each(place, data[at] * meta.unit_mv, data[at] * meta.unit_mv);
          }
        } else each(place, NaN, NaN);
        place = ends + 1;
      }
    },
    /** Ask for what comes next before it is needed. @param {number} level @param {number} from @param {number} to */
    foresee(level, from, to) {
      for (const place of [from, to]) {
        if (place >= 0 && place < places(level)) tile(level, Math.floor(place / meta.tile));
      }
    },
  };
}

/** @param {string} address @returns {Promise<Beats>} */
export async function fetchBeats(address) {
  const data = await bytesOf(address);
  const count = data.byteLength / 6;
  return {
    count,
    at: Float64Array.from(new Uint32Array(data, 0, count), (ms) => ms / 1000),
    label: new Uint8Array(data, 4 * count, count),
    percent: new Uint8Array(data, 5 * count, count),
  };
}

/** What of each beat's window speaks for its label. @param {string} address @param {number} count */
export async function fetchStretches(address, count) {
  const data = new Uint8Array(await bytesOf(address));
  return { steps: count ? data.length / count : 0, data };
}

/** The first beat at or after a moment. @param {Float64Array} at @param {number} moment */
export function firstFrom(at, moment) {
  let low = 0;
  let high = at.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at[middle] < moment) low = middle + 1;
    else high = middle;
  }
  return low;
}
