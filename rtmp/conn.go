package rtmp

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/pkg/errors"
	"github.com/stagedoor/stagedoor/ingest"
	gortmp "github.com/yutopp/go-rtmp"
	gomessage "github.com/yutopp/go-rtmp/message"
)

// session is one connection: what go-rtmp reads from and writes to, and its handler. All
// but Write and stop happens on the connection's goroutine.
type session struct {
	gortmp.DefaultHandler
	server   *Server
	protocol ingest.Protocol
	guard    *guard
	base     *slog.Logger
	log      *slog.Logger    // base, with the key of what is being published
	ctx      context.Context // as long as the connection
	cancel   context.CancelFunc
	accepted time.Time

	streamer   *gortmp.ChunkStreamer // nil until the handshake is done
	opened     bool
	app, tcURL string
	current    *publication // nil while nothing is published
	ended      bool         // the reason was told; nothing more is
	logged     bool         // a line says why, and nothing has begun since
}

// publication is one publish on a connection, which may have several in turn.
type publication struct {
	sink   ingest.Sink
	unpack *Unpacker
	begun  time.Time
	bytes  uint64 // of audio and video
}

// Read gives go-rtmp the next cleaned bytes. The errors that end a connection all pass here.
func (s *session) Read(p []byte) (n int, err error) {
	// go-rtmp recovers in its message loop only, and not during the handshake.
	defer s.recovered(&err)
	if !s.opened {
		s.opened = true
		if err := s.guard.open(); err != nil {
			return 0, s.broken(err)
		}
	}
	n, err = s.guard.Read(p)
	if err != nil {
		err = s.broken(err)
	}
	return n, err
}

// Write sends what go-rtmp answers.
func (s *session) Write(p []byte) (int, error) { return s.guard.Write(p) }

// Close is go-rtmp's last act on a connection.
func (s *session) Close() error {
	s.cancel()
	err := s.guard.conn.Close()
	if s.streamer != nil {
		<-s.streamer.Done() // its writing goroutine
	}
	s.server.forget(s)
	return err
}

// OnServe notes go-rtmp's writer, which Close waits for.
func (s *session) OnServe(conn *gortmp.Conn) { s.streamer = conn.GetChunkStreamer() }

// OnConnect keeps what the stream key may be part of. Nobody is refused here: the key is
// not known yet, and encoders word a refusal of connect badly.
func (s *session) OnConnect(_ uint32, c *gomessage.NetConnectionConnect) error {
	s.app, s.tcURL = c.Command.App, c.Command.TCURL
	return nil
}

// OnPublish asks whether the publisher may enter, before anything is answered: an encoder
// that was let in once takes a refusal for a network fault and comes back for ever.
func (s *session) OnPublish(c *gortmp.StreamContext, _ uint32, cmd *gomessage.NetStreamPublish) (err error) {
	defer s.recovered(&err)
	s.logged = false
	key, err := streamKey(s.app, s.tcURL, cmd.PublishingName)
	if err != nil {
		return s.fail(err)
	}
	s.log = s.base.With("key", ingest.Fingerprint(key))
	sink, err := s.server.publish(s.ctx, ingest.Request{
		Protocol: s.protocol, Secret: key, Remote: s.guard.conn.RemoteAddr(),
	})
	if err == nil && sink == nil {
		err = errors.New("publish gave no sink")
	}
	if why := s.guard.stopped.Load(); why != nil && err != nil {
		err = why
	}
	if err != nil {
		return s.fail(err)
	}
	s.current = &publication{sink: sink, unpack: NewUnpacker(sink), begun: time.Now()}
	s.guard.publish(c.StreamID)
	s.log.Info("rtmp publish", "encoder", s.guard.encoder)
	return nil
}

// OnVideo writes a video message's access unit to the sink.
func (s *session) OnVideo(timestamp uint32, payload io.Reader) error {
	return s.media(timestamp, payload, (*Unpacker).Video)
}

// OnAudio writes an audio message's frame to the sink.
func (s *session) OnAudio(timestamp uint32, payload io.Reader) error {
	return s.media(timestamp, payload, (*Unpacker).Audio)
}

