// Numbers and names in words.

export function bitrate(bps) {
  if (!bps) return "–";
  return bps >= 1e6 ? `${(bps / 1e6).toFixed(bps >= 9.95e6 ? 0 : 1)} Mbps` : `${Math.round(bps / 1e3)} kbps`;
}

export function frameRate(fps) {
  return fps ? `${Math.round(fps)} fps` : "–";
}

export function size(width, height) {
  return width && height ? `${width}×${height}` : "–";
}

export function milliseconds(ms) {
  return Number.isFinite(ms) ? `${Math.round(ms)} ms` : "–";
}

// clock gives a time of day in the viewer's own way.
export function clock(date) {
  return date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

// nameOf gives what a person would call the participant.
export function nameOf(participant) {
  const a = participant.attributes ?? {};
  return a.displayName || a.username || a.name || participant.userId || participant.participantId || "Unknown";
}
