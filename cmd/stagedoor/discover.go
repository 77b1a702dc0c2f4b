package main

import (
	"context"
	"net"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pkg/errors"
)

const (
	discoverTries   = 4
	discoverTimeout = 1500 * time.Millisecond // for each try
)

// discoverPublicIP asks a STUN server from which address this machine's packets arrive
// (RFC 8489, 6). The port is not asked for: behind NAT the media port must be forwarded as
// it is.
func discoverPublicIP(ctx context.Context, server string) (net.IP, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "udp", server)
	if err != nil {
		return nil, errors.Wrapf(err, "--discover-public-ip %s", server)
	}
	defer conn.Close()
	request, err := stun.Build(stun.TransactionID, stun.BindingRequest)
	if err != nil {
		return nil, errors.Wrap(err, "--discover-public-ip")
	}
	answer := make([]byte, 1500)
	for range discoverTries {
		if _, err = conn.Write(request.Raw); err != nil {
			break
		}
		_ = conn.SetReadDeadline(time.Now().Add(discoverTimeout))
		var n int
		if n, err = conn.Read(answer); err != nil {
			if ctx.Err() != nil {
				break
			}
			continue
		}
		response := &stun.Message{Raw: answer[:n]}
		var mapped stun.XORMappedAddress
		if err = response.Decode(); err == nil && response.TransactionID != request.TransactionID {
			err = errors.New("the answer belongs to another request")
		}
		if err == nil {
			err = mapped.GetFrom(response)
		}
		if err == nil {
			return mapped.IP, nil
		}
	}
	return nil, errors.Wrapf(err, "--discover-public-ip %s: the STUN server did not tell this machine's address; set --public-ip instead", server)
}
