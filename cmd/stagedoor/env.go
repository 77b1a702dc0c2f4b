package main

import (
	"context"
	stderrors "errors"
	"io/fs"
	"os"
	"path/filepath"
)

// envCommand prints what a shell needs to use the gateway of a data folder. The gateway may
// be running: the tokens are made anew by each call.
type envCommand struct {
	Data   string `default:"./stagedoor-data" placeholder:"DIR" help:"Data folder of the gateway."`
	Region string `default:"us-east-1" help:"As the gateway's --region."`
}

// Run prints the exports.
func (c *envCommand) Run(ctx context.Context, o output) error {
	folder := dataFolder(c.Data)
	var e endpoints
	if err := folder.read(endpointsFile, &e); err != nil {
		if stderrors.Is(err, fs.ErrNotExist) {
			return usagef("--data %s: no gateway has run with this folder yet; start one first: stagedoor serve --data %s", c.Data, c.Data)
		}
		return err
	}
	if _, err := os.Stat(filepath.Join(c.Data, firstFile)); err != nil {
		return usagef("--data %s: the folder has no %s; start a gateway with it once", c.Data, firstFile)
	}
	s, err := folder.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	tokens, err := newTokens(ctx, s, &settings{}, e)
	if err != nil {
		return err
	}
	m, err := newFirstMinute(ctx, s, tokens, folder, e, c.Region)
	if err != nil {
		return err
	}
	return m.printExports(o.out)
}
