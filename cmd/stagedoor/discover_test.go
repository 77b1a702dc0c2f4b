package main

import (
	"net"
	"strings"
	"testing"

	"github.com/pion/stun/v4"
)

func TestDiscoverPublicIP(t *testing.T) {
	server, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	want := net.IPv4(203, 0, 113, 7)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for first := true; ; first = false {
			n, from, err := server.ReadFromUDP(buf)
			if err != nil {
				return
			}
			request := &stun.Message{Raw: buf[:n]}
			if request.Decode() != nil {
				return
			}
			if first { // noise instead of an answer: it is asked again
				_, _ = server.WriteToUDP([]byte("noise"), from)
				continue
			}
			answer, _ := stun.Build(request, stun.BindingSuccess, &stun.XORMappedAddress{IP: want, Port: 1})
			_, _ = server.WriteToUDP(answer.Raw, from)
		}
	}()
	got, err := discoverPublicIP(t.Context(), server.LocalAddr().String())
	if err != nil || !got.Equal(want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	server.Close()
	<-done
	if _, err := discoverPublicIP(t.Context(), "127.0.0.1:1"); err == nil || !strings.Contains(err.Error(), "--public-ip") {
		t.Errorf("no server there: %v", err)
	}
}
