package whip

import (
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/webrtc/v4"
	"github.com/pkg/errors"
)

// timeouts are how long a publisher is waited for.
type timeouts struct {
	// admit is for finding out who asks.
	admit time.Duration
	// connect is from the answer to the end of the DTLS handshake.
	connect time.Duration
	// consent is without any packet. A network change within it survives by an ICE restart.
	consent time.Duration
}

var defaultTimeouts = timeouts{admit: 10 * time.Second, connect: 15 * time.Second, consent: 30 * time.Second}

const (
	keepAlive = 2 * time.Second

	// dtlsRetry is when our first handshake message is sent again; it doubles from there.
	// FFmpeg is deaf to the one that comes before it has made its DTLS context, and with the
	// usual second its start takes that second longer.
	dtlsRetry = 50 * time.Millisecond

	// replayWindow is how many packets late a packet may be, which one that is sent again is.
	replayWindow = 2048
)

// api gives the pion API for one session: exactly the formats of its offer.
func (h *Handler) api(s *session, o *offer) (*webrtc.API, error) {
	engine, err := o.mediaEngine()
	if err != nil {
		return nil, errors.Wrap(err, "register the offer's formats")
	}
	registry := new(interceptor.Registry)
	feedback, err := twcc.NewSenderInterceptor()
	if err != nil {
		return nil, errors.Wrap(err, "make the transport-wide feedback")
	}
	reports, err := report.NewReceiverInterceptor()
	if err != nil {
		return nil, errors.Wrap(err, "make the receiver reports")
	}
	registry.Add(feedback)
	registry.Add(reports)

	setting := h.options.Setting
	setting.LoggerFactory = pionLog{log: s.log, stranger: s.stranger}
	setting.SetLite(true)
	// Pion's state "disconnected", after the first third, changes nothing here.
	setting.SetICETimeouts(s.limits.consent/3, s.limits.consent-s.limits.consent/3, keepAlive)
	setting.SetDTLSRetransmissionInterval(dtlsRetry)
	setting.SetSRTPReplayProtectionWindow(replayWindow)
	return webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(setting)), nil
}
