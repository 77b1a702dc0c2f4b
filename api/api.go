// Package api serves the control plane: the operations of the IVS Real-Time API, so that
// the aws CLI and the AWS SDKs work with stagedoor as they are.
//
// routes.go lists the operations, limits.go what each field of a request may hold, and each
// resource has a file of its own. A request is signed (sigv4.go), counted (throttle.go),
// checked (check.go) and then answered.
package api

import (
	"log/slog"
	"net/http"
	"regexp"
	"time"

	"github.com/pkg/errors"
)

// Options is what the API works with. All but Quotas, Clock and Log must be set.
type Options struct {
	Store  Store
	Live   Live
	Tokens Tokens
	// Credentials are the secret access keys that may sign calls, by access key id.
	Credentials map[string]string
	// Region and Account go into the ARNs and stream keys that are made, for example
	// "us-east-1" and "000000000000". Callers may sign for any region.
	Region, Account string
	// Endpoints gives a stage's endpoints as the caller can reach them; see PublicEndpoints.
	Endpoints func(*http.Request) Endpoints
	Quotas    Quotas
	Clock     func() time.Time // nil: time.Now
	Log       *slog.Logger     // nil: no log
}

// Quotas are the numbers of the user guide's chapter on service quotas. Zero stands for the
// guide's default.
type Quotas struct {
	Stages               int // default 1,000
	IngestConfigurations int // default 100
	PublicKeys           int // default 3
	// RateFactor multiplies every operation's calls per second. The default is 1.
	RateFactor int
}

func (q *Quotas) setDefaults() {
	for quota, value := range map[*int]int{&q.Stages: 1000, &q.IngestConfigurations: 100, &q.PublicKeys: 3, &q.RateFactor: 1} {
		if *quota == 0 {
			*quota = value
		}
	}
}

// API is the handler. It may be called from any goroutine.
type API struct {
	o        Options
	throttle throttle
}

var (
	regionPattern  = regexp.MustCompile(`^[a-z0-9-]+$`)
	accountPattern = regexp.MustCompile(`^[0-9]{1,20}$`)
)

// New makes the handler; it holds no resources of its own.
func New(o Options) (*API, error) {
	switch {
	case o.Store == nil || o.Live == nil || o.Tokens == nil || o.Endpoints == nil:
		return nil, errors.New("api: Store, Live, Tokens and Endpoints must be set")
	case len(o.Credentials) == 0:
		return nil, errors.New("api: there is no access key, so nobody could call")
	case !regionPattern.MatchString(o.Region) || len(o.Region) > 32:
		return nil, errors.Errorf("api: region %q must be at most 32 of a-z, 0-9 and -", o.Region)
	case !accountPattern.MatchString(o.Account):
		return nil, errors.Errorf("api: account %q must be 1 to 20 digits", o.Account)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Quotas.setDefaults()
	return &API{o: o, throttle: newThrottle(o.Quotas.RateFactor)}, nil
}

// ServeHTTP answers one call.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	requestID := newUUID()
	w.Header().Set("x-amzn-RequestId", requestID)
	op, caller, answer, err := a.serve(w, r)
	fault := a.write(w, answer, err)
	attrs := []any{"operation", op, "request", requestID, "took", time.Since(start).Round(time.Microsecond)}
	if caller != "" {
		attrs = append(attrs, "key", caller)
	}
	switch {
	case fault == nil:
		a.o.Log.Info("api call", attrs...)
	case fault.status >= http.StatusInternalServerError:
		a.o.Log.Error("api call failed", append(attrs, "error", err)...)
	default:
		a.o.Log.Info("api call refused", append(attrs, "type", fault.kind, "reason", fault.message)...)
	}
}

// serve gives the operation's name and the caller's fingerprint for the log, as far as they
// became known, and the answer or the error.
func (a *API) serve(w http.ResponseWriter, r *http.Request) (op, caller string, answer any, err error) {
	route, found := findRoute(r)
	if !found {
		return "", "", nil, faultf(http.StatusNotFound, "UnknownOperationException", "there is no such operation: %s at this path", r.Method)
	}
	body, err := readBody(w, r)
	if err != nil {
		return route.operation, "", nil, err
	}
	caller, err = a.authenticate(r, body)
	if err != nil {
		return route.operation, caller, nil, err
	}
	if !a.throttle.allow(route.operation, a.o.Clock()) {
		w.Header().Set("Retry-After", "1")
		return route.operation, caller, nil, faultf(http.StatusTooManyRequests, "ThrottlingException",
			"Rate exceeded: %s may be called %d times per second", route.operation, route.perSecond*a.o.Quotas.RateFactor)
	}
	if route.handle == nil {
		return route.operation, caller, nil, notAvailable(route.operation)
	}
	in, err := readInput(route, r, body)
	if err != nil {
		return route.operation, caller, nil, err
	}
	answer, err = route.handle(a, call{Context: r.Context(), in: in, endpoints: a.o.Endpoints(r)})
	return route.operation, caller, answer, err
}
