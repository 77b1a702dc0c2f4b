// Command stagedoor is the door through which broadcasters walk onto a live WebRTC stage.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// The exit statuses that scripts may lean on.
const (
	exitOK      = 0
	exitFailure = 1 // at run time
	exitUsage   = 2 // bad usage or configuration
)

// commandLine is every subcommand with its flags. Each flag is also an environment
// variable STAGEDOOR_… and a key of the YAML file.
type commandLine struct {
	Config kong.ConfigFlag `help:"YAML file with settings; its keys are the names of the flags." placeholder:"FILE" env:"STAGEDOOR_CONFIG"`

	Serve   serveCommand   `cmd:"" default:"withargs" help:"Run the gateway (the default)."`
	Demo    demoCommand    `cmd:"" help:"Run the gateway and play a clip through its own RTMP port."`
	Check   checkCommand   `cmd:"" help:"Say whether a file or an encoder would be accepted, and why not."`
	Env     envCommand     `cmd:"" help:"Print shell exports for the aws CLI, the encoders and the viewers."`
	Events  eventsCommand  `cmd:"" help:"Follow what happens on the stages."`
	Token   tokenCommand   `cmd:"" help:"Sign a participant token with your own private key."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	cancel()
	os.Exit(status)
}

// output is where a subcommand prints: out is for what was asked for, log for the rest.
type output struct{ out, log io.Writer }

// usageError marks a mistake in the settings; its text names the setting and what it allows.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// run carries out one command line and gives the exit status.
func run(ctx context.Context, args []string, out, log io.Writer) int {
	var cli commandLine
	exited := -1
	parser, err := kong.New(&cli,
		kong.Name("stagedoor"),
		kong.Description("The door through which broadcasters walk onto a live WebRTC stage: RTMP, RTMPS and WHIP in, WebRTC out, controlled by the IVS Real-Time API."),
		kong.DefaultEnvars("STAGEDOOR"),
		kong.Configuration(loadFile),
		kong.Writers(out, log),
		kong.Exit(func(status int) { exited = status }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(output{out, log}),
	)
	if err != nil {
		fmt.Fprintln(log, "stagedoor:", err)
		return exitFailure
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 { // --help
		return exited
	}
	if err != nil {
		fmt.Fprintf(log, "stagedoor: %s\nSee stagedoor --help.\n", err)
		return exitUsage
	}
	err = parsed.Run()
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintln(log, "stagedoor:", err)
		return exitUsage
	default:
		fmt.Fprintln(log, "stagedoor:", err)
		return exitFailure
	}
}
