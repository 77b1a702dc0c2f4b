package api

import (
	"net"
	"net/http"
	"net/url"
	"strconv"
)

// Endpoints are a stage's URLs, as the API's StageEndpoints. An empty one is left out.
type Endpoints struct {
	Events string `json:"events,omitempty"`
	WHIP   string `json:"whip,omitempty"`
	RTMP   string `json:"rtmp,omitempty"`
	RTMPS  string `json:"rtmps,omitempty"`
}

// EndpointsAt gives the endpoints below a public URL such as https://stage.example:8443.
// A port of 0 means that there is no such listener.
func EndpointsAt(public *url.URL, rtmpPort, rtmpsPort int) Endpoints {
	events := url.URL{Scheme: "ws", Host: public.Host, Path: "/events"}
	if public.Scheme == "https" {
		events.Scheme = "wss"
	}
	whip := url.URL{Scheme: public.Scheme, Host: public.Host, Path: "/whip"}
	return Endpoints{
		Events: events.String(),
		WHIP:   whip.String(),
		RTMP:   rtmpURL("rtmp", public.Hostname(), rtmpPort),
		RTMPS:  rtmpURL("rtmps", public.Hostname(), rtmpsPort),
	}
}

// PublicEndpoints gives Options.Endpoints: those at the public URL or, where it is nil, at
// the host by which the caller reached the API.
func PublicEndpoints(public *url.URL, rtmpPort, rtmpsPort int) func(*http.Request) Endpoints {
	return func(r *http.Request) Endpoints {
		at := public
		if at == nil {
			at = &url.URL{Scheme: "http", Host: r.Host}
			if r.TLS != nil {
				at.Scheme = "https"
			}
		}
		return EndpointsAt(at, rtmpPort, rtmpsPort)
	}
}

func rtmpURL(scheme, host string, port int) string {
	if port == 0 {
		return ""
	}
	u := url.URL{Scheme: scheme, Host: net.JoinHostPort(host, strconv.Itoa(port)), Path: "/app/"}
	return u.String()
}
