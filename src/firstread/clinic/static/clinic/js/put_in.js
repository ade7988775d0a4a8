// @ts-check
/** Putting samples in: drop, choose or take them; each shows its progress and what came of it. */
import { bytesOf, otherHalf, parcels, size, waitsFor } from "./parcels.js";

/** One sample, of one file or of two that belong together. @typedef {{files: File[], row: HTMLElement, state: "" | "going" | "done" | "bad"}} Item */
/** @typedef {{name: string, says: string, case: string | null, accession: string | null, url: string | null, error: boolean}} Result */

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("[data-put]"));
if (form) pictures(form);

/** @param {HTMLFormElement} form */
function pictures(form) {
  const drop = /** @type {HTMLElement} */ (form.querySelector("[data-drop]"));
  const list = /** @type {HTMLElement} */ (form.querySelector("[data-list]"));
  const said = /** @type {HTMLElement} */ (form.querySelector("[data-said]"));
  const go = /** @type {HTMLButtonElement} */ (form.querySelector("[data-go]"));
  const together = /** @type {HTMLElement | null} */ (form.querySelector("[data-together]"));
  const most = Number(form.dataset.most);
  const { one = "picture", look = "" } = form.dataset;
  const inPairs = form.hasAttribute("data-pairs");
  /** @type {Item[]} */
  let items = [];
  /** What stands beside a file while it can still be changed or left out. @type {WeakMap<Item, Element[]>} */
  const controls = new WeakMap();

  /** The case that a broken connection left half put in: what is left joins it. */
  let begun = "";

  const several = () => items.filter((item) => !item.state).length > 1;
  const howTold = () => new FormData(form).get("together");
  const eachIsACase = () => !together || howTold() === "each" || !several();

  function arrange() {
    const fresh = items.filter((item) => !item.state).length;
    if (together) together.hidden = fresh < 2;
    const each = fresh > 1 && eachIsACase();
    for (const item of items) {
      const own = /** @type {HTMLInputElement | null} */ (item.row.querySelector(".accession"));
      if (own) own.hidden = !each || Boolean(item.state);
    }
    const shared = /** @type {HTMLInputElement} */ (form.elements.namedItem("accession"));
    shared.disabled = each;
    const words = go.querySelector("span");
    if (words) words.textContent = fresh > 1 ? `Put ${fresh} in` : "Put in";
    go.disabled = !fresh;
  }

  /** @param {Iterable<File>} files */
  function add(files) {
    for (const file of files) {
      if (inPairs && joins(file)) continue;
      const row = document.createElement("div");
      row.className = "file";
      const picture = document.createElement(look === "img" ? "img" : "span");
      if (picture instanceof HTMLImageElement) {
        picture.alt = "";
        picture.src = URL.createObjectURL(file);
        picture.addEventListener("error", () => {
          const blank = document.createElement("span");
          blank.className = "blank";
          picture.replaceWith(blank);
        });
      } else picture.className = `blank ${look}`;
      const name = document.createElement("span");
      name.className = "name";
      name.textContent = file.name;
      const says = document.createElement("span");
      says.className = "says";
      says.textContent = saysOf([file]);
      const end = document.createElement("span");
      end.className = "end row";
      const accession = document.createElement("input");
      accession.className = "input accession";
      accession.placeholder = "Accession";
      accession.setAttribute("aria-label", `Accession of ${file.name}`);
      accession.maxLength = 64;
      accession.value = /^\d{4,}(?=[_.\s-])/.exec(file.name)?.[0] ?? "";
      const away = document.createElement("button");
      away.type = "button";
      away.className = "icon-button";
      away.setAttribute("aria-label", `Leave ${file.name} out`);
      away.textContent = "×";
      end.append(accession, away);
      row.append(picture, name, says, end);
      list.append(row);
      /** @type {Item} */
      const item = { files: [file], row, state: "" };
      away.addEventListener("click", () => { items = items.filter((other) => other !== item); row.remove(); arrange(); });
      items.push(item);
      if (file.size > most) finish(item, `This file is larger than ${size(most)}. Send a smaller one.`, false);
    }
    arrange();
  }

  /** Whether the file is the other half of a recording that waits for it. @param {File} file */
  function joins(file) {
    const item = items.find(({ files, state }) => !state && waitsFor(files, file.name));
    if (!item || bytesOf(item) + file.size > most) return false;
    item.files.push(file);
    const name = item.row.querySelector(".name");
    if (name) name.textContent = item.files.map((each) => each.name).sort().reverse().join(" + ");
    const says = item.row.querySelector(".says");
    if (says) says.textContent = saysOf(item.files);
    return true;
  }

  /** @param {File[]} files */
  function saysOf(files) {
    const bytes = size(files.reduce((sum, file) => sum + file.size, 0));
    const missing = files.length > 1 || !inPairs ? "" : otherHalf(files[0].name);
    return missing ? `${bytes} · add ${missing}, its other half` : bytes;
  }

  /** @param {Item} item @param {string} words @param {boolean} good @param {string | null} [url] */
  function finish(item, words, good, url) {
    item.state = good ? "done" : "bad";
    item.row.dataset.state = item.state;
    item.row.querySelector("progress")?.remove();
    const says = item.row.querySelector(".says");
    if (says) says.textContent = words;
    const end = item.row.querySelector(".end");
    end?.replaceChildren();
    if (url) {
      const link = document.createElement("a");
      link.className = "button small";
      link.href = url;
      link.textContent = "Open case";
      end?.append(link);
    }
  }

  /** It was not taken, for no fault of its own: it stays, to be put in again. @param {Item} item @param {string} words */
  function stays(item, words) {
    item.state = "";
    item.row.querySelector("progress")?.remove();
    const says = item.row.querySelector(".says");
    if (says) says.textContent = words;
    item.row.querySelector(".end")?.replaceChildren(...(controls.get(item) ?? []));
  }

  /** Send some files as one request; each shows its own share of the progress. Gives back the accession of their case; null where they were not taken and stay.
   * @param {Item[]} group @param {string} accession @returns {Promise<string | null>} */
  function send(group, accession) {
    const data = new FormData();
    for (const name of ["csrfmiddlewaretoken", "check", "patient"]) data.set(name, String(new FormData(form).get(name) ?? ""));
    data.set("accession", accession);
    data.set("together", "one");
    for (const item of group) {
      for (const file of item.files) data.append("sample", file, file.name);
      item.state = "going";
      const bar = document.createElement("progress");
      bar.max = 1;
      bar.value = 0;
      bar.setAttribute("aria-label", `Sending ${item.files[0].name}`);
      const end = item.row.querySelector(".end");
      controls.set(item, [...(end?.children ?? [])]);
      end?.replaceChildren();
      item.row.append(bar);
    }
    return new Promise((done) => {
      const request = new XMLHttpRequest();
      request.open("POST", form.action);
      request.setRequestHeader("Accept", "application/json");
      request.upload.addEventListener("progress", (event) => {
        let before = 0;
        for (const item of group) {
          const bar = item.row.querySelector("progress");
          if (bar) bar.value = Math.min(1, Math.max(0, (event.loaded - before) / Math.max(1, bytesOf(item))));
          before += bytesOf(item);
        }
      });
      request.addEventListener("load", () => {
        /** @type {Result[]} */
        let results = [];
        try { results = JSON.parse(request.responseText).results ?? []; } catch { /* an error page, told below */ }
        if (!results.length && request.status !== 413) {
          for (const item of group) stays(item, "The server could not take it. Put it in again in a moment.");
          done(null);
          return;
        }
        let place = 0;
        group.forEach((item) => {
          const result = results[place]; // the two files of one sample fare alike
          place += item.files.length;
          if (result) finish(item, result.says, !result.error, result.url);
          else finish(item, "Too large for this server.", false);
        });
        done(results.find((result) => result.accession)?.accession ?? accession);
      });
      request.addEventListener("error", () => {
        for (const item of group) stays(item, "The connection broke. Put it in again: nothing is taken twice.");
        done(null);
      });
      request.send(data);
    });
  }

  /** A case each; where one is not taken those behind it stay as well. @param {Item[]} fresh */
  async function sendEach(fresh) {
    for (const item of fresh) {
      const accession = /** @type {HTMLInputElement | null} */ (item.row.querySelector(".accession"))?.value ?? "";
      if ((await send([item], accession)) === null) return;
    }
  }

  /** As one case, in as many requests as it takes. @param {Item[]} fresh */
  async function sendTogether(fresh) {
    const shared = String(new FormData(form).get("accession") ?? "");
    for (const group of parcels(fresh, most)) {
      const accession = await send(group, shared || begun);
      if (accession === null) return;
      begun = accession;
    }
    begun = "";
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const fresh = items.filter((item) => !item.state);
    if (!fresh.length) { said.textContent = `Choose a ${one} first.`; return; }
    if (together && fresh.length > 1 && !howTold()) {
      said.textContent = "Say whether these are one case or a case each.";
      together.querySelector("input")?.focus();
      return;
    }
    go.disabled = true;
    said.textContent = "Sending";
    if (eachIsACase() && fresh.length > 1) await sendEach(fresh);
    else await sendTogether(fresh);
    const bad = fresh.filter((item) => item.state === "bad").length;
    const left = fresh.filter((item) => !item.state).length;
    const good = fresh.length - bad - left;
    if (left) said.textContent = `${good} put in. ${left} left: press the button to put ${left > 1 ? "them" : "it"} in again.`;
    else said.textContent = bad ? `${good} put in, ${bad} not.` : "All put in.";
    arrange();
  });

  for (const input of form.querySelectorAll("[data-files]")) {
    input.addEventListener("change", () => {
      if (!(input instanceof HTMLInputElement)) return;
      add(input.files ?? []);
      input.value = "";
    });
  }
  for (const kind of ["dragover", "dragenter"]) {
    drop.addEventListener(kind, (event) => { event.preventDefault(); drop.toggleAttribute("data-over", true); });
  }
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.removeAttribute("data-over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    add(/** @type {DragEvent} */ (event).dataTransfer?.files ?? []);
  });
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => event.preventDefault());
  addEventListener("paste", (event) => add(/** @type {ClipboardEvent} */ (event).clipboardData?.files ?? []));
  form.addEventListener("change", arrange);
  arrange();
}

