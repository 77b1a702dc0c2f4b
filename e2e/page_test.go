//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// publishInPage opens the publish page and goes on stage with Chromium's fake camera, which
// moves, and its fake microphone, which beeps.
func publishInPage(t *testing.T, b *Browser, g *Gateway) *Page {
	t.Helper()
	page := b.Open(t, g.Env["STAGEDOOR_PUBLISH_URL"])
	goLive(t, page)
	return page
}

func goLive(t *testing.T, page *Page) {
	t.Helper()
	page.Click(t, "#raw") // echo cancelling would take the beeps away
	page.Click(t, "#open")
	page.Wait(t, 10*time.Second, `!document.querySelector("#live").disabled`)
	page.Click(t, "#live")
	page.Wait(t, 10*time.Second, `document.querySelector("#summary").innerText.includes("On stage")`)
}

// The camera of one browser is seen and heard in another, and leaves when it is told to.
func TestPublishPage(t *testing.T) {
	g := StartGateway(t)
	camera := publishInPage(t, StartBrowser(t), g)
	viewer := StartBrowser(t).Watch(t, g)
	viewer.ExpectMotion(t, 8) // the fake camera itself is slow
	if _, level := viewer.Hear(t); level < -60 {
		t.Errorf("the microphone is silent: %.0f dB", level)
	}
	participants := g.Scene(t).Participants
	if len(participants) != 1 || participants[0].Protocol != ingest.WHIP {
		t.Errorf("the scene is %+v; want one participant by WHIP", participants)
	}
	camera.Wait(t, 10*time.Second, `/[0-9]×[0-9]/.test(document.querySelector("#figure-size").innerText) && /bps/.test(document.querySelector("#figure-bitrate").innerText)`)
	camera.Click(t, "#live")
	within(t, 10*time.Second, "the stage is empty again", func() bool { return len(g.Scene(t).Participants) == 0 })
}

// A token that may only watch is told so, in words, when it wants to publish.
func TestPublishPageSaysWhyItIsRefused(t *testing.T) {
	g := StartGateway(t)
	page := StartBrowser(t).Open(t, g.Env["AWS_ENDPOINT_URL_IVS_REALTIME"]+"/publish#token="+g.Env["STAGEDOOR_WATCH_TOKEN"])
	page.Click(t, "#open")
	page.Wait(t, 10*time.Second, `!document.querySelector("#live").disabled`)
	page.Click(t, "#live")
	page.Wait(t, 10*time.Second, `document.querySelector("#message").innerText.includes("PUBLISH")`)
}

// Whose stream breaks a rule in the middle learns why within seconds, although the browser
// itself takes a quarter of a minute to notice the end.
func TestPublishPageSaysWhyItEnded(t *testing.T) {
	g := StartGateway(t)
	page := StartBrowser(t).Open(t, "about:blank")
	page.browser.call(t, page.session, "Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": `
		window.RTCPeerConnection = class extends RTCPeerConnection {
			constructor(...args) { super(...args); window.connection ??= this; }
		};`}, nil)
	page.Go(t, g.Env["STAGEDOOR_PUBLISH_URL"])
	goLive(t, page)
	g.OnStage(t)
	// The page keeps to 720p, so its back has to be turned first.
	page.Eval(t, `(async () => {
		const canvas = document.createElement("canvas");
		canvas.width = 1920;
		canvas.height = 1080;
		const pen = canvas.getContext("2d");
		setInterval(() => pen.fillRect(Math.random() * 1900, Math.random() * 1000, 20, 20), 50);
		const sender = window.connection.getSenders().find((s) => s.track?.kind === "video");
		sender.setParameters = async () => {};
		await sender.replaceTrack(canvas.captureStream(20).getVideoTracks()[0]);
	})()`, nil)
	page.Wait(t, 20*time.Second, `document.querySelector("#message").innerText.includes("1920x1080") && document.querySelector("#live").innerText === "Go on stage"`)
	if refusals := g.Scene(t).Refusals; len(refusals) == 0 || refusals[0].Code != ingest.ResolutionExceeded {
		t.Errorf("the refusals are %+v; want RESOLUTION_EXCEEDED", refusals)
	}
}

// A wrong and a missing token are said in words, and another one can be typed in.
func TestWatchPageAsksForToken(t *testing.T) {
	g := StartGateway(t)
	browser := StartBrowser(t)
	for hash, words := range map[string]string{"": "needs a token", "#token=nonsense": "is not accepted"} {
		page := browser.Open(t, g.Env["AWS_ENDPOINT_URL_IVS_REALTIME"]+"/"+hash)
		page.Wait(t, 10*time.Second, fmt.Sprintf(`!document.querySelector("#door").hidden && document.querySelector("#door-title").innerText.includes(%q)`, words))
		page.Eval(t, fmt.Sprintf(`document.querySelector("#door-token").value = %q`, g.Env["STAGEDOOR_WATCH_TOKEN"]), nil)
		page.Click(t, "#door-form button")
		page.Wait(t, 10*time.Second, `document.querySelector("#door").hidden && document.querySelector("#empty").innerText.includes("Nobody is on stage")`)
		page.Close(t)
	}
}

// A page that stays open comes back by itself when the encoder does, and when it does not
// come back the tile goes.
func TestWatchPageFollowsTheEncoder(t *testing.T) {
	g := StartGateway(t)
	encoder := PlayClip(t, Clip("pattern.flv"), g.RTMP())
	page := StartBrowser(t).Watch(t, g)
	encoder.Interrupt(t, 10*time.Second)
	page.Wait(t, 10*time.Second, `document.querySelector(".cover").innerText.includes("left the stage")`)
	encoder = PlayClip(t, Clip("pattern.flv"), g.RTMP())
	page.Wait(t, 20*time.Second, `document.querySelector(".tile").dataset.state === "playing" && document.querySelector(".cover").hidden`)
	page.ExpectPattern(t)
	page.ExpectTone(t, 440)
	encoder.Interrupt(t, 10*time.Second)
	page.Wait(t, 30*time.Second, `!document.querySelector(".tile") && !document.querySelector("#empty").hidden`)
}

// Sound is off until the user turns it on, and each tile can be muted by itself.
func TestWatchPageSound(t *testing.T) {
	g := StartGateway(t)
	PlayClip(t, Clip("pattern.flv"), g.RTMP())
	page := StartBrowser(t).Watch(t, g)
	page.Wait(t, 5*time.Second, `document.querySelector("video").muted && !document.querySelector("#sound").hidden`)
	page.Click(t, "#sound")
	page.Wait(t, 5*time.Second, `!document.querySelector("video").muted && document.querySelector("#sound").innerText === "Turn sound off"`)
	page.Wait(t, 10*time.Second, `parseFloat(document.querySelector(".level-now").style.inlineSize) > 20`)
	page.Click(t, ".volume input[type=checkbox]")
	page.Wait(t, 5*time.Second, `document.querySelector("video").muted`)
}
