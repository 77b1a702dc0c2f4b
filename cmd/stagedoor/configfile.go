package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/pkg/errors"
	"go.yaml.in/yaml/v3"
)

// configFile is a YAML file of settings: a flag goes before the environment, and that
// before the file.
type configFile map[string]any

// loadFile is a kong.ConfigurationLoader.
func loadFile(r io.Reader) (kong.Resolver, error) {
	file := map[string]any{}
	if err := yaml.NewDecoder(r).Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.Wrap(err, "the configuration file is no YAML map of settings")
	}
	return configFile(file), nil
}

// Validate implements kong.Resolver. It refuses a key that is no flag: a misspelled setting
// must not go unseen.
func (f configFile) Validate(app *kong.Application) error {
	known := map[string]bool{}
	for _, command := range app.Children {
		for _, flag := range command.Flags {
			known[flag.Name] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(f)) {
		if !known[key] {
			return errors.Errorf("the configuration file has an unknown setting %q; the settings are %s", key, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
	}
	return nil
}

// Resolve implements kong.Resolver.
func (f configFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	switch value := f[flag.Name].(type) {
	case nil:
		return nil, nil
	case map[string]any: // kong takes KEY=VALUE;…
		var pairs []string
		for _, key := range slices.Sorted(maps.Keys(value)) {
			pairs = append(pairs, fmt.Sprintf("%s=%v", key, value[key]))
		}
		return strings.Join(pairs, ";"), nil
	case []any:
		var items []string
		for _, item := range value {
			items = append(items, fmt.Sprint(item))
		}
		return strings.Join(items, ","), nil
	default:
		return value, nil
	}
}
