package whip

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"

	"github.com/stagedoor/stagedoor/ingest"
)

const testTimeout = 20 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder is a Sink that keeps what it gets.
type recorder struct {
	mu     sync.Mutex
	video  []*ingest.AccessUnit
	audio  []*ingest.AudioFrame
	reason error
	change chan struct{} // gets a value after each write
	closed chan struct{}
	refuse error // what WriteVideo gives
}

func newRecorder() *recorder {
	return &recorder{change: make(chan struct{}, 1), closed: make(chan struct{})}
}

func (r *recorder) note() {
	select {
	case r.change <- struct{}{}:
	default:
	}
}

func (r *recorder) WriteVideo(au *ingest.AccessUnit) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.video = append(r.video, au)
	r.note()
	return r.refuse
}

func (r *recorder) WriteAudio(f *ingest.AudioFrame) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.audio = append(r.audio, f)
	r.note()
	return nil
}

func (r *recorder) Close(reason error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reason = reason
	close(r.closed)
	return nil
}

// waitFor waits until the sink has what is wanted.
func (r *recorder) waitFor(t *testing.T, what string, enough func(r *recorder) bool) {
	t.Helper()
	timeout := time.After(testTimeout)
	for {
		r.mu.Lock()
		done := enough(r)
		r.mu.Unlock()
		if done {
			return
		}
		select {
		case <-r.change:
		case <-timeout:
			t.Fatalf("no %s: %d pictures, %d audio frames", what, len(r.pictures()), len(r.sounds()))
		}
	}
}

// pictures and sounds give what came so far.
func (r *recorder) pictures() []*ingest.AccessUnit {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.video)
}

func (r *recorder) sounds() []*ingest.AudioFrame {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.audio)
}

func (r *recorder) waitClosed(t *testing.T) error {
	t.Helper()
	select {
	case <-r.closed:
		return r.reason
	case <-time.After(testTimeout):
		t.Fatal("the sink was not closed")
		return nil
	}
}

// door is a Handler behind an HTTP server, with sinks that are recorded.
type door struct {
	handler  *Handler
	server   *httptest.Server
	client   *http.Client
	sinks    chan *recorder
	requests chan ingest.Request
	log      *bytes.Buffer
	logMu    sync.Mutex
}

func (d *door) Write(p []byte) (int, error) {
	d.logMu.Lock()
	defer d.logMu.Unlock()
	return d.log.Write(p)
}

func (d *door) logged() string {
	d.logMu.Lock()
	defer d.logMu.Unlock()
	return d.log.String()
}

// newDoor opens a door on 127.0.0.1: any token but those that refusals names is let in.
func newDoor(t testing.TB, change func(*Options)) *door {
	t.Helper()
	return newDoorAt(t, "127.0.0.1", change)
}

// newDoorAt has its media port at another address.
func newDoorAt(t testing.TB, ip string, change func(*Options)) *door {
	t.Helper()
	conn, err := net.ListenPacket("udp", net.JoinHostPort(ip, "0"))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		t.Fatal(err)
	}
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	udp := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: conn, Logger: quiet.NewLogger("mux")})
	tcp := ice.NewTCPMuxDefault(ice.TCPMuxParams{Listener: listener, Logger: quiet.NewLogger("mux"), ReadBufferSize: 64})
	var setting webrtc.SettingEngine
	setting.SetICEUDPMux(udp)
	setting.SetICETCPMux(tcp)
	setting.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeUDP6, webrtc.NetworkTypeTCP6})
	setting.SetIncludeLoopbackCandidate(true)
	setting.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() })

	d := &door{sinks: make(chan *recorder, 64), requests: make(chan ingest.Request, 64), log: new(bytes.Buffer)}
	options := Options{
		Setting: setting,
		Log:     slog.New(slog.NewTextHandler(d, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Publish: func(_ context.Context, r ingest.Request) (ingest.Sink, error) {
			if code, ok := strings.CutPrefix(r.Secret, "refuse-"); ok {
				return nil, ingest.Rejectf(ingest.Code(code), "The test refuses.")
			}
			sink := newRecorder()
			if strings.HasPrefix(r.Secret, "b-frames") {
				sink.refuse = ingest.Rejectf(ingest.BFramePresent, "The test saw B-frames.")
			}
			d.sinks <- sink
			d.requests <- r
			return sink, nil
		},
	}
	if change != nil {
		change(&options)
	}
	d.handler, err = NewHandler(options)
	if err != nil {
		t.Fatal(err)
	}
	d.server = httptest.NewServer(d.handler)
	d.client = d.server.Client()
	d.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
		defer cancel()
		if err := d.handler.Close(ctx); err != nil {
			t.Error(err)
		}
		d.server.Close()
		_ = udp.Close()
		_ = tcp.Close()
		_ = conn.Close()
		_ = listener.Close()
		if t.Failed() {
			t.Log(d.logged())
		}
	})
	return d
}

