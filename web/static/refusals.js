import { element } from "./dom.js";
import { clock } from "./format.js";

// A refusal this young is somebody's present trouble, and is shown as such.
const fresh = 60000;

// Refusals shows the attempts to publish that were turned away, the newest first.
export class Refusals {
  constructor(section, list) {
    this.section = section;
    this.list = list;
    this.shown = "";
  }

  show(refusals) {
    this.section.hidden = refusals.length === 0;
    const now = JSON.stringify([refusals, refusals.filter(isFresh).length]);
    if (now === this.shown) return;
    this.shown = now;
    this.list.replaceChildren(...refusals.map(item));
  }
}

function isFresh(refusal) {
  return Date.now() - new Date(refusal.time) < fresh;
}

function item(refusal) {
  const time = new Date(refusal.time);
  const who = [
    refusal.userId || refusal.participantId,
    refusal.key && `key ${refusal.key}`,
    refusal.remote && `from ${refusal.remote}`,
  ].filter(Boolean).join(", ");
  return element("li", { class: isFresh(refusal) ? "fresh" : null },
    element("p", { class: "refusal-head" },
      element("time", { datetime: refusal.time, title: time.toLocaleString() }, clock(time)),
      element("code", {}, refusal.code),
      element("span", { class: "who" }, who)),
    element("p", {}, refusal.detail));
}
