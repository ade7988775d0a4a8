// @ts-check
/** Which files are one sample, and which samples go in one request. */

/** @typedef {{name: string, size: number}} Sized */

const MOST_AT_ONCE = 200;

/** The name of a WFDB file without its ending, and the ending; '' of any other. @param {string} name @returns {[string, string]} */
function halves(name) {
  const found = /^(.+)(\.hea|\.dat|\.mat)$/i.exec(name);
  return found ? [found[1], found[2].toLowerCase()] : [name, ""];
}

/** The file that belongs to one of a WFDB pair; '' of any other. @param {string} name */
export function otherHalf(name) {
  const [stem, ending] = halves(name);
  return ending && `${stem}${ending === ".hea" ? ".dat" : ".hea"}`;
}

/** Whether a sample's only file is the other half of the file of that name. @param {readonly Sized[]} files @param {string} name */
export function waitsFor(files, name) {
  const [stem, ending] = halves(name);
  const [other, its] = halves(files[0].name);
  return files.length === 1 && Boolean(ending && its) && other === stem && its !== ending;
}

/** @param {{files: readonly Sized[]}} item */
export function bytesOf(item) {
  return item.files.reduce((sum, file) => sum + file.size, 0);
}

/** @param {number} bytes */
export function size(bytes) {
  return bytes < 1_000_000 ? `${Math.max(1, Math.round(bytes / 1000))} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** No more in one request than the server takes: the following ones join the case of the first.
 * @template {{files: readonly Sized[]}} T @param {readonly T[]} fresh @param {number} most bytes @returns {T[][]} */
export function parcels(fresh, most) {
  /** @type {T[][]} */
  const groups = [];
  let bytes = Infinity;
  for (const item of fresh) {
    if (bytes + bytesOf(item) > most || (groups.at(-1)?.length ?? 0) >= MOST_AT_ONCE) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(item);
    bytes += bytesOf(item);
  }
  return groups;
}
