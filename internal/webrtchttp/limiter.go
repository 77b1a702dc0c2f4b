package webrtchttp

import (
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// maxAddresses bounds a Limiter's memory to a few MiB.
const maxAddresses = 16384

// maxLooked is how many of them are looked at to make room for another one.
const maxLooked = 8

// Limiter limits how often one address may fail, such as by showing a token that is not
// known. Each address has a bucket of failures that drains with time. An IPv6 address
// counts with its whole /64, which is one household's.
//
// It may be used from any goroutine.
type Limiter struct {
	burst int
	every time.Duration
	now   func() time.Time

	mu      sync.Mutex
	buckets map[netip.Prefix]time.Time // when the bucket will be empty again
}

// NewLimiter allows burst failures at once, and one more per every. now is time.Now, or a
// test's clock.
func NewLimiter(burst int, every time.Duration, now func() time.Time) *Limiter {
	return &Limiter{burst: burst, every: every, now: now, buckets: make(map[netip.Prefix]time.Time)}
}

// Wait gives how long the request's address has to wait before it may try again: 0 if it
// may try now.
func (l *Limiter) Wait(r *http.Request) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	empty, known := l.buckets[network(r)]
	if !known {
		return 0
	}
	// Room for one more failure must be left.
	return max(0, empty.Sub(l.now())+l.every-time.Duration(l.burst)*l.every)
}

// Fail counts one failure of the request's address.
func (l *Limiter) Fail(r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, key := l.now(), network(r)
	empty, known := l.buckets[key]
	if !known && len(l.buckets) >= maxAddresses {
		l.forget(now)
	}
	if empty.Before(now) {
		empty = now
	}
	// The bucket never overflows: somebody who keeps trying waits no longer for it.
	l.buckets[key] = minTime(empty.Add(l.every), now.Add(time.Duration(l.burst)*l.every))
}

// WriteUnauthorized counts a failure and answers 401 or, where the address has failed too
// often, 429. A good token is never kept waiting: behind a proxy or a NAT the address is
// everybody's.
func (l *Limiter) WriteUnauthorized(w http.ResponseWriter, r *http.Request, detail, code string) {
	if wait := l.Wait(r); wait > 0 {
		WriteTooMany(w, wait, "Too many attempts with a wrong token came from this address. Check the token, and wait.", "TOO_MANY_ATTEMPTS")
		return
	}
	l.Fail(r)
	WriteUnauthorized(w, r, detail, code)
}

// forget makes room: of a few buckets, the empty ones go, or else any one of them. Looking at
// all of them each time would be the attacker's gain.
func (l *Limiter) forget(now time.Time) {
	looked, removed := 0, false
	for key, empty := range l.buckets {
		looked++
		if last := looked == maxLooked; !empty.After(now) || last && !removed {
			delete(l.buckets, key)
			removed = true
		}
		if looked == maxLooked {
			return
		}
	}
}

// WriteTooMany answers 429 with Retry-After in whole seconds.
func WriteTooMany(w http.ResponseWriter, wait time.Duration, detail, code string) {
	w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	WriteProblem(w, http.StatusTooManyRequests, "", detail, code)
}

// RemoteAddr gives the request's peer. It is a *net.TCPAddr where r.RemoteAddr is an address
// and a port, as net/http's server makes it.
func RemoteAddr(r *http.Request) net.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return &net.TCPAddr{}
	}
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()))
}

func network(r *http.Request) netip.Prefix {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{}
	}
	addr, bits := ap.Addr().Unmap().WithZone(""), 32
	if addr.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(addr, bits).Masked()
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
