import { Backoff } from "./backoff.js";
import { end, offer } from "./http.js";
import { Inbound } from "./inbound.js";

// How long a participant who is on stage may send nothing before the player connects anew.
const stalledAfter = 6000;

// Player watches one participant over WHEP: it connects, measures once per second, and
// connects again with growing waits when the subscription ends, until close.
// onStream(stream), onFigures(figures), onState("connecting" | "playing" | "waiting" |
// "refused", words).
export class Player {
  constructor(participantId, token, { onStream, onFigures, onState }) {
    this.url = new URL(`whep/${encodeURIComponent(participantId)}`, document.baseURI);
    this.url.hash = "";
    this.token = token;
    this.onStream = onStream;
    this.onFigures = onFigures;
    this.onState = onState;
    this.backoff = new Backoff();
    this.closed = false;
    this.measuring = setInterval(() => this.#measure(), 1000);
    this.#connect();
  }

  close() {
    this.closed = true;
    clearInterval(this.measuring);
    this.#drop();
  }

  async #connect() {
    this.onState("connecting", "Connecting…");
    const connection = new RTCPeerConnection();
    const abort = new AbortController();
    this.connection = connection;
    this.abort = abort;
    this.inbound = new Inbound(connection);
    this.heard = performance.now();

    const stream = new MediaStream();
    for (const kind of ["audio", "video"]) {
      const { receiver } = connection.addTransceiver(kind, { direction: "recvonly" });
      stream.addTrack(receiver.track);
    }
    connection.onconnectionstatechange = () => {
      if (connection !== this.connection) return;
      if (["failed", "closed"].includes(connection.connectionState)) this.#again("The connection was lost. Connecting again…");
    };
    try {
      const session = await offer(this.url, this.token, connection, abort.signal);
      if (connection !== this.connection) {
        end(session, this.token);
        return;
      }
      this.session = session;
      this.onStream(stream);
    } catch (error) {
      if (connection !== this.connection) return;
      if (error.final) {
        this.#drop();
        this.onState("refused", error.message);
        return;
      }
      this.#again(error.status ? error.message : "The gateway cannot be reached. Trying again…", error.retryAfter);
    }
  }

  #again(words, retryAfter) {
    this.#drop();
    if (this.closed) return;
    this.onState("waiting", words);
    this.timer = setTimeout(() => this.#connect(), this.backoff.next(retryAfter));
  }

  #drop() {
    clearTimeout(this.timer);
    this.abort?.abort();
    this.connection?.close();
    if (this.session) end(this.session, this.token);
    this.connection = this.inbound = this.session = null;
  }

  async #measure() {
    const inbound = this.inbound;
    if (!inbound) return;
    const figures = await inbound.read();
    if (inbound !== this.inbound) return;
    this.onFigures(figures);
    if (figures.bytes > 0) {
      this.heard = performance.now();
      this.backoff.reset();
      this.onState("playing", "");
    } else if (performance.now() - this.heard > stalledAfter) {
      this.#again("Nothing came for a while. Connecting again…");
    }
  }
}
