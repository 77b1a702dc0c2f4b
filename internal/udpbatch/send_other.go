//go:build !linux

package udpbatch

import (
	"errors"
	"net"
	"net/netip"
)

// sendSegments is Linux's; elsewhere packets go one by one.
func sendSegments(*net.UDPConn, []byte, int, netip.AddrPort) error { return errors.ErrUnsupported }

func unsupported(error) bool { return true }
