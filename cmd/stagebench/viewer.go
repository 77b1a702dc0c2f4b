package main

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/transport/v5/packetio"
	"github.com/pion/webrtc/v4"
	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/internal/whepclient"
)

// The payload types of whepclient's offer.
const (
	videoType = 102
	audioType = 111
)

// retryEvery is how often a viewer that came before its publisher asks again.
const retryEvery = 20 * time.Millisecond

// viewer watches one publisher. Packets are taken where they are decrypted, on the
// connection's own goroutine, which is a fraction of the cost of a whole player.
type viewer struct {
	publisher *publisher
	token     string
	out       *tally
	ear       *ear // nil: does not listen
	client    *whepclient.Client

	asked  time.Time // when the offer was sent that was answered
	failed atomic.Bool

	mu       sync.Mutex
	packet   rtp.Packet
	pictures pictures
	sound    soundTrack
	reports  reports
	got      progress
}

// progress is what a viewer has seen.
type progress struct {
	firstPicture, firstSound time.Time
	first, last              int64 // count of the first and the last whole picture; -1: none
	received                 int64 // pictures from first to last
	unknown                  int64 // whole pictures that nobody sent
	soundLost                int64 // Opus packets
	sounds                   int64
}

// soundTrack is the order of the Opus packets.
type soundTrack struct {
	started bool
	next    uint16
}

// tally is where the viewers of a run put what they measure.
type tally struct {
	video, audio samples
	skew         samples
	measuring    interval
}

// newViewer makes the viewer of that number among its publisher's.
func newViewer(p *publisher, number int, out *tally) *viewer {
	return &viewer{publisher: p, token: p.place.watchTokens[number], out: out, got: progress{first: -1, last: -1}}
}

// watch connects, and stays until the context ends.
func (v *viewer) watch(ctx context.Context) error {
	if err := v.connect(ctx); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case <-v.client.Ended():
		return errors.New("the connection was lost")
	}
}

// connect asks until the publisher is there.
func (v *viewer) connect(ctx context.Context) error {
	client, err := whepclient.New(v.options())
	if err != nil {
		return err
	}
	v.mu.Lock()
	v.client = client
	v.mu.Unlock()
	offer, err := client.Offer(ctx)
	if err != nil {
		return err
	}
	for {
		v.asked = time.Now()
		err := client.Post(ctx, v.publisher.place.watchURL, v.token, offer)
		var refused *whepclient.StatusError
		if err == nil {
			v.hurry(ctx)
			return nil
		}
		if !errors.As(err, &refused) || refused.Status != http.StatusNotFound {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(retryEvery):
		}
	}
}

// hurry makes pion check the path as often as browsers do, instead of every 200 ms: it checks
// at once when it hears of a new candidate, such as the server's own under another type.
func (v *viewer) hurry(ctx context.Context) {
	pc := v.client.PeerConnection()
	for i, wait := 1, 2*time.Millisecond; i <= 6; i, wait = i+1, 2*wait {
		select {
		case <-ctx.Done():
			return
		case <-v.client.Connected():
			return
		case <-v.client.Ended():
			return
		case <-time.After(wait):
		}
		for line := range strings.Lines(pc.RemoteDescription().SDP) {
			candidate, found := strings.CutPrefix(strings.TrimSpace(line), "a=candidate:")
			before, _, isHost := strings.Cut(candidate, " typ host")
			if found && isHost && strings.Contains(strings.ToLower(before), " udp ") {
				copied := "candidate:" + before + " typ srflx raddr 0.0.0.0 rport " + strconv.Itoa(i)
				zero := uint16(0)
				_ = pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: copied, SDPMLineIndex: &zero}) // the regular checks go on
			}
		}
	}
}

