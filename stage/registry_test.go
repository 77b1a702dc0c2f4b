package stage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

var picture = &ingest.AccessUnit{NALUs: [][]byte{{0x65}}}

// Each test runs in a synctest bubble: time is fake, and the bubble fails where a goroutine
// is left behind.
func inBubble(t *testing.T, change func(*Options), f func(t *testing.T, f fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		x := newFixture(t, change)
		f(t, x)
		x.Close()
	})
}

func code(err error) ingest.Code {
	var r *ingest.Rejection
	if errors.As(err, &r) {
		return r.Code
	}
	return ""
}

func wantEvents(t *testing.T, f fixture, want ...string) {
	t.Helper()
	if err := f.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := f.store.events(); !slices.Equal(got, want) {
		t.Errorf("events:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestAPublisherIsOnStageFromItsFirstWrite(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, f fixture) {
		p, err := f.Admit(t.Context(), rtmp(testKey))
		if err != nil {
			t.Fatal(err)
		}
		if len(f.backend.joined) != 0 {
			t.Error("the stage was joined before the first write")
		}
		if !f.Publishing(testStage, "p1") || f.ActiveSession(testStage) == "" {
			t.Error("an admitted publisher does not count")
		}
		if err := p.WriteVideo(picture); err != nil {
			t.Fatal(err)
		}
		if err := p.WriteVideo(picture); err != nil {
			t.Fatal(err)
		}
		if len(f.backend.joined) != 1 || f.backend.pictures != 2 || f.backend.joined[0].UserID != "encoder" {
			t.Errorf("joined %+v with %d pictures", f.backend.joined, f.backend.pictures)
		}
		_ = p.Close(nil)
		wantEvents(t, f, "p1 JOINED", "p1 PUBLISH_STARTED", "p1 PUBLISH_STOPPED", "p1 LEFT")
	})
}

// TestShortOfProcessor lets nobody new in while work waits too long; those inside stay.
func TestShortOfProcessor(t *testing.T) {
	delay, tooLong := 40*time.Millisecond, false
	inBubble(t, func(o *Options) {
		o.Delay = func() (time.Duration, bool) { return delay, tooLong }
	}, func(t *testing.T, f fixture) {
		inside, err := f.Admit(t.Context(), rtmp(testKey))
		if err != nil {
			t.Fatal(err)
		}
		tooLong = true
		if _, err := f.Admit(t.Context(), whip(f.token(t, "p2", CanPublish))); code(err) != ingest.QuotaExceeded || !strings.Contains(err.Error(), "40 ms") {
			t.Errorf("a newcomer: %v", err)
		}
		if err := inside.WriteVideo(picture); err != nil {
			t.Errorf("who is inside: %v", err)
		}
		tooLong = false
		time.Sleep(f.o.RefusalMemory + time.Second)
		if _, err := f.Admit(t.Context(), whip(f.token(t, "p2", CanPublish))); err != nil {
			t.Errorf("when it is over: %v", err)
		}
	})
}

func TestRefusalsAtTheDoor(t *testing.T) {
	inBubble(t, func(o *Options) { o.MaxPublishers = 1 }, func(t *testing.T, f fixture) {
		detached, secure := f.store.ingests[testKey], f.store.ingests[testKey]
		detached.StageARN = ""
		secure.Insecure = false
		f.store.ingests["rt_detached"], f.store.ingests["rt_secure"] = detached, secure
		for _, c := range []struct {
			name string
			req  ingest.Request
			want ingest.Code
		}{
			{"no key", rtmp(""), ingest.InvalidStreamKey},
			{"no stream key", rtmp("live"), ingest.InvalidStreamKey},
			{"unknown key", rtmp("rt_nobody"), ingest.InvalidStreamKey},
			{"key without a stage", rtmp("rt_detached"), ingest.InvalidStreamKey},
			{"plain RTMP", rtmp("rt_secure"), ingest.InvalidProtocol},
			{"no token", whip(""), ingest.InvalidToken},
			{"a stream key as token", whip(testKey), ingest.InvalidToken},
			{"rubbish as token", whip("a.b.c"), ingest.InvalidToken},
			{"a viewer's token", whip(f.token(t, "v", CanSubscribe)), ingest.InsufficientCapabilities},
		} {
			_, err := f.Admit(t.Context(), c.req)
			if code(err) != c.want {
				t.Errorf("%s: %v, want %s", c.name, err, c.want)
			}
			if err != nil && c.req.Secret != "" && len(c.req.Secret) > 6 && strings.Contains(err.Error(), c.req.Secret) {
				t.Errorf("%s: the text holds the secret: %v", c.name, err)
			}
		}
		first, err := f.Admit(t.Context(), rtmp(testKey))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Admit(t.Context(), rtmp(testKey)); code(err) != ingest.ReuseOfStreamKey {
			t.Errorf("the same key twice: %v", err)
		}
		if _, err := f.Admit(t.Context(), whip(f.token(t, "p2", CanPublish))); code(err) != ingest.QuotaExceeded {
			t.Errorf("one publisher too many: %v", err)
		}
		_ = first.Close(nil)
	})
}

