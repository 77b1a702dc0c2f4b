package whip

import (
	"context"
	"io"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/ingest"
)

// maxUseless is how many packets in a row a reader puts up with that cannot be read.
const maxUseless = 1000

// run is the session's goroutine, the only one that uses the Sink. It returns when nothing
// of the session is left.
func (s *session) run() {
	started := time.Now()
	m := newMedia(s.sink, s.sendRTCP, s.pool.put)
	reason := s.pump(m)
	s.end(reason)

	var told error // nil: the publisher left in good order
	if !errors.Is(reason, errLeft) {
		told = reason
	}
	if err := s.sink.Close(told); err != nil {
		s.log.Debug("closing the publisher's pipeline failed", "error", err.Error())
	}
	s.close()
	s.log.Info("WHIP session ended", "reason", reason.Error(), "lasted", time.Since(started).Round(time.Millisecond), "picturesLost", m.lost)
}

// close ends the PeerConnection and waits for the readers.
func (s *session) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	if s.pc != nil {
		if err := s.pc.GracefulClose(); err != nil {
			s.log.Debug("closing the PeerConnection failed", "error", err.Error())
		}
	}
	s.readers.Wait()
}

// pump carries what the readers bring to the Sink until the session ends, and gives the
// reason.
func (s *session) pump(m *media) error {
	connect := time.NewTimer(s.limits.connect)
	defer connect.Stop()
	tick := time.NewTimer(0)
	defer tick.Stop()
	connected := s.connected
	for {
		select {
		case e := <-s.events:
			s.handle(m, e)
		case <-s.keyframe:
			m.wantKeyframe = true
		case <-tick.C:
		case <-connected:
			connected = nil
			connect.Stop()
			continue
		case <-connect.C:
			return ingest.Rejectf(ingest.Disconnected, "The publisher did not connect within %d s of the answer: its packets do not reach the gateway's ICE port over UDP or TCP. "+
				"Open that port, and set --public-ip where the gateway is behind NAT.", int(s.limits.connect.Seconds()))
		case <-s.ctx.Done():
			return context.Cause(s.ctx) //nolint:wrapcheck // it is our own
		}
		now := time.Now()
		next, err := m.tick(now)
		if err != nil {
			return err
		}
		tick.Reset(next.Sub(now))
	}
}

func (s *session) handle(m *media, e event) {
	switch {
	case e.begin:
		m.addLayer(e.layer)
	case e.report != nil && e.layer != nil:
		e.layer.clock.observe(e.report.NTPTime, e.report.RTPTime)
	case e.report != nil:
		m.audio.clock.observe(e.report.NTPTime, e.report.RTPTime)
	case e.layer != nil:
		m.takeVideo(e.layer, e.packet)
	default:
		m.takeAudio(e.packet)
	}
}

// post hands an event to run; false means that the session is over.
func (s *session) post(e event) bool {
	select {
	case s.events <- e:
		return true
	case <-s.ctx.Done():
		return false
	}
}

// readPackets reads a track until it ends.
func (s *session) readPackets(track *webrtc.TrackRemote, l *layer, payloadType uint8) {
	for useless := 0; useless < maxUseless; {
		p := s.pool.get()
		n, _, err := track.Read(p.buf[:])
		p.arrival = time.Now()
		switch {
		case errors.Is(err, io.EOF) || s.ctx.Err() != nil:
			return
		case err != nil || p.parse(n) != nil || p.rtp.PayloadType != payloadType:
			s.pool.put(p)
			useless++
		case !s.post(event{layer: l, packet: p}):
			return
		default:
			useless = 0
		}
	}
	s.end(ingest.Rejectf(ingest.InvalidInput, "The publisher sends RTP that is malformed or in a format that was not negotiated: %d packets in a row.", maxUseless))
}

// readReports reads the RTCP that belongs to a track until it ends. Reading also feeds the
// interceptors.
func (s *session) readReports(receiver *webrtc.RTPReceiver, track *webrtc.TrackRemote, l *layer) {
	buf := make([]byte, maxPacket)
	for {
		var n int
		var err error
		if rid := track.RID(); rid == "" {
			n, _, err = receiver.Read(buf)
		} else {
			n, _, err = receiver.ReadSimulcast(buf, rid)
		}
		if err != nil {
			return
		}
		packets, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		for _, p := range packets {
			sr, ok := p.(*rtcp.SenderReport)
			if ok && sr.SSRC == uint32(track.SSRC()) && !s.post(event{layer: l, report: sr}) {
				return
			}
		}
	}
}

// sendRTCP sends feedback to the publisher. Losing some does no harm.
func (s *session) sendRTCP(packets ...rtcp.Packet) {
	if err := s.pc.WriteRTCP(packets); err != nil {
		s.log.Debug("sending feedback failed", "error", err.Error())
	}
}
