package rtmp

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// TestOutletSwallows: what go-rtmp writes after our last word goes nowhere, and it never
// learns of a failure, which would make it wait.
func TestOutletSwallows(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	o := outlet{conn: far, timeout: time.Minute, announced: true}
	got := make(chan int, 1)
	go func() {
		b, _ := io.ReadAll(near)
		got <- len(b)
	}()
	if err := o.farewell(1, []byte("bye")); err != nil {
		t.Error(err)
	}
	if n, err := o.Write([]byte("and another thing")); n != 17 || err != nil {
		t.Error(n, err)
	}
	_ = far.Close()
	if n := <-got; n != 12+3 {
		t.Errorf("%d bytes were written", n)
	}

	o = outlet{conn: far, timeout: time.Minute, announced: true}
	if n, err := o.Write([]byte("hello")); n != 5 || err != nil || o.failed() == nil {
		t.Error(n, err, o.failed())
	}
	if err := o.send(chunkOwn, message{}); err == nil {
		t.Error("a message was sent on a closed connection")
	}
}

// TestOutletHush: a write to a peer that does not read ends when the session does.
func TestOutletHush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		o := outlet{conn: far, timeout: time.Minute, announced: true}
		begun, written := time.Now(), make(chan struct{})
		go func() {
			defer close(written)
			_, _ = o.Write([]byte("hello"))
		}()
		synctest.Wait()
		o.hush()
		<-written
		if d := time.Since(begun); d != 0 {
			t.Error("the write went on for", d)
		}
	})
}
