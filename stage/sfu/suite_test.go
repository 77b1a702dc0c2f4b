package sfu

import (
	"testing"

	"github.com/stagedoor/stagedoor/stage"
	"github.com/stagedoor/stagedoor/stage/stagetest"
)

func TestSuite(t *testing.T) {
	stagetest.Run(t, func(t *testing.T) stage.Backend { return newSFU(t, Options{}) })
}
