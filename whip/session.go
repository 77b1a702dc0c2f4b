package whip

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
	"github.com/pkg/errors"
	"golang.org/x/time/rate"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/internal/webrtchttp"
)

const (
	// gatherTimeout bounds the gathering of our own candidates, all of which are local.
	gatherTimeout = 5 * time.Second
	// eventQueue lets the readers run ahead of the session's goroutine by some pictures.
	eventQueue = 256
	// maxStrangers is how many RTP streams that were not negotiated a session may send.
	maxStrangers = 64
)

// errLeft is the end in good order: the publisher took its leave.
var errLeft = errors.New("the publisher left")

// session is one publisher's PeerConnection and what is on its way from it to the Sink.
type session struct {
	id     string
	secret webrtchttp.Secret // its token
	log    *slog.Logger
	ctx    context.Context // ends with the session; its cause is why
	end    context.CancelCauseFunc
	done   chan struct{} // closed when nothing of the session is left
	limits timeouts

	pc        *webrtc.PeerConnection
	sink      ingest.Sink
	pool      packetPool
	events    chan event
	keyframe  chan struct{}
	connected chan struct{}
	strangers atomic.Int32

	mu       sync.Mutex // guards what follows
	offer    *offer
	etag     string
	ufrags   map[string]bool // the publisher's ICE generations so far
	restarts *rate.Limiter
	reached  netip.Addr
	readers  sync.WaitGroup
	closed   bool // no reader starts any more
	tracks   int
}

// event is what a session's readers hand to its goroutine: a new layer, a packet, or a
// sender report. Without a layer it is about the audio.
type event struct {
	layer  *layer
	begin  bool
	packet *packet
	report *rtcp.SenderReport
}

func newSession(ctx context.Context, token string, limits timeouts, log *slog.Logger) *session {
	s := &session{
		limits:    limits,
		id:        webrtchttp.NewID(),
		secret:    webrtchttp.NewSecret(token),
		done:      make(chan struct{}),
		events:    make(chan event, eventQueue),
		keyframe:  make(chan struct{}, 1),
		connected: make(chan struct{}),
		etag:      webrtchttp.NewID(),
		ufrags:    make(map[string]bool),
		restarts:  rate.NewLimiter(rate.Every(time.Second), 5),
	}
	s.log = log.With("session", s.id[:8])
	s.ctx, s.end = context.WithCancelCause(ctx)
	return s
}

// requestKeyframe asks the publisher for an IDR; see ingest.Request.
func (s *session) requestKeyframe() {
	select {
	case s.keyframe <- struct{}{}:
	default: // one is asked for already
	}
}

// answer negotiates with the publisher and gives the SDP answer with all candidates in it.
// A *ingest.Rejection says what is wrong with the offer.
func (s *session) answer(ctx context.Context, api *webrtc.API, o *offer) (string, error) {
	pc, err := api.NewPeerConnection(webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle})
	if err != nil {
		return "", errors.Wrap(err, "open a PeerConnection")
	}
	s.pc, s.offer = pc, o
	s.ufrags[o.credentials().ufrag] = true
	connected := sync.OnceFunc(func() { close(s.connected) })
	pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		switch state {
		case webrtc.PeerConnectionStateConnected:
			connected()
		case webrtc.PeerConnectionStateFailed:
			s.end(s.failure())
		case webrtc.PeerConnectionStateClosed: // by a DTLS alert; where we closed it, the reason is set
			s.end(s.farewell())
		}
	})
	pc.OnTrack(s.onTrack)
	return s.negotiate(ctx, o.text)
}

// negotiate answers an offer, or the same offer with new ICE credentials.
func (s *session) negotiate(ctx context.Context, text string) (string, error) {
	if err := s.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: text}); err != nil {
		return "", ingest.Rejectf(ingest.InvalidInput, "The SDP offer cannot be used: %s. It must be the offer of a WHIP client, unchanged.", printable(err.Error()))
	}
	answer, err := s.pc.CreateAnswer(nil)
	if err != nil {
		return "", ingest.Rejectf(ingest.InvalidInput, "The SDP offer cannot be answered: %s. It must be the offer of a WHIP client, unchanged.", printable(err.Error()))
	}
	gathered := webrtc.GatheringCompletePromise(s.pc)
	if err := s.pc.SetLocalDescription(answer); err != nil {
		return "", errors.Wrap(err, "set the answer")
	}
	ctx, cancel := context.WithTimeout(ctx, gatherTimeout)
	defer cancel()
	select {
	case <-gathered:
	case <-s.ctx.Done():
		return "", errors.Wrap(context.Cause(s.ctx), "gather candidates")
	case <-ctx.Done():
		return "", errors.Wrap(ctx.Err(), "gather candidates")
	}
	return finishAnswer(s.pc.LocalDescription().SDP, s.reached)
}

// failure says why the PeerConnection failed.
func (s *session) failure() error {
	if s.pc.ICEConnectionState() == webrtc.ICEConnectionStateFailed {
		return ingest.Rejectf(ingest.Disconnected, "Nothing came from the publisher for %d s: its network is gone, or it stopped without saying so.", int(s.limits.consent.Seconds()))
	}
	return ingest.Rejectf(ingest.Disconnected, "The DTLS handshake failed: the publisher's certificate does not match the fingerprint in its offer, or the path damages packets.")
}

// farewell says why the publisher closed the DTLS association: it took its leave, or, during
// the handshake, did not like it.
func (s *session) farewell() error {
	select {
	case <-s.connected:
		return errLeft
	default:
		return s.failure()
	}
}

// onTrack takes up a stream of the publisher's: reads its packets and its reports.
func (s *session) onTrack(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	var l *layer
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tracks++; s.closed || s.tracks > maxLayers+1 {
		s.end(ingest.Rejectf(ingest.InvalidInput, "The publisher sends more streams than it offered: %d.", s.tracks))
		return
	}
	payloadType := s.offer.audio.number()
	if track.Kind() == webrtc.RTPCodecTypeVideo {
		payloadType = s.offer.video.number()
		l = newLayer(track.RID(), uint32(track.SSRC()), s.offer.video.resends, s.offer.video.sets)
	}
	s.readers.Go(func() {
		if l != nil {
			s.post(event{layer: l, begin: true})
		}
		s.readPackets(track, l, payloadType)
	})
	s.readers.Go(func() { s.readReports(receiver, track, l) })
}

// stranger counts an RTP stream that was not negotiated. Each costs memory until the end of
// the session, so that there must be an end to them.
func (s *session) stranger() {
	if s.strangers.Add(1) > maxStrangers {
		s.end(ingest.Rejectf(ingest.InvalidInput, "The publisher sends RTP streams that it did not offer: more than %d SSRCs.", maxStrangers))
	}
}

// restart answers an ICE restart with the fragment of the answer, and the session's new
// entity tag.
func (s *session) restart(ctx context.Context, f fragment) (answer, etag string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ufrags[f.ufrag] = true
	text, err := s.offer.restarted(f)
	if err != nil {
		return "", "", err
	}
	full, err := s.negotiate(ctx, text)
	if err != nil {
		return "", "", err
	}
	answer, err = answerFragment(full)
	if err == nil {
		s.etag = webrtchttp.NewID()
	}
	return answer, s.etag, err
}
