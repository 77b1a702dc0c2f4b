import { element, setText } from "./dom.js";
import * as format from "./format.js";
import { Player } from "./player.js";
import { Plot } from "./plot.js";

const mostAttributes = 6;

// Tile is one participant on the page: picture, sound, and figures. Its node is appended by
// the caller.
export class Tile {
  constructor(participantId, token, { onSoundBlocked }) {
    this.onSoundBlocked = onSoundBlocked;
    this.soundOn = false;
    this.leftAt = 0; // when they were first missing, 0 while they are on stage
    this.playerWords = "";
    this.#build();
    this.player = new Player(participantId, token, {
      onStream: (stream) => {
        this.video.srcObject = stream;
        this.#play();
      },
      onFigures: (figures) => this.#showFigures(figures),
      onState: (state, words) => {
        this.node.dataset.state = state;
        this.playerWords = words;
        this.#showCover();
      },
    });
  }

  // show takes the participant as the scene has it, once per scene.
  show(participant) {
    this.leftAt = 0;
    const name = format.nameOf(participant);
    setText(this.name, name);
    this.node.setAttribute("aria-label", name);
    setText(this.protocol, participant.protocol);
    this.#showAttributes(participant.attributes ?? {});
    this.#showHealth(participant);
    this.#showCover();
  }

  // left is called for each scene without the participant. It gives true once the tile has
  // waited long enough for them to come back.
  left(grace) {
    if (!this.leftAt) {
      this.leftAt = Date.now();
      this.#showCover();
    }
    return Date.now() - this.leftAt > grace;
  }

  setSound(on) {
    this.soundOn = on;
    this.#applySound();
    if (on) this.#play();
  }

  close() {
    this.player.close();
    this.bitratePlot.close();
    this.fpsPlot.close();
    this.video.srcObject = null;
    this.node.remove();
  }

  #build() {
    this.video = element("video", { autoplay: true, playsinline: true });
    this.video.muted = true; // the attribute alone does not mute an element made by a script
    this.cover = element("p", { class: "cover", role: "status" }, "Connecting…");
    this.level = element("span", { class: "level-now" });
    this.name = element("h2");
    this.protocol = element("span", { class: "badge" });
    this.attributes = element("ul", { class: "attributes", "aria-label": "Attributes" });
    this.figures = list("Picture", "Frame rate", "Bitrate", "Delay");
    this.figures.Delay.title = "Estimated: half the round trip to the gateway, the jitter buffer and the decoder. What lies before the gateway is not in it.";
    this.warning = element("p", { class: "warning", hidden: true, role: "status" });
    this.bitratePlot = new Plot("Bitrate", format.bitrate);
    this.fpsPlot = new Plot("Frame rate", format.frameRate);
    this.health = list("On stage since", "Video", "Audio", "Keyframe each", "Timestamp jumps", "Damaged frames", "Packets lost on the way here", "Freezes here");

    const full = element("button", { type: "button", class: "plain", title: "Show this one on the full screen" }, "Full screen");
    full.addEventListener("click", () => this.video.requestFullscreen?.());
    this.node = element("article", { class: "tile", "data-state": "connecting" },
      element("div", { class: "screen" }, this.video, this.cover,
        element("div", { class: "level", title: "Audio level", "aria-hidden": "true" }, this.level)),
      element("header", {}, this.name, this.protocol, this.attributes),
      this.warning,
      this.figures.node,
      element("div", { class: "controls" }, this.#volume(), full),
      element("div", { class: "plots" }, this.bitratePlot.node, this.fpsPlot.node),
      element("details", {}, element("summary", {}, "More about this stream"), this.health.node));
  }

  #volume() {
    this.mute = element("input", { type: "checkbox" });
    this.volume = element("input", { type: "range", min: 0, max: 100, value: 100, "aria-label": "Volume" });
    for (const control of [this.mute, this.volume]) control.addEventListener("input", () => this.#applySound());
    return element("div", { class: "volume" },
      element("label", {}, this.mute, " Mute"), this.volume);
  }

  #applySound() {
    this.video.muted = !this.soundOn || this.mute.checked;
    this.video.volume = this.volume.value / 100;
    this.volume.disabled = this.mute.checked;
  }

  async #play() {
    try {
      await this.video.play();
    } catch (error) {
      // NotAllowedError: aloud only after a touch. AbortError: a newer stream took over.
      if (error.name === "NotAllowedError" && this.soundOn) this.onSoundBlocked();
    }
  }

  // showCover says over the picture why there is none.
  #showCover() {
    const words = this.leftAt ? `${this.name.textContent} left the stage.` : this.playerWords;
    setText(this.cover, words);
    this.cover.hidden = words === "";
  }

  #showAttributes(attributes) {
    const words = Object.entries(attributes).slice(0, mostAttributes).map(([key, value]) => `${key}: ${value}`);
    if (words.join() === this.attributeWords) return;
    this.attributeWords = words.join();
    this.attributes.replaceChildren(...words.map((w) => element("li", {}, w)));
  }

  #showFigures(figures) {
    setText(this.figures.Picture, format.size(figures.width, figures.height));
    setText(this.figures["Frame rate"], format.frameRate(figures.fps));
    setText(this.figures.Bitrate, format.bitrate(figures.bitrate));
    setText(this.figures.Delay, format.milliseconds(figures.delay));
    setText(this.health["Packets lost on the way here"], String(figures.lost));
    setText(this.health["Freezes here"], String(figures.freezes));
    const decibel = 20 * Math.log10(Math.max(figures.level, 1e-3)); // -60 to 0
    this.level.style.inlineSize = `${100 + (decibel * 100) / 60}%`;
    // The picture's own shape, so that portrait is not boxed twice.
    if (figures.width && figures.height) this.video.style.aspectRatio = `${figures.width} / ${figures.height}`;
    this.node.dataset.delay = figures.delay;
  }

  #showHealth({ since, health }) {
    const known = health?.width > 0 || health?.audioBitrate > 0;
    this.bitratePlot.add(known ? health.videoBitrate + health.audioBitrate : null);
    this.fpsPlot.add(known && health.frameRate ? health.frameRate : null);
    if (!known) return;
    setText(this.health["On stage since"], format.clock(new Date(since)));
    setText(this.health.Video, [health.profile, format.size(health.width, health.height), format.bitrate(health.videoBitrate)].filter(Boolean).join(", "));
    setText(this.health.Audio, [health.audioFormat, format.bitrate(health.audioBitrate)].filter(Boolean).join(", "));
    setText(this.health["Keyframe each"], health.idrInterval ? `${health.idrInterval.toFixed(1)} s` : "–");
    setText(this.health["Timestamp jumps"], String(health.timestampJumps));
    setText(this.health["Damaged frames"], String(health.lostFrames));
    setText(this.warning, health.warning ?? "");
    this.warning.hidden = !health.warning;
  }
}

// list makes a description list, and gives its values by their names, and the node.
function list(...names) {
  const node = element("dl", { class: "figures" });
  const values = { node };
  for (const name of names) {
    values[name] = element("dd", {}, "–");
    node.append(element("div", {}, element("dt", {}, name), values[name]));
  }
  return values;
}
