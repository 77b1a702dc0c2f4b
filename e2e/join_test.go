//go:build e2e

package e2e

import (
	"context"
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
		page.Eval(t, `(async () => {
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
			const session = await offer("`+g.Env["STAGEDOOR_WHEP_URL"]+`", "`+g.Env["STAGEDOOR_WATCH_TOKEN"]+`", connection);
			const at = await shown;
			connection.close();
			video.remove();
			end(session, "`+g.Env["STAGEDOOR_WATCH_TOKEN"]+`");
			return at - start;
		})()`, &ms)
		times = append(times, time.Duration(ms*float64(time.Millisecond)))
	}
	t.Logf("FIGURE from WHEP POST to the first picture on Chromium's screen, IDR every 2 s: %s", describe(times))
}

// The pictures that are replayed to who joins between two IDRs must not make the browser
// expect a slow network: 10 s later the delay is that of somebody who joined at an IDR.
func TestDelayAfterJoiningAnywhere(t *testing.T) {
	g := StartGateway(t)
	PlayClip(t, Clip("demo.flv"), g.RTMP())
	g.OnStage(t)
	page := StartBrowser(t).Open(t, g.Env["STAGEDOOR_WATCH_URL"])
	idr := followIDRs(t, g)
	var atIDR, between []time.Duration
	for range 3 {
		<-idr
		joinInPage(t, page, g, "atIDR")
		<-idr
		time.Sleep(1200 * time.Millisecond) // of 2000
		joinInPage(t, page, g, "between")
	}
	for name, delays := range map[string]*[]time.Duration{"atIDR": &atIDR, "between": &between} {
		var milliseconds []float64
		page.Eval(t, `Promise.all(window.joined["`+name+`"])`, &milliseconds)
		for _, ms := range milliseconds {
			*delays = append(*delays, time.Duration(ms*float64(time.Millisecond)))
		}
	}
	t.Logf("FIGURE Chromium's jitter buffer 10 s after joining: median %v for who joined at an IDR, %v for who joined 1.2 s after one",
		median(atIDR).Round(time.Millisecond), median(between).Round(time.Millisecond))
	// One picture's time: what the two would differ by chance.
	if more := median(between) - median(atIDR); more > 33*time.Millisecond {
		t.Errorf("who joins between two IDRs sees everything %v later (%v, %v)", more, between, atIDR)
	}
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

// joinInPage adds a viewer to the page, whose promise in window.joined gives the average
// time in ms that pictures spend in the jitter buffer in the 10th and 11th second.
func joinInPage(t *testing.T, page *Page, g *Gateway, name string) {
	t.Helper()
	page.Eval(t, `(async () => {
		const { offer } = await import("/assets/http.js");
		const connection = new RTCPeerConnection();
		const { receiver } = connection.addTransceiver("video", { direction: "recvonly" });
		connection.addTransceiver("audio", { direction: "recvonly" });
		const video = document.createElement("video");
		video.muted = true;
		video.srcObject = new MediaStream([receiver.track]);
		document.body.append(video);
		await offer("`+g.Env["STAGEDOOR_WHEP_URL"]+`", "`+g.Env["STAGEDOOR_WATCH_TOKEN"]+`", connection);
		video.play();
		const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
		const buffered = async () => [...(await receiver.getStats()).values()].find((report) => report.type === "inbound-rtp");
		const measure = async () => {
			await sleep(10000);
			const before = await buffered();
			await sleep(2000);
			const after = await buffered();
			connection.close();
			video.remove();
			return 1000 * (after.jitterBufferDelay - before.jitterBufferDelay) / (after.jitterBufferEmittedCount - before.jitterBufferEmittedCount);
		};
		window.joined ??= {};
		(window.joined["`+name+`"] ??= []).push(measure());
	})()`, nil)
}
