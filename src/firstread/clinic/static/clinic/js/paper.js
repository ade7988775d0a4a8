// @ts-check
/** Drawing on ECG paper: the grid, the leads, the letters of the beats, the evidence under the line. */
import { firstFrom } from "./tiles.js";
import { clock } from "./times.js";

/** @typedef {import("./tiles.js").Meta} Meta */
/** @typedef {import("./tiles.js").Beats} Beats */
/** @typedef {Record<string, string>} Colours */
/**
 * What is in sight. @typedef {object} Sight
 * @property {number} start_s @property {number} width @property {number} px_per_s
 * @property {number} px_per_mm @property {number} gain mm/mV @property {number} row_px
 */

export const BAND = 30;
export const FOOT = 22;
const NAMES = ["paper", "fine", "bold", "line", "quiet", "alarm", "caution", "accent", "other", "evidence", "pick"];
const MEDIAN_OF = 400;
/** How much of the overview's height its marks have. */
const MARKS = 16;

/** The colours of the paper as the page's theme has them. @param {Element} root @returns {Colours} */
export function coloursOf(root) {
  // A property's own value may still be a choice between light and dark; a colour that is used is not.
  const probe = document.createElement("i");
  root.append(probe);
  const found = NAMES.map((name) => {
    probe.style.color = `var(--ecg-${name})`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(found);
}

/** @param {HTMLCanvasElement} canvas @param {number} width @param {number} height */
export function sized(canvas, width, height) {
  const dense = Math.max(1, Math.min(3, devicePixelRatio || 1));
  if (canvas.width !== Math.round(width * dense) || canvas.height !== Math.round(height * dense)) {
    canvas.width = Math.round(width * dense);
    canvas.height = Math.round(height * dense);
  }
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.setTransform(dense, 0, 0, dense, 0, 0);
  return pen;
}

/** @param {CanvasRenderingContext2D} pen @param {Sight} sight @param {number} height @param {Colours} colours */
export function drawGrid(pen, sight, height, colours) {
  pen.fillStyle = colours.paper;
  pen.fillRect(0, 0, sight.width, height);
  // The paper moves with the line: its first line lies at the beginning of the recording.
  const shift = (sight.start_s * sight.px_per_s) % (5 * sight.px_per_mm);
  /** @param {number} step @param {string} colour @param {number} weight */
  const lines = (step, colour, weight) => {
    pen.beginPath();
    for (let x = -shift; x < sight.width; x += step) { pen.moveTo(x, 0); pen.lineTo(x, height); }
    for (let y = BAND % step; y < height; y += step) { pen.moveTo(0, y); pen.lineTo(sight.width, y); }
    pen.strokeStyle = colour;
    pen.lineWidth = weight;
    pen.stroke();
  };
  lines(sight.px_per_mm, colours.fine, 0.6);
  lines(5 * sight.px_per_mm, colours.bold, 1);
}

/** @param {CanvasRenderingContext2D} pen @param {Sight} sight @param {ReturnType<typeof import("./tiles.js").tilesOf>} tiles
 * @param {Meta} meta @param {Colours} colours */
export function drawLeads(pen, sight, tiles, meta, colours) {
  const level = tiles.levelFor(meta.rate_hz / sight.px_per_s);
  const perPlace = meta.steps[level] / meta.rate_hz;
  const from = Math.floor(sight.start_s / perPlace) - 1;
  const to = Math.ceil((sight.start_s + sight.width / sight.px_per_s) / perPlace) + 1;
  meta.leads.forEach((name, lead) => {
    const middle = BAND + (lead + 0.5) * sight.row_px;
    const rests = restsAt(tiles, level, lead, from, to) + (meta.middles_mv[lead] ?? 0);
    const scale = sight.gain * sight.px_per_mm;
    pen.beginPath();
    let drawing = false;
    tiles.walk(level, lead, from, to, (place, low, high) => {
      if (Number.isNaN(low)) { drawing = false; return; }
      const x = ((place + (level ? 0.5 : 0)) * perPlace - sight.start_s) * sight.px_per_s;
      const y = middle - (high - rests) * scale;
      if (drawing) pen.lineTo(x, y);
      else pen.moveTo(x, y);
      if (low !== high) pen.lineTo(x, middle - (low - rests) * scale);
      drawing = true;
    });
    pen.strokeStyle = colours.line;
    pen.lineWidth = level ? 1 : 1.4;
    pen.lineJoin = "round";
    pen.stroke();
    pen.font = "600 12px system-ui, sans-serif";
    pen.textAlign = "left";
    words(pen, name, 8, BAND + lead * sight.row_px + 14, colours.quiet, colours.paper);
  });
  tiles.foresee(level, from - meta.tile / 2, to + meta.tile / 2);
}

/** Where the line lies between its beats. @param {any} tiles @param {number} level @param {number} lead
 * @param {number} from @param {number} to */
function restsAt(tiles, level, lead, from, to) {
  /** @type {number[]} */
  const seen = [];
  const every = Math.max(1, Math.floor((to - from) / MEDIAN_OF));
  let number = 0;
  tiles.walk(level, lead, from, to, (/** @type {number} */ _place, /** @type {number} */ low, /** @type {number} */ high) => {
    if (number++ % every === 0 && !Number.isNaN(low)) seen.push((low + high) / 2);
  });
  seen.sort((a, b) => a - b);
  return seen.length ? seen[seen.length >> 1] : 0;
}

/** @param {CanvasRenderingContext2D} pen @param {string} text @param {number} x @param {number} y
 * @param {string} colour @param {string} ground */
function words(pen, text, x, y, colour, ground) {
  pen.lineWidth = 3;
  pen.lineJoin = "round";
  pen.strokeStyle = ground;
  pen.strokeText(text, x, y);
  pen.fillStyle = colour;
  pen.fillText(text, x, y);
}

/** The letter of each beat above it; where there is no room for all, those that matter, and ticks.
 * @param {CanvasRenderingContext2D} pen @param {Sight} sight @param {Beats} beats @param {Meta} meta
 * @param {Colours} colours @param {number} picked */
export function drawBeats(pen, sight, beats, meta, colours, picked) {
  const ends_s = sight.start_s + sight.width / sight.px_per_s;
  const first = firstFrom(beats.at, sight.start_s - 0.5);
  const last = Math.min(beats.count, firstFrom(beats.at, ends_s + 0.5));
  const room = last > first ? sight.width / (last - first) : sight.width;
  let free = -Infinity;
  pen.font = "700 13px system-ui, sans-serif";
  pen.textAlign = "center";
  for (let beat = first; beat < last; beat += 1) {
    const x = (beats.at[beat] - sight.start_s) * sight.px_per_s;
    const label = meta.labels[beats.label[beat]];
    if (!label) continue;
    pen.fillStyle = colours[label.tone];
    pen.fillRect(x - 0.75, BAND - 6, 1.5, label.notable ? 8 : 5);
    const wide = label.notable ? 16 : 11;
    if (beat !== picked && (x - wide / 2 < free || (!label.notable && room < 14))) continue;
    free = x + wide / 2;
    if (label.notable) {
      pen.beginPath();
      pen.roundRect(x - 9, 4, 18, 19, 5);
      pen.fill();
      words(pen, label.letter, x, 18, colours.paper, colours[label.tone]);
    } else {
      pen.fillText(label.letter, x, 18);
    }
  }
}

/** A soft band behind the line where it speaks for the label of an abnormal beat; of the usual ones it would only be loud.
 * @param {CanvasRenderingContext2D} pen @param {Sight} sight @param {Beats} beats @param {Meta} meta
 * @param {{steps: number, data: Uint8Array}} stretches @param {Colours} colours @param {number} strength
 * @param {number} height */
export function drawEvidence(pen, sight, beats, meta, stretches, colours, strength, height) {
  if (!stretches.steps || strength <= 0) return;
  const whole = meta.before_s + meta.after_s;
  const ends_s = sight.start_s + sight.width / sight.px_per_s;
  const last = Math.min(beats.count, firstFrom(beats.at, ends_s + meta.before_s));
  pen.fillStyle = colours.evidence;
  const wide = (whole / stretches.steps) * sight.px_per_s;
  for (let beat = firstFrom(beats.at, sight.start_s - meta.after_s); beat < last; beat += 1) {
    if (!meta.labels[beats.label[beat]]?.notable) continue;
    // A beat's window reaches into its neighbours': each keeps to its own half of the way.
    const from = beat ? (beats.at[beat - 1] + beats.at[beat]) / 2 : -Infinity;
    const to = beat + 1 < beats.count ? (beats.at[beat] + beats.at[beat + 1]) / 2 : Infinity;
    for (let step = 0; step < stretches.steps; step += 1) {
      const at = beats.at[beat] - meta.before_s + ((step + 0.5) * whole) / stretches.steps;
      const much = stretches.data[beat * stretches.steps + step];
      if (!much || at < from || at >= to) continue;
      pen.globalAlpha = (much / 255) * strength;
      pen.fillRect((at - sight.start_s) * sight.px_per_s - wide / 2, BAND, wide + 0.5, height - BAND - FOOT);
    }
  }
  pen.globalAlpha = 1;
}

/** The ground behind the beat that one stands at. @param {CanvasRenderingContext2D} pen @param {Sight} sight
 * @param {number} at_s @param {number} height @param {Colours} colours */
export function drawPick(pen, sight, at_s, height, colours) {
  const x = (at_s - sight.start_s) * sight.px_per_s;
  const half = Math.max(6, 0.32 * sight.px_per_s);
  pen.fillStyle = colours.pick;
  pen.fillRect(x - half, 0, 2 * half, height - FOOT);
}

/** Two lines with the time between them, as a pair of compasses on paper.
 * @param {CanvasRenderingContext2D} pen @param {Sight} sight @param {{from: number, to: number}} measured
 * @param {number} height @param {Colours} colours */
export function drawMeasure(pen, sight, measured, height, colours) {
  const { from, to } = measured;
  const [x, other] = [from, to].map((at) => (at - sight.start_s) * sight.px_per_s);
  const apart_s = Math.abs(to - from);
  pen.strokeStyle = colours.accent;
  pen.fillStyle = colours.accent;
  pen.lineWidth = 1.5;
  pen.beginPath();
  for (const each of [x, other]) { pen.moveTo(each, BAND); pen.lineTo(each, height - FOOT); }
  pen.moveTo(x, height - FOOT - 12);
  pen.lineTo(other, height - FOOT - 12);
  pen.stroke();
  const text = `${Math.round(apart_s * 1000)} ms` + (apart_s > 0.15 ? ` · ${Math.round(60 / apart_s)}/min` : "");
  pen.font = "600 12px system-ui, sans-serif";
  const wide = pen.measureText(text).width + 12;
  const at = Math.min(sight.width - wide - 4, Math.max(4, (x + other) / 2 - wide / 2));
  pen.fillRect(at, height - FOOT - 36, wide, 20);
  pen.fillStyle = colours.paper;
  pen.textAlign = "left";
  pen.fillText(text, at + 6, height - FOOT - 22);
}

/** The time below. @param {CanvasRenderingContext2D} pen @param {Sight} sight @param {number} height
 * @param {Colours} colours */
export function drawClock(pen, sight, height, colours) {
  const step = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600].find((each) => each * sight.px_per_s >= 72) ?? 7200;
  pen.font = "500 11px system-ui, sans-serif";
  pen.textAlign = "center";
  for (let at = Math.ceil(sight.start_s / step) * step; ; at += step) {
    const x = (at - sight.start_s) * sight.px_per_s;
    if (x > sight.width) break;
    pen.fillStyle = colours.quiet;
    pen.fillRect(x - 0.5, height - FOOT, 1, 5);
    if (x > 18 && x < sight.width - 18) words(pen, clock(at), x, height - 5, colours.quiet, colours.paper);
  }
}

/** The whole recording in one strip, with a mark for each beat that matters and a frame for what is in sight.
 * @param {CanvasRenderingContext2D} pen @param {number} width @param {number} height
 * @param {ReturnType<typeof import("./tiles.js").tilesOf>} tiles @param {Meta} meta @param {Beats | null} beats
 * @param {Colours} colours @param {{from_s: number, to_s: number}} frame */
export function drawOverview(pen, width, height, tiles, meta, beats, colours, frame) {
  const lasts_s = meta.samples / meta.rate_hz;
  pen.fillStyle = colours.paper;
  pen.fillRect(0, 0, width, height);
  drawWhole(pen, width, height, tiles, meta, colours);
  if (beats) drawMarks(pen, width / lasts_s, beats, meta, colours);
  const left = (frame.from_s / lasts_s) * width;
  const wide = Math.max(3, ((frame.to_s - frame.from_s) / lasts_s) * width);
  pen.fillStyle = colours.accent;
  pen.globalAlpha = 0.16;
  pen.fillRect(left, 0, wide, height);
  pen.globalAlpha = 1;
  pen.strokeStyle = colours.accent;
  pen.lineWidth = 1.5;
  pen.strokeRect(left + 0.75, 0.75, Math.max(1.5, wide - 1.5), height - 1.5);
}

/** The first lead from beginning to end, below the marks; rare outliers are cut off.
 * @param {CanvasRenderingContext2D} pen @param {number} width @param {number} height
 * @param {ReturnType<typeof import("./tiles.js").tilesOf>} tiles @param {Meta} meta @param {Colours} colours */
function drawWhole(pen, width, height, tiles, meta, colours) {
  const level = tiles.levelFor(meta.samples / width);
  const perPx = tiles.places(level) / width;
  /** @type {[number, number][]} */
  const columns = [];
  tiles.walk(level, 0, 0, tiles.places(level), (place, low, high) => {
    if (Number.isNaN(low)) return;
    const x = Math.floor(place / perPx);
    const column = columns[x];
    columns[x] = column ? [Math.min(column[0], low), Math.max(column[1], high)] : [low, high];
  });
  const there = columns.filter(Boolean);
  if (!there.length) return;
  const lows = there.map((each) => each[0]).sort((a, b) => a - b);
  const highs = there.map((each) => each[1]).sort((a, b) => a - b);
  const low = lows[Math.floor(lows.length * 0.01)];
  const high = highs[Math.min(highs.length - 1, Math.floor(highs.length * 0.99))];
  const scale = (height - MARKS - 8) / Math.max(0.2, high - low);
  pen.fillStyle = colours.quiet;
  pen.globalAlpha = 0.55;
  columns.forEach((column, x) => {
    const top = Math.max(MARKS, height - 4 - (column[1] - low) * scale);
    const bottom = Math.min(height - 2, height - 4 - (column[0] - low) * scale);
    pen.fillRect(x, top, 1, Math.max(1, bottom - top));
  });
  pen.globalAlpha = 1;
}

/** A mark for each beat that matters. @param {CanvasRenderingContext2D} pen @param {number} px_per_s
 * @param {Beats} beats @param {Meta} meta @param {Colours} colours */
function drawMarks(pen, px_per_s, beats, meta, colours) {
  // Each label has its own height, so that colour is not all that tells them apart.
  const rows = meta.labels.filter((each) => each.notable);
  const tall = MARKS / Math.max(1, rows.length);
  for (let beat = 0; beat < beats.count; beat += 1) {
    const label = meta.labels[beats.label[beat]];
    if (!label?.notable) continue;
    pen.fillStyle = colours[label.tone];
    pen.fillRect(beats.at[beat] * px_per_s - 0.6, rows.indexOf(label) * tall, 1.2, Math.max(2, tall - 0.5));
  }
}
