// Cameras, microphones and screens, and what to tell people when one cannot be had.

// The stage's limits: larger pictures are asked to be made smaller at the source.
export const longSide = 1280;
export const shortSide = 720;

const picture = { width: { ideal: longSide }, height: { ideal: shortSide }, frameRate: { ideal: 30, max: 60 } };

// openSources gives a stream of what was chosen: { picture: "camera" | "screen" | "none",
// camera, microphone (device ids, "" for the browser's choice, "none" for no sound), raw }.
export async function openSources({ picture: source, camera, microphone, raw }) {
  if (!navigator.mediaDevices) {
    throw new Error("Browsers hand out cameras and microphones only to pages that come over HTTPS or from localhost. Open this page by its https:// address.");
  }
  const audio = microphone !== "none" && {
    deviceId: microphone ? { exact: microphone } : undefined,
    echoCancellation: !raw,
    noiseSuppression: !raw,
    autoGainControl: !raw,
    channelCount: raw ? { ideal: 2 } : undefined,
  };
  try {
    if (source === "screen") return await openScreen(audio);
    const video = source === "camera" && { ...picture, deviceId: camera ? { exact: camera } : undefined };
    if (!video && !audio) throw new Error("Neither picture nor sound is chosen, so there is nothing to send.");
    return await navigator.mediaDevices.getUserMedia({ video, audio });
  } catch (error) {
    throw new Error(explain(error, source), { cause: error });
  }
}

async function openScreen(audio) {
  const stream = await navigator.mediaDevices.getDisplayMedia({
    video: { width: { max: longSide }, height: { max: shortSide }, frameRate: { ideal: 30, max: 60 } },
  });
  try {
    if (audio) stream.addTrack((await navigator.mediaDevices.getUserMedia({ audio })).getAudioTracks()[0]);
  } catch (error) {
    closeSources(stream);
    throw error;
  }
  return stream;
}

export function closeSources(stream) {
  stream?.getTracks().forEach((track) => track.stop());
}

// devices gives { cameras, microphones }, whose labels are empty before permission is given.
export async function devices() {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return {
    cameras: all.filter((d) => d.kind === "videoinput" && d.deviceId),
    microphones: all.filter((d) => d.kind === "audioinput" && d.deviceId),
  };
}

function explain(error, source) {
  const what = source === "screen" ? "the screen or the microphone" : source === "camera" ? "the camera or the microphone" : "the microphone";
  switch (error.name) {
    case "NotAllowedError":
      return `The browser was not allowed to use ${what}. Allow it by the symbol beside the address, check the system's privacy settings too, then press Preview again.`;
    case "NotFoundError":
      return `The browser finds no ${source === "none" ? "microphone" : "camera or no microphone"}. Connect one, or choose another source or “No sound”.`;
    case "NotReadableError":
      return `Another program seems to be using ${what}. Close it, then press Preview again.`;
    case "OverconstrainedError":
      return `The chosen device is no longer there, or cannot do this (${error.constraint}). Choose another one.`;
  }
  return error.message;
}
