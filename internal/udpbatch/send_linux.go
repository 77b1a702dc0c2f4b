package udpbatch

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"unsafe"
)

// From linux/udp.h.
const (
	solUDP     = 17
	udpSegment = 103
)

// sendSegments sends data as packets of the given size with one system call (udp(7),
// UDP_SEGMENT, since Linux 4.18).
func sendSegments(c *net.UDPConn, data []byte, size int, to netip.AddrPort) error {
	var control [24]byte // CMSG_SPACE(2), at most
	// The alignment of the array is that of bytes; amd64 and arm64 take the header anyway.
	h := (*syscall.Cmsghdr)(unsafe.Pointer(&control[0]))
	h.Level, h.Type = solUDP, udpSegment
	h.SetLen(syscall.CmsgLen(2))
	binary.NativeEndian.PutUint16(control[syscall.CmsgLen(0):], uint16(size))
	_, _, err := c.WriteMsgUDPAddrPort(data, control[:syscall.CmsgSpace(2)], to)
	return err
}

// unsupported says whether the kernel or the network card does not know how.
func unsupported(err error) bool {
	return errors.Is(err, syscall.EIO) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.ENOPROTOOPT)
}
