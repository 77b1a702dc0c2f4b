package ingest

// Sink takes one publisher's media in the order in which it arrived. A pipeline is a chain
// of sinks, each of which holds the next one.
//
// A sink is used by one goroutine, the connection's, and needs no lock. The first error is
// final: the writer then calls Close with that error and writes nothing more.
type Sink interface {
	// WriteVideo takes one picture. A *Rejection says what the broadcaster must change.
	WriteVideo(*AccessUnit) error
	// WriteAudio takes one audio frame. A *Rejection says what the broadcaster must change.
	WriteAudio(*AudioFrame) error
	// Close ends the session; reason is why (nil: the publisher left in good order) and is
	// passed down the chain. It is called exactly once, also after an error.
	Close(reason error) error
}
