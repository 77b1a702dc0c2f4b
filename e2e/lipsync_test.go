//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4/pkg/media/oggwriter"

	"github.com/stagedoor/stagedoor/internal/whepclient"
)

// The clip flashes and beeps in the same moment, once per second. A viewer who maps both
// tracks to one clock by the sender reports, as browsers do, must find them together.
func TestLipSync(t *testing.T) {
	t.Parallel()
	const (
		watched = 66 * time.Second
		allowed = 40 * time.Millisecond
		replay  = time.Second // pictures from before the viewer came; the sound of that time is not sent
	)
	g := StartGateway(t)
	PlayClip(t, Clip("flashbeep.flv"), g.RTMP())
	g.OnStage(t)
	r := record(t, g, watched)
	flashes := r.flashes(t)
	beeps := r.beeps(t)
	start := min(r.video.toWall(r.pictures[0].Timestamp), r.audio.toWall(r.sounds[0].Timestamp))

	var first, last []time.Duration
	for _, flash := range flashes {
		since := flash - start
		beep, ok := nearest(beeps, flash)
		if since < replay || !ok {
			continue
		}
		skew := beep - flash
		switch {
		case since < 6*time.Second:
			first = append(first, skew)
		case since > 60*time.Second:
			last = append(last, skew)
		}
		if skew.Abs() > allowed {
			t.Errorf("%v after the start the sound comes %v after the picture; at most %v are allowed", since.Round(time.Millisecond), skew, allowed)
		}
	}
	if len(first) < 3 || len(last) < 3 {
		t.Fatalf("%d flashes with a beep in the first 6 s and %d after 60 s: too few (%d flashes, %d beeps in all)", len(first), len(last), len(flashes), len(beeps))
	}
	ms := func(d time.Duration) float64 { return d.Seconds() * 1000 }
	t.Logf("FIGURE lip-sync, sound after picture: median %.2f ms in the first 6 s, %.2f ms after 60 s", ms(median(first)), ms(median(last)))
}

// recording is what one viewer received, and the reports that date it.
type recording struct {
	mu       sync.Mutex
	pictures []*whepclient.Picture
	sounds   []whepclient.Sound
	video    reports
	audio    reports
}

// reports maps one track's RTP timestamps to the sender's wall clock.
type reports struct {
	rate float64
	all  []*rtcp.SenderReport
}

// toWall dates a timestamp by the report that is nearest to it, as time since 1900.
func (r *reports) toWall(timestamp uint32) time.Duration {
	best := r.all[0]
	for _, report := range r.all {
		if distance(timestamp, report.RTPTime) < distance(timestamp, best.RTPTime) {
			best = report
		}
	}
	seconds := float64(best.NTPTime>>32) + float64(best.NTPTime&math.MaxUint32)/(1<<32)
	// Seconds since 1900 leave a float64 with half a microsecond: enough.
	return time.Duration((seconds + float64(int32(timestamp-best.RTPTime))/r.rate) * float64(time.Second))
}

func distance(a, b uint32) int64 {
	d := int64(int32(a - b))
	return max(d, -d)
}

func record(t *testing.T, g *Gateway, length time.Duration) *recording {
	t.Helper()
	r := &recording{video: reports{rate: 90000}, audio: reports{rate: 48000}}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	viewer, err := whepclient.Dial(ctx, g.Env["STAGEDOOR_WHEP_URL"], g.Env["STAGEDOOR_WATCH_TOKEN"], whepclient.Options{
		Setting: loopback(),
		OnPicture: func(p *whepclient.Picture) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.pictures = append(r.pictures, p)
		},
		OnSound: func(s whepclient.Sound) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.sounds = append(r.sounds, s)
		},
		OnReport: func(video bool, report *rtcp.SenderReport, _ time.Time) {
			r.mu.Lock()
			defer r.mu.Unlock()
			of := &r.audio
			if video {
				of = &r.video
			}
			of.all = append(of.all, report)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-time.After(length): // the recording's length, not a wait for something
	case <-viewer.Ended():
		t.Error("the viewer's connection ended")
	}
	if err := viewer.Close(); err != nil {
		t.Errorf("closing the viewer: %v", err)
	}
	if len(r.pictures) == 0 || len(r.sounds) == 0 || len(r.video.all) == 0 || len(r.audio.all) == 0 {
		t.Fatalf("%d pictures, %d sounds, %d and %d reports were received", len(r.pictures), len(r.sounds), len(r.video.all), len(r.audio.all))
	}
	return r
}

