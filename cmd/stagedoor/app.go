package main

import (
	"context"
	"crypto/tls"
	stderrors "errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/api"
	"github.com/stagedoor/stagedoor/certs"
	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/rtmp"
	"github.com/stagedoor/stagedoor/stage"
	"github.com/stagedoor/stagedoor/stage/sfu"
	"github.com/stagedoor/stagedoor/store"
	"github.com/stagedoor/stagedoor/validate"
	"github.com/stagedoor/stagedoor/web"
	"github.com/stagedoor/stagedoor/whep"
	"github.com/stagedoor/stagedoor/whip"
)

const (
	shutdownTimeout = 10 * time.Second
	certInterval    = 5 * time.Second
	maxViewers      = 10_000 // the guide's quota; CPU and sockets end sooner
	pruneInterval   = time.Hour
	bodyTimeout     = 30 * time.Second // for a request to arrive
	answerTimeout   = time.Minute      // for a request to be answered
)

// App is the gateway: every part of it, wired. It has more fields than a struct should
// because it is the one place that knows all the parts.
type App struct {
	settings *settings
	log      *slog.Logger
	rules    validate.Rules

	store     store.Store
	tokens    *stage.Tokens
	registry  *stage.Registry
	sfu       *sfu.SFU
	media     *mediaPort
	load      loadMeter
	cert      *certs.Source
	rtmp      *rtmp.Server
	whip      *whip.Handler
	whep      *whep.Handler
	api       *api.API
	web       *web.Handler
	listeners listeners
	ports     ports
	endpoints endpoints
	welcome   firstMinute
	keys      []accessKey
	madeKeys  bool
	ready     atomic.Bool
	closers   []func() // in the order of making; Close goes backwards
}

type listeners struct{ http, rtmp, rtmps, admin net.Listener }

