import { Backoff } from "./backoff.js";
import { end, offer } from "./http.js";
import { Outbound } from "./outbound.js";
import { longSide, shortSide } from "./sources.js";

// After so many readings (seconds) without a packet from the gateway the connection is over.
// The browser itself takes much longer to say so, and the gateway gives its reason for
// 5 seconds only.
const silentReadings = 3;
const mostAttempts = 6;
const ended = { message: "The connection to the gateway ended." };
const unreachable = { message: "The gateway cannot be reached. Check the network, then try again." };

// Publisher sends a stream over WHIP until stop. When the connection ends by itself it asks
// again: the gateway then either takes it, or says why it ended it.
// onFigures(figures), onState("connecting" | "live" | "lost" | "ended", words).
export class Publisher {
  constructor(stream, token, { cap, onFigures, onState }) {
    this.url = new URL("whip", document.baseURI);
    this.url.hash = "";
    this.stream = stream;
    this.token = token;
    this.cap = cap;
    this.onFigures = onFigures;
    this.onState = onState;
    this.backoff = new Backoff();
    this.attempts = 0; // since it was last on stage
    this.wasLive = false;
    this.measuring = setInterval(() => this.#measure(), 1000);
    this.#connect();
  }

  // stop leaves the stage; words are shown if somebody else than the user ended it.
  stop(words = "") {
    clearInterval(this.measuring);
    this.#drop();
    this.onState("ended", words);
  }

  // setCap changes the most bits per second that the picture may take.
  setCap(cap) {
    this.cap = cap;
    this.#limit();
  }

  async #connect() {
    this.attempts++;
    this.onState(this.wasLive ? "lost" : "connecting", "");
    const connection = new RTCPeerConnection();
    const abort = new AbortController();
    this.connection = connection;
    this.abort = abort;
    this.silent = 0;
    this.received = -1;
    connection.onconnectionstatechange = () => {
      if (connection !== this.connection) return;
      if (connection.connectionState === "connected") {
        this.attempts = 0;
        this.wasLive = true;
        this.backoff.reset();
        this.onState("live", "");
      }
      if (connection.connectionState === "failed") this.#again(ended);
    };
    try {
      this.#addTracks(connection);
      this.outbound = new Outbound(connection);
      const session = await offer(this.url, this.token, connection, abort.signal);
      if (connection !== this.connection) {
        end(session, this.token);
        return;
      }
      this.session = session;
      this.#limit();
    } catch (error) {
      if (connection !== this.connection) return;
      if (error.final || !error.status && !(error instanceof TypeError)) this.stop(error.message);
      else this.#again(error.status ? error : unreachable);
    }
  }

  #addTracks(connection) {
    const [audio] = this.stream.getAudioTracks();
    const [video] = this.stream.getVideoTracks();
    const streams = [this.stream];
    if (audio) connection.addTransceiver(audio, { direction: "sendonly", streams });
    // A stage wants H.264 in the offer even when only sound comes.
    const transceiver = connection.addTransceiver(video ?? "video", { direction: "sendonly", streams });
    transceiver.setCodecPreferences(h264());
    this.sender = transceiver.sender;
  }

  // limit holds the picture within the cap and the stage's size. It is called again and
  // again, as the size of a shared window changes.
  async #limit() {
    const track = this.sender?.track;
    if (!track) return;
    const { width = 0, height = 0 } = track.getSettings();
    const scale = Math.max(1, Math.max(width, height) / longSide, Math.min(width, height) / shortSide);
    const parameters = this.sender.getParameters();
    const [encoding] = parameters.encodings ?? [];
    if (!encoding || (encoding.maxBitrate === this.cap && encoding.scaleResolutionDownBy === scale)) return;
    encoding.maxBitrate = this.cap;
    encoding.scaleResolutionDownBy = scale;
    await this.sender.setParameters(parameters).catch(() => {}); // a connection that has just ended
  }

  // again comes back to the stage; who has not been on it yet can press the button again.
  #again({ message, retryAfter }) {
    this.#drop();
    if (!this.wasLive || this.attempts >= mostAttempts) {
      this.stop(message);
      return;
    }
    this.onState("lost", `${message} Asking the gateway…`);
    const wait = this.attempts === 0 ? 0 : this.backoff.next(retryAfter);
    this.timer = setTimeout(() => this.#connect(), wait);
  }

  #drop() {
    clearTimeout(this.timer);
    this.abort?.abort();
    this.connection?.close();
    if (this.session) end(this.session, this.token);
    this.connection = this.outbound = this.session = this.sender = null;
  }

  async #measure() {
    const outbound = this.outbound;
    if (!outbound || this.connection.connectionState !== "connected") return;
    const figures = await outbound.read();
    if (outbound !== this.outbound) return;
    this.onFigures(figures);
    this.#limit();
    // Some browsers do not count; there, the connection's state has to do.
    if (figures.received == null) return;
    this.silent = figures.received === this.received ? this.silent + 1 : 0;
    this.received = figures.received;
    if (this.silent >= silentReadings) this.#again(ended);
  }
}

// h264 gives the browser's H.264 without B-frames, and the retransmissions that go with it.
function h264() {
  const codecs = RTCRtpSender.getCapabilities("video")?.codecs ?? [];
  const baseline = codecs.filter((c) => /video\/h264/i.test(c.mimeType) && /profile-level-id=42/i.test(c.sdpFmtpLine ?? ""));
  if (baseline.length === 0) {
    throw new Error("This browser cannot send H.264, and a stage takes nothing else. Use Chrome, Edge or Safari, or OBS with the WHIP service.");
  }
  return [...baseline, ...codecs.filter((c) => /video\/rtx/i.test(c.mimeType))];
}
