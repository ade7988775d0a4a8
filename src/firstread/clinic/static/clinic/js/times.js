// @ts-check
/** Times as people read them. */

/** How long ago: 40 s, 12 min, 3 h 5 min, 2 d 4 h. @param {number} seconds */
export function inWords(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.floor(seconds))} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return hours % 24 ? `${Math.floor(hours / 24)} d ${hours % 24} h` : `${Math.floor(hours / 24)} d`;
}

/** A moment as people read it: 12:34, or with tenths 12:34.5. @param {number} at_s @param {boolean} [tenths] */
export function clock(at_s, tenths = false) {
  const all = tenths ? Math.floor(at_s * 10 + 1e-6) / 10 : Math.floor(at_s + 1e-6);
  const hours = Math.floor(all / 3600);
  const minutes = Math.floor(all / 60) % 60;
  const seconds = (all % 60).toFixed(tenths ? 1 : 0).padStart(tenths ? 4 : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}
