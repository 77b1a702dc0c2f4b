package main

import (
	"net"
	"net/url"
	"strings"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/api"
)

// endpoints are the addresses under which users reach the doors.
type endpoints struct {
	HTTP string `json:"http"` // scheme, host and port of the page, the API, WHIP and WHEP
	api.Endpoints
}

// ports are where the listeners really are: a port of 0 was replaced by the kernel's choice.
type ports struct{ http, rtmp, rtmps *net.TCPAddr }

// endpointsAt gives the endpoints for a base URL such as http://localhost:8080.
func endpointsAt(base string, p ports) (endpoints, error) {
	u, err := url.Parse(base)
	if err != nil {
		return endpoints{}, errors.Wrap(err, "public URL")
	}
	return endpoints{
		HTTP:      strings.TrimSuffix(base, "/"),
		Endpoints: api.EndpointsAt(u, p.rtmp.Port, p.rtmps.Port),
	}, nil
}

// baseURL gives the base URL of the HTTP port: the configured one, or the one for users on
// this machine.
func (s *settings) baseURL(http *net.TCPAddr) string {
	if s.PublicURL != "" {
		return s.PublicURL
	}
	host := "localhost"
	if !http.IP.IsUnspecified() {
		host = http.IP.String()
	}
	scheme := "http"
	if s.Cert != "" {
		scheme = "https"
	}
	u := url.URL{Scheme: scheme, Host: net.JoinHostPort(host, portOf(http))}
	return u.String()
}

func portOf(a net.Addr) string {
	_, port, _ := net.SplitHostPort(a.String())
	return port
}
