package api

import (
	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/stage"
)

// maxTags is how many a resource may have in all.
const maxTags = 50

func (a *API) listTagsForResource(c call) (any, error) {
	all, err := a.o.Store.Tags(c, c.in.text("resourceArn"))
	if err := a.tagFault(c, err); err != nil {
		return nil, err
	}
	return map[string]any{"tags": all}, nil
}

func (a *API) tagResource(c call) (any, error) {
	err := a.o.Store.Tag(c, c.in.text("resourceArn"), c.in.textMap("tags"), maxTags)
	return struct{}{}, a.tagFault(c, err)
}

func (a *API) untagResource(c call) (any, error) {
	err := a.o.Store.Untag(c, c.in.text("resourceArn"), c.in.texts("tagKeys"))
	return struct{}{}, a.tagFault(c, err)
}

func (a *API) tagFault(c call, err error) error {
	switch {
	case errors.Is(err, stage.ErrNotFound):
		return notFound(c.in.text("resourceArn"))
	case errors.Is(err, stage.ErrLimit):
		return invalid("tags", "Resource must have at most %d tags in all", maxTags)
	}
	return err
}
