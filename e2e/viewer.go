//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"
)

// Watch opens the gateway's watch page and waits until the first tile plays.
func (b *Browser) Watch(t testing.TB, g *Gateway) *Page {
	t.Helper()
	p := b.Open(t, g.Env["STAGEDOOR_WATCH_URL"])
	p.Wait(t, 20*time.Second, `document.querySelector(".tile")?.dataset.state === "playing" && document.querySelector("video").videoWidth > 0`)
	return p
}

// Colour is what a point of the picture looks like, 0 to 255 each.
type Colour struct{ R, G, B int }

// ColourAt reads a point of the first tile's picture; x and y go from 0 to 1.
func (p *Page) ColourAt(t testing.TB, x, y float64) Colour {
	t.Helper()
	var rgb [4]int
	p.Eval(t, fmt.Sprintf(`(() => {
		const video = document.querySelector("video");
		const canvas = document.createElement("canvas");
		canvas.width = video.videoWidth;
		canvas.height = video.videoHeight;
		const pen = canvas.getContext("2d");
		pen.drawImage(video, 0, 0);
		return [...pen.getImageData(%g * canvas.width, %g * canvas.height, 1, 1).data];
	})()`, x, y), &rgb)
	return Colour{rgb[0], rgb[1], rgb[2]}
}

// ExpectPattern checks that the first tile shows the clip "pattern": its four colours, and
// pictures that move on.
func (p *Page) ExpectPattern(t testing.TB) {
	t.Helper()
	for _, c := range []struct {
		name string
		x, y float64
		is   func(Colour) bool
	}{
		{"red", 0.25, 0.2, func(c Colour) bool { return c.R > 140 && c.G < 70 && c.B < 70 }},
		{"green", 0.75, 0.2, func(c Colour) bool { return c.R < 70 && c.G > 110 && c.B < 70 }},
		{"blue", 0.25, 0.8, func(c Colour) bool { return c.R < 70 && c.G < 70 && c.B > 140 }},
		{"yellow", 0.75, 0.8, func(c Colour) bool { return c.R > 140 && c.G > 140 && c.B < 70 }},
	} {
		if got := p.ColourAt(t, c.x, c.y); !c.is(got) {
			t.Errorf("the picture is %v at %g, %g; it should be %s there", got, c.x, c.y, c.name)
		}
	}
	p.ExpectMotion(t, 20)
}

// ExpectMotion checks that pictures are decoded, at least so many within a second, and that
// the video's own time goes on.
func (p *Page) ExpectMotion(t testing.TB, least int) {
	t.Helper()
	var moved struct{ Frames, Seconds float64 }
	p.Eval(t, `(async () => {
		const video = document.querySelector("video");
		const before = { frames: video.getVideoPlaybackQuality().totalVideoFrames, time: video.currentTime, at: performance.now() };
		await new Promise((done) => setTimeout(done, 2000));
		const seconds = (performance.now() - before.at) / 1000;
		return {
			frames: (video.getVideoPlaybackQuality().totalVideoFrames - before.frames) / seconds,
			seconds: (video.currentTime - before.time) / seconds,
		};
	})()`, &moved)
	if moved.Frames < float64(least) || moved.Seconds < 0.5 {
		t.Errorf("%.1f pictures per second are shown, and the video's time goes on at %.2f of the real one; want at least %d", moved.Frames, moved.Seconds, least)
	}
}

// Hear listens to the first tile for two seconds and gives the frequency of the loudest
// tone in Hz and its level in dB (silence is -Infinity, given as -1000).
func (p *Page) Hear(t testing.TB) (frequency, level float64) {
	t.Helper()
	var heard struct{ Frequency, Level float64 }
	p.Eval(t, `(async () => {
		const context = new AudioContext();
		await context.resume();
		const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
		context.createMediaStreamSource(document.querySelector("video").srcObject).connect(analyser);
		const bins = new Float32Array(analyser.frequencyBinCount);
		let best = { frequency: 0, level: -1000 };
		for (let i = 0; i < 20; i++) {
			await new Promise((done) => setTimeout(done, 100));
			analyser.getFloatFrequencyData(bins);
			bins.forEach((level, bin) => {
				if (level > best.level) best = { frequency: (bin * context.sampleRate) / analyser.fftSize, level };
			});
		}
		await context.close();
		return best;
	})()`, &heard)
	return heard.Frequency, heard.Level
}

// ExpectTone checks that the first tile is audible and that its loudest tone is the one.
func (p *Page) ExpectTone(t testing.TB, frequency float64) {
	t.Helper()
	heard, level := p.Hear(t)
	if heard < frequency-10 || heard > frequency+10 || level < -50 {
		t.Errorf("the loudest tone is %.0f Hz at %.0f dB; want %.0f Hz at more than -50 dB", heard, level, frequency)
	}
}
