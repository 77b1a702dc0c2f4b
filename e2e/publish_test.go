//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// Every encoder goes on stage, is seen and heard in the browser, and leaves in good order.
func TestEncodersAreSeenAndHeard(t *testing.T) {
	browser := StartBrowser(t)
	for _, c := range []struct {
		name     string
		protocol ingest.Protocol
		start    func(t *testing.T, g *Gateway) *Program
	}{
		{"ffmpeg over RTMP", ingest.RTMP, func(t *testing.T, g *Gateway) *Program { return PlayClip(t, Clip("pattern.flv"), g.RTMP()) }},
		{"ffmpeg over RTMPS", ingest.RTMPS, func(t *testing.T, g *Gateway) *Program { return PlayClip(t, Clip("pattern.flv"), g.RTMPS()) }},
		{"ffmpeg that encodes", ingest.RTMP, encodeWithFFmpeg},
		{"GStreamer rtmp2sink", ingest.RTMP, playWithGStreamer},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := StartGateway(t)
			encoder := c.start(t, g)
			page := browser.Watch(t, g)
			defer page.Close(t)
			page.ExpectPattern(t)
			page.ExpectTone(t, 440)
			participants := g.Scene(t).Participants
			if len(participants) != 1 || participants[0].Protocol != c.protocol || participants[0].Health.Width != 640 || participants[0].Health.Height != 360 {
				t.Errorf("the scene is %+v; want one participant by %s with 640x360", participants, c.protocol)
			}
			encoder.Interrupt(t, 15*time.Second)
			within(t, 10*time.Second, "the stage is empty again", func() bool { return len(g.Scene(t).Participants) == 0 })
			page.Wait(t, 5*time.Second, `document.querySelector(".cover").innerText.includes("left the stage")`)
			if refusals := g.Scene(t).Refusals; len(refusals) != 0 {
				t.Errorf("leaving in good order counts as refused: %+v", refusals)
			}
		})
	}
}

// encodeWithFFmpeg encodes the clip anew, as people do, instead of passing it on.
func encodeWithFFmpeg(t *testing.T, g *Gateway) *Program {
	return Start(t, need(t, "ffmpeg"), "-hide_banner", "-nostdin", "-re", "-stream_loop", "-1", "-i", Clip("pattern.flv"),
		"-c:v", "libx264", "-profile:v", "baseline", "-preset", "veryfast", "-tune", "zerolatency", "-g", "60", "-pix_fmt", "yuv420p",
		"-c:a", "aac", "-b:a", "128k", "-ar", "44100", "-ac", "1", "-f", "flv", g.RTMP())
}

// playWithGStreamer makes the pattern's colours with GStreamer itself.
func playWithGStreamer(t *testing.T, g *Gateway) *Program {
	quarter := func(name, colour string) []string {
		return strings.Fields("videotestsrc is-live=true pattern=solid-color foreground-color=" + colour + " ! video/x-raw,width=320,height=180,framerate=30/1 ! " + name)
	}
	args := strings.Fields(`-e compositor name=c sink_1::xpos=320 sink_2::ypos=180 sink_3::xpos=320 sink_3::ypos=180
		! video/x-raw,width=640,height=360,framerate=30/1,format=I420 ! x264enc tune=zerolatency speed-preset=veryfast key-int-max=60 bframes=0 bitrate=1000
		! video/x-h264,profile=baseline ! h264parse ! flvmux name=m streamable=true ! rtmp2sink location=` + g.RTMP() + `
		audiotestsrc is-live=true freq=440 volume=0.5 ! audio/x-raw,rate=48000,channels=2 ! avenc_aac bitrate=96000 ! aacparse ! m.`)
	for i, colour := range []string{"0xffc00000", "0xff00a000", "0xff0000c0", "0xffc0c000"} {
		args = append(args, quarter("c.sink_"+string(rune('0'+i)), colour)...)
	}
	return Start(t, need(t, "gst-launch-1.0"), args...)
}

// The quick start's promise: the line that the gateway prints works as it is pasted.
func TestPrintedFFmpegLine(t *testing.T) {
	g := StartGateway(t)
	line := ""
	for _, candidate := range strings.Split(g.Output(), "\n") {
		if trimmed := strings.TrimSpace(candidate); strings.HasPrefix(trimmed, "ffmpeg ") {
			line = trimmed
		}
	}
	if line == "" {
		t.Fatalf("the gateway prints no ffmpeg line:\n%s", g.Output())
	}
	Start(t, "sh", "-c", line+" </dev/null")
	page := StartBrowser(t).Watch(t, g)
	page.ExpectMotion(t, 15)
	page.ExpectTone(t, 440)
}

// For someone without an encoder.
func TestDemo(t *testing.T) {
	g := startGateway(t, "demo")
	page := StartBrowser(t).Watch(t, g)
	page.ExpectMotion(t, 15)
	if _, level := page.Hear(t); level < -60 {
		t.Errorf("the demo is silent: %.0f dB", level)
	}
}
