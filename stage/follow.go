package stage

import (
	"context"
	"maps"
	"slices"
	"time"
)

// Follow gives a stage's scene to a token's holder; see the type Follow.
func (r *Registry) Follow(ctx context.Context, token string) (<-chan Scene, error) {
	claims, err := r.verify(ctx, token)
	if err != nil {
		return nil, err
	}
	about, err := r.o.Store.Stage(ctx, claims.StageARN)
	if err != nil {
		return nil, err
	}
	wake := make(chan struct{}, 1)
	wake <- struct{}{}
	scenes := make(chan Scene, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, shuttingDown
	}
	if r.followers[about.ARN] == nil {
		r.followers[about.ARN] = make(map[chan struct{}]string)
	}
	r.followers[about.ARN][wake] = claims.ParticipantID
	r.background.Go(func() {
		defer close(scenes)
		defer r.unfollow(about.ARN, wake)
		r.follow(ctx, about, claims.Expires, wake, scenes)
	})
	return scenes, nil
}

func (r *Registry) follow(ctx context.Context, about Stage, expires time.Time, wake <-chan struct{}, scenes chan Scene) {
	expired := time.NewTimer(time.Until(expires))
	defer expired.Stop()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.stop:
			return
		case <-expired.C:
			return
		case <-second.C:
			if !r.somebodyPublishes(about.ARN) {
				continue
			}
		case _, open := <-wake:
			if !open {
				return
			}
		}
		scene := r.scene(about)
		select {
		case <-scenes: // the reader is slow: the newest scene replaces the one it has not read
		default:
		}
		scenes <- scene
		// What changes meanwhile is in the next scene: a flood of refused attempts must not
		// become a flood of scenes to every page.
		select {
		case <-ctx.Done():
			return
		case <-r.stop:
			return
		case <-time.After(betweenScenes):
		}
	}
}

// betweenScenes is how far apart a follower's scenes are at least.
const betweenScenes = 100 * time.Millisecond

func (r *Registry) unfollow(stageARN string, wake chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.followers[stageARN], wake)
	if len(r.followers[stageARN]) == 0 {
		delete(r.followers, stageARN)
	}
}

// dismiss ends the scenes of a stage's followers: of one participant, or of all where the id
// is empty. r.mu is held.
func (r *Registry) dismiss(stageARN, participantID string) {
	for wake, follower := range r.followers[stageARN] {
		if participantID == "" || follower == participantID {
			delete(r.followers[stageARN], wake)
			close(wake)
		}
	}
}

// changed wakes those who follow a stage. r.mu is held.
func (r *Registry) changed(stageARN string) {
	for wake := range r.followers[stageARN] {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
}

func (r *Registry) somebodyPublishes(stageARN string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if live := r.stages[stageARN]; live != nil {
		for _, m := range live.members {
			if m.publication != nil {
				return true
			}
		}
	}
	return false
}

// scene gives what a stage's page shows now.
func (r *Registry) scene(about Stage) Scene {
	scene := Scene{StageARN: about.ARN, StageName: about.Name, Participants: []OnStage{}, Refusals: r.refusals.of(about.ARN)}
	r.mu.Lock()
	defer r.mu.Unlock()
	live := r.stages[about.ARN]
	if live == nil {
		return scene
	}
	scene.SessionID, scene.Viewers = live.session.ID, live.viewers
	for _, p := range live.publications() {
		scene.Participants = append(scene.Participants, OnStage{
			ParticipantID: p.ParticipantID(), UserID: p.record.UserID, Attributes: p.record.Attributes,
			Protocol: p.request.Protocol, Since: p.since, Health: p.healthView(),
		})
	}
	return scene
}

// Scenes gives the scene of every stage that has a live session.
func (r *Registry) Scenes() []Scene {
	r.mu.Lock()
	arns := slices.Sorted(maps.Keys(r.stages))
	r.mu.Unlock()
	scenes := make([]Scene, 0, len(arns))
	for _, arn := range arns {
		scenes = append(scenes, r.scene(Stage{ARN: arn}))
	}
	return scenes
}

// Health gives the figures of a participant's media; ok is false where it does not publish
// or is not on stage yet.
func (r *Registry) Health(stageARN, participantID string) (h HealthView, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	live := r.stages[stageARN]
	if live == nil {
		return h, false
	}
	m := live.members[participantID]
	if m == nil || m.publication == nil || !m.publication.onStage {
		return h, false
	}
	return m.publication.healthView(), true
}

// publications gives those on stage, in order of arrival.
func (live *liveStage) publications() []*Publication {
	var on []*Publication
	for m := range maps.Values(live.members) {
		if m.publication != nil && m.publication.onStage {
			on = append(on, m.publication)
		}
	}
	slices.SortFunc(on, func(a, b *Publication) int { return a.number - b.number })
	return on
}

func (p *Publication) healthView() HealthView {
	h := p.health.Load()
	if h == nil {
		return HealthView{}
	}
	return HealthView{
		VideoBitrate: h.VideoBitrate, AudioBitrate: h.AudioBitrate, FrameRate: h.FrameRate,
		IDRInterval: h.IDRInterval.Seconds(), Width: h.Width, Height: h.Height,
		Profile: h.Profile, AudioFormat: h.AudioFormat,
		TimestampJumps: h.TimestampJumps, LostFrames: h.LostFrames, Warning: h.Warning,
	}
}
