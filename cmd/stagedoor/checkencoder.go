package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/rtmp"
	"github.com/stagedoor/stagedoor/validate"
)

// checkEncoder waits for one encoder and judges what it sends.
func (c *checkCommand) checkEncoder(ctx context.Context, o output, rules validate.Rules) (*checkReport, error) {
	if err := c.address(); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, errors.Wrapf(err, "--listen %s: cannot listen; is the port taken? Choose another one", c.Listen)
	}
	printEncoderURL(o.log, l.Addr().(*net.TCPAddr), c.For)
	t := newTrial(rules, c.For, o.log)
	server := rtmp.NewServer(t.publish, slog.New(slog.DiscardHandler), rtmp.Options{})
	served := make(chan error, 1)
	go func() { served <- server.Serve(l, ingest.RTMP) }()
	select {
	case <-t.left:
	case <-ctx.Done():
	case err := <-served:
		return nil, err
	}
	end, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(end); err != nil {
		return nil, errors.Wrap(err, "end the encoder's connection")
	}
	if err := <-served; err != nil {
		return nil, err
	}
	if !t.taken.Load() {
		return nil, errors.New("interrupted before an encoder came")
	}
	return t.report(), nil
}

// printEncoderURL tells what to type into the encoder.
func printEncoderURL(w io.Writer, at *net.TCPAddr, span time.Duration) {
	host := at.IP.String()
	if at.IP.IsUnspecified() {
		host = "localhost"
	}
	server := "rtmp://" + net.JoinHostPort(host, strconv.Itoa(at.Port)) + "/app/"
	fmt.Fprintf(w, "Waiting for one encoder, to judge %s of its media. Any stream key is taken.\n", span)
	fmt.Fprintf(w, "  OBS     Server %s  Stream Key check\n", server)
	fmt.Fprintf(w, "  ffmpeg  -f flv %scheck\n", server)
	if at.IP.IsUnspecified() {
		fmt.Fprintln(w, "An encoder on another machine needs this one's address in the place of localhost.")
	}
}

// trial is the one encoder that is judged, and its sink.
type trial struct {
	judge *validate.Validator
	span  time.Duration
	log   io.Writer
	taken atomic.Bool
	left  chan struct{} // closed once the encoder's connection has ended

	begun  time.Time
	remote string
	media  time.Duration // judged so far
	came   bool          // any media
	told   bool          // the result
	notes  []string
}

func newTrial(rules validate.Rules, span time.Duration, log io.Writer) *trial {
	t := &trial{span: span, log: log, left: make(chan struct{})}
	t.judge = validate.New(nil, validate.Options{
		Protocol: ingest.RTMP, Rules: rules, Collect: true,
		Health: func(h ingest.Health) { t.media = h.At },
	})
	return t
}

// publish takes the first encoder.
func (t *trial) publish(ctx context.Context, req ingest.Request) (ingest.Sink, error) {
	if t.taken.Swap(true) {
		return nil, ingest.Rejectf(ingest.QuotaExceeded,
			"stagedoor check judges another encoder already; it takes 1. Start stagedoor check again for this one.")
	}
	t.begun, t.remote = time.Now(), req.Remote.String()
	context.AfterFunc(ctx, func() { close(t.left) })
	fmt.Fprintf(t.log, "An encoder came from %s.\n", t.remote)
	return t, nil
}

// WriteVideo judges a picture, until the trial is over.
func (t *trial) WriteVideo(unit *ingest.AccessUnit) error {
	t.came = true
	if err := t.judge.WriteVideo(unit); err != nil {
		return err
	}
	return t.result()
}

// WriteAudio judges a frame, until the trial is over.
func (t *trial) WriteAudio(frame *ingest.AudioFrame) error {
	t.came = true
	if err := t.judge.WriteAudio(frame); err != nil {
		return err
	}
	return t.result()
}

// result gives what the encoder is told once enough was seen. A clock that stands still
// must not keep the trial going, so that real time counts too, at half the speed.
func (t *trial) result() error {
	if t.media < t.span && time.Since(t.begun) < 2*t.span+10*time.Second {
		return nil
	}
	t.told = true
	findings := t.judge.Report()
	if refusal := t.judge.Refusal(); refusal != nil {
		return refusal
	}
	detail := "stagedoor check is over: this stream would be accepted."
	for _, f := range findings {
		if f.Severity == validate.Warned {
			detail += " Warning: " + f.Detail() + "."
		}
	}
	return &ingest.Rejection{Code: ingest.Disconnected, Detail: detail}
}

// Close takes the reason why the encoder was not judged to the end.
func (t *trial) Close(reason error) error {
	var refusal *ingest.Rejection
	switch {
	case t.told:
	case reason == nil:
		t.note("The encoder ended the stream")
	case !errors.As(reason, &refusal):
		t.note("The connection ended: " + reason.Error())
	case refusal.Code == ingest.Disconnected:
		t.note("Interrupted")
	default: // what cannot even be unpacked
		t.came = true
		t.judge.Note(validate.FindingOf(refusal))
	}
	return nil
}

func (t *trial) note(why string) {
	t.notes = append(t.notes, fmt.Sprintf("%s after %s of media; %s were to be judged.", why, t.media.Round(time.Second), t.span))
}

func (t *trial) report() *checkReport {
	r := &checkReport{Source: "the encoder at " + t.remote, JudgedAs: ingest.RTMP, Notes: t.notes}
	var err error
	if !t.came {
		err = errors.New("it sent neither audio nor video")
	}
	r.conclude(t.judge, err)
	return r
}
