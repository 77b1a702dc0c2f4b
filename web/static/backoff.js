// Backoff gives the waits between attempts in ms: doubled each time, with some chance in
// them so that a hundred pages do not come back in the same moment.
export class Backoff {
  constructor(first = 500, most = 8000) {
    this.first = first;
    this.most = most;
    this.reset();
  }

  reset() {
    this.wait = this.first;
  }

  // next takes the server's own wish (Retry-After, seconds), if there is one.
  next(retryAfter) {
    const wait = this.wait;
    this.wait = Math.min(this.wait * 2, this.most);
    if (retryAfter > 0) return Math.min(retryAfter * 1000, 60000) * (1 + Math.random() / 10);
    return wait * (0.75 + Math.random() / 2);
  }
}
