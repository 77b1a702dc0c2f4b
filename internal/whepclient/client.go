package whepclient

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"github.com/pkg/errors"
)

// Sound is one Opus packet as it was received.
type Sound struct {
	Data      []byte
	Timestamp uint32 // RTP, 48 kHz
	Seq       uint16
	At        time.Time
}

// Options says what to receive. The callbacks of one kind come from one goroutine.
type Options struct {
	Setting webrtc.SettingEngine // the network
	HTTP    *http.Client         // for Dial; default: http.DefaultClient
	NoVideo bool
	NoAudio bool
	NoRTX   bool // do not offer a retransmission stream
	// Interceptors replaces pion's default ones: NACK, receiver reports, transport-wide feedback.
	Interceptors *interceptor.Registry
	// OnPacket, where set, is shown each RTP packet of either kind, retransmitted ones too.
	OnPacket  func(video bool, p *rtp.Packet, at time.Time)
	OnPicture func(*Picture)
	OnSound   func(Sound)
	OnReport  func(video bool, r *rtcp.SenderReport, at time.Time)
}

// Client is one viewer.
type Client struct {
	options   Options
	pc        *webrtc.PeerConnection
	connected chan struct{}
	ended     chan struct{}
	readers   sync.WaitGroup

	// Set by Dial.
	Session string // the session's URL
	token   string
}

// New makes a viewer that is not connected yet: Offer, then Accept.
func New(o Options) (*Client, error) {
	if o.HTTP == nil {
		o.HTTP = http.DefaultClient
	}
	engine, err := codecs(o.NoRTX)
	if err != nil {
		return nil, err
	}
	registry := o.Interceptors
	if registry == nil {
		registry = &interceptor.Registry{}
		if err := webrtc.RegisterDefaultInterceptors(engine, registry); err != nil {
			return nil, errors.Wrap(err, "register interceptors")
		}
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithSettingEngine(o.Setting), webrtc.WithInterceptorRegistry(registry))
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, errors.Wrap(err, "make peer connection")
	}
	c := &Client{options: o, pc: pc, connected: make(chan struct{}), ended: make(chan struct{})}
	var up, down sync.Once
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		switch s {
		case webrtc.PeerConnectionStateConnected:
			up.Do(func() { close(c.connected) })
		case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
			down.Do(func() { close(c.ended) })
		}
	})
	pc.OnTrack(c.track)
	for kind, not := range map[webrtc.RTPCodecType]bool{webrtc.RTPCodecTypeAudio: o.NoAudio, webrtc.RTPCodecTypeVideo: o.NoVideo} {
		if not {
			continue
		}
		if _, err := pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
			_ = pc.Close()
			return nil, errors.Wrap(err, "add transceiver")
		}
	}
	return c, nil
}

func codecs(noRTX bool) (*webrtc.MediaEngine, error) {
	m := &webrtc.MediaEngine{}
	feedback := []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}, {Type: "transport-cc"}}
	list := []webrtc.RTPCodecParameters{
		{PayloadType: 102, RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: 90000,
			SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", RTCPFeedback: feedback}},
		{PayloadType: 103, RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=102"}},
	}
	if noRTX {
		list = list[:1]
	}
	for _, codec := range list {
		if err := m.RegisterCodec(codec, webrtc.RTPCodecTypeVideo); err != nil {
			return nil, errors.Wrap(err, "register codec")
		}
	}
	opus := webrtc.RTPCodecParameters{PayloadType: 111, RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus,
		ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1;stereo=1"}}
	return m, errors.Wrap(m.RegisterCodec(opus, webrtc.RTPCodecTypeAudio), "register codec")
}

// Offer gives the offer, with all candidates in it.
func (c *Client) Offer(ctx context.Context) (string, error) {
	offer, err := c.pc.CreateOffer(nil)
	if err != nil {
		return "", errors.Wrap(err, "create offer")
	}
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(offer); err != nil {
		return "", errors.Wrap(err, "set offer")
	}
	select {
	case <-gathered:
		return c.pc.LocalDescription().SDP, nil
	case <-ctx.Done():
		return "", errors.Wrap(ctx.Err(), "gather candidates")
	}
}

// Accept takes the answer.
func (c *Client) Accept(answer string) error {
	err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer})
	return errors.Wrap(err, "set answer")
}

// PeerConnection is the connection underneath.
func (c *Client) PeerConnection() *webrtc.PeerConnection { return c.pc }

