package udpbatch

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"
)

func sockets(t testing.TB) (b *Batcher, from *Conn, to *net.UDPConn, addr netip.AddrPort) {
	t.Helper()
	listen := func() *net.UDPConn {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	b = New()
	from, to = b.Wrap(listen()), listen()
	return b, from, to, to.LocalAddr().(*net.UDPAddr).AddrPort()
}

func packet(i, size int) []byte { return bytes.Repeat([]byte{byte(i)}, size) }

func expect(t *testing.T, c *net.UDPConn, want []byte) {
	t.Helper()
	b := make([]byte, 2000)
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, err := c.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b[:n], want) {
		t.Fatalf("got %d bytes of %d, want %d of %d", n, b[0], len(want), want[0])
	}
}

func TestPacketsArriveAsTheyWere(t *testing.T) {
	for _, single := range []bool{false, true} {
		t.Run(fmt.Sprintf("single=%v", single), func(t *testing.T) {
			b, from, to, addr := sockets(t)
			from.single.Store(single)
			batch := b.Open(addr)
			defer batch.Close()
			sizes := []int{30, 1200, 1200, 1200, 700, 1200, 1200, 1, 1, 1, 900, 1200}
			batch.Hold()
			for i, size := range sizes {
				if n, err := from.WriteToAddrPort(packet(i, size), addr); n != size || err != nil {
					t.Fatalf("packet %d: %d, %v", i, n, err)
				}
			}
			batch.Release()
			for i, size := range sizes {
				expect(t, to, packet(i, size))
			}
			if from.single.Load() != single {
				t.Log("this kernel does not know segmentation")
			}
		})
	}
}

func TestManyPackets(t *testing.T) {
	b, from, to, addr := sockets(t)
	batch := b.Open(addr)
	defer batch.Close()
	batch.Hold()
	for i := range 150 {
		if _, err := from.WriteToAddrPort(packet(i, 100), addr); err != nil {
			t.Fatal(err)
		}
	}
	batch.Release()
	for i := range 150 {
		expect(t, to, packet(i, 100))
	}
}

func TestWhatIsNotHeldPassesAtOnce(t *testing.T) {
	b, from, to, addr := sockets(t)
	write := func(i int) {
		t.Helper()
		if _, err := from.WriteToAddrPort(packet(i, 50), addr); err != nil {
			t.Fatal(err)
		}
	}
	write(1) // no batch
	expect(t, to, packet(1, 50))
	batch := b.Open(addr)
	write(2) // nobody holds
	expect(t, to, packet(2, 50))
	batch.Hold()
	_, _, _, elsewhere := sockets(t)
	if _, err := from.WriteToAddrPort(packet(3, 50), elsewhere); err != nil {
		t.Fatal(err)
	}
	write(4)
	batch.Close() // sends what is held
	expect(t, to, packet(4, 50))
	write(5)
	expect(t, to, packet(5, 50))
	if n := len(b.batches); n != 0 {
		t.Errorf("%d batches are left", n)
	}
}

func TestNewerBatchReplacesTheFormer(t *testing.T) {
	b, _, _, addr := sockets(t)
	first := b.Open(addr)
	second := b.Open(addr)
	first.Close()
	if b.batches[addr] != second {
		t.Error("closing the former batch took the newer one away")
	}
	second.Close()
}

func TestHoldingAllocatesNothing(t *testing.T) {
	b, from, _, addr := sockets(t)
	batch := b.Open(addr)
	defer batch.Close()
	p := packet(1, 1200)
	if n := testing.AllocsPerRun(100, func() {
		batch.Hold()
		for range 9 {
			_, _ = from.WriteToAddrPort(p, addr)
		}
		batch.Release()
	}); n > 0.5 { // the pool may be emptied meanwhile
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkPicture sends the nine packets of a picture.
func BenchmarkPicture(b *testing.B) {
	for _, held := range []bool{false, true} {
		b.Run(fmt.Sprintf("held=%v", held), func(b *testing.B) {
			batcher, from, _, addr := sockets(b)
			batch := batcher.Open(addr)
			defer batch.Close()
			p := packet(1, 1200)
			b.ReportAllocs()
			for b.Loop() {
				if held {
					batch.Hold()
				}
				for range 9 {
					if _, err := from.WriteToAddrPort(p, addr); err != nil {
						b.Fatal(err)
					}
				}
				batch.Release()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/9, "ns/packet")
		})
	}
}