/* ---- measurements: slider and number are one value ---- */
for (const slider of document.querySelectorAll("[data-slide]")) {
  const box = document.getElementById(slider.getAttribute("data-slide") ?? "");
  if (!(slider instanceof HTMLInputElement) || !(box instanceof HTMLInputElement)) continue;
  slider.addEventListener("input", () => { box.value = slider.value; tick(box, false); });
  box.addEventListener("input", () => { slider.value = box.value || slider.min; tick(box, false); });
}
for (const missing of document.querySelectorAll("[data-missing]")) {
  missing.addEventListener("change", () => {
    const box = document.getElementById(missing.getAttribute("data-missing") ?? "");
    if (box instanceof HTMLInputElement && missing instanceof HTMLInputElement && missing.checked) box.value = "";
  });
}
/** @param {HTMLInputElement} box @param {boolean} on */
function tick(box, on) {
  const missing = document.querySelector(`[data-missing="${box.id}"]`);
  if (missing instanceof HTMLInputElement) missing.checked = on;
}
document.querySelector("[data-ways]")?.addEventListener("change", (event) => {
  const way = /** @type {HTMLInputElement} */ (event.target).value;
  for (const part of document.querySelectorAll("[data-way]")) {
    if (part instanceof HTMLElement) part.hidden = part.dataset.way !== way;
  }
});

export {};
