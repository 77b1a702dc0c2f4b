package main

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/pkg/errors"
)

// endpoints are the addresses under which users reach the doors.
type endpoints struct {
	HTTP  string `json:"http"`  // scheme, host and port
	RTMP  string `json:"rtmp"`  // with the application name and a slash at the end
	RTMPS string `json:"rtmps"` // as RTMP
}

func (e endpoints) whip() string   { return e.HTTP + "/whip" }
func (e endpoints) events() string { return "ws" + strings.TrimPrefix(e.HTTP, "http") + "/events" }

// ports are where the listeners really are: a port of 0 was replaced by the kernel's choice.
type ports struct{ http, rtmp, rtmps net.Addr }

// endpointsAt gives the endpoints for a base URL such as http://localhost:8080.
func endpointsAt(base string, p ports) (endpoints, error) {
	u, err := url.Parse(base)
	if err != nil {
		return endpoints{}, errors.Wrap(err, "public URL")
	}
	host := u.Hostname()
	return endpoints{
		HTTP:  strings.TrimSuffix(base, "/"),
		RTMP:  "rtmp://" + net.JoinHostPort(host, portOf(p.rtmp)) + "/app/",
		RTMPS: "rtmps://" + net.JoinHostPort(host, portOf(p.rtmps)) + "/app/",
	}, nil
}

// baseOf gives the base URL for users on this machine, where none is configured.
func baseOf(s *settings, p ports) string {
	if s.PublicURL != "" {
		return s.PublicURL
	}
	host := "localhost"
	if tcp, ok := p.http.(*net.TCPAddr); ok && !tcp.IP.IsUnspecified() {
		host = tcp.IP.String()
	}
	return s.scheme() + "://" + net.JoinHostPort(host, portOf(p.http))
}

func (s *settings) scheme() string {
	if s.Cert != "" {
		return "https"
	}
	return "http"
}

// endpointsFor gives the endpoints as the sender of a request reaches them.
func (a *App) endpointsFor(r *http.Request) endpoints {
	if a.settings.PublicURL != "" || r.Host == "" {
		return a.endpoints
	}
	e, err := endpointsAt(a.settings.scheme()+"://"+r.Host, a.ports)
	if err != nil {
		return a.endpoints
	}
	return e
}

func portOf(a net.Addr) string {
	_, port, _ := net.SplitHostPort(a.String())
	return port
}
