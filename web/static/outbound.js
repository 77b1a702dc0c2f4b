// Outbound turns a sending connection's statistics into figures of the last second.
export class Outbound {
  constructor(connection) {
    this.connection = connection;
    this.last = null;
  }

  // read gives { width, height, fps, bitrate (bps), roundTrip (ms), lost (share of packets,
  // 0 to 1), limit ("none", "cpu", "bandwidth" or "other"), received (packets from the
  // gateway, in all; null where the browser does not count them) }.
  async read() {
    let video = {};
    let pair = {};
    let received = null;
    let bytes = 0;
    const remote = {};
    for (const report of (await this.connection.getStats()).values()) {
      if (report.type === "outbound-rtp") {
        bytes += report.bytesSent ?? 0;
        if (report.kind === "video") video = report;
      }
      if (report.type === "remote-inbound-rtp") remote[report.kind] = report;
      if (report.type === "candidate-pair" && report.nominated) pair = report;
      if (report.type === "transport") received = report.packetsReceived ?? null;
    }
    const now = { bytes, at: performance.now() };
    const last = this.last ?? now;
    this.last = now;
    return {
      width: video.frameWidth ?? 0,
      height: video.frameHeight ?? 0,
      fps: video.framesPerSecond ?? 0,
      bitrate: now.at > last.at ? ((now.bytes - last.bytes) * 8000) / (now.at - last.at) : 0,
      roundTrip: (pair.currentRoundTripTime ?? NaN) * 1000,
      lost: Math.max(0, remote.video?.fractionLost ?? remote.audio?.fractionLost ?? 0),
      limit: video.qualityLimitationReason ?? "none",
      received,
    };
  }
}
