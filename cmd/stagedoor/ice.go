package main

import (
	"io"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"
	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/internal/udpbatch"
)

// mediaSocketBuffer is the kernel's buffer for the media port, in bytes: an IDR picture for
// many viewers leaves at once.
const mediaSocketBuffer = 4 << 20

// tcpWriteBuffer bounds what waits for a viewer over TCP that does not keep up, in bytes:
// the queue that drops whole groups of pictures must be the one that fills.
const tcpWriteBuffer = 512 << 10

// mediaPort is the one UDP and the one TCP port of all WebRTC sessions, publishers' and
// viewers'.
type mediaPort struct {
	setting webrtc.SettingEngine
	batch   *udpbatch.Batcher // between the setting's UDP mux and its sockets
	closers []io.Closer
}

// openMediaPort listens on the port of address. Where address names no IP, each of the
// machine's addresses gets a socket of its own, so that answers leave from the address that
// was asked.
func openMediaPort(address string, publicIPs []string, log *slog.Logger) (*mediaPort, error) {
	for try := 1; ; try++ {
		m := &mediaPort{batch: udpbatch.New()}
		err := m.open(address, publicIPs, log)
		if err == nil {
			return m, nil
		}
		m.close()
		// The kernel's choice of a UDP port may be taken on TCP: then it chooses again.
		if _, port, _ := net.SplitHostPort(address); port != "0" || try == 10 {
			return nil, err
		}
	}
}

func (m *mediaPort) open(address string, publicIPs []string, log *slog.Logger) error {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return errors.Wrap(err, "--ice")
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return errors.Wrap(err, "--ice")
	}
	ips := []net.IP{net.ParseIP(host)}
	if ips[0] == nil || ips[0].IsUnspecified() {
		if ips, err = localAddresses(); err != nil {
			return err
		}
		if len(publicIPs) > 0 {
			ips = onePerFamily(ips, publicIPs)
		}
		if len(ips) == 0 {
			return usagef("--public-ip %s: this machine has no address of the same family; is it an IPv6 address on a machine with IPv4 only?", strings.Join(publicIPs, ", "))
		}
	}
	logs := pionLogs{log}
	muxes := make([]ice.UDPMux, 0, len(ips))
	loopback := false
	for _, ip := range ips {
		conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: ip, Port: port})
		if err != nil {
			return errors.Wrapf(err, "--ice %s: cannot listen on UDP port %d; is the port taken? Choose another one", address, port)
		}
		// Best effort: the kernel may allow less.
		_ = conn.SetReadBuffer(mediaSocketBuffer)
		_ = conn.SetWriteBuffer(mediaSocketBuffer)
		port = conn.LocalAddr().(*net.UDPAddr).Port // where it was 0
		mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: m.batch.Wrap(conn), Logger: logs.NewLogger("ice")})
		m.closers = append(m.closers, mux, conn)
		muxes = append(muxes, mux)
		loopback = loopback || ip.IsLoopback()
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return errors.Wrapf(err, "--ice %s: cannot listen on TCP port %d; is the port taken? Choose another one", address, port)
	}
	tcp := ice.NewTCPMuxDefault(ice.TCPMuxParams{
		Listener: listener, Logger: logs.NewLogger("ice"), ReadBufferSize: 32, WriteBufferSize: tcpWriteBuffer,
	})
	m.closers = append(m.closers, tcp, listener)

	s := &m.setting
	s.LoggerFactory = logs
	s.SetLite(true)
	s.SetICEUDPMux(ice.NewMultiUDPMuxDefault(muxes...))
	s.SetICETCPMux(tcp)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6})
	s.SetIncludeLoopbackCandidate(loopback)
	s.SetIPFilter(func(ip net.IP) bool { return slices.ContainsFunc(ips, ip.Equal) })
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	// AES-GCM costs a fraction of AES-CM with HMAC-SHA1 on processors with AES instructions.
	s.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	if len(publicIPs) > 0 {
		err = s.SetICEAddressRewriteRules(webrtc.ICEAddressRewriteRule{
			External: publicIPs, AsCandidateType: webrtc.ICECandidateTypeHost, Mode: webrtc.ICEAddressRewriteReplace,
		})
	}
	return errors.Wrap(err, "--public-ip")
}

func (m *mediaPort) close() {
	for _, c := range m.closers {
		_ = c.Close()
	}
}

// localAddresses gives the addresses that others can reach; a machine that has none gives
// its loopback address.
func localAddresses() ([]net.IP, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, errors.Wrap(err, "list the network interfaces")
	}
	var ips []net.IP
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && !n.IP.IsLinkLocalUnicast() {
			ips = append(ips, n.IP)
		}
	}
	if len(ips) == 0 {
		ips = append(ips, net.IPv4(127, 0, 0, 1))
	}
	return ips, nil
}

// onePerFamily keeps the first address of each family that has a public address: it is the
// one that the public address leads to.
func onePerFamily(ips []net.IP, public []string) []net.IP {
	is4 := func(ip net.IP) bool { return ip.To4() != nil }
	var kept []net.IP
	for _, want := range []bool{true, false} {
		isPublic := slices.ContainsFunc(public, func(p string) bool { return is4(net.ParseIP(p)) == want })
		at := slices.IndexFunc(ips, func(ip net.IP) bool { return is4(ip) == want })
		if isPublic && at >= 0 {
			kept = append(kept, ips[at])
		}
	}
	return kept
}