func (v *viewer) options() whepclient.Options {
	o := whepclient.Options{NoRTX: true, Interceptors: &interceptor.Registry{}}
	o.Setting.SetIncludeLoopbackCandidate(true)
	// As browsers offer them.
	o.Setting.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	o.Setting.BufferFactory = func(packets packetio.BufferPacketType, _ uint32) io.ReadWriteCloser {
		if packets == packetio.RTCPBufferPacket {
			return &tap{take: v.takeRTCP, closed: make(chan struct{})}
		}
		return &tap{take: v.takeRTP, closed: make(chan struct{})}
	}
	return o
}

// takeRTP takes one decrypted packet.
func (v *viewer) takeRTP(b []byte) {
	now := time.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.packet.Unmarshal(b) != nil {
		return
	}
	switch v.packet.PayloadType {
	case videoType:
		v.reports.note(video, &v.packet)
		if v.pictures.push(&v.packet) {
			v.picture(now)
		}
	case audioType:
		v.reports.note(audio, &v.packet)
		v.hear(now)
	}
}

// picture takes note of a picture whose last packet has just come.
func (v *viewer) picture(now time.Time) {
	seen, known := v.publisher.ledger.find(v.pictures.id)
	if !known {
		if !v.pictures.holed {
			v.got.unknown++
		}
		return
	}
	if v.got.first < 0 && !v.pictures.idr {
		return // nothing to decode it with
	}
	if v.got.first < 0 {
		v.got.firstPicture, v.got.first, v.got.last = now, seen.count, seen.count-1
	}
	if seen.count <= v.got.last {
		return // shown again, as to a viewer who has lost something
	}
	v.got.last = seen.count
	v.got.received++
	v.reports.match(v.pictures.timestamp, seen.pts)
	if v.out.measuring.covers(seen.sentAt) {
		v.out.video.add(now.Sub(seen.sentAt))
	}
}

// hear takes note of an Opus packet.
func (v *viewer) hear(now time.Time) {
	if gap := int16(v.packet.SequenceNumber - v.sound.next); v.sound.started && gap < 0 {
		return
	} else if v.sound.started {
		v.got.soundLost += int64(gap)
	} else {
		v.got.firstSound = now
	}
	v.sound.started, v.sound.next = true, v.packet.SequenceNumber+1
	v.got.sounds++
	if v.ear == nil {
		return
	}
	offset := v.ear.hear(v.packet.Payload)
	if offset < 0 {
		return
	}
	sent, at, ok := v.publisher.ledger.latestOnset(now)
	if !ok || !v.out.measuring.covers(sent) {
		return
	}
	v.out.audio.add(now.Sub(sent))
	if skew, ok := v.reports.skew(v.packet.Timestamp+uint32(offset), at, v.publisher.clip.length); ok {
		v.out.skew.add(skew)
	}
}

// takeRTCP takes one decrypted compound packet.
func (v *viewer) takeRTCP(b []byte) {
	packets, err := rtcp.Unmarshal(b)
	if err != nil {
		return
	}
	now := time.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, p := range packets {
		if report, ok := p.(*rtcp.SenderReport); ok {
			v.reports.sender(report, now)
		}
	}
}

// report sends a receiver report, which is what keeps a server sending.
func (v *viewer) report(now time.Time) {
	v.mu.Lock()
	report, client := v.reports.receiver(now), v.client
	v.mu.Unlock()
	if report != nil {
		_ = client.PeerConnection().WriteRTCP([]rtcp.Packet{report}) // the connection's end is seen elsewhere
	}
}

// seen gives what the viewer has seen up to now.
func (v *viewer) seen() progress {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.got
}

// close leaves.
func (v *viewer) close() {
	if v.client != nil {
		_ = v.client.Close() // there is nobody to tell
	}
}

// tap is a buffer of pion's that hands each packet on at once instead of keeping it.
type tap struct {
	take   func([]byte)
	closed chan struct{}
	once   sync.Once
}

func (t *tap) Write(b []byte) (int, error) {
	t.take(b)
	return len(b), nil
}

func (t *tap) Read([]byte) (int, error) {
	<-t.closed
	return 0, io.EOF
}

func (t *tap) Close() error {
	t.once.Do(func() { close(t.closed) })
	return nil
}
