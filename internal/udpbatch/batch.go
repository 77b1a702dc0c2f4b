// Package udpbatch sends the packets of a picture to a viewer with one system call instead of
// one each, which on Linux costs a fifth (UDP segmentation offload; see the benchmark).
//
// A Batcher goes between pion's UDP mux and its sockets. Who writes many packets to one
// address holds a Batch meanwhile; all other traffic passes at once.
package udpbatch

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

const (
	// maxSegments and maxBytes are what one system call takes (UDP_MAX_SEGMENTS; the
	// length of a UDP datagram, which bounds their sum).
	maxSegments = 64
	maxBytes    = 64000
)

// Batcher knows which addresses have a Batch. It may be used from any goroutine.
type Batcher struct {
	mu      sync.RWMutex
	batches map[netip.AddrPort]*Batch
	buffers sync.Pool
}

// New makes a Batcher.
func New() *Batcher {
	return &Batcher{batches: make(map[netip.AddrPort]*Batch),
		buffers: sync.Pool{New: func() any { b := make([]byte, 0, maxBytes); return &b }}}
}

// Wrap gives the socket in the form for ice.UDPMuxParams.UDPConn.
func (b *Batcher) Wrap(c *net.UDPConn) *Conn { return &Conn{UDPConn: c, batcher: b} }

// Open gives a Batch for packets to an address, in place of any former one. Close ends it.
func (b *Batcher) Open(to netip.AddrPort) *Batch {
	batch := &Batch{batcher: b, to: canonical(to)}
	b.mu.Lock()
	b.batches[batch.to] = batch
	b.mu.Unlock()
	return batch
}

// Conn is a UDP socket whose packets may be held in a Batch.
type Conn struct {
	*net.UDPConn
	batcher *Batcher
	single  atomic.Bool // the kernel or the network card takes one packet at a time
}

// ReadFromAddrPort reads one packet, as pion's ice.AddrPortReaderWriter has it.
func (c *Conn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	return c.ReadFromUDPAddrPort(b)
}

// WriteToAddrPort sends a packet, or holds it if there is a Batch for the address.
func (c *Conn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	c.batcher.mu.RLock()
	batch := c.batcher.batches[canonical(to)]
	c.batcher.mu.RUnlock()
	if batch != nil && batch.add(c, b, to) {
		return len(b), nil
	}
	return c.WriteToUDPAddrPort(b, to)
}

// Batch holds packets to one address between Hold and Release.
type Batch struct {
	batcher *Batcher
	to      netip.AddrPort

	mu       sync.Mutex
	held     *[]byte // nil: not between Hold and Release
	conn     *Conn   // the socket of the held packets
	wire     netip.AddrPort
	size     int // of all held packets but the last, which may be shorter
	count    int
	complete bool // the last one was shorter
}

// Hold keeps packets from now on.
func (b *Batch) Hold() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held == nil {
		b.held = b.batcher.buffers.Get().(*[]byte)
	}
}

// Release sends what is held and lets packets pass from now on. Errors are not told, as the
// network may lose packets as well.
func (b *Batch) Release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held == nil {
		return
	}
	b.flush()
	b.batcher.buffers.Put(b.held)
	b.held = nil
}

// Close sends what is held and gives up the address.
func (b *Batch) Close() {
	b.Release()
	b.batcher.mu.Lock()
	defer b.batcher.mu.Unlock()
	if b.batcher.batches[b.to] == b {
		delete(b.batcher.batches, b.to)
	}
}

// add takes a packet. It gives false where it does not hold any.
func (b *Batch) add(c *Conn, packet []byte, to netip.AddrPort) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held == nil || len(packet) == 0 || len(packet) > maxBytes {
		return false
	}
	if b.count > 0 && (b.complete || b.conn != c || b.wire != to || len(packet) > b.size ||
		b.count == maxSegments || len(*b.held)+len(packet) > maxBytes) {
		b.flush()
	}
	if b.count == 0 {
		b.conn, b.wire, b.size = c, to, len(packet)
	}
	b.complete = len(packet) < b.size
	*b.held = append(*b.held, packet...)
	b.count++
	return true
}

func (b *Batch) flush() {
	if b.count > 0 {
		b.conn.send(*b.held, b.size, b.count, b.wire)
	}
	*b.held = (*b.held)[:0]
	b.conn, b.count, b.complete = nil, 0, false
}

// send sends the packets that lie back to back in data, each but the last of the given size.
func (c *Conn) send(data []byte, size, count int, to netip.AddrPort) {
	if count > 1 && !c.single.Load() {
		err := sendSegments(c.UDPConn, data, size, to)
		if err == nil || !unsupported(err) {
			return
		}
		c.single.Store(true)
	}
	for len(data) > 0 {
		n := min(size, len(data))
		_, _ = c.WriteToUDPAddrPort(data[:n], to) // see Release
		data = data[n:]
	}
}

// canonical makes one address of both forms of an IPv4 address.
func canonical(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