// A refused encoder that comes back at once is told why before it starts; later it is
// judged afresh.
func TestARefusalIsRememberedForFiveSeconds(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, f fixture) {
		refusal := &ingest.Rejection{Code: ingest.BFramePresent, Detail: "B-frames"}
		p, _ := f.Admit(t.Context(), rtmp(testKey))
		_ = p.Close(refusal)
		time.Sleep(4900 * time.Millisecond)
		if _, err := f.Admit(t.Context(), rtmp(testKey)); !errors.Is(err, refusal) {
			t.Errorf("4.9 s later: %v", err)
		}
		time.Sleep(200 * time.Millisecond)
		again, err := f.Admit(t.Context(), rtmp(testKey))
		if err != nil {
			t.Fatalf("5.1 s later: %v", err)
		}
		_ = again.Close(&ingest.Rejection{Code: ingest.InvalidInput, Detail: "no H.264 in the offer", Told: true})
		if again, err = f.Admit(t.Context(), rtmp(testKey)); err != nil {
			t.Fatalf("a refusal that was told in the answer is told again: %v", err)
		}
		_ = again.Close(errors.New("connection reset"))
		if next, err := f.Admit(t.Context(), rtmp(testKey)); err != nil {
			t.Errorf("a network fault was remembered: %v", err)
		} else {
			_ = next.Close(nil)
		}
		wantEvents(t, f, "p1 JOINED", "p1 PUBLISH_ERROR B_FRAME_PRESENT", "p1 LEFT",
			"p1 JOINED", "p1 PUBLISH_ERROR INVALID_INPUT", "p1 LEFT", "p1 JOINED", "p1 LEFT", "p1 JOINED", "p1 LEFT")
		if got := f.refusals.of(testStage); len(got) != 2 || got[1].Detail != "B-frames" {
			t.Errorf("the page shows %+v", got)
		}
	})
}

func TestASilentConnectionIsTakenOver(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, f fixture) {
		old, _ := f.Admit(t.Context(), rtmp(testKey))
		_ = old.WriteVideo(picture)
		time.Sleep(2900 * time.Millisecond)
		if _, err := f.Admit(t.Context(), rtmp(testKey)); code(err) != ingest.ReuseOfStreamKey {
			t.Errorf("after 2.9 s of silence: %v", err)
		}
		time.Sleep(200 * time.Millisecond)
		fresh, err := f.Admit(t.Context(), rtmp(testKey))
		if err != nil {
			t.Fatalf("after 3.1 s of silence: %v", err)
		}
		_ = fresh.WriteVideo(picture)
		if err := old.WriteVideo(picture); code(err) != ingest.Disconnected {
			t.Errorf("the old connection may still write: %v", err)
		}
		_ = old.Close(takenOver)
		if !f.Publishing(testStage, "p1") {
			t.Error("the end of the old connection ended the new one")
		}
		_ = fresh.Close(nil)
		wantEvents(t, f, "p1 JOINED", "p1 PUBLISH_STARTED", "p1 PUBLISH_ERROR REUSE_OF_STREAM_KEY",
			"p1 PUBLISH_STOPPED", "p1 PUBLISH_STARTED", "p1 PUBLISH_STOPPED", "p1 LEFT")
	})
}

func TestDisconnectEndsAndRevokes(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, f fixture) {
		token := f.token(t, "p2", CanPublish, CanSubscribe)
		p, err := f.Admit(t.Context(), whip(token))
		if err != nil {
			t.Fatal(err)
		}
		_ = p.WriteVideo(picture)
		if err := f.Disconnect(t.Context(), testStage, "p2", "rude"); err != nil {
			t.Fatal(err)
		}
		err = p.WriteVideo(picture)
		if code(err) != ingest.Disconnected || !strings.Contains(err.Error(), "rude") {
			t.Errorf("the next write: %v", err)
		}
		_ = p.Close(err)
		if _, err := f.Admit(t.Context(), whip(token)); code(err) != ingest.InvalidToken {
			t.Errorf("the token afterwards: %v", err)
		}
		if err := f.Disconnect(t.Context(), testStage, "nobody", ""); !errors.Is(err, ErrNotFound) {
			t.Errorf("disconnecting nobody: %v", err)
		}
		if !slices.Equal(f.backend.disconnected, []string{"p2"}) {
			t.Errorf("the backend disconnected %v", f.backend.disconnected)
		}
		wantEvents(t, f, "p2 JOINED", "p2 PUBLISH_STARTED", "p2 PUBLISH_STOPPED", "p2 LEFT")
	})
}

