//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The libraries that pages publish with, and how each of them is used, in a page of another
// origin than the gateway's.
var libraries = map[string]struct{ module, publish, stop string }{
	"binbat": {"@binbat/whip-whep/whip.js", `
		const { WHIPClient } = await import("/library.js");
		const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
		for (const track of stream.getTracks()) pc.addTransceiver(track, { direction: "sendonly" });
		window.whip = new WHIPClient();
		await whip.publish(pc, url, token);`, `await whip.stop()`},
	"eyevinn": {"@eyevinn/whip-web-client", `
		const { WHIPClient } = await import("/library.js");
		window.whip = new WHIPClient({ endpoint: url, opts: { authkey: token } });
		await whip.setIceServersFromEndpoint();
		await whip.ingest(stream);`, `await whip.destroy()`},
	"simulcast": {"@binbat/whip-whep/whip.js", `
		const { WHIPClient } = await import("/library.js");
		const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
		pc.addTransceiver(stream.getAudioTracks()[0], { direction: "sendonly" });
		pc.addTransceiver(stream.getVideoTracks()[0], { direction: "sendonly", sendEncodings: [
			{ rid: "h" }, { rid: "m", scaleResolutionDownBy: 2 }, { rid: "l", scaleResolutionDownBy: 4 } ] });
		window.whip = new WHIPClient();
		await whip.publish(pc, url, token);`, `await whip.stop()`},
}

// The npm clients go on stage from Chromium. Nobody tells it to prefer H.264, so that it
// offers VP8 first.
func TestWHIPLibraries(t *testing.T) {
	for name, library := range libraries {
		t.Run(name, func(t *testing.T) {
			g := StartGateway(t)
			server := moduleServer(t, library.module)
			publisher := StartBrowser(t).Open(t, server.URL)
			publisher.Eval(t, fmt.Sprintf(`(async () => {
				const [url, token] = [%q, %q];
				const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 }, audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
				%s
				return true;
			})()`, g.Env["STAGEDOOR_WHIP_URL"], g.Env["STAGEDOOR_PUBLISH_TOKEN"], library.publish), nil)
			g.OnStage(t)
			viewer := StartBrowser(t).Watch(t, g)
			viewer.ExpectMotion(t, 8) // the fake camera itself is slow
			if _, level := viewer.Hear(t); level < -60 {
				t.Errorf("the microphone is silent: %.0f dB", level)
			}
			publisher.Eval(t, fmt.Sprintf(`(async () => { %s; return true; })()`, library.stop), nil)
			within(t, 10*time.Second, "the stage is empty again", func() bool { return len(g.Scene(t).Participants) == 0 })
		})
	}
}

// moduleServer serves an empty page, and an npm module as one file that browsers import.
func moduleServer(t *testing.T, module string) *httptest.Server {
	t.Helper()
	folder := jsFolder(t, module)
	bundle := exec.CommandContext(t.Context(), filepath.Join(folder, "node_modules", ".bin", "esbuild"), "--bundle", "--format=esm", module)
	bundle.Dir = folder
	code, err := bundle.Output()
	if err != nil {
		t.Fatalf("bundling %s: %v", module, err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/library.js" {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write(code)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!DOCTYPE html><title>publisher</title>"))
	}))
	t.Cleanup(server.Close)
	return server
}
