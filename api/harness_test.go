package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stagedoor/stagedoor/stage"
	"github.com/stagedoor/stagedoor/store/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testKeyID  = "AKIAIOSFODNN7EXAMPLE"
	testSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// bench is an API over a fresh SQLite store with a caller. Every answer is checked against
// the field list.
type bench struct {
	t      *testing.T
	list   *fieldList
	store  *sqlite.Store
	live   *fakeLive
	tokens *fakeTokens
	now    time.Time
	log    *bytes.Buffer
	server *httptest.Server
}

func newBench(t *testing.T, change func(*Options)) *bench {
	t.Helper()
	b := &bench{
		t: t, list: readFieldList(t), live: &fakeLive{}, tokens: &fakeTokens{},
		now: time.Date(2026, 5, 6, 7, 8, 9, 123456789, time.UTC), log: &bytes.Buffer{},
	}
	var err error
	b.store, err = sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		Store: b.store, Live: b.live, Tokens: b.tokens,
		Credentials: map[string]string{testKeyID: testSecret, "AKIDOTHER": "other"},
		Region:      "eu-west-1", Account: "123456789012",
		Endpoints: PublicEndpoints(nil, 1935, 1936),
		Quotas:    Quotas{RateFactor: 1000},
		Clock:     func() time.Time { return b.now },
		Log:       slog.New(slog.NewTextHandler(b.log, nil)),
	}
	if change != nil {
		change(&o)
	}
	handler, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	b.server = httptest.NewServer(handler)
	t.Cleanup(func() {
		b.server.Close()
		if err := b.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// reply is an answer or an error.
type reply struct {
	status int
	kind   string // x-amzn-ErrorType
	body   map[string]any
	header http.Header
}

// at gives a field of the answer, as "stage.tags.a".
func (r reply) at(path string) any {
	var value any = r.body
	for name := range strings.SplitSeq(path, ".") {
		m, _ := value.(map[string]any)
		value = m[name]
	}
	return value
}

func (r reply) text(path string) string { s, _ := r.at(path).(string); return s }

func (r reply) message() string { return r.text("message") }

// call signs and sends POST /operation.
func (b *bench) call(operation string, body any) reply {
	b.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.send(operation, b.request(http.MethodPost, "/"+operation, string(text)))
}

// ok is call where the answer must be one.
func (b *bench) ok(operation string, body any) reply {
	b.t.Helper()
	r := b.call(operation, body)
	if r.status != http.StatusOK {
		b.t.Fatalf("%s: %d %s %s", operation, r.status, r.kind, r.message())
	}
	return r
}

// refused is call where the answer must be that exception, with all the words in its message.
func (b *bench) refused(operation string, body any, kind string, words ...string) {
	b.t.Helper()
	wantRefusal(b.t, b.call(operation, body), kind, words...)
}

func wantRefusal(t *testing.T, r reply, kind string, words ...string) {
	t.Helper()
	if r.kind != kind {
		t.Fatalf("%d %q %q, want %s", r.status, r.kind, r.message(), kind)
	}
	for _, word := range words {
		if !strings.Contains(r.message(), word) {
			t.Fatalf("message %q does not name %q", r.message(), word)
		}
	}
}

func (b *bench) request(method, path, body string) *http.Request {
	b.t.Helper()
	req, err := http.NewRequest(method, b.server.URL+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	signRequest(req, body, b.now)
	return req
}

// signRequest signs as the aws CLI does.
func signRequest(req *http.Request, body string, now time.Time) {
	req.Header.Set("X-Amz-Date", now.Format(amzDate))
	auth := authorization{
		accessKeyID: testKeyID, date: now.Format("20060102"), region: "us-west-2", service: "ivs",
		signedHeaders: []string{"host", "x-amz-date"}, time: now.Format(amzDate),
	}
	req.Host = req.URL.Host
	signature := sign(testSecret, &auth, req, []byte(body))
	req.Header.Set("Authorization", fmt.Sprintf("%s Credential=%s/%s, SignedHeaders=host;x-amz-date, Signature=%s", algorithm, testKeyID, auth.scope(), signature))
}

func (b *bench) send(operation string, req *http.Request) reply {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	resp, err := b.server.Client().Do(req.WithContext(ctx))
	if err != nil {
		b.t.Fatalf("%s: %v", operation, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	r := reply{status: resp.StatusCode, kind: resp.Header.Get("x-amzn-ErrorType"), header: resp.Header}
	if err := json.Unmarshal(text, &r.body); err != nil {
		b.t.Fatalf("%s: answer %q: %v", operation, text, err)
	}
	b.checkReply(operation, r)
	return r
}

func (b *bench) checkReply(operation string, r reply) {
	b.t.Helper()
	if r.header.Get("Content-Type") != "application/json" || len(r.header.Get("x-amzn-RequestId")) != 36 {
		b.t.Errorf("%s: headers %v", operation, r.header)
	}
	if r.status == http.StatusOK {
		for _, fault := range b.list.check(b.list.operations[operation].out, r.body, "") {
			b.t.Errorf("%s answers: %s", operation, fault)
		}
		return
	}
	if r.message() == "" || r.message() != r.text("exceptionMessage") {
		b.t.Errorf("%s: error body %v", operation, r.body)
	}
	if status, listed := b.list.errors[r.kind]; listed && status != r.status {
		b.t.Errorf("%s: %s has status %d, want %d", operation, r.kind, r.status, status)
	}
}

// fakeLive is what goes on, as the test says.
type fakeLive struct {
	mu           sync.Mutex
	session      map[string]string           // by stage
	publishing   map[string]bool             // by participant
	health       map[string]stage.HealthView // by participant
	connected    map[string]bool
	disconnected []string // "participant: reason"
	closed       []string
	flushes      int
	failure      error
}

func (l *fakeLive) ActiveSession(stageARN string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.session[stageARN]
}

func (l *fakeLive) Publishing(_, participantID string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.publishing[participantID]
}

func (l *fakeLive) Health(_, participantID string) (stage.HealthView, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h, ok := l.health[participantID]
	return h, ok
}

func (l *fakeLive) Disconnect(_ context.Context, _, participantID, reason string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.publishing[participantID] && !l.connected[participantID] {
		return stage.ErrNotFound
	}
	l.disconnected = append(l.disconnected, participantID+": "+reason)
	delete(l.publishing, participantID)
	return l.failure
}

func (l *fakeLive) CloseStage(_ context.Context, stageARN, _ string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = append(l.closed, stageARN)
	return l.failure
}

func (l *fakeLive) Flush(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flushes++
	return l.failure
}

// fakeTokens remembers what it was asked to sign.
type fakeTokens struct {
	minted  []stage.Claims
	failure error
}

func (f *fakeTokens) Mint(c stage.Claims) (string, error) {
	f.minted = append(f.minted, c)
	return "token." + c.ParticipantID, f.failure
}