func TestASessionOutlivesItsLastParticipantForAWhile(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, f fixture) {
		p, _ := f.Admit(t.Context(), rtmp(testKey))
		session := f.ActiveSession(testStage)
		_ = p.Close(nil)
		time.Sleep(2 * time.Minute)
		p, _ = f.Admit(t.Context(), rtmp(testKey))
		if f.ActiveSession(testStage) != session {
			t.Error("a participant who came back after 2 min is in another session")
		}
		time.Sleep(time.Hour)
		if f.ActiveSession(testStage) != session {
			t.Error("the session ended although somebody is connected")
		}
		_ = p.Close(nil)
		time.Sleep(3*time.Minute + time.Second)
		if got := f.ActiveSession(testStage); got != "" {
			t.Errorf("the session %s did not end", got)
		}
		_ = f.Flush(t.Context())
		var last Session
		for _, e := range f.store.entries {
			if e.Session != nil {
				last = *e.Session
			}
		}
		if last.ID != session || last.End.IsZero() {
			t.Errorf("the journal's last word on the session: %+v", last)
		}
	})
}

func TestViewers(t *testing.T) {
	inBubble(t, func(o *Options) { o.MaxSubscribers = 1 }, func(t *testing.T, f fixture) {
		viewer := f.token(t, "v1", CanSubscribe)
		watch := func(token string) (Subscription, error) {
			return f.Watch(t.Context(), WatchRequest{Token: token, ParticipantID: "p1", SDP: "v=0"})
		}
		if _, err := watch(viewer); !errors.Is(err, ErrNotPublishing) {
			t.Errorf("before anybody publishes: %v", err)
		}
		p, _ := f.Admit(t.Context(), rtmp(testKey))
		_ = p.WriteVideo(picture)
		if _, err := watch(f.token(t, "x", CanPublish)); code(err) != ingest.InsufficientCapabilities {
			t.Errorf("with a publisher's token: %v", err)
		}
		first, err := watch(viewer)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := watch(f.token(t, "v2", CanSubscribe)); code(err) != ingest.QuotaExceeded {
			t.Errorf("one viewer too many: %v", err)
		}
		second, err := watch(viewer)
		if err != nil {
			t.Fatalf("the same token again: %v", err)
		}
		synctest.Wait() // the first is closed in the background
		select {
		case <-ended(first):
		default:
			t.Error("the older subscription of the token goes on")
		}
		if got := f.scene(Stage{ARN: testStage}).Viewers; got != 1 {
			t.Errorf("%d viewers", got)
		}
		_ = second.Close()
		_ = p.Close(nil)
		wantEvents(t, f, "p1 JOINED", "p1 PUBLISH_STARTED", "v1 JOINED", "v1 SUBSCRIBE_STARTED", "v1 SUBSCRIBE_STOPPED",
			"v1 SUBSCRIBE_STARTED", "v1 SUBSCRIBE_STOPPED", "v1 LEFT", "p1 PUBLISH_STOPPED", "p1 LEFT")
	})
}

func ended(s Subscription) <-chan struct{} {
	done := make(chan struct{})
	fake := s.(*fakeSubscription)
	fired := true
	fake.once.Do(func() { fired = false })
	if fired {
		close(done)
	}
	return done
}

func TestASharedTokenLetsManyWatch(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, f fixture) {
		token, err := f.tokens.Mint(Claims{
			StageARN: testStage, ParticipantID: "v", Capabilities: []Capability{CanSubscribe}, Shared: true,
			Issued: time.Now(), Expires: time.Now().Add(time.Hour),
		})
		if err != nil {
			t.Fatal(err)
		}
		p, _ := f.Admit(t.Context(), rtmp(testKey))
		_ = p.WriteVideo(picture)
		for range 3 {
			if _, err := f.Watch(t.Context(), WatchRequest{Token: token, ParticipantID: "p1"}); err != nil {
				t.Fatal(err)
			}
		}
		if got := f.scene(Stage{ARN: testStage}).Viewers; got != 3 {
			t.Errorf("%d viewers, want 3", got)
		}
		_ = p.Close(nil)
	})
}

