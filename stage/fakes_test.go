package stage

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

const (
	testStage = "arn:aws:ivs:us-east-1:000000000000:stage/AbCdEfGhIjKl"
	testKey   = "rt_000000000000_us-east-1_ingest1_secret"
)

// memory is a Store and a Journal in memory.
type memory struct {
	mu      sync.Mutex
	stages  map[string]Stage
	ingests map[string]IngestConfiguration // by stream key
	keys    map[string]PublicKey
	revoked map[string]bool
	entries []Entry
}

func newMemory() *memory {
	return &memory{
		stages: map[string]Stage{testStage: {ARN: testStage, Name: "test"}},
		ingests: map[string]IngestConfiguration{testKey: {
			ARN: "arn:aws:ivs:us-east-1:000000000000:ingest-configuration/ingest1", StageARN: testStage, UserID: "encoder",
			Protocol: ingest.RTMPS, Insecure: true, Credentials: []Credential{{ParticipantID: "p1", StreamKey: testKey}},
		}},
		keys: map[string]PublicKey{}, revoked: map[string]bool{},
	}
}

func (m *memory) Stage(_ context.Context, arn string) (Stage, error) {
	return lookup(m, m.stages, arn)
}

func (m *memory) IngestConfigurationByStreamKey(_ context.Context, key string) (IngestConfiguration, error) {
	return lookup(m, m.ingests, key)
}

func (m *memory) PublicKey(_ context.Context, arn string) (PublicKey, error) {
	return lookup(m, m.keys, arn)
}

func lookup[T any](m *memory, from map[string]T, key string) (T, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := from[key]
	if !ok {
		return v, ErrNotFound
	}
	return v, nil
}

func (m *memory) Revoked(_ context.Context, arn, id string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.revoked[arn+id], nil
}

func (m *memory) Revoke(_ context.Context, arn, id string, _ time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.revoked[arn+id] = true
	return nil
}

func (m *memory) Record(_ context.Context, entries []Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries = append(m.entries, entries...)
	return nil
}

func (*memory) Recover(context.Context, time.Time) error { return nil }

// events gives "participant EVENT" lines, with the code where there is one.
func (m *memory) events() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var lines []string
	for _, e := range m.entries {
		if e.Event != nil {
			line := e.Event.ParticipantID + " " + string(e.Event.Name)
			if e.Event.Code != "" {
				line += " " + string(e.Event.Code)
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// fakeBackend counts what reaches it.
type fakeBackend struct {
	mu           sync.Mutex
	joined       []Participant
	disconnected []string
	offers       []Offer
	pictures     int
}

func (b *fakeBackend) Join(_ context.Context, p Participant) (ingest.Sink, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.joined = append(b.joined, p)
	return fakeSink{b}, nil
}

func (b *fakeBackend) Disconnect(_ context.Context, _, id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.disconnected = append(b.disconnected, id)
	return nil
}

func (b *fakeBackend) Subscribe(_ context.Context, o Offer) (Subscription, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.offers = append(b.offers, o)
	return &fakeSubscription{ended: o.Ended}, nil
}

type fakeSink struct{ b *fakeBackend }

func (s fakeSink) WriteVideo(*ingest.AccessUnit) error {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	s.b.pictures++
	return nil
}
func (fakeSink) WriteAudio(*ingest.AudioFrame) error { return nil }
func (fakeSink) Close(error) error                   { return nil }

type fakeSubscription struct {
	once  sync.Once
	ended func(string)
}

func (*fakeSubscription) Answer() string                       { return "v=0" }
func (*fakeSubscription) AddCandidates(string) (string, error) { return "", nil }
func (s *fakeSubscription) Close() error {
	s.once.Do(func() { s.ended("closed") })
	return nil
}

type fixture struct {
	*Registry
	store   *memory
	backend *fakeBackend
	tokens  *Tokens
}

func newFixture(t *testing.T, change func(*Options)) fixture {
	t.Helper()
	f := fixture{store: newMemory(), backend: &fakeBackend{}}
	f.tokens = NewTokens([]byte("0123456789abcdef0123456789abcdef0123456789abcdef"), f.store, "", "")
	o := Options{
		Store: f.store, Journal: f.store, Backend: f.backend, Audience: f.backend, Tokens: f.tokens,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	if change != nil {
		change(&o)
	}
	r, err := NewRegistry(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	f.Registry = r
	return f
}

func (f fixture) token(t *testing.T, id string, capabilities ...Capability) string {
	t.Helper()
	token, err := f.tokens.Mint(Claims{
		StageARN: testStage, ParticipantID: id, Capabilities: capabilities,
		Issued: time.Now(), Expires: time.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func rtmp(secret string) ingest.Request {
	return ingest.Request{Protocol: ingest.RTMP, Secret: secret}
}

func whip(token string) ingest.Request {
	return ingest.Request{Protocol: ingest.WHIP, Secret: token}
}