// NewApp opens the store and every port. The context bounds the start only.
func NewApp(ctx context.Context, s *settings, log *slog.Logger) (*App, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	a := &App{settings: s, log: log}
	if err := a.open(ctx); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

func (a *App) open(ctx context.Context) (err error) {
	if a.rules, err = a.settings.rules(); err != nil {
		return err
	}
	folder := dataFolder(a.settings.Data)
	unlock, err := folder.lock()
	if err != nil {
		return err
	}
	a.onClose(unlock)
	if a.store, err = folder.open(ctx); err != nil {
		return err
	}
	a.onClose(func() { _ = a.store.Close() })
	if a.keys, a.madeKeys, err = folder.credentials(); err != nil {
		return err
	}
	if _, err = folder.first(ctx, a.store, a.settings.Region, a.settings.Account); err != nil {
		return err
	}
	if err = a.openCertificate(); err != nil {
		return err
	}
	if err = a.listen(ctx); err != nil {
		return err
	}
	if a.endpoints, err = endpointsAt(a.settings.baseURL(a.ports.http), a.ports); err != nil {
		return err
	}
	if err = folder.write(endpointsFile, a.endpoints); err != nil {
		return err
	}
	if a.tokens, err = newTokens(ctx, a.store, a.settings, a.endpoints); err != nil {
		return err
	}
	if err = a.openStage(ctx); err != nil {
		return err
	}
	if err = a.openDoors(); err != nil {
		return err
	}
	a.welcome, err = newFirstMinute(ctx, a.store, a.tokens, folder, a.endpoints, a.settings.Region)
	return err
}

// openCertificate loads the user's certificate, or the self-signed one.
func (a *App) openCertificate() (err error) {
	s := a.settings
	if s.Cert != "" {
		if a.cert, err = certs.Load(s.Cert, s.Key, a.log); err != nil {
			return usagef("--cert and --key must be a certificate chain and its key, both PEM: %s", err)
		}
		return nil
	}
	var hosts []string
	if u, parseErr := url.Parse(s.PublicURL); parseErr == nil && u.Hostname() != "" {
		hosts = append(hosts, u.Hostname())
	}
	a.cert, err = certs.SelfSigned(s.Data, append(hosts, s.PublicIP...), a.log)
	return err
}

// listen opens every port, so that a taken one is told before anything starts.
func (a *App) listen(ctx context.Context) (err error) {
	s := a.settings
	for _, l := range []struct {
		flag, address string
		to            *net.Listener
	}{
		{"--http", s.HTTP, &a.listeners.http},
		{"--rtmp", s.RTMP, &a.listeners.rtmp},
		{"--rtmps", s.RTMPS, &a.listeners.rtmps},
		{"--admin", s.Admin, &a.listeners.admin},
	} {
		listener, err := net.Listen("tcp", l.address)
		if err != nil {
			return errors.Wrapf(err, "%s %s: cannot listen; is the port taken? Choose another one", l.flag, l.address)
		}
		*l.to = listener
		a.onClose(func() { _ = listener.Close() })
	}
	tcp := func(l net.Listener) *net.TCPAddr { return l.Addr().(*net.TCPAddr) }
	a.ports = ports{http: tcp(a.listeners.http), rtmp: tcp(a.listeners.rtmp), rtmps: tcp(a.listeners.rtmps)}
	public := s.PublicIP
	if s.DiscoverPublicIP != "" {
		ip, err := discoverPublicIP(ctx, s.DiscoverPublicIP)
		if err != nil {
			return err
		}
		a.log.Info("public address found", "ip", ip)
		public = []string{ip.String()}
	}
	if a.media, err = openMediaPort(s.ICE, public, a.log); err != nil {
		return err
	}
	a.onClose(a.media.close)
	return nil
}

// openStage makes the stage: its SFU and the registry of who is on it.
func (a *App) openStage(ctx context.Context) (err error) {
	if a.sfu, err = sfu.New(sfu.Options{Setting: a.media.setting, Batch: a.media.batch, Log: a.log, MaxViewers: maxViewers}); err != nil {
		return err
	}
	a.onClose(a.closing("sfu", a.sfu.Close))
	a.registry, err = stage.NewRegistry(ctx, stage.Options{
		Store: a.store, Journal: a.store, Backend: a.sfu, Audience: a.sfu, Tokens: a.tokens,
		Log: a.log, MaxPublishers: a.settings.MaxPublishers, Delay: a.load.delay,
	})
	if err != nil {
		return err
	}
	a.onClose(a.registry.Close)
	return nil
}

// openDoors makes the doors of publishers and viewers.
func (a *App) openDoors() (err error) {
	a.rtmp = rtmp.NewServer(a.publish, a.log, rtmp.Options{})
	a.onClose(a.closing("rtmp", a.rtmp.Shutdown))
	a.whip, err = whip.NewHandler(whip.Options{
		Setting: a.media.setting, Publish: a.publish, Log: a.log,
		ICEServers: a.settings.ICEServers, TokenInQuery: a.settings.WHIPQueryToken,
	})
	if err != nil {
		return err
	}
	a.onClose(a.closing("whip", a.whip.Close))
	a.whep, err = whep.NewHandler(whep.Options{Watch: a.registry.Watch, Log: a.log, ICEServers: a.settings.ICEServers})
	if err != nil {
		return err
	}
	a.onClose(a.closing("whep", a.whep.Close))
	a.web = web.New(web.Options{Follow: a.registry.Follow, Log: a.log})
	a.onClose(a.web.Close)
	return a.openAPI()
}

func (a *App) openAPI() (err error) {
	secrets := make(map[string]string, len(a.keys))
	for _, key := range a.keys {
		secrets[key.AccessKeyID] = key.SecretAccessKey
	}
	var public *url.URL
	if a.settings.PublicURL != "" {
		if public, err = url.Parse(a.settings.PublicURL); err != nil {
			return errors.Wrap(err, "--public-url")
		}
	}
	a.api, err = api.New(api.Options{
		Store: a.store, Live: a.registry, Tokens: a.tokens, Credentials: secrets,
		Region: a.settings.Region, Account: a.settings.Account,
		Endpoints: api.PublicEndpoints(public, a.ports.rtmp.Port, a.ports.rtmps.Port), Log: a.log,
		Quotas: api.Quotas{
			Stages: a.settings.MaxStages, IngestConfigurations: a.settings.MaxIngestConfigurations,
			PublicKeys: a.settings.MaxPublicKeys, RateFactor: a.settings.RateFactor,
		},
	})
	return err
}

// newTokens makes the mint with the store's own secret. The endpoints that key-pair tokens
// must name are known for sure only where a public URL is configured.
func newTokens(ctx context.Context, s store.Store, settings *settings, e endpoints) (*stage.Tokens, error) {
	secret, err := s.Secret(ctx, "participant-tokens", 48)
	if err != nil {
		return nil, err
	}
	if settings.PublicURL == "" {
		return stage.NewTokens(secret, s, "", ""), nil
	}
	return stage.NewTokens(secret, s, e.WHIP, e.Events), nil
}

// Run serves until the context ends or a listener fails.
func (a *App) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	failures := make(chan error, 4+len(a.settings.Webhooks))
	var running sync.WaitGroup
	defer running.Wait()
	serve := func(f func() error) {
		running.Go(func() {
			if err := f(); err != nil && !stderrors.Is(err, http.ErrServerClosed) {
				failures <- err
			}
		})
	}
	public := a.httpServer(a.publicHandler())
	// Bounds a body that trickles in and an answer that nobody reads; net/http lifts both from
	// a WebSocket. Not for admin, where a profile may take longer.
	public.ReadTimeout, public.WriteTimeout = bodyTimeout, answerTimeout
	admin := a.httpServer(a.adminHandler())
	httpListener := a.listeners.http
	if a.settings.Cert != "" {
		httpListener = tls.NewListener(httpListener, a.cert.TLSConfig())
	}
	serve(func() error { return public.Serve(httpListener) })
	serve(func() error { return admin.Serve(a.listeners.admin) })
	serve(func() error { return a.rtmp.Serve(a.listeners.rtmp, ingest.RTMP) })
	serve(func() error {
		return a.rtmp.Serve(tls.NewListener(a.listeners.rtmps, a.cert.TLSConfig()), ingest.RTMPS)
	})
	running.Go(func() { a.cert.Watch(ctx, certInterval) })
	running.Go(func() { a.prune(ctx) })
	running.Go(func() { a.load.run(ctx) })
	for _, url := range a.settings.Webhooks {
		serve(func() error { return a.deliverEvents(ctx, url) })
	}
	a.ready.Store(true)
	a.log.Info("ready", "version", version(), "http", a.ports.http, "rtmp", a.ports.rtmp, "rtmps", a.ports.rtmps, "data", a.settings.Data)

	var err error
	select {
	case <-ctx.Done():
		a.log.Info("shutting down")
	case err = <-failures:
	}
	stop()
	a.ready.Store(false)
	a.Close() // ends the sessions, so that the HTTP servers become idle
	last, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = public.Shutdown(last)
	_ = admin.Shutdown(last)
	_ = public.Close()
	_ = admin.Close()
	return err
}

