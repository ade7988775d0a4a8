// @ts-check
/** How a sheet lies under a glass: how large, and how far from where it lay at first. */

/** @typedef {{scale: number, x: number, y: number}} View */

const MOST = 16;

/** The whole sheet, where it lay at first. @type {View} */
export const UNMOVED = Object.freeze({ scale: 1, x: 0, y: 0 });

/** The view made larger so that the point under the finger stays under it.
 * @param {View} view @param {number} by @param {number} x @param {number} y the finger, from where the sheet lay at first
 * @returns {View} */
export function zoomed(view, by, x, y) {
  const scale = Math.min(MOST, Math.max(1, view.scale * by));
  if (scale === 1) return UNMOVED;
  const grown = scale / view.scale;
  return { scale, x: x - (x - view.x) * grown, y: y - (y - view.y) * grown };
}
