//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/stagedoor/stagedoor/internal/whepclient"
)

// loopback keeps a viewer on this machine.
func loopback() webrtc.SettingEngine {
	var s webrtc.SettingEngine
	s.SetIncludeLoopbackCandidate(true)
	return s
}

// A viewer who comes at any moment gets a picture that can be decoded at once, although the
// encoder sends an IDR only every 2 s. It prints how long that takes, and asserts no time.
func TestFirstPicture(t *testing.T) {
	const joins = 25
	g := StartGateway(t)
	PlayClip(t, Clip("demo.flv"), g.RTMP())
	g.OnStage(t)
	random := rand.New(rand.NewPCG(1, 2))
	var times []time.Duration
	for range joins {
		time.Sleep(time.Duration(random.IntN(2000)) * time.Millisecond) // anywhere in the group of pictures
		times = append(times, firstPicture(t, g))
	}
	t.Logf("FIGURE from WHEP POST to the first whole picture that can be decoded, IDR every 2 s: %s", describe(times))
}

// postTime notes when the POST leaves.
type postTime struct{ at atomic.Pointer[time.Time] }

func (p *postTime) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost {
		now := time.Now()
		p.at.Store(&now)
	}
	return http.DefaultTransport.RoundTrip(r)
}

func firstPicture(t *testing.T, g *Gateway) time.Duration {
	t.Helper()
	post := new(postTime)
	first := make(chan *whepclient.Picture, 1)
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	viewer, err := whepclient.Dial(ctx, g.Env["STAGEDOOR_WHEP_URL"], g.Env["STAGEDOOR_WATCH_TOKEN"], whepclient.Options{
		Setting: loopback(),
		HTTP:    &http.Client{Transport: post},
		OnPicture: func(p *whepclient.Picture) {
			select {
			case first <- p:
			default:
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = viewer.Close() }()
	select {
	case picture := <-first:
		if !picture.IDR() || !picture.Whole {
			t.Errorf("the first picture cannot be decoded: IDR %t, whole %t", picture.IDR(), picture.Whole)
		}
		return picture.Last.Sub(*post.at.Load())
	case <-ctx.Done():
		t.Fatal("no picture came within 15 s")
		return 0
	}
}

// The same in a browser, to the first picture on the screen.
func TestFirstPictureInChromium(t *testing.T) {
	const joins = 15
	g := StartGateway(t)
	PlayClip(t, Clip("demo.flv"), g.RTMP())
	g.OnStage(t)
	page := StartBrowser(t).Open(t, g.Env["AWS_ENDPOINT_URL_IVS_REALTIME"])
	random := rand.New(rand.NewPCG(3, 4))
	var times []time.Duration
	for range joins {
		time.Sleep(time.Duration(random.IntN(2000)) * time.Millisecond)
		var ms float64
		page.Eval(t, fmt.Sprintf(`(async () => {
			const { offer, end } = await import("/assets/http.js");
			const connection = new RTCPeerConnection();
			const { receiver } = connection.addTransceiver("video", { direction: "recvonly" });
			connection.addTransceiver("audio", { direction: "recvonly" });
			const video = document.createElement("video");
			video.muted = true;
			video.srcObject = new MediaStream([receiver.track]);
			document.body.append(video);
			video.play();
			const shown = new Promise((done) => video.requestVideoFrameCallback(done));
			const start = performance.now();
			const session = await offer(%q, %q, connection);
			const at = await shown;
			connection.close();
			video.remove();
			await end(session, %[2]q);
			return at - start;
		})()`, g.Env["STAGEDOOR_WHEP_URL"], g.Env["STAGEDOOR_WATCH_TOKEN"]), &ms)
		times = append(times, time.Duration(ms*float64(time.Millisecond)))
	}
	t.Logf("FIGURE from WHEP POST to the first picture on Chromium's screen, IDR every 2 s: %s", describe(times))
}

// The pictures that are replayed to who joins between two IDRs must not make the browser
// expect a slow network: 10 s later the delay is that of somebody who joined at an IDR.
//
// With sound, Chromium holds the picture back until its audio buffer is through, whose depth
// differs by some ten milliseconds from one join to the next. So the pictures alone are held
// to one picture's time, and with sound only to what would be seen.
func TestDelayAfterJoiningAnywhere(t *testing.T) {
	g := StartGateway(t)
	PlayClip(t, Clip("demo.flv"), g.RTMP())
	g.OnStage(t)
	page := StartBrowser(t).Open(t, g.Env["AWS_ENDPOINT_URL_IVS_REALTIME"])
	idr := followIDRs(t, g)
	kinds := map[string]string{"pictures alone": `["video"]`, "pictures and sound": `["video", "audio"]`}
	for range 3 {
		<-idr
		for name, tracks := range kinds {
			joinInPage(t, page, g, "at an IDR, "+name, tracks)
		}
		<-idr
		time.Sleep(1200 * time.Millisecond) // of 2000
		for name, tracks := range kinds {
			joinInPage(t, page, g, "between, "+name, tracks)
		}
	}
	for name, limit := range map[string]time.Duration{"pictures alone": 33 * time.Millisecond, "pictures and sound": 100 * time.Millisecond} {
		atIDR, between := delays(t, page, "at an IDR, "+name), delays(t, page, "between, "+name)
		t.Logf("FIGURE Chromium's jitter buffer 10 s after joining, %s: median %v for who joined at an IDR, %v for who joined 1.2 s after one",
			name, median(atIDR).Round(time.Millisecond), median(between).Round(time.Millisecond))
		if more := median(between) - median(atIDR); more > limit {
			t.Errorf("%s: who joins between two IDRs sees everything %v later (%v, %v)", name, more, between, atIDR)
		}
	}
}

// delays waits for the joins of one name and gives what they measured.
func delays(t *testing.T, page *Page, name string) []time.Duration {
	t.Helper()
	var milliseconds []float64
	page.Eval(t, fmt.Sprintf(`Promise.all(window.joined[%q])`, name), &milliseconds)
	delays := make([]time.Duration, 0, len(milliseconds))
	for _, ms := range milliseconds {
		delays = append(delays, time.Duration(ms*float64(time.Millisecond)))
	}
	return delays
}

// followIDRs gives a value whenever an IDR has just come.
func followIDRs(t *testing.T, g *Gateway) <-chan struct{} {
	t.Helper()
	came := make(chan struct{})
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	viewer, err := whepclient.Dial(ctx, g.Env["STAGEDOOR_WHEP_URL"], g.Env["STAGEDOOR_WATCH_TOKEN"], whepclient.Options{
		Setting: loopback(),
		OnPicture: func(p *whepclient.Picture) {
			if p.IDR() {
				select {
				case came <- struct{}{}:
				default:
				}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = viewer.Close() })
	return came
}

// joinInPage adds a viewer of the tracks to the page, whose promise in window.joined gives
// the average time in ms that pictures spend in the jitter buffer in the 11th and 12th second.
func joinInPage(t *testing.T, page *Page, g *Gateway, name, tracks string) {
	t.Helper()
	page.Eval(t, fmt.Sprintf(`(async () => {
		const { offer } = await import("/assets/http.js");
		const connection = new RTCPeerConnection();
		const stream = new MediaStream();
		for (const kind of %s) stream.addTrack(connection.addTransceiver(kind, { direction: "recvonly" }).receiver.track);
		const video = document.createElement("video");
		video.muted = true;
		video.srcObject = stream;
		document.body.append(video);
		await offer(%q, %q, connection);
		video.play();
		const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
		const report = async () => [...(await connection.getStats()).values()].find((r) => r.type === "inbound-rtp" && r.kind === "video");
		const measure = async () => {
			await sleep(10000);
			const before = await report();
			await sleep(2000);
			const after = await report();
			connection.close();
			video.remove();
			return 1000 * (after.jitterBufferDelay - before.jitterBufferDelay) / (after.jitterBufferEmittedCount - before.jitterBufferEmittedCount);
		};
		window.joined ??= {};
		(window.joined[%q] ??= []).push(measure());
	})()`, tracks, g.Env["STAGEDOOR_WHEP_URL"], g.Env["STAGEDOOR_WATCH_TOKEN"], name), nil)
}
