// Package stagetest holds every stage.Backend to one suite. A backend that is a
// stage.Audience is watched, too.
package stagetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/stage"
)

const (
	patience = 10 * time.Second
	stageARN = "arn:aws:ivs:local:000000000000:stage/suite0000000"
	frame    = time.Second / 30
)

// Run runs the suite. open makes a backend that lasts for the test that it is given; it
// registers its own cleanup.
func Run(t *testing.T, open func(t *testing.T) stage.Backend) {
	for name, test := range map[string]func(*testing.T, stage.Backend){
		"a participant publishes and leaves":     publishes,
		"a sequence header alone is harmless":    sequenceHeaders,
		"sound may come later, or alone":         soundOnly,
		"the clock may jump":                     clockJumps,
		"a participant comes back":               comesBack,
		"a second connection replaces the first": replaces,
		"disconnecting ends the connection":      disconnects,
		"disconnecting nobody is no error":       disconnectsNobody,
		"participants do not touch each other":   separate,
		"a broken picture does no harm":          brokenPictures,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
	t.Run("watching", func(t *testing.T) {
		if _, ok := open(t).(stage.Audience); !ok {
			t.Skip("the backend is no stage.Audience")
		}
		for name, test := range map[string]func(*testing.T, stage.Backend, stage.Audience){
			"nobody is there":       watchNobody,
			"the offer is nonsense": watchNonsense,
		} {
			t.Run(name, func(t *testing.T) {
				b := open(t)
				test(t, b, b.(stage.Audience))
			})
		}
	})
}

func join(t *testing.T, b stage.Backend, id string) ingest.Sink {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	in, err := b.Join(ctx, stage.Participant{StageARN: stageARN, ID: id, SessionID: "st-suite00000000", Protocol: ingest.RTMP})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

var (
	opus = &ingest.AudioCodec{Name: ingest.Opus, SampleRate: 48000, Channels: 2}
	sps  = []byte{0x67, 0x42, 0xc0, 0x1f, 0x8c, 0x8d, 0x40, 0x50, 0x1e, 0xd0, 0x0f, 0x08, 0x84, 0x6a}
	pps  = []byte{0x68, 0xce, 0x3c, 0x80}
)

func picture(pts time.Duration, idr bool) *ingest.AccessUnit {
	if idr {
		return &ingest.AccessUnit{PTS: pts, NALUs: [][]byte{sps, pps, append([]byte{0x65, 0x88}, make([]byte, 3000)...)}}
	}
	return &ingest.AccessUnit{PTS: pts, NALUs: [][]byte{append([]byte{0x41, 0x9a}, make([]byte, 900)...)}}
}

// sound is 20 ms of Opus silence.
func sound(pts time.Duration) *ingest.AudioFrame {
	return &ingest.AudioFrame{PTS: pts, Codec: opus, Data: []byte{0xfc, 0xff, 0xfe}}
}

func second(t *testing.T, in ingest.Sink, from time.Duration) {
	t.Helper()
	for i := range 30 {
		pts := from + time.Duration(i)*frame
		must(t, in.WriteVideo(picture(pts, i == 0)))
		must(t, in.WriteAudio(sound(pts)))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func publishes(t *testing.T, b stage.Backend) {
	in := join(t, b, "one")
	for s := range 5 {
		second(t, in, time.Duration(s)*time.Second)
	}
	must(t, in.Close(nil))
}

func sequenceHeaders(t *testing.T, b stage.Backend) {
	in := join(t, b, "one")
	must(t, in.WriteVideo(&ingest.AccessUnit{NALUs: [][]byte{sps, pps}}))
	must(t, in.WriteAudio(&ingest.AudioFrame{Codec: opus}))
	second(t, in, 0)
	must(t, in.Close(ingest.Rejectf(ingest.BitrateExceeded, "too much")))
}

func soundOnly(t *testing.T, b stage.Backend) {
	in := join(t, b, "one")
	for i := range 100 {
		must(t, in.WriteAudio(sound(time.Duration(i)*20*time.Millisecond)))
	}
	must(t, in.Close(nil))
	in = join(t, b, "two")
	for i := range 30 {
		must(t, in.WriteVideo(picture(time.Duration(i)*frame, i == 0)))
	}
	second(t, in, time.Second)
	must(t, in.Close(nil))
}

func clockJumps(t *testing.T, b stage.Backend) {
	in := join(t, b, "one")
	for _, from := range []time.Duration{0, 24 * time.Hour, time.Second, time.Second, 1 << 60, 0} {
		second(t, in, from)
	}
	must(t, in.Close(nil))
}

func comesBack(t *testing.T, b stage.Backend) {
	for range 3 {
		in := join(t, b, "one")
		second(t, in, 0)
		must(t, in.Close(errors.New("the connection was lost")))
	}
}

func replaces(t *testing.T, b stage.Backend) {
	first := join(t, b, "one")
	second(t, first, 0)
	next := join(t, b, "one")
	second(t, next, 0)
	if err := first.WriteVideo(picture(time.Second, true)); err == nil {
		t.Error("the first connection still publishes")
	}
	must(t, first.Close(nil)) // late, and of no consequence
	second(t, next, time.Second)
	must(t, next.Close(nil))
}

func disconnects(t *testing.T, b stage.Backend) {
	in := join(t, b, "one")
	second(t, in, 0)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	must(t, b.Disconnect(ctx, stageARN, "one"))
	err := in.WriteVideo(picture(time.Second, true))
	if r := ingest.AsRejection(err); r == nil || r.Code != ingest.Disconnected {
		t.Errorf("after the disconnection the publisher is told %v; want DISCONNECTED", err)
	}
	must(t, in.Close(err))
	again := join(t, b, "one")
	second(t, again, 0)
	must(t, again.Close(nil))
}

func disconnectsNobody(t *testing.T, b stage.Backend) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	must(t, b.Disconnect(ctx, stageARN, "nobody"))
}

func separate(t *testing.T, b stage.Backend) {
	one, two := join(t, b, "one"), join(t, b, "two")
	second(t, one, 0)
	second(t, two, time.Hour)
	must(t, one.Close(nil))
	second(t, two, time.Hour+time.Second)
	must(t, two.Close(nil))
}

func brokenPictures(t *testing.T, b stage.Backend) {
	in := join(t, b, "one")
	second(t, in, 0)
	for _, nalus := range [][][]byte{nil, {}, {nil}, {{}}, {{0x65}}, {{0xff, 0xff}}, {{0x00}}, {make([]byte, 300000)}} {
		must(t, in.WriteVideo(&ingest.AccessUnit{PTS: time.Second, NALUs: nalus}))
	}
	must(t, in.WriteAudio(&ingest.AudioFrame{PTS: time.Second, Codec: opus, Data: make([]byte, 5000)}))
	second(t, in, 2*time.Second)
	must(t, in.Close(nil))
}

func watchNobody(t *testing.T, _ stage.Backend, a stage.Audience) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := a.Subscribe(ctx, stage.Offer{StageARN: stageARN, ParticipantID: "nobody", ViewerID: "v", SDP: offer})
	if !errors.Is(err, stage.ErrNotPublishing) {
		t.Errorf("got %v, want ErrNotPublishing", err)
	}
}

func watchNonsense(t *testing.T, b stage.Backend, a stage.Audience) {
	in := join(t, b, "one")
	defer func() { must(t, in.Close(nil)) }()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, sdp := range []string{"", "nonsense", "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"} {
		_, err := a.Subscribe(ctx, stage.Offer{StageARN: stageARN, ParticipantID: "one", ViewerID: "v", SDP: sdp})
		if bad := (*stage.BadOffer)(nil); !errors.As(err, &bad) {
			t.Errorf("%q: got %v, want a *stage.BadOffer", sdp, err)
		}
	}
}

const offer = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n" +
	"m=video 9 UDP/TLS/RTP/SAVPF 102\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\n" +
	"a=rtpmap:102 H264/90000\r\na=fmtp:102 packetization-mode=1;profile-level-id=42e01f\r\n" +
	"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef01234567\r\na=setup:actpass\r\na=fingerprint:sha-256 " +
	"7F:70:6D:58:57:35:FF:A4:AD:1E:81:B4:E4:FD:32:35:A7:84:A6:72:6E:63:EB:F9:C9:0A:60:5D:94:46:9F:F2\r\n"
