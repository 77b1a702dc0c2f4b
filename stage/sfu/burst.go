package sfu

import (
	"net/netip"
	"sync"

	"github.com/pion/webrtc/v4"
	"github.com/stagedoor/stagedoor/internal/udpbatch"
)

// burst lets the packets to a viewer's address leave together. The address is known once ICE
// has chosen a path, and may change.
type burst struct {
	batcher *udpbatch.Batcher // nil: each packet leaves at once

	mu    sync.Mutex
	batch *udpbatch.Batch
	over  bool
}

// held is the batch that begin holds, nil if there is none.
type held struct{ batch *udpbatch.Batch }

// moved hears of the chosen path.
func (b *burst) moved(pair *webrtc.ICECandidatePair) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.batcher == nil || b.over || pair == nil {
		return
	}
	if b.batch != nil {
		b.batch.Close()
		b.batch = nil
	}
	addr, err := netip.ParseAddr(pair.Remote.Address)
	if err == nil && pair.Remote.Protocol == webrtc.ICEProtocolUDP {
		b.batch = b.batcher.Open(netip.AddrPortFrom(addr, pair.Remote.Port))
	}
}

// begin holds packets back until the end of what it gives.
func (b *burst) begin() held {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.batch != nil {
		b.batch.Hold()
	}
	return held{b.batch}
}

func (h held) end() {
	if h.batch != nil {
		h.batch.Release()
	}
}

// close gives the address up.
func (b *burst) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	if b.batch != nil {
		b.batch.Close()
	}
}
