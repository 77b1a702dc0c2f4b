package whip

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestReorder(t *testing.T) {
	// Steps: a number is a packet, "+50" lets 50 ms pass. The wait is 100 ms. In what comes
	// out, "!" stands for a gap.
	for name, c := range map[string]struct{ in, out string }{
		"in order":               {"1 2 3", "1 2 3"},
		"swapped":                {"1 3 2 4", "1 2 3 4"},
		"twice":                  {"1 2 2 1 3", "1 2 3"},
		"lost":                   {"1 3 +99 4 +1 5", "1 !3 4 5"},
		"late, but in time":      {"1 3 +99 2", "1 2 3"},
		"too late":               {"1 3 +100 2 4", "1 !3 4"},
		"two gaps, one deadline": {"1 3 5 +100", "1 !3 !5"},
		"two gaps":               {"1 3 +50 5 +50 +49 +1", "1 !3 !5"},
		"wrap":                   {"65534 65535 0 1", "65534 65535 0 1"},
		"wrap, swapped":          {"65534 0 65535 1", "65534 65535 0 1"},
		"wrap, lost":             {"65534 0 +100 1", "65534 !0 1"},
		"new numbers, forwards":  {"1 2 5000 5001", "1 2 !5000 5001"},
		"new numbers, backwards": {"20000 20001 5 6", "20000 20001 !5 6"},
		"first ones swapped":     {"2 1 3", "2 3"},
		"one behind the other":   {"10 9 8 7 11", "10 11"},
	} {
		t.Run(name, func(t *testing.T) {
			r := reorder{wait: 100 * time.Millisecond}
			now := time.Unix(1000, 0)
			var out []string
			for _, step := range strings.Fields(c.in) {
				var n int
				if _, err := fmt.Sscan(strings.TrimPrefix(step, "+"), &n); err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(step, "+") {
					now = now.Add(time.Duration(n) * time.Millisecond)
				} else {
					p := &packet{seq: uint16(n), arrival: now}
					if r.jumped(p) {
						r.restart(p, func(*packet) {})
					}
					r.push(p)
				}
				for p, lost := r.pop(now); p != nil; p, lost = r.pop(now) {
					out = append(out, fmt.Sprintf("%s%d", map[bool]string{true: "!"}[lost], p.seq))
				}
			}
			if got := strings.Join(out, " "); got != c.out {
				t.Errorf("got %s, want %s", got, c.out)
			}
		})
	}
}

// Whatever comes in, what comes out is in order, and no packet is kept or lost track of.
func TestReorderKeepsAccount(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	r := reorder{wait: 100 * time.Millisecond}
	now := time.Unix(1000, 0)
	in, out, released := 0, 0, 0
	last, seq := -1, 0
	for range 200000 {
		now = now.Add(time.Millisecond)
		seq += random.IntN(4)
		n := seq - random.IntN(300)
		if random.IntN(5000) == 0 {
			n = random.IntN(1 << 16)
		}
		p := &packet{seq: uint16(n), arrival: now}
		in++
		if r.jumped(p) {
			r.restart(p, func(*packet) { released++ })
			last = -1
		}
		if !r.push(p) {
			released++
		}
		for p, _ := r.pop(now); p != nil; p, _ = r.pop(now) {
			out++
			if last >= 0 && int16(p.seq-uint16(last)) <= 0 {
				t.Fatalf("%d after %d", p.seq, last)
			}
			last = int(p.seq)
		}
		if r.held > reorderSpan {
			t.Fatalf("%d packets are held", r.held)
		}
	}
	if in != out+released+r.held {
		t.Errorf("%d in, %d out, %d given back, %d held", in, out, released, r.held)
	}
}

func TestNACK(t *testing.T) {
	r := reorder{wait: nackWait}
	var n nack
	now := time.Unix(1000, 0)
	for _, seq := range []uint16{65533, 65534, 2, 3, 5} {
		r.push(&packet{seq: seq, arrival: now})
	}
	for p, _ := r.pop(now); p != nil; p, _ = r.pop(now) {
	}
	type ask struct {
		at   time.Duration
		seqs string
	}
	var asked []ask
	start := now
	for range 1000 {
		seqs, again := n.due(&r, now)
		if len(seqs) > 0 {
			asked = append(asked, ask{now.Sub(start), fmt.Sprint(seqs)})
		}
		if again.IsZero() {
			break
		}
		if !again.After(now) {
			t.Fatal("again at once")
		}
		if now = again; len(asked) == 2 {
			r.push(&packet{seq: 0, arrival: now}) // one of them came
		}
	}
	if seqs, _ := n.due(&r, now.Add(time.Second)); len(seqs) > 0 {
		t.Errorf("%v are asked for a fifth time", seqs)
	}
	want := []ask{
		{8 * time.Millisecond, "[65535 0 1 4]"}, {43 * time.Millisecond, "[65535 0 1 4]"},
		{78 * time.Millisecond, "[65535 1 4]"}, {113 * time.Millisecond, "[65535 1 4]"},
	}
	if !slices.Equal(asked, want) {
		t.Errorf("asked %v, want %v", asked, want)
	}
}
