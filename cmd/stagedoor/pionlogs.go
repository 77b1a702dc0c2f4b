package main

import (
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// pionLogs leads the WebRTC library's log into ours. What it calls a warning is a peer's
// oddity and of use to a developer only; its lower levels are dropped.
type pionLogs struct{ log *slog.Logger }

// NewLogger implements logging.LoggerFactory.
func (p pionLogs) NewLogger(scope string) logging.LeveledLogger {
	return pionLogger{p.log.With("scope", scope)}
}

type pionLogger struct{ log *slog.Logger }

func (pionLogger) Trace(string)                       {}
func (pionLogger) Tracef(string, ...any)              {}
func (pionLogger) Debug(string)                       {}
func (pionLogger) Debugf(string, ...any)              {}
func (pionLogger) Info(string)                        {}
func (pionLogger) Infof(string, ...any)               {}
func (l pionLogger) Warn(msg string)                  { l.log.Debug(msg) }
func (l pionLogger) Warnf(format string, args ...any) { l.log.Debug(fmt.Sprintf(format, args...)) }
func (l pionLogger) Error(msg string)                 { l.log.Debug(msg, "severity", "error") }
func (l pionLogger) Errorf(format string, args ...any) {
	l.log.Debug(fmt.Sprintf(format, args...), "severity", "error")
}
