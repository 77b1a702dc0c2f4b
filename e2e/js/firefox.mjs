// Publishes from Firefox with its own offer, as a page would: node firefox.mjs PROGRAM PAGE
// WHIP-URL TOKEN. It prints the offer, and what became of it, as JSON.
import puppeteer from "puppeteer-core";

const [executablePath, page, url, token] = process.argv.slice(2);
const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath,
  headless: true,
  extraPrefsFirefox: {
    "media.gmp-gmpopenh264.enabled": false, // the plugin that it would load for H.264
    "media.gmp-manager.updateEnabled": false,
    "media.navigator.permission.disabled": true,
    "media.navigator.streams.fake": true,
    "media.peerconnection.ice.loopback": true,
  },
});
try {
  const tab = await browser.newPage();
  await tab.goto(page);
  const result = await tab.evaluate(
    async (url, token) => {
      const { offer } = await import("/assets/http.js");
      const connection = new RTCPeerConnection();
      const stream = await navigator.mediaDevices.getUserMedia({ video: true, audio: true });
      for (const track of stream.getTracks()) connection.addTransceiver(track, { direction: "sendonly" });
      let outcome;
      try {
        await offer(url, token, connection);
        outcome = { status: 201 };
      } catch (e) {
        outcome = { status: e.status, code: e.code, detail: e.message };
      }
      const sdp = connection.localDescription.sdp;
      for (const track of stream.getTracks()) track.stop();
      connection.close();
      return { ...outcome, sdp };
    },
    url,
    token,
  );
  console.log(JSON.stringify(result));
} finally {
  await browser.close();
}
