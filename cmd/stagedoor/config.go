package main

import (
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/validate"
)

// settings are the flags of the gateway. It has more fields than a struct should because
// it is the list of what a user can set.
type settings struct {
	Data  string `default:"./stagedoor-data" placeholder:"DIR" help:"Folder for the state: database, credentials, certificate."`
	HTTP  string `name:"http" default:":8080" placeholder:"ADDR" help:"Address of the page, WHIP, WHEP, events and the control API."`
	RTMP  string `name:"rtmp" default:":1935" placeholder:"ADDR" help:"Address for RTMP."`
	RTMPS string `name:"rtmps" default:":1936" placeholder:"ADDR" help:"Address for RTMPS."`
	ICE   string `name:"ice" default:":3478" placeholder:"ADDR" help:"Address for media: one UDP and one TCP port."`
	Admin string `default:"127.0.0.1:9090" placeholder:"ADDR" help:"Address of metrics, pprof and health. It has no authentication: keep it on loopback."`

	PublicURL        string   `name:"public-url" placeholder:"URL" help:"Where users reach --http, for example https://stage.example.com; its host is also the host of the RTMP URLs."`
	PublicIP         []string `name:"public-ip" placeholder:"IP" help:"Addresses that viewers and WHIP publishers reach, where this machine is behind NAT."`
	DiscoverPublicIP string   `name:"discover-public-ip" placeholder:"HOST:PORT" help:"STUN server that is asked for the public address at the start, where --public-ip is not known."`
	Webhooks         []string `name:"webhook" placeholder:"URL" help:"Where events are delivered, signed; the secret is STAGEDOOR_WEBHOOK_SECRET of stagedoor env."`
	ICEServers       []string `name:"ice-server" placeholder:"URL" help:"STUN or TURN URLs that are handed to WHIP and WHEP clients in Link headers."`
	Cert             string   `placeholder:"FILE" help:"Certificate chain (PEM) for HTTPS and RTMPS; watched, and swapped when it changes. Without it --http is plain HTTP, and RTMPS uses a self-signed certificate."`
	Key              string   `placeholder:"FILE" help:"Private key (PEM) of --cert."`

	Region  string `default:"us-east-1" help:"Region name in ARNs and signatures."`
	Account string `default:"000000000000" help:"Account number in ARNs and stream keys."`

	Rules                   map[string]string `name:"rule" placeholder:"NAME=reject|warn|off" help:"What a broken media rule does, by the rule's name (docs/rules.md)."`
	WHIPQueryToken          bool              `name:"whip-query-token" help:"Accept the WHIP token as ?token=… for encoders that cannot set a header. URLs end up in logs of proxies: off by default."`
	MaxPublishers           int               `default:"12" help:"Publishers per stage."`
	MaxStages               int               `default:"1000" help:"Stages."`
	MaxIngestConfigurations int               `default:"100" help:"Ingest configurations."`
	MaxPublicKeys           int               `default:"3" help:"Public keys."`
	RateFactor              int               `default:"1" help:"Multiplies the API's calls per second and operation."`
	KeepEvents              time.Duration     `default:"720h" help:"How long ended sessions and their events are kept."`
	LogLevel                string            `default:"info" enum:"debug,info,warn,error" help:"debug, info, warn or error."`
	LogFormat               string            `default:"text" enum:"text,json" help:"text or json."`
}

var (
	regionShape  = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	accountShape = regexp.MustCompile(`^[0-9]{1,12}$`)
)

// check finds what flags cannot express: it names the setting, what was seen and what is
// allowed.
func (s *settings) check() error {
	for _, address := range []struct{ flag, value string }{
		{"--http", s.HTTP}, {"--rtmp", s.RTMP}, {"--rtmps", s.RTMPS}, {"--ice", s.ICE}, {"--admin", s.Admin},
	} {
		_, port, err := net.SplitHostPort(address.value)
		if err == nil {
			_, err = strconv.ParseUint(port, 10, 16)
		}
		if err != nil {
			return usagef("%s is %q; it must be HOST:PORT or :PORT with a port up to 65535, for example \":8080\" or \"127.0.0.1:8080\"", address.flag, address.value)
		}
	}
	if host, _, _ := net.SplitHostPort(s.ICE); host != "" && net.ParseIP(host) == nil {
		return usagef("--ice is %q; its host must be an IP address of this machine, or empty", s.ICE)
	}
	if s.PublicURL != "" {
		u, err := url.Parse(s.PublicURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
			return usagef("--public-url is %q; it must be http://HOST[:PORT] or https://HOST[:PORT], without a path", s.PublicURL)
		}
	}
	if s.DiscoverPublicIP != "" {
		if _, _, err := net.SplitHostPort(s.DiscoverPublicIP); err != nil || len(s.PublicIP) > 0 {
			return usagef("--discover-public-ip is %q; it must be a STUN server's HOST:PORT, and not go together with --public-ip", s.DiscoverPublicIP)
		}
	}
	for _, webhook := range s.Webhooks {
		if u, err := url.Parse(webhook); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return usagef("--webhook must be http://HOST/… or https://HOST/…; what was set is no such URL")
		}
	}
	for _, ip := range s.PublicIP {
		if _, err := netip.ParseAddr(ip); err != nil {
			return usagef("--public-ip is %q; it must be an IP address", ip)
		}
	}
	if (s.Cert == "") != (s.Key == "") {
		return usagef("--cert and --key go together; set both or neither")
	}
	if !regionShape.MatchString(s.Region) {
		return usagef("--region is %q; lower-case letters, digits and hyphens are allowed", s.Region)
	}
	if !accountShape.MatchString(s.Account) {
		return usagef("--account is %q; 1 to 12 digits are allowed", s.Account)
	}
	for _, quota := range []struct {
		flag  string
		value int
	}{
		{"--max-publishers", s.MaxPublishers}, {"--max-stages", s.MaxStages}, {"--max-public-keys", s.MaxPublicKeys},
		{"--max-ingest-configurations", s.MaxIngestConfigurations}, {"--rate-factor", s.RateFactor},
	} {
		if quota.value < 1 {
			return usagef("%s is %d; at least 1 is needed", quota.flag, quota.value)
		}
	}
	_, err := s.rules()
	return err
}

// rules gives the media rules with the user's changes.
func (s *settings) rules() (validate.Rules, error) {
	rules := validate.DefaultRules()
	for _, name := range slices.Sorted(maps.Keys(s.Rules)) {
		rule, err := validate.ParseRule(name)
		if err != nil {
			return rules, usagef("--rule: %s", err)
		}
		if rules.Modes[rule], err = validate.ParseMode(s.Rules[name]); err != nil {
			return rules, usagef("--rule %s: %s", name, err)
		}
	}
	return rules, nil
}

func (s *settings) logger(o output) *slog.Logger {
	var level slog.Level
	// The flag's enum lets through nothing that cannot be read.
	_ = level.UnmarshalText([]byte(s.LogLevel))
	options := &slog.HandlerOptions{Level: level}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(o.log, options))
	}
	return slog.New(slog.NewTextHandler(o.log, options))
}
