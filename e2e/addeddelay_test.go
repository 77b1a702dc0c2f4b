//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/internal/flv"
	"github.com/stagedoor/stagedoor/internal/rtmpclient"
	"github.com/stagedoor/stagedoor/internal/whepclient"
	"github.com/stagedoor/stagedoor/rtmp"
)

const (
	delaySettles = 3 * time.Second
	delayLasts   = 20 * time.Second
)

// From the last packet of a picture in to its last packet out to a viewer. The publisher and
// the viewer are in this process, on one clock, and what they need themselves is part of the
// figure. It prints how long that takes, and asserts no time.
func TestAddedDelay(t *testing.T) {
	clip := readScript(t, Clip("demo.flv"))
	for name, publish := range map[string]func(*testing.T, *Gateway) scriptWriter{"RTMP": dialRTMP, "WHIP": dialWHIP} {
		t.Run(name, func(t *testing.T) {
			g := StartGateway(t)
			write := publish(t, g)
			m := newDelayMeter(clip)
			ctx, stop := context.WithCancel(context.Background())
			var playing sync.WaitGroup
			defer playing.Wait()
			defer stop()
			playing.Go(func() { play(ctx, t, clip, m, write) })
			g.OnStage(t)
			url := g.Env["AWS_ENDPOINT_URL_IVS_REALTIME"] + "/whep/" + g.Scene(t).Participants[0].ParticipantID
			viewer, err := whepclient.Dial(t.Context(), url, g.Env["STAGEDOOR_WATCH_TOKEN"],
				whepclient.Options{Setting: loopback(), OnPicture: m.received})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(delaySettles)
			m.begin()
			time.Sleep(delayLasts)
			if err := viewer.Close(); err != nil { // no picture is reported from here on
				t.Error(err)
			}
			delays := slices.Sorted(slices.Values(m.delays))
			if least := int(delayLasts.Seconds() * 30 * 0.8); len(delays) < least {
				t.Fatalf("%d pictures were known again, at least %d are expected", len(delays), least)
			}
			at := func(share float64) time.Duration {
				return delays[int(share*float64(len(delays)-1))].Round(time.Microsecond)
			}
			t.Logf("FIGURE delay added to %s, last packet of a picture in to last packet out: median %v, p99 %v, longest %v (%d pictures)",
				name, at(0.5), at(0.99), at(1), len(delays))
		})
	}
}

// scriptItem is a tag of an FLV file, and the picture in it if there is one.
type scriptItem struct {
	flv.Tag
	picture *ingest.AccessUnit
}

// scriptWriter sends one item. It calls last just before the last packet of a picture leaves.
type scriptWriter func(item *scriptItem, timestamp uint32, last func()) error

// readScript reads a clip of testdata, which has a length of 8 s.
func readScript(t *testing.T, path string) (items []scriptItem) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := flv.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var got pictureCatcher
	unpacker := rtmp.NewUnpacker(&got)
	for {
		tag, err := reader.Next()
		if err == io.EOF {
			return items
		}
		if err != nil {
			t.Fatal(err)
		}
		item := scriptItem{Tag: tag}
		item.Data = bytes.Clone(tag.Data)
		if tag.Type == flv.Video {
			got.unit = nil
			if err := unpacker.Video(tag.Timestamp, item.Data); err != nil {
				t.Fatal(err)
			}
			if got.unit != nil && item.Data[1] == 1 { // no sequence header
				item.picture = got.unit
			}
		}
		items = append(items, item)
	}
}

type pictureCatcher struct{ unit *ingest.AccessUnit }

func (c *pictureCatcher) WriteVideo(au *ingest.AccessUnit) error { c.unit = au; return nil }
func (c *pictureCatcher) WriteAudio(*ingest.AudioFrame) error    { return nil }
func (c *pictureCatcher) Close(error) error                      { return nil }

// play sends the clip in real time, over and over.
func play(ctx context.Context, t *testing.T, clip []scriptItem, m *delayMeter, write scriptWriter) {
	start := time.Now()
	for round := uint32(0); ; round++ {
		for i := range clip {
			item := &clip[i]
			if item.Type == flv.Script || round > 0 && item.picture == nil && item.Data[1] == 0 {
				continue // the headers once
			}
			timestamp := round*8000 + item.Timestamp
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Until(start.Add(time.Duration(timestamp) * time.Millisecond))):
			}
			last := func() {}
			if item.picture != nil {
				last = func() { m.leaves(item.picture.NALUs) }
			}
			if err := write(item, timestamp, last); err != nil {
				t.Errorf("publishing: %v", err)
				return
			}
		}
	}
}

// dialRTMP sends each picture as one message: what leaves first and last is the same write,
// but for pictures beyond 32 KiB.
func dialRTMP(t *testing.T, g *Gateway) scriptWriter {
	t.Helper()
	client, err := rtmpclient.Publish(t.Context(), g.RTMP(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return func(item *scriptItem, timestamp uint32, last func()) error {
		last()
		return client.Write(item.Type, timestamp, item.Data)
	}
}

// delayMeter knows pictures again by what is in their slices.
type delayMeter struct {
	mu     sync.Mutex
	twice  map[[sha256.Size]byte]bool // looks like another one of the clip
	left   map[[sha256.Size]byte]time.Time
	since  time.Time // pictures that left earlier do not count; zero: none do
	delays []time.Duration
}

func newDelayMeter(clip []scriptItem) *delayMeter {
	m := &delayMeter{twice: make(map[[sha256.Size]byte]bool), left: make(map[[sha256.Size]byte]time.Time)}
	for _, item := range clip {
		if item.picture != nil {
			id := pictureID(item.picture.NALUs)
			_, seen := m.twice[id]
			m.twice[id] = seen
		}
	}
	return m
}

func (m *delayMeter) begin() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.since = time.Now()
}

func (m *delayMeter) leaves(nalus [][]byte) {
	id := pictureID(nalus)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left[id] = time.Now()
}

func (m *delayMeter) received(p *whepclient.Picture) {
	id := pictureID(p.NALUs)
	m.mu.Lock()
	defer m.mu.Unlock()
	if left, known := m.left[id]; known && p.Whole && !m.twice[id] && !m.since.IsZero() && left.After(m.since) {
		m.delays = append(m.delays, p.Last.Sub(left))
	}
}

// pictureID leaves the importance bits of a slice's header byte out: a server may change them.
func pictureID(nalus [][]byte) (id [sha256.Size]byte) {
	h := sha256.New()
	for _, n := range nalus {
		if kind := n[0] & 0x1f; kind == 1 || kind == 5 {
			h.Write([]byte{kind})
			h.Write(n[1:])
		}
	}
	return [sha256.Size]byte(h.Sum(nil))
}
