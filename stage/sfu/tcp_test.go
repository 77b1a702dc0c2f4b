package sfu

import (
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"
	"github.com/stagedoor/stagedoor/internal/whepclient"
)

// relay passes TCP connections on until it is told to stop reading what the server sends.
type relay struct {
	listener net.Listener
	stopped  chan struct{}
	running  sync.WaitGroup
}

func newRelay(t *testing.T, to string) *relay {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: listener, stopped: make(chan struct{})}
	over := make(chan struct{})
	r.running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp4", to)
			if err != nil {
				_ = client.Close()
				return
			}
			r.running.Go(func() { _, _ = io.Copy(server, client) })
			r.running.Go(func() { r.backwards(client, server) })
			r.running.Go(func() {
				<-over
				_ = client.Close()
				_ = server.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		close(over)
		r.running.Wait()
	})
	return r
}

func (r *relay) backwards(client, server net.Conn) {
	b := make([]byte, 4096)
	for {
		select {
		case <-r.stopped:
			return
		default:
		}
		n, err := server.Read(b)
		if err != nil {
			return
		}
		if _, err := client.Write(b[:n]); err != nil {
			return
		}
	}
}

// TestViewerThatDoesNotRead connects a viewer over TCP that stops reading, so that the
// gateway's socket fills up: no other viewer may notice, and it must be possible to end it.
func TestViewerThatDoesNotRead(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mux := ice.NewTCPMuxDefault(ice.TCPMuxParams{Listener: listener, ReadBufferSize: 32, WriteBufferSize: 512 << 10})
	setting := loopback(t, true, nil)
	setting.SetICETCPMux(mux)
	setting.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeTCP4})
	s := newSFUOver(t, setting, Options{})
	t.Cleanup(func() { _ = mux.Close() })
	p := join(t, s, nil)

	between := newRelay(t, listener.Addr().String())
	var overTCP webrtc.SettingEngine
	overTCP.SetIncludeLoopbackCandidate(true)
	overTCP.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4})
	slow := watchChanged(t, s, overTCP, whepclient.Options{}, func(answer string) string {
		return strings.ReplaceAll(answer, port(listener), port(between.listener))
	})
	receive(t, slow.Connected(), "connection over TCP")
	good := watch(t, s, whepclient.Options{})
	receive(t, good.Connected(), "connection over UDP")
	until(t, "both are attached", func() bool { return attached(s.participants[key{"arn", "p"}]) == 2 })
	p.picture(1000)
	receive(t, slow.pictures, "picture over TCP")
	receive(t, good.pictures, "picture over UDP")

	close(between.stopped)
	for range 300 {
		au := p.picture(30000)
		if got := receive(t, good.pictures, "picture over UDP"); !equalNALUs(got.NALUs, au.NALUs) {
			t.Fatal("the other viewer's picture is another one")
		}
	}
	started := time.Now()
	if err := slow.subscription.Close(); err != nil {
		t.Error(err)
	}
	t.Logf("it took %v to end the viewer", time.Since(started))
	receive(t, slow.ended, "end")
}

func port(l net.Listener) string { return " " + strconv.Itoa(l.Addr().(*net.TCPAddr).Port) + " " }
