// Command stagebench puts load on any server that takes RTMP(S) or WHIP and plays WHEP, and
// measures what it costs and how late the pictures are. docs/performance.md has the method.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
)

type commandLine struct {
	Run       runCommand       `cmd:"" default:"withargs" help:"Publish, watch and measure (the default)."`
	Calibrate calibrateCommand `cmd:"" help:"Measure this machine alone, so that figures of different days can be compared."`
}

// gcPercent lets the tool's heap grow more than usual between collections: its own garbage
// must not delay what it measures.
const gcPercent = 400

func main() {
	debug.SetGCPercent(gcPercent)
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	var cli commandLine
	parsed := kong.Parse(&cli,
		kong.Name("stagebench"),
		kong.Description("A load tool for RTMP(S) or WHIP to WHEP servers."),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "stagebench:", err)
		os.Exit(1)
	}
}
