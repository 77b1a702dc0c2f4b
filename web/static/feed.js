import { Backoff } from "./backoff.js";

// Feed follows a stage's scenes over the events WebSocket and comes back by itself.
// onScene(scene), onState("connecting" | "live" | "lost"), onRefused({ code, detail }).
export class Feed {
  constructor(token, { onScene, onState, onRefused }) {
    this.token = token;
    this.onScene = onScene;
    this.onState = onState ?? (() => {});
    this.onRefused = onRefused ?? (() => {});
    this.backoff = new Backoff();
    this.closed = false;
    this.#connect("connecting");
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  #connect(state) {
    this.onState(state);
    const url = new URL("events", document.baseURI);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.hash = "";
    const socket = (this.socket = new WebSocket(url));
    let refused = null;
    socket.onopen = () => socket.send(JSON.stringify({ token: this.token }));
    socket.onmessage = (message) => {
      const data = JSON.parse(message.data);
      if (data.error) {
        refused = data.error;
        return;
      }
      this.backoff.reset();
      this.onScene(data);
      this.onState("live");
    };
    socket.onclose = (event) => {
      if (this.closed) return;
      if (event.code === 4401 || event.code === 4403) {
        this.closed = true;
        this.onRefused(refused ?? { code: event.reason, detail: "" });
        return;
      }
      this.timer = setTimeout(() => this.#connect("lost"), this.backoff.next());
      this.onState("lost");
    };
  }
}
