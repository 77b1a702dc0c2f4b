package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/pkg/errors"
)

// figure is one measured value.
type figure struct {
	Name  string
	Value float64
}

// runCommand makes the runs and the table.
type runCommand struct {
	settings `embed:""`
}

// Run makes the runs.
func (c *runCommand) Run(ctx context.Context) error {
	if err := c.check(); err != nil {
		return err
	}
	clip, err := loadClip(c.Clip)
	if err != nil {
		return err
	}
	calibration, err := calibrate(clip)
	if err != nil {
		return errors.WithMessage(err, "calibrate")
	}
	if clip.repeats > 0 {
		fmt.Fprintf(os.Stderr, "%d of the clip's %d pictures look like another one and are not measured\n", clip.repeats, clip.pictures)
	}
	if c.isWHIP() {
		if clip, err = clip.withOpus(); err != nil {
			return err
		}
	}
	var runs [][]figure
	for range c.Runs {
		figures, failures, err := c.once(ctx, clip)
		if err != nil {
			return err
		}
		figures = append(figures, calibration...)
		runs = append(runs, figures)
		for _, text := range slices.Sorted(maps.Keys(failures)) {
			fmt.Fprintf(os.Stderr, "%d x %s\n", failures[text], text)
		}
		if err := c.record(clip, figures, failures); err != nil {
			return err
		}
	}
	fmt.Printf("\n%d publishers x %d viewers, clip %d kbps\n", c.Publishers, c.Viewers, clip.bitrate()/1000)
	table(os.Stdout, runs)
	return nil
}

// once makes one run on a server of its own.
func (c *runCommand) once(ctx context.Context, clip *clip) ([]figure, map[string]int, error) {
	t, err := c.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer t.stop()
	l, err := newLoad(&c.settings, clip, t)
	if err != nil {
		return nil, nil, err
	}
	figures, err := l.run(ctx)
	return figures, l.failures, err
}

// record appends a line of JSON.
func (c *runCommand) record(clip *clip, figures []figure, failures map[string]int) error {
	if c.JSON == "" {
		return nil
	}
	line := map[string]any{
		"time": time.Now().UTC().Format(time.RFC3339), "publishers": c.Publishers, "viewersEach": c.Viewers,
		"videoBitrate": clip.bitrate(), "seconds": c.Duration.Seconds(), "failures": failures,
	}
	values := make(map[string]float64, len(figures))
	for _, f := range figures {
		values[f.Name] = f.Value
	}
	line["figures"] = values
	text, err := json.Marshal(line)
	if err != nil {
		return errors.Wrap(err, "--json")
	}
	file, err := os.OpenFile(c.JSON, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return errors.Wrap(err, "--json")
	}
	_, err = file.Write(append(text, '\n'))
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	return errors.Wrap(err, "--json")
}

// table prints the median of each figure over all runs, and between what it lay.
func table(w io.Writer, runs [][]figure) {
	fmt.Fprintf(w, "%-46s %10s %10s %10s\n", fmt.Sprintf("median of %d", len(runs)), "", "least", "most")
	for _, f := range runs[0] {
		var all []float64
		for _, run := range runs {
			for _, other := range run {
				if other.Name == f.Name {
					all = append(all, other.Value)
				}
			}
		}
		fmt.Fprintf(w, "%-46s %10s %10s %10s\n", f.Name, short(median(all)), short(slices.Min(all)), short(slices.Max(all)))
	}
}

// short writes a figure with as many decimals as make sense.
func short(v float64) string {
	switch {
	case v >= 1000 || v == float64(int64(v)):
		return fmt.Sprintf("%.0f", v)
	case v >= 100:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}
