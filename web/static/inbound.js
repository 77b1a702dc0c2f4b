// Inbound turns a receiving connection's statistics into figures of the last second.
export class Inbound {
  constructor(connection) {
    this.connection = connection;
    this.last = { video: {}, audio: {}, at: 0 };
  }

  // read gives { width, height, fps, bitrate (bps), bytes (since the last read), delay (ms),
  // lost (packets, in all), freezes (in all), level (0 to 1) }.
  async read() {
    const now = { video: {}, audio: {}, at: performance.now() };
    let roundTrip = 0;
    for (const report of (await this.connection.getStats()).values()) {
      if (report.type === "inbound-rtp") now[report.kind] = report;
      if (report.type === "candidate-pair" && report.nominated) roundTrip = report.currentRoundTripTime ?? 0;
    }
    const last = this.last;
    this.last = now;
    const bytes = grown(now.video, last.video, "bytesReceived") + grown(now.audio, last.audio, "bytesReceived");
    return {
      width: now.video.frameWidth ?? 0,
      height: now.video.frameHeight ?? 0,
      fps: now.video.framesPerSecond ?? 0,
      bytes,
      bitrate: last.at ? (bytes * 8000) / (now.at - last.at) : 0,
      delay: waiting(now.video, last.video) + (roundTrip / 2) * 1000,
      lost: (now.video.packetsLost ?? 0) + (now.audio.packetsLost ?? 0),
      freezes: now.video.freezeCount ?? 0,
      level: now.audio.audioLevel ?? 0,
    };
  }
}

function grown(now, last, name) {
  return (now[name] ?? 0) - (last[name] ?? 0);
}

// waiting is how long a picture takes, on average, from its first packet's arrival until it
// is ready to be shown, in ms: the jitter buffer and the decoder. NaN without pictures.
function waiting(now, last) {
  const buffered = grown(now, last, "jitterBufferDelay") / grown(now, last, "jitterBufferEmittedCount");
  const decoding = grown(now, last, "totalDecodeTime") / grown(now, last, "framesDecoded");
  return (buffered + decoding) * 1000;
}
