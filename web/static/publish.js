import { byId, element, setText } from "./dom.js";
import * as format from "./format.js";
import { Publisher } from "./publisher.js";
import { closeSources, devices, openSources } from "./sources.js";
import { setToken, tokenFromURL } from "./token.js";

let stream = null;
let publisher = null;

function start() {
  const known = tokenFromURL() !== "";
  byId("door").hidden = known;
  byId("studio").hidden = !known;
  if (known) fillDevices();
}

async function preview() {
  publisher?.stop();
  closeSources(stream);
  stream = null;
  say("");
  byId("live").disabled = true;
  const chosen = new FormData(byId("choices"));
  try {
    stream = await openSources({
      picture: chosen.get("picture"),
      camera: byId("camera").value,
      microphone: byId("microphone").value,
      raw: byId("raw").checked,
    });
  } catch (error) {
    cover("No picture yet.");
    say(error.message);
    return;
  }
  const video = byId("preview");
  video.muted = true; // a preview that is heard howls
  video.srcObject = stream;
  cover(stream.getVideoTracks().length ? "" : "Sound only");
  byId("live").disabled = false;
  for (const track of stream.getTracks()) {
    track.onended = () => {
      if (!stream?.getTracks().includes(track)) return;
      publisher?.stop();
      say(`The ${track.kind === "video" ? "picture" : "sound"} ended: its device was unplugged, or sharing was stopped. Press Preview to start again.`);
      byId("live").disabled = true;
    };
  }
  fillDevices(); // now that permission is given, devices have names
}

function goLive() {
  if (publisher) {
    publisher.stop();
    return;
  }
  say("");
  publisher = new Publisher(stream, tokenFromURL(), {
    cap: cap(),
    onFigures: showFigures,
    onState: showState,
  });
  showState("connecting", "");
}

function showState(state, words) {
  const button = byId("live");
  if (state === "ended") publisher = null;
  const on = state !== "ended";
  setText(button, on ? "Leave the stage" : "Go on stage");
  button.className = on ? "stop" : "big";
  setText(byId("summary"), { connecting: "Connecting…", live: "On stage", lost: "Connection lost", ended: "" }[state]);
  byId("summary").className = state;
  if (state === "live") say("");
  else if (words) say(words, state === "lost");
  if (state === "ended") for (const name of ["size", "fps", "bitrate", "trip", "lost", "limit"]) setText(byId(`figure-${name}`), "–");
}

function showFigures(figures) {
  setText(byId("figure-size"), format.size(figures.width, figures.height));
  setText(byId("figure-fps"), format.frameRate(figures.fps));
  setText(byId("figure-bitrate"), format.bitrate(figures.bitrate));
  setText(byId("figure-trip"), format.milliseconds(figures.roundTrip));
  setText(byId("figure-lost"), `${(figures.lost * 100).toFixed(1)} %`);
  setText(byId("figure-limit"), { none: "nothing", cpu: "the processor", bandwidth: "the network" }[figures.limit] ?? figures.limit);
}

async function fillDevices() {
  const { cameras, microphones } = await devices();
  fill(byId("camera"), cameras, "Camera");
  fill(byId("microphone"), microphones, "Microphone");
}

// fill puts the devices after the entries that the page itself has.
function fill(select, found, kind) {
  const chosen = select.value;
  select.querySelectorAll("[data-device]").forEach((option) => option.remove());
  found.forEach((device, i) => {
    select.append(element("option", { value: device.deviceId, "data-device": true }, device.label || `${kind} ${i + 1}`));
  });
  select.value = chosen;
  if (select.selectedIndex < 0) select.selectedIndex = 0;
}

function cap() {
  return byId("cap").value * 1e6;
}

function showCap() {
  setText(byId("cap-words"), format.bitrate(cap()));
  publisher?.setCap(cap());
}

function say(words, calm = false) {
  const message = byId("message");
  setText(message, words);
  message.hidden = words === "";
  message.classList.toggle("calm", calm);
}

function cover(words) {
  setText(byId("cover"), words);
  byId("cover").hidden = words === "";
}

byId("choices").addEventListener("submit", (event) => {
  event.preventDefault();
  preview();
});
byId("live").addEventListener("click", goLive);
byId("cap").addEventListener("input", showCap);
byId("door-form").addEventListener("submit", (event) => {
  event.preventDefault();
  setToken(byId("door-token").value.trim());
  start();
});
navigator.mediaDevices?.addEventListener("devicechange", fillDevices);
addEventListener("hashchange", start);
addEventListener("pagehide", () => publisher?.stop());
showCap();
start();