func TestFollowShowsTheScene(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, f fixture) {
		ctx, cancel := context.WithCancel(t.Context())
		scenes, err := f.Follow(ctx, f.token(t, "v", CanSubscribe))
		if err != nil {
			t.Fatal(err)
		}
		if s := <-scenes; s.StageName != "test" || len(s.Participants) != 0 {
			t.Errorf("the empty stage: %+v", s)
		}
		p, _ := f.Admit(t.Context(), rtmp(testKey))
		if _, ok := f.Health(testStage, p.ParticipantID()); ok {
			t.Error("figures of who is not on stage yet")
		}
		_ = p.WriteVideo(picture)
		p.Observe(ingest.Health{VideoBitrate: 2_500_000, FrameRate: 30})
		if h, ok := f.Health(testStage, p.ParticipantID()); !ok || h.FrameRate != 30 {
			t.Errorf("the participant's figures: %+v", h)
		}
		synctest.Wait()
		<-scenes
		s := <-scenes // the next second's
		if len(s.Participants) != 1 || s.Participants[0].Health.FrameRate != 30 {
			t.Errorf("with a publisher: %+v", s)
		}
		_, _ = f.Admit(t.Context(), rtmp("rt_unknown"))
		synctest.Wait()
		if s := <-scenes; len(s.Refusals) != 1 || s.Refusals[0].Code != ingest.InvalidStreamKey {
			t.Errorf("after an attempt with an unknown key: %+v", s.Refusals)
		}
		cancel()
		synctest.Wait()
		for range scenes {
		}
		_ = p.Close(nil)
	})
}

// A page whose token is good no longer is told nothing more, though nobody is on stage.
func TestFollowEndsWithTheTokenAndTheStage(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, f fixture) {
		follow := func(id string) <-chan Scene {
			scenes, err := f.Follow(t.Context(), f.token(t, id, CanSubscribe))
			if err != nil {
				t.Fatal(err)
			}
			<-scenes
			return scenes
		}
		one, other := follow("one"), follow("other")
		start := time.Now() // the feeds end anyway when their tokens expire
		if err := f.Disconnect(t.Context(), testStage, "one", ""); !errors.Is(err, ErrNotFound) {
			t.Errorf("a participant who only follows: %v", err)
		}
		if _, open := <-one; open {
			t.Error("a revoked token still follows")
		}
		if err := f.CloseStage(t.Context(), testStage, "deleted"); err != nil {
			t.Fatal(err)
		}
		if _, open := <-other; open {
			t.Error("a deleted stage is still followed")
		}
		if waited := time.Since(start); waited > time.Second {
			t.Errorf("the feeds went on for %v", waited)
		}
	})
}

// However many attempts are refused, a page gets ten scenes a second.
func TestAFloodOfRefusalsIsNoFloodOfScenes(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, f fixture) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		scenes, err := f.Follow(ctx, f.token(t, "v", CanSubscribe))
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for range 1000 { // in one second
			_, _ = f.Admit(t.Context(), rtmp("rt_unknown"))
			time.Sleep(time.Millisecond)
			synctest.Wait()
			select {
			case <-scenes:
				got++
			default:
			}
		}
		if got < 5 || got > 11 {
			t.Errorf("%d scenes in a second", got)
		}
	})
}

func TestCloseStageEndsEverybody(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, f fixture) {
		var all []*Publication
		for i := range 3 {
			p, err := f.Admit(t.Context(), whip(f.token(t, fmt.Sprintf("p%d", i), CanPublish)))
			if err != nil {
				t.Fatal(err)
			}
			_ = p.WriteVideo(picture)
			all = append(all, p)
		}
		if err := f.CloseStage(t.Context(), testStage, "deleted"); err != nil {
			t.Fatal(err)
		}
		for _, p := range all {
			if err := p.WriteVideo(picture); code(err) != ingest.Disconnected {
				t.Errorf("a publisher goes on: %v", err)
			}
			_ = p.Close(nil)
		}
		if f.ActiveSession(testStage) != "" {
			t.Error("the session goes on")
		}
	})
}

func TestErrorEventsOfOneParticipantAreBounded(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, f fixture) {
		token := f.token(t, "v", CanSubscribe)
		for range 1000 {
			_, _ = f.Admit(t.Context(), whip(token))
		}
		_ = f.Flush(t.Context())
		if got := len(f.store.events()); got != mistakesAtOnce {
			t.Errorf("1000 mistakes at once made %d events, want %d", got, mistakesAtOnce)
		}
		time.Sleep(mistakesEvery)
		_, _ = f.Admit(t.Context(), whip(token))
		_ = f.Flush(t.Context())
		if got := len(f.store.events()); got != mistakesAtOnce+1 {
			t.Errorf("a later one made %d events in all", got)
		}
	})
}
