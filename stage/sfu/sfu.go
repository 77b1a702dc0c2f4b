package sfu

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"log/slog"
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"
	"github.com/pkg/errors"
	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/internal/udpbatch"
	"github.com/stagedoor/stagedoor/stage"
)

// Options says how an SFU works. Zero values mean the defaults.
type Options struct {
	// Setting has the network: the shared UDP and TCP ports, ICE-lite, the public addresses.
	Setting webrtc.SettingEngine
	// Batch, where set, is between Setting's UDP mux and its sockets: a picture's packets
	// then leave with one system call.
	Batch *udpbatch.Batcher
	Log   *slog.Logger // default: none
	// MaxViewers bounds the connections of all participants together. Default 1000.
	MaxViewers int
	// Grace is how long viewers stay after their participant has left. Default 15 s.
	Grace time.Duration
	// ConnectTimeout is how long a viewer may take from the answer to the first packet.
	// Default 15 s.
	ConnectTimeout time.Duration
	// ConsentTimeout is how long a viewer may be silent before it is given up. Default 30 s
	// (RFC 7675, 5.1).
	ConsentTimeout time.Duration
}

// SFU is the embedded SFU. It is a stage.Backend and a stage.Audience.
type SFU struct {
	options     Options
	certificate webrtc.Certificate
	running     sync.WaitGroup // viewers and grace periods

	mu           sync.Mutex
	closed       bool
	participants map[key]*participant
	graces       map[*participant]*time.Timer
	viewers      int
}

// New makes an SFU. Close ends it.
func New(o Options) (*SFU, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxViewers == 0 {
		o.MaxViewers = 1000
	}
	if o.Grace == 0 {
		o.Grace = 15 * time.Second
	}
	if o.ConnectTimeout == 0 {
		o.ConnectTimeout = 15 * time.Second
	}
	if o.ConsentTimeout == 0 {
		o.ConsentTimeout = 30 * time.Second
	}
	// pion first calls a silent viewer disconnected, then failed.
	o.Setting.SetICETimeouts(o.ConsentTimeout/2, o.ConsentTimeout/2, 2*time.Second)
	// One certificate for all: making one takes longer than answering an offer.
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, errors.Wrap(err, "make DTLS key")
	}
	certificate, err := webrtc.GenerateCertificate(private)
	if err != nil {
		return nil, errors.Wrap(err, "make DTLS certificate")
	}
	return &SFU{options: o, certificate: *certificate,
		participants: make(map[key]*participant), graces: make(map[*participant]*time.Timer)}, nil
}

// noInterceptors is pion's chain of packet handlers, empty: this package does what they do,
// once for all viewers.
func noInterceptors() *interceptor.Registry { return &interceptor.Registry{} }

// Join puts a participant on its stage. See stage.Backend.
func (s *SFU) Join(_ context.Context, who stage.Participant) (ingest.Sink, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.New("the SFU is closed")
	}
	k := key{who.StageARN, who.ID}
	p := s.participants[k]
	if p == nil {
		p = newParticipant(k)
		s.participants[k] = p
	}
	s.stopGrace(p)
	in := &sink{sfu: s, participant: p}
	p.join(in, who.RequestKeyframe)
	return in, nil
}

// left hears that a publisher has left, and lets its viewers wait for the next one.
func (s *SFU) left(in *sink) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := in.participant
	if !p.leave(in) || s.closed || s.participants[p.key] != p {
		return
	}
	s.running.Add(1)
	s.graces[p] = time.AfterFunc(s.options.Grace, func() {
		defer s.running.Done()
		s.graceOver(p)
	})
}

func (s *SFU) graceOver(p *participant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.graces, p)
	if p.publishing() || s.participants[p.key] != p {
		return // it came back just now
	}
	delete(s.participants, p.key)
	p.finish("the participant left and did not come back")
}

// stopGrace ends a grace period early.
func (s *SFU) stopGrace(p *participant) {
	if timer := s.graces[p]; timer != nil && timer.Stop() {
		s.running.Done()
	}
	delete(s.graces, p)
}

// Subscribe answers a viewer's offer. See stage.Audience. A *ingest.Rejection with
// QUOTA_EXCEEDED says that there are too many viewers.
func (s *SFU) Subscribe(ctx context.Context, offer stage.Offer) (stage.Subscription, error) {
	o, err := parseOffer(offer.SDP)
	if err != nil {
		return nil, err
	}
	p, err := s.reserve(key{offer.StageARN, offer.ParticipantID})
	if err != nil {
		return nil, err
	}
	v, err := newViewer(ctx, s, p, offer.ViewerID, o)
	if err == nil && !p.add(v) {
		err = v.fail(stage.ErrNotPublishing)
	}
	if err != nil {
		s.release()
		return nil, err
	}
	go func() {
		defer s.release()
		started := time.Now()
		v.life(s.options.ConnectTimeout, offer.Ended)
		s.options.Log.Debug("viewer ended", "participant", p.key.id, "viewer", v.id, "reason", v.reason,
			"seconds", int(time.Since(started).Seconds()), "bytes", v.counters.bytes.Load(), "dropped", v.queue.lost())
	}()
	return v, nil
}

// reserve finds the participant and takes a place for one viewer.
func (s *SFU) reserve(k key) (*participant, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.participants[k]
	if s.closed || p == nil || !p.publishing() {
		return nil, stage.ErrNotPublishing
	}
	if s.viewers >= s.options.MaxViewers {
		return nil, ingest.Rejectf(ingest.QuotaExceeded, "There are %d viewers on this gateway, which is as many as it lets in. Try again later.", s.viewers)
	}
	s.viewers++
	s.running.Add(1)
	return p, nil
}

func (s *SFU) release() {
	s.mu.Lock()
	s.viewers--
	s.mu.Unlock()
	s.running.Done()
}

// Disconnect ends a participant's presence and waits until its viewers' connections are
// closed, or for the context. See stage.Backend.
func (s *SFU) Disconnect(ctx context.Context, stageARN, participantID string) error {
	s.mu.Lock()
	p := s.participants[key{stageARN, participantID}]
	if p == nil {
		s.mu.Unlock()
		return nil
	}
	delete(s.participants, p.key)
	s.stopGrace(p)
	s.mu.Unlock()
	for _, v := range p.finish("the participant was disconnected") {
		select {
		case <-v.gone:
		case <-ctx.Done():
			return errors.Wrap(ctx.Err(), "wait for viewers to end")
		}
	}
	return nil
}

// Close ends all participants and viewers and waits until nothing runs any more, or for the
// context.
func (s *SFU) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	for k, p := range s.participants {
		delete(s.participants, k)
		s.stopGrace(p)
		p.finish("the gateway is stopping")
	}
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		s.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return errors.Wrap(ctx.Err(), "wait for viewers to end")
	}
}

var (
	_ stage.Backend  = (*SFU)(nil)
	_ stage.Audience = (*SFU)(nil)
)
