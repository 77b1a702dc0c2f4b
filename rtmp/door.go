package rtmp

import (
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/pkg/errors"
	"github.com/stagedoor/stagedoor/ingest"
	gortmp "github.com/yutopp/go-rtmp"
	gomessage "github.com/yutopp/go-rtmp/message"
)

// door is the listener that go-rtmp accepts from. It lets only as many in as the server
// allows, and hands go-rtmp sessions instead of bare connections.
type door struct {
	net.Listener
	server   *Server
	protocol ingest.Protocol
	rtmp     *gortmp.Server
	err      error // why the listener ended, if nobody closed the server
}

// guest carries a session through go-rtmp's Accept.
type guest struct {
	net.Conn
	session *session
}

func newDoor(s *Server, l net.Listener, p ingest.Protocol) *door {
	d := &door{Listener: l, server: s, protocol: p}
	d.rtmp = gortmp.NewServer(&gortmp.ServerConfig{OnConnect: d.connect})
	return d
}

// connect sets go-rtmp up for a connection. It gets no logger: it logs stream keys.
func (d *door) connect(c net.Conn) (rwc io.ReadWriteCloser, config *gortmp.ConnConfig) {
	s := c.(guest).session
	return s, &gortmp.ConnConfig{
		Handler:                   s,
		SkipHandshakeVerification: true, // OBS and others send what they like in C2
		ControlState: gortmp.StreamControlStateConfig{
			DefaultChunkSize:           announcedChunk,
			MaxMessageStreams:          maxStreams + 1,
			MaxChunkStreams:            maxChunkStreams,
			DefaultAckWindowSize:       windowSize,
			DefaultBandwidthWindowSize: windowSize,
			DefaultBandwidthLimitType:  gomessage.LimitTypeDynamic,
		},
	}
}

// Accept gives the next connection that may enter. go-rtmp calls it again at once after an
// error, so it gives one only when the listener has ended.
func (d *door) Accept() (net.Conn, error) {
	const shortest, longest = 5 * time.Millisecond, time.Second
	pause := shortest
	for {
		c, err := d.Listener.Accept()
		switch {
		case err == nil:
			pause = shortest
			if s := d.server.admit(c, d.protocol); s != nil {
				return guest{Conn: c, session: s}, nil
			}
			_ = c.Close() // nothing was written that could be lost
		case errors.Is(err, net.ErrClosed), d.server.closing():
			d.err = err
			_ = d.rtmp.Close() // makes go-rtmp stop accepting; it closes the listener once more
			return nil, err
		default:
			// Out of file descriptors, most likely: others must close some first.
			d.server.log.Warn("rtmp accept failed", "error", err, "pause", pause)
			d.server.pause(pause)
			pause = min(2*pause, longest)
		}
	}
}

// addressKey is by what connections are counted: an IPv4 address or an IPv6 /64 network,
// which is what one customer has.
func addressKey(a net.Addr) string {
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return a.String()
	}
	ip := at.Addr().Unmap()
	if ip.Is4() {
		return ip.String()
	}
	network, err := ip.Prefix(64)
	if err != nil {
		return ip.String()
	}
	return network.String()
}
