package sfu

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
	"github.com/pkg/errors"
	"github.com/stagedoor/stagedoor/stage"
)

// viewer is one WebRTC connection that watches one participant. It is the
// stage.Subscription.
type viewer struct {
	id          string
	participant *participant
	queue       *queue
	pc          *webrtc.PeerConnection
	writeRTCP   func([]rtcp.Packet) error
	burst       burst
	tracks      [kinds]*track // nil: not asked for
	counters    counters

	connected chan struct{} // closed once media can flow
	connect   sync.Once
	done      chan struct{} // closed by end
	ending    sync.Once
	reason    string        // why it ended, set before done is closed
	gone      chan struct{} // closed when nothing of it runs any more

	mu     sync.Mutex
	asked  [maxAsked]uint16 // packets to send again
	askedN int
	refill bool // the viewer cannot decode and wants an IDR
	replay replay

	negotiating sync.Mutex // guards offer and answer
	offer       *offer
	answer      string
}

// counters are what Stats tells of a viewer.
type counters struct {
	bytes    atomic.Uint64 // RTP payloads, retransmissions included
	resent   atomic.Uint64 // packets
	received atomic.Uint64 // packets, by transport-wide feedback
	lost     atomic.Uint64
	fraction atomic.Uint32 // the last receiver report's, of 256
}

// newViewer answers the offer. The viewer runs once life is called.
func newViewer(ctx context.Context, s *SFU, p *participant, id string, o *offer) (*viewer, error) {
	v := &viewer{id: id, participant: p, queue: newQueue(), offer: o,
		connected: make(chan struct{}), done: make(chan struct{}), gone: make(chan struct{})}
	engine, err := o.engine()
	if err != nil {
		return nil, err
	}
	boxes := &inboxes{listener: v, tooMany: func() { v.end("it sent RTCP or RTP for too many SSRCs") }}
	settings := s.options.Setting
	settings.BufferFactory = boxes.open
	api := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithSettingEngine(settings), webrtc.WithInterceptorRegistry(noInterceptors()))
	v.pc, err = api.NewPeerConnection(webrtc.Configuration{Certificates: []webrtc.Certificate{s.certificate}})
	if err != nil {
		return nil, errors.Wrap(err, "make peer connection")
	}
	v.writeRTCP, v.burst.batcher = v.pc.WriteRTCP, s.options.Batch
	v.pc.OnConnectionStateChange(v.stateChanged)
	if err := v.addTracks(o); err != nil {
		return nil, v.fail(err)
	}
	v.pc.SCTP().Transport().ICETransport().OnSelectedCandidatePairChange(v.burst.moved)
	if v.answer, err = negotiate(ctx, v.pc, o); err != nil {
		return nil, v.fail(err)
	}
	return v, nil
}

// fail closes what newViewer has opened.
func (v *viewer) fail(err error) error {
	_ = v.pc.GracefulClose() // err says more
	return err
}

func (v *viewer) addTracks(o *offer) error {
	for k, offered := range o.tracks {
		if offered == nil {
			continue
		}
		v.tracks[k] = &track{kind: kind(k), streamID: v.participant.key.id, offered: offered}
		_, err := v.pc.AddTransceiverFromTrack(v.tracks[k], webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		if err != nil {
			return errors.Wrap(err, "add track")
		}
	}
	return nil
}

// stateChanged hears of the connection from pion.
func (v *viewer) stateChanged(state webrtc.PeerConnectionState) {
	switch state {
	case webrtc.PeerConnectionStateConnected:
		v.connect.Do(func() { close(v.connected) })
	case webrtc.PeerConnectionStateFailed:
		v.end("the network connection was lost")
	case webrtc.PeerConnectionStateClosed:
		v.end("the viewer closed the connection")
	}
}

// end asks for the end, once; the first reason counts. It does not wait.
func (v *viewer) end(reason string) {
	v.ending.Do(func() {
		v.reason = reason
		close(v.done)
		v.queue.poke()
	})
}

func (v *viewer) hasEnded() bool {
	select {
	case <-v.done:
		return true
	default:
		return false
	}
}

// life runs from the answer to the end. It starts the media once connected, and closes the
// connection from outside of the goroutine that writes to it, which may be stuck.
func (v *viewer) life(connectTimeout time.Duration, ended func(reason string)) {
	timer := time.NewTimer(connectTimeout)
	defer timer.Stop()
	var playing sync.WaitGroup
	select {
	case <-v.connected:
		playing.Go(v.play)
		<-v.done
	case <-timer.C:
		v.end("it did not connect in time: the gateway's UDP and TCP media port must be reachable")
	case <-v.done:
	}
	v.participant.remove(v)
	// Its error says only that something was closed already.
	_ = v.pc.GracefulClose()
	playing.Wait()
	v.burst.close()
	close(v.gone)
	if ended != nil {
		ended(v.reason)
	}
}

// Answer is the SDP answer.
func (v *viewer) Answer() string {
	v.negotiating.Lock()
	defer v.negotiating.Unlock()
	return v.answer
}

// Close ends the connection and waits for its goroutines.
func (v *viewer) Close() error {
	v.end("the viewer left")
	<-v.gone
	return nil
}

// lost notes a packet to send again.
func (v *viewer) lost(seq uint16) {
	v.mu.Lock()
	if v.askedN < maxAsked {
		v.asked[v.askedN] = seq
		v.askedN++
	}
	v.mu.Unlock()
	v.queue.poke()
}

// broken notes that the viewer wants an IDR.
func (v *viewer) broken() {
	v.mu.Lock()
	v.refill = true
	v.mu.Unlock()
	v.queue.poke()
}

func (v *viewer) receiverReport(fraction byte) { v.counters.fraction.Store(uint32(fraction)) }

func (v *viewer) arrivals(received, lost int) {
	v.counters.received.Add(uint64(received))
	v.counters.lost.Add(uint64(lost))
}

var _ stage.Subscription = (*viewer)(nil)