func (a *App) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
}

// publicHandler routes the one HTTP port.
func (a *App) publicHandler() http.Handler {
	mux := http.NewServeMux()
	a.addHealth(mux)
	mux.Handle("/whip", a.whip)
	mux.Handle("/whip/", a.whip)
	mux.Handle("/whep/", a.whep)
	mux.Handle("/events", a.web.Events())
	mux.Handle("/tags/", a.api)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		// The operations of the API are all POST /OperationName; the page is only read.
		if r.Method == http.MethodPost {
			a.api.ServeHTTP(w, r)
			return
		}
		a.web.ServeHTTP(w, r)
	})
	return mux
}

// prune forgets old sessions, now and every hour.
func (a *App) prune(ctx context.Context) {
	tick := time.NewTicker(pruneInterval)
	defer tick.Stop()
	for {
		if err := a.store.Prune(ctx, time.Now().Add(-a.settings.KeepEvents)); err != nil && ctx.Err() == nil {
			a.log.Warn("old sessions could not be forgotten", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (a *App) printWelcome(w io.Writer) {
	a.welcome.printWelcome(w, a.settings.Data, a.madeKeys)
}

func (a *App) onClose(f func()) { a.closers = append(a.closers, f) }

// closing wraps a close that waits, with the time that a shutdown may take.
func (a *App) closing(what string, f func(context.Context) error) func() {
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
		defer cancel()
		if err := f(ctx); err != nil {
			a.log.Warn("did not end in good order", "part", what, "err", err)
		}
	}
}

// Close ends every session, tells the publishers, and closes the ports and the store. It
// may be called again.
func (a *App) Close() {
	for len(a.closers) > 0 {
		last := len(a.closers) - 1
		f := a.closers[last]
		a.closers = a.closers[:last]
		f()
	}
}
