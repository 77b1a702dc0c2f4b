package whip

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/pion/logging"
)

// pionLog carries pion's log lines into ours. All of it is for debugging, because what a
// publisher sends decides about most of it; the reason for a session's end has a line of its
// own. Lines about RTP streams that nobody negotiated go to stranger as well.
type pionLog struct {
	log      *slog.Logger
	stranger func()
}

// NewLogger makes the logger of one of pion's parts.
func (p pionLog) NewLogger(scope string) logging.LeveledLogger {
	p.log = p.log.With("pion", scope)
	return p
}

// pion keeps a little state for each RTP stream that it does not know, for as long as the
// session lasts, and says so with one of these words.
var strangerWords = []string{"unhandled RTP ssrc", "simulcast probe limit"}

func (p pionLog) write(text string) {
	for _, words := range strangerWords {
		if strings.Contains(text, words) {
			p.stranger()
		}
	}
	p.log.Debug(text)
}

func (p pionLog) writef(format string, args ...any) { p.write(fmt.Sprintf(format, args...)) }

// debugf saves formatting what nobody reads: pion says much for every packet.
func (p pionLog) debugf(format string, args ...any) {
	if p.log.Enabled(context.Background(), slog.LevelDebug) {
		p.writef(format, args...)
	}
}

func (p pionLog) Trace(string)                      {}
func (p pionLog) Tracef(string, ...any)             {}
func (p pionLog) Debug(msg string)                  { p.debugf("%s", msg) }
func (p pionLog) Debugf(format string, args ...any) { p.debugf(format, args...) }
func (p pionLog) Info(msg string)                   { p.debugf("%s", msg) }
func (p pionLog) Infof(format string, args ...any)  { p.debugf(format, args...) }
func (p pionLog) Warn(msg string)                   { p.write(msg) }
func (p pionLog) Warnf(format string, args ...any)  { p.writef(format, args...) }
func (p pionLog) Error(msg string)                  { p.write(msg) }
func (p pionLog) Errorf(format string, args ...any) { p.writef(format, args...) }
