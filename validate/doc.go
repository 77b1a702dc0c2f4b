// Package validate judges a publisher's media while it passes: one rule a file, each of
// which can be set to reject, warn or off.
//
// Validator is a step of the pipeline (an ingest.Sink). It holds a publisher back until the
// headers have passed their rules (hold.go), then hands every unit on unchanged and without
// delay. All windows count media time as the publisher's timestamps tell it (clock.go),
// never the wall clock. A fault becomes a Finding, worded by the one catalogue in words.go,
// and ends the session as an *ingest.Rejection if its rule says so.
package validate
