import { byId, setText } from "./dom.js";
import { Feed } from "./feed.js";
import { Refusals } from "./refusals.js";
import { Tile } from "./tile.js";
import { expiryOf, setToken, tokenFromURL } from "./token.js";
import { clock } from "./format.js";

// How long the tile of somebody who left stays, as an encoder that lost its network is often
// back within seconds and its viewers then go on without a break.
const graceAfterLeaving = 15000;

const tiles = new Map(); // by participant id
const refusals = new Refusals(byId("refusals"), byId("refusal-list"));
let token = "";
let feed = null;
let scene = null;
let connected = false;
let soundOn = false; // browsers let a page play aloud only after the user has touched it

function start() {
  stop();
  token = tokenFromURL();
  if (!token) {
    showDoor("This page needs a token", "A watch token says which stage this is and that you may watch it. It belongs into the URL, after #token=, or into this field.");
    return;
  }
  byId("door").hidden = true;
  feed = new Feed(token, {
    onScene: (now) => {
      scene = now;
      show();
    },
    onState: (state) => {
      connected = state === "live";
      summarise();
    },
    onRefused: ({ code, detail }) => {
      stop();
      showDoor(titleOf(code), detail);
    },
  });
}

function stop() {
  feed?.close();
  feed = scene = null;
  for (const tile of tiles.values()) tile.close();
  tiles.clear();
  refusals.show([]);
  byId("empty").hidden = byId("sound").hidden = true;
  summarise();
}

function titleOf(code) {
  if (code === "INSUFFICIENT_CAPABILITIES") return "This token does not let you watch";
  const expiry = expiryOf(token);
  if (expiry && expiry < new Date()) return `This token expired on ${expiry.toLocaleDateString()} at ${clock(expiry)}`;
  return "This token is not accepted";
}

function showDoor(title, words) {
  byId("door").hidden = false;
  setText(byId("door-title"), title);
  setText(byId("door-words"), words || "Ask for a new one.");
  byId("door-token").value = "";
  byId("door-token").focus({ preventScroll: true });
}

function show() {
  const here = new Set();
  for (const participant of scene.participants ?? []) {
    here.add(participant.participantId);
    let tile = tiles.get(participant.participantId);
    if (!tile) {
      tile = new Tile(participant.participantId, token, { onSoundBlocked: () => setSound(false) });
      tile.setSound(soundOn);
      tiles.set(participant.participantId, tile);
      byId("tiles").append(tile.node);
    }
    tile.show(participant);
  }
  for (const [id, tile] of tiles) {
    if (here.has(id)) continue;
    if (tile.left(graceAfterLeaving)) {
      tile.close();
      tiles.delete(id);
    }
  }
  byId("empty").hidden = tiles.size > 0;
  byId("sound").hidden = tiles.size === 0;
  refusals.show(scene.refusals ?? []);
  summarise();
}

function summarise() {
  setText(byId("stage-name"), scene?.stageName || "stagedoor");
  document.title = scene?.stageName ? `${scene.stageName} – stagedoor` : "stagedoor";
  const summary = byId("summary");
  summary.className = connected ? "live" : "lost";
  if (!feed) setText(summary, "");
  else if (!connected) setText(summary, scene ? "Connection to the gateway lost, trying again…" : "Connecting…");
  else setText(summary, `${scene.participants?.length ?? 0} on stage, ${scene.viewers} watching`);
}

function setSound(on) {
  soundOn = on;
  for (const tile of tiles.values()) tile.setSound(on);
  const button = byId("sound");
  setText(button, on ? "Turn sound off" : "Turn sound on");
  button.setAttribute("aria-pressed", String(on));
  button.classList.toggle("big", !on);
}

byId("sound").addEventListener("click", () => setSound(!soundOn));
byId("door-form").addEventListener("submit", (event) => {
  event.preventDefault();
  setToken(byId("door-token").value.trim());
  start();
});
addEventListener("hashchange", start);
addEventListener("pagehide", () => tiles.forEach((tile) => tile.close()));
addEventListener("pageshow", (event) => event.persisted && start());
// A tile of somebody who left goes even when no scene comes any more.
setInterval(() => scene && show(), 5000);
start();