// response is an HTTP response whose body was read.
type response struct {
	*http.Response
	body string
}

func (d *door) do(t testing.TB, method, path, body string, headers ...string) response {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, d.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := d.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{res, string(text)}
}

func (d *door) post(t testing.TB, token, offer string) response {
	t.Helper()
	return d.do(t, http.MethodPost, "/whip", offer, "Authorization", "Bearer "+token, "Content-Type", "application/sdp")
}

func (d *door) sink(t testing.TB) *recorder {
	t.Helper()
	select {
	case s := <-d.sinks:
		return s
	case <-time.After(testTimeout):
		t.Fatal("nobody was let in")
		return nil
	}
}

// peer is a pion publisher of one H.264 and one Opus track.
type peer struct {
	pc           *webrtc.PeerConnection
	video, audio *webrtc.TrackLocalStaticRTP
	sender       *webrtc.RTPSender
	connected    chan struct{}
	location     string
	etag         string
}

// newPeer makes a publisher; interceptors are put nearest to the network.
func newPeer(t testing.TB, change func(*webrtc.SettingEngine), interceptors ...interceptor.Factory) *peer {
	t.Helper()
	engine := new(webrtc.MediaEngine)
	if err := engine.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	registry := new(interceptor.Registry)
	for _, i := range interceptors {
		registry.Add(i)
	}
	if err := webrtc.RegisterDefaultInterceptors(engine, registry); err != nil {
		t.Fatal(err)
	}
	var setting webrtc.SettingEngine
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	setting.LoggerFactory = quiet
	setting.SetIncludeLoopbackCandidate(true)
	setting.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() })
	setting.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	if change != nil {
		change(&setting)
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(setting))
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.GracefulClose() })
	p := &peer{pc: pc, connected: make(chan struct{})}
	connected := sync.OnceFunc(func() { close(p.connected) })
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			connected()
		}
	})
	p.video, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeH264, ClockRate: 90000, SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
	}, "video", "s")
	if err != nil {
		t.Fatal(err)
	}
	p.audio, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, "audio", "s")
	if err != nil {
		t.Fatal(err)
	}
	if p.sender, err = pc.AddTrack(p.video); err != nil {
		t.Fatal(err)
	}
	if _, err = pc.AddTrack(p.audio); err != nil {
		t.Fatal(err)
	}
	return p
}

// offer gives the peer's offer with all candidates.
func (p *peer) offer(t testing.TB, options *webrtc.OfferOptions) string {
	t.Helper()
	o, err := p.pc.CreateOffer(options)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(o); err != nil {
		t.Fatal(err)
	}
	<-gathered
	return strings.ReplaceAll(p.pc.LocalDescription().SDP, "a=sendrecv", "a=sendonly")
}

// connect publishes through the door and waits until media can flow.
func (p *peer) connect(t testing.TB, d *door, token string) *recorder {
	t.Helper()
	p.join(t, d, token)
	return d.sink(t)
}

// join is connect for a door that has a Sink of its own.
func (p *peer) join(t testing.TB, d *door, token string) {
	t.Helper()
	res := d.post(t, token, p.offer(t, nil))
	if res.StatusCode != http.StatusCreated {
		t.Fatalf("%s: %s", res.Status, res.body)
	}
	p.location, p.etag = res.Header.Get("Location"), res.Header.Get("ETag")
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: res.body}); err != nil {
		t.Fatal(err)
	}
	p.waitConnected(t)
}

// publishInto lets everybody in, to the same Sink.
func publishInto(sink ingest.Sink) ingest.Publish {
	return func(context.Context, ingest.Request) (ingest.Sink, error) { return sink, nil }
}

func (p *peer) waitConnected(t testing.TB) {
	t.Helper()
	select {
	case <-p.connected:
	case <-time.After(testTimeout):
		t.Fatal("the publisher does not get connected")
	}
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
