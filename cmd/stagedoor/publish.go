package main

import (
	"context"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/transcode"
	"github.com/stagedoor/stagedoor/validate"
)

// publish is the pipeline, in order: admit, validate, transcode, stage. It is the one thing
// that the doors ask for.
func (a *App) publish(ctx context.Context, req ingest.Request) (ingest.Sink, error) {
	publication, err := a.registry.Admit(ctx, req)
	if err != nil {
		return nil, err
	}
	var next ingest.Sink = publication
	if req.Protocol != ingest.WHIP { // whose audio is Opus already
		next = transcode.New(next, transcode.Options{})
	}
	return validate.New(next, validate.Options{
		Protocol: req.Protocol,
		Rules:    a.rules,
		Health:   publication.Observe,

		RequestKeyframe: req.RequestKeyframe,
		Warn: func(f validate.Finding) {
			a.log.Warn("media rule", "participant", publication.ParticipantID(), "rule", f.Rule, "text", f.Detail())
		},
	}), nil
}
