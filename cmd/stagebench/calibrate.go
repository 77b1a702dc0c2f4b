package main

import (
	"fmt"
	"net"
	"runtime"
	"syscall"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/internal/flv"
	"github.com/stagedoor/stagedoor/transcode"
)

// calibrateFor is how long each of the two measurements takes.
const calibrateFor = 2 * time.Second

// calibrateCommand measures the machine by what a gateway does most.
type calibrateCommand struct{}

// Run prints both figures.
func (*calibrateCommand) Run() error {
	c, err := loadClip("")
	if err != nil {
		return err
	}
	figures, err := calibrate(c)
	for _, f := range figures {
		fmt.Printf("%-40s %10.4g\n", f.Name, f.Value)
	}
	return err
}

// calibrate measures how fast one core transcodes AAC to Opus, and how fast it encrypts and
// sends packets, both by CPU time, so that other work on the machine matters little.
func calibrate(c *clip) ([]figure, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var figures []figure
	if c.aac != nil {
		speed, err := transcodeSpeed(c)
		if err != nil {
			return nil, err
		}
		figures = append(figures, figure{"calibration: AAC to Opus, x real time per core", speed})
	}
	speed, err := sendSpeed()
	return append(figures, figure{"calibration: SRTP + UDP, packets/s per core", speed}), err
}

// threadCPU gives the CPU time of the calling thread.
func threadCPU() time.Duration {
	const ofThread = 1 // RUSAGE_THREAD, getrusage(2)
	var r syscall.Rusage
	_ = syscall.Getrusage(ofThread, &r) // it cannot fail with these arguments
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func transcodeSpeed(c *clip) (float64, error) {
	// These settings stay, whatever the gateway's become: the figure is about the machine.
	sink := transcode.New(&collector{}, transcode.Options{Bitrate: 96000, Complexity: 5})
	codec := &ingest.AudioCodec{Name: ingest.AAC, SampleRate: c.soundRate(), Channels: 2, Config: c.aac}
	begin, start := threadCPU(), time.Now()
	media := time.Duration(0)
	for round := time.Duration(0); time.Since(start) < calibrateFor; round++ {
		offset := round * time.Duration(c.length) * time.Millisecond
		for _, e := range c.events {
			if e.kind != flv.Audio || e.once {
				continue
			}
			at := offset + time.Duration(e.at)*time.Millisecond
			if err := sink.WriteAudio(&ingest.AudioFrame{PTS: at, Codec: codec, Data: e.body[2:]}); err != nil {
				return 0, err
			}
		}
		media += time.Duration(c.length) * time.Millisecond
	}
	return media.Seconds() / (threadCPU() - begin).Seconds(), nil
}

// sendSpeed encrypts packets of 1200 bytes with AES-128-GCM and sends each to a socket of
// this machine that nobody reads.
func sendSpeed() (float64, error) {
	sink, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, errors.Wrap(err, "listen")
	}
	defer sink.Close()
	from, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, errors.Wrap(err, "listen")
	}
	defer from.Close()
	encrypt, err := srtp.CreateContext(make([]byte, 16), make([]byte, 12), srtp.ProtectionProfileAeadAes128Gcm)
	if err != nil {
		return 0, errors.Wrap(err, "open SRTP")
	}
	to := sink.LocalAddr().(*net.UDPAddr).AddrPort()
	packet := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 102, SSRC: 1}, Payload: make([]byte, 1160)}
	plain, sealed := make([]byte, 1500), make([]byte, 1500)
	begin, start := threadCPU(), time.Now()
	sent := 0
	for ; sent%1000 != 0 || time.Since(start) < calibrateFor; sent++ {
		packet.SequenceNumber++
		n, err := packet.MarshalTo(plain)
		if err != nil {
			return 0, errors.Wrap(err, "marshal")
		}
		out, err := encrypt.EncryptRTP(sealed, plain[:n], &packet.Header)
		if err != nil {
			return 0, errors.Wrap(err, "encrypt")
		}
		if _, err := from.WriteToUDPAddrPort(out, to); err != nil {
			return 0, errors.Wrap(err, "send")
		}
	}
	return float64(sent) / (threadCPU() - begin).Seconds(), nil
}
