package stage

import (
	"crypto/sha256"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// refusals remembers who was turned away: for a few seconds by secret, so that an encoder
// that comes back at once is told why where it can show it; and the last ones of each
// stage for the page.
type refusals struct {
	memory time.Duration

	mu       sync.Mutex
	bySecret map[[sha256.Size]byte]remembered
	byStage  map[string][]Refusal // the newest first; "" holds those whose stage is unknown
	counts   map[string]int       // by code
}

type remembered struct {
	rejection *ingest.Rejection
	until     time.Time
}

const (
	maxRemembered       = 10_000
	maxStagesShown      = 2_000
	maxRefusalsPerStage = 20
)

func newRefusals(memory time.Duration) *refusals {
	return &refusals{
		memory:   memory,
		bySecret: make(map[[sha256.Size]byte]remembered),
		byStage:  make(map[string][]Refusal),
		counts:   make(map[string]int),
	}
}

// recall gives the rejection that the secret met a moment ago, or nil.
func (f *refusals) recall(secret string, now time.Time) *ingest.Rejection {
	f.mu.Lock()
	defer f.mu.Unlock()
	if seen, ok := f.bySecret[sha256.Sum256([]byte(secret))]; ok && now.Before(seen.until) {
		return seen.rejection
	}
	return nil
}

// remember answers the secret's next attempts with the same rejection for a moment.
func (f *refusals) remember(secret string, rejection *ingest.Rejection, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.bySecret) >= maxRemembered {
		for key, seen := range f.bySecret {
			if !now.Before(seen.until) {
				delete(f.bySecret, key)
			}
		}
		if len(f.bySecret) >= maxRemembered {
			return
		}
	}
	f.bySecret[sha256.Sum256([]byte(secret))] = remembered{rejection, now.Add(f.memory)}
}

// show puts a refusal on the page of a stage; "" is for attempts whose stage is unknown,
// which every page shows.
func (f *refusals) show(stageARN string, r Refusal) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts[string(r.Code)]++
	list, known := f.byStage[stageARN]
	if !known && len(f.byStage) >= maxStagesShown {
		clear(f.byStage)
	}
	list = append([]Refusal{r}, list...)
	f.byStage[stageARN] = list[:min(len(list), maxRefusalsPerStage)]
}

// maxUnknownShown keeps attempts of strangers from pushing a stage's own off its page.
const maxUnknownShown = 5

// of gives the refusals that a stage's page shows, the newest first.
func (f *refusals) of(stageARN string) []Refusal {
	f.mu.Lock()
	defer f.mu.Unlock()
	own, unknown := f.byStage[stageARN], f.byStage[""]
	unknown = unknown[:min(len(unknown), maxUnknownShown)]
	own = own[:min(len(own), maxRefusalsPerStage-len(unknown))]
	merged := make([]Refusal, 0, maxRefusalsPerStage)
	for len(own)+len(unknown) > 0 {
		if len(unknown) == 0 || len(own) > 0 && own[0].Time.After(unknown[0].Time) {
			merged, own = append(merged, own[0]), own[1:]
		} else {
			merged, unknown = append(merged, unknown[0]), unknown[1:]
		}
	}
	return merged
}

// maskedAddress hides the last part of an address: the page may be seen by viewers.
func maskedAddress(addr net.Addr) string {
	if addr == nil {
		return ""
	}
	parsed, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return ""
	}
	ip := parsed.Addr().Unmap()
	bits := 64
	if ip.Is4() {
		bits = 24
	}
	if ip.IsLoopback() {
		return "this machine"
	}
	prefix, err := ip.WithZone("").Prefix(bits)
	if err != nil {
		return ""
	}
	return prefix.String()
}