// Connected is closed when media can flow.
func (c *Client) Connected() <-chan struct{} { return c.connected }

// Ended is closed when the connection has ended.
func (c *Client) Ended() <-chan struct{} { return c.ended }

// RequestKeyframe sends a picture loss indication for the first video track.
func (c *Client) RequestKeyframe() error {
	for _, r := range c.pc.GetReceivers() {
		if t := r.Track(); t != nil && t.Kind() == webrtc.RTPCodecTypeVideo {
			err := c.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(t.SSRC())}})
			return errors.Wrap(err, "send PLI")
		}
	}
	return errors.New("there is no video track")
}

// track reads a track until the connection ends.
func (c *Client) track(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	isVideo := t.Kind() == webrtc.RTPCodecTypeVideo
	c.readers.Add(2)
	go func() {
		defer c.readers.Done()
		c.readReports(isVideo, r)
	}()
	go func() {
		defer c.readers.Done()
		c.readPackets(isVideo, t)
	}()
}

func (c *Client) readReports(isVideo bool, r *webrtc.RTPReceiver) {
	for {
		packets, _, err := r.ReadRTCP()
		if err != nil {
			return
		}
		now := time.Now()
		for _, p := range packets {
			if report, ok := p.(*rtcp.SenderReport); ok && c.options.OnReport != nil {
				c.options.OnReport(isVideo, report, now)
			}
		}
	}
}

func (c *Client) readPackets(isVideo bool, t *webrtc.TrackRemote) {
	pictures := newAssembler(func(p *Picture) {
		if c.options.OnPicture != nil {
			c.options.OnPicture(p)
		}
	})
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return
		}
		now := time.Now()
		if c.options.OnPacket != nil {
			c.options.OnPacket(isVideo, p, now)
		}
		if isVideo {
			pictures.push(p, now)
		} else if c.options.OnSound != nil {
			c.options.OnSound(Sound{Data: p.Payload, Timestamp: p.Timestamp, Seq: p.SequenceNumber, At: now})
		}
	}
}

// StatusError is an HTTP answer that is no success.
type StatusError struct {
	Status     int
	RetryAfter string
	Body       string
}

func (e *StatusError) Error() string {
	return "WHEP: " + http.StatusText(e.Status) + ": " + strings.TrimSpace(e.Body)
}

// Dial makes a viewer and connects it to a WHEP endpoint. It gives a *StatusError where the
// server refuses. It does not wait until media flows.
func Dial(ctx context.Context, endpoint, token string, o Options) (*Client, error) {
	c, err := New(o)
	if err != nil {
		return nil, err
	}
	offer, err := c.Offer(ctx)
	if err == nil {
		err = c.Post(ctx, endpoint, token, offer)
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// Post sends the client's own offer to a WHEP endpoint and takes the answer. After a
// *StatusError it may be called again.
func (c *Client) Post(ctx context.Context, endpoint, token, offer string) error {
	answer, header, err := c.do(ctx, http.MethodPost, endpoint, token, "application/sdp", offer)
	if err != nil {
		return err
	}
	base, err := url.Parse(endpoint)
	if err != nil {
		return errors.Wrap(err, "parse endpoint")
	}
	if session, err := base.Parse(header.Get("Location")); err == nil {
		c.Session, c.token = session.String(), token
	}
	return c.Accept(answer)
}

func (c *Client) do(ctx context.Context, method, to, token, contentType, body string) (string, http.Header, error) {
	r, err := http.NewRequestWithContext(ctx, method, to, strings.NewReader(body))
	if err != nil {
		return "", nil, errors.Wrap(err, "make request")
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := c.options.HTTP.Do(r)
	if err != nil {
		return "", nil, errors.Wrap(err, "request")
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return "", nil, errors.Wrap(err, "read answer")
	}
	if response.StatusCode/100 != 2 {
		return "", nil, &StatusError{Status: response.StatusCode, RetryAfter: response.Header.Get("Retry-After"), Body: string(answer)}
	}
	return string(answer), response.Header, nil
}

// Close leaves: DELETE if Dial made the session, then the connection's end. It waits for all
// goroutines.
func (c *Client) Close() error {
	var err error
	if c.Session != "" {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_, _, err = c.do(ctx, http.MethodDelete, c.Session, c.token, "", "")
	}
	if closeErr := c.pc.GracefulClose(); err == nil {
		err = errors.Wrap(closeErr, "close peer connection")
	}
	c.readers.Wait()
	return err
}