// flashes decodes the pictures and gives when the screen turned white.
func (r *recording) flashes(t *testing.T) []time.Duration {
	t.Helper()
	var stream bytes.Buffer
	for _, picture := range r.pictures {
		if !picture.Whole {
			t.Errorf("a picture at %d is not whole", picture.Timestamp)
		}
		for _, nalu := range picture.NALUs {
			stream.Write([]byte{0, 0, 0, 1})
			stream.Write(nalu)
		}
	}
	file := filepath.Join(t.TempDir(), "pictures.h264")
	if err := os.WriteFile(file, stream.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	// One byte a picture: its middle, which flashes.
	grey := ffmpeg(t, "-i", file, "-vf", "crop=16:16,scale=1:1", "-pix_fmt", "gray", "-vsync", "passthrough", "-f", "rawvideo", "-")
	if len(grey) != len(r.pictures) {
		t.Fatalf("%d of %d pictures were decoded", len(grey), len(r.pictures))
	}
	var flashes []time.Duration
	for i := 1; i < len(grey); i++ {
		if grey[i] > 128 && grey[i-1] <= 128 {
			flashes = append(flashes, r.video.toWall(r.pictures[i].Timestamp))
		}
	}
	return flashes
}

// beeps decodes the sound and gives when it became loud.
func (r *recording) beeps(t *testing.T) []time.Duration {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sound.ogg")
	ogg, err := oggwriter.New(file, 48000, 2)
	if err != nil {
		t.Fatal(err)
	}
	// Between two consecutive packets are 960 samples, as the gateway makes them: so a sample's
	// place in the decoded sound tells its packet.
	for i, sound := range r.sounds {
		if i > 0 && sound.Timestamp-r.sounds[i-1].Timestamp != 960 {
			t.Fatalf("Opus packet %d comes %d samples after the one before", i, sound.Timestamp-r.sounds[i-1].Timestamp)
		}
		packet := &rtp.Packet{Header: rtp.Header{SequenceNumber: uint16(i), Timestamp: uint32(i) * 960}, Payload: sound.Data}
		if err := ogg.WriteRTP(packet); err != nil {
			t.Fatal(err)
		}
	}
	if err := ogg.Close(); err != nil {
		t.Fatal(err)
	}
	const preSkip = 3840 // written into the header by oggwriter, and skipped by ffmpeg
	decoded := ffmpeg(t, "-i", file, "-ac", "1", "-ar", "48000", "-f", "s16le", "-")
	var beeps []time.Duration
	quietSince := -4800
	for i := 0; i+1 < len(decoded); i += 2 {
		sample := int16(binary.LittleEndian.Uint16(decoded[i:]))
		if sample > -1600 && sample < 1600 { // 5 % of full scale; the beep has 50 %
			continue
		}
		at := i / 2
		if at-quietSince > 4800 { // 100 ms of quiet end a beep; between its waves are 0.5 ms
			place := at + preSkip
			packet := r.sounds[min(place/960, len(r.sounds)-1)]
			beeps = append(beeps, r.audio.toWall(packet.Timestamp+uint32(place%960)))
		}
		quietSince = at
	}
	return beeps
}

// nearest gives the beep that belongs to a flash: one within half a second.
func nearest(beeps []time.Duration, flash time.Duration) (time.Duration, bool) {
	for _, beep := range beeps {
		if (beep - flash).Abs() < 500*time.Millisecond {
			return beep, true
		}
	}
	return 0, false
}

func median(values []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// describe gives the median and the extremes in words.
func describe(values []time.Duration) string {
	sorted := slices.Sorted(slices.Values(values))
	ms := func(i int) time.Duration { return sorted[i].Round(time.Millisecond) }
	return fmt.Sprintf("median %v, nine in ten within %v, longest %v (%d measured)", ms(len(sorted)/2), ms(len(sorted)*9/10), ms(len(sorted)-1), len(sorted))
}