func (s *session) media(timestamp uint32, payload io.Reader, unpack func(*Unpacker, uint32, []byte) error) (err error) {
	defer s.recovered(&err)
	if s.current == nil {
		return nil
	}
	b, err := s.payload(payload)
	if err != nil {
		return s.broken(err)
	}
	if err := unpack(s.current.unpack, timestamp, b); err != nil {
		return s.fail(err)
	}
	return nil
}

// payload copies a message's body into memory of its own, exactly as large, since sinks
// keep it. guard knows the size of the message that is being handled.
func (s *session) payload(r io.Reader) ([]byte, error) {
	b := make([]byte, s.guard.bodySize)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, errors.Wrap(err, "read a message")
	}
	s.current.bytes += uint64(len(b))
	return b, nil
}

// OnDeleteStream ends the publication in good order. Another may follow.
func (s *session) OnDeleteStream(_ uint32, cmd *gomessage.NetStreamDeleteStream) (err error) {
	defer s.recovered(&err)
	if s.current != nil && cmd.StreamID == s.guard.publishing {
		s.unpublish(nil)
		s.guard.awaitPublish()
	}
	return nil
}

// OnClose sees to it that nothing stays open, whatever ended the connection.
func (s *session) OnClose() {
	s.guard.out.hush() // else go-rtmp waits for a write that is under way
	s.lost(errors.Errorf("go-rtmp ended the session after the command %q", s.guard.last))
}

// broken ends the session for an error that the connection gave. Faults, and a stop from
// outside, can be told to the broadcaster; for the rest nobody is listening any more.
func (s *session) broken(err error) error {
	var f fault
	var r *ingest.Rejection
	if errors.As(err, &f) || errors.As(err, &r) {
		return s.fail(err)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		s.lost(errors.New("the encoder closed the connection without ending the stream"))
	} else {
		s.lost(errors.Wrap(err, "the connection broke"))
	}
	return err
}

// lost ends the session where nobody can be told.
func (s *session) lost(reason error) {
	if !s.ended {
		s.ended = true
		s.unpublish(reason)
	}
}

// fail ends the session and tells the broadcaster why. It gives reason back.
func (s *session) fail(reason error) error {
	if s.ended {
		return reason
	}
	s.ended = true
	stream := s.guard.publishing
	s.unpublish(reason) // first, as the peer may be slow to listen
	if s.guard.connected {
		err := s.guard.out.farewell(stream, refusal(worded(reason)))
		if err == nil {
			s.guard.linger()
		}
	}
	return reason
}

// unpublish closes the sink, if there is one, and logs the line that says why the session
// ended; reason is nil if the encoder ended it in good order.
func (s *session) unpublish(reason error) {
	p := s.current
	s.current = nil
	if s.logged {
		return // the end of a connection whose publications have ended is not worth a line
	}
	s.logged = true
	log := s.log.With("encoder", s.guard.encoder, "left_out", s.guard.dropped)
	if p != nil {
		log = log.With("duration", time.Since(p.begun).Round(time.Millisecond), "bytes", p.bytes,
			"damaged", p.unpack.Damaged())
		if err := closeSink(p.sink, reason); err != nil {
			log = log.With("close", err)
		}
	} else {
		log = log.With("duration", time.Since(s.accepted).Round(time.Millisecond))
	}
	var r *ingest.Rejection
	switch {
	case reason == nil:
		log.Info("rtmp session ended", "reason", "the encoder ended the stream")
	case errors.As(reason, &r):
		log.Info("rtmp session ended", "reason", r.Detail, "code", r.Code)
	default:
		log.Info("rtmp session ended", "reason", reason.Error())
	}
}

// closeSink closes a sink; it must not take the process with it, and OnClose is not under
// go-rtmp's recover.
func closeSink(sink ingest.Sink, reason error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = errors.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return sink.Close(reason)
}

// recovered turns a panic into the end of this session alone.
func (s *session) recovered(err *error) {
	v := recover()
	if v == nil {
		return
	}
	s.log.Error("panic in an rtmp session", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	*err = s.fail(errors.New("panic, see the log"))
}
