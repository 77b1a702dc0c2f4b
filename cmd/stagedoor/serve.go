package main

import "context"

// serveCommand runs the gateway.
type serveCommand struct {
	settings `embed:""`
}

// Run serves until the context ends.
func (c *serveCommand) Run(ctx context.Context, o output) error {
	tuneGC()
	app, err := NewApp(ctx, &c.settings, c.logger(o))
	if err != nil {
		return err
	}
	defer app.Close()
	app.printWelcome(o.out)
	return app.Run(ctx)
}
