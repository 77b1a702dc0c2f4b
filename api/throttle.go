package api

import (
	"time"

	"golang.org/x/time/rate"
)

// throttle counts the calls of each operation. A second's worth of calls may come at once.
type throttle map[string]*rate.Limiter

func newThrottle(factor int) throttle {
	t := throttle{}
	for _, r := range routes {
		t[r.operation] = rate.NewLimiter(rate.Limit(r.perSecond*factor), r.perSecond*factor)
	}
	for _, r := range tagRoutes {
		t[r.operation] = rate.NewLimiter(rate.Limit(r.perSecond*factor), r.perSecond*factor)
	}
	return t
}

func (t throttle) allow(operation string, now time.Time) bool {
	return t[operation].AllowN(now, 1)
}
