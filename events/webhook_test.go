package events

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/stage"
)

const stageARN = "arn:aws:ivs:us-east-1:000000000000:stage/AbCdEfGhIjKl"

// outbox is an Outbox in memory.
type outbox struct {
	mu        sync.Mutex
	events    []stage.NumberedEvent
	receivers map[string]int64
}

func (o *outbox) add(name stage.EventName, code ingest.Code) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, stage.NumberedEvent{Seq: int64(len(o.events) + 1), UserID: "u", Event: stage.Event{
		StageARN: stageARN, SessionID: "st-1234567890123", ParticipantID: "p", Name: name, Code: code, Time: time.Now(),
	}})
}

func (o *outbox) EventsAfter(_ context.Context, after int64, limit int) ([]stage.NumberedEvent, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	rest := o.events[after:]
	return slices.Clone(rest[:min(len(rest), limit)]), nil
}

func (o *outbox) LastEvent(context.Context) (int64, error) { return int64(len(o.events)), nil }

func (o *outbox) Receiver(_ context.Context, name string) (int64, error) {
	seq, ok := o.receivers[name]
	if !ok {
		return 0, stage.ErrNotFound
	}
	return seq, nil
}

func (o *outbox) SetReceiver(_ context.Context, name string, seq int64) error {
	o.receivers[name] = seq
	return nil
}

// receiver answers with the statuses in turn, and with 200 after the last; 0 is a broken
// connection.
type receiver struct {
	statuses []int
	got      []string // "event_name@second" of each attempt
	ids      []string
	headers  http.Header
	body     []byte
	start    time.Time
}

func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	r.body, _ = io.ReadAll(req.Body)
	var e Envelope
	if err := json.Unmarshal(r.body, &e); err != nil {
		return nil, err
	}
	r.headers = req.Header
	r.got = append(r.got, e.Detail.EventName+"@"+strconv.Itoa(int(time.Since(r.start).Round(time.Second).Seconds())))
	r.ids = append(r.ids, req.Header.Get("webhook-id"))
	status := http.StatusOK
	if len(r.statuses) > 0 {
		status, r.statuses = r.statuses[0], r.statuses[1:]
	}
	if status == 0 {
		return nil, errors.New("connection refused")
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(""))}, nil
}

// run starts a webhook on the outbox for a time and gives what arrived.
func run(t *testing.T, o *outbox, r *receiver, d time.Duration) {
	t.Helper()
	r.start = time.Now()
	w := &Webhook{
		URL: "https://hooks.example/secret-path", Secret: []byte("0123456789abcdef"), Outbox: o, Region: "us-east-1", Account: "000000000000",
		Client: &http.Client{Transport: r, Timeout: 10 * time.Second}, Log: slog.New(slog.DiscardHandler),
	}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := w.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

func newOutbox() *outbox {
	// The receiver is known and has seen nothing.
	w := &Webhook{URL: "https://hooks.example/secret-path"}
	return &outbox{receivers: map[string]int64{w.name(): 0}}
}

func TestEventsAreDeliveredInOrderAndRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox()
		o.add(stage.Joined, "") // is not told
		o.add(stage.PublishStarted, "")
		o.add(stage.PublishError, ingest.BFramePresent)
		o.add(stage.PublishStopped, "")
		r := &receiver{statuses: []int{500, 0, 429, 200}}
		run(t, o, r, time.Minute)
		want := []string{"Participant Published@0", "Participant Published@1", "Participant Published@3", "Participant Published@7",
			"Participant Publish Error@7", "Participant Unpublished@7"}
		if !slices.Equal(r.got, want) {
			t.Errorf("got %v, want %v", r.got, want)
		}
		if r.ids[0] != r.ids[3] || r.ids[3] == r.ids[4] {
			t.Errorf("the ids are %v; want the same one at each attempt, and one for each event", r.ids)
		}
		run(t, o, &receiver{}, time.Minute)
		again := &receiver{}
		o.add(stage.PublishStarted, "")
		run(t, o, again, time.Minute)
		if len(again.got) != 1 {
			t.Errorf("after a restart %v were delivered, want the new event only", again.got)
		}
	})
}

func TestAReceiverThatIsDownForHoursLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox()
		o.add(stage.PublishStarted, "")
		r := &receiver{statuses: slices.Repeat([]int{503}, 60)} // 4 h 26 min of back-off
		run(t, o, r, 5*time.Hour)
		if last := r.got[len(r.got)-1]; len(r.got) != 61 || !strings.HasPrefix(last, "Participant Published@") {
			t.Errorf("%d attempts, the last %s; want 61", len(r.got), last)
		}
	})
}

func TestAnEventThatIsNotWantedDoesNotHoldUpTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox()
		o.add(stage.PublishStarted, "")
		o.add(stage.PublishStopped, "")
		r := &receiver{statuses: []int{400, 400, 400, 400, 400}}
		run(t, o, r, time.Hour)
		if len(r.got) != 6 || !strings.HasPrefix(r.got[5], "Participant Unpublished") {
			t.Errorf("got %v", r.got)
		}
	})
}

func TestANewReceiverIsToldFromNowOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outbox{receivers: map[string]int64{}}
		o.add(stage.PublishStarted, "")
		r := &receiver{}
		run(t, o, r, time.Minute)
		if len(r.got) != 0 {
			t.Errorf("got %v from before", r.got)
		}
	})
}

// The example of the Standard Webhooks libraries.
func TestSign(t *testing.T) {
	secret, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	got := sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("the signature is %s, want %s", got, want)
	}
}

func TestRequestIsSignedAndShapedAsTheGuideSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox()
		o.add(stage.PublishError, ingest.BitrateExceeded)
		r := &receiver{}
		run(t, o, r, time.Minute)
		at, err := strconv.ParseInt(r.headers.Get("webhook-timestamp"), 10, 64)
		if err != nil || r.headers.Get("webhook-signature") != sign([]byte("0123456789abcdef"), r.headers.Get("webhook-id"), at, r.body) {
			t.Errorf("headers %v", r.headers)
		}
		var e Envelope
		_ = json.Unmarshal(r.body, &e)
		if e.DetailType != "IVS Stage Update" || e.Source != "aws.ivs" || e.Resources[0] != stageARN || e.Detail.ErrorCode != ingest.BitrateExceeded || e.Detail.UserID != "u" {
			t.Errorf("the envelope is %+v", e)
		}
	})
}
