//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSDK has AWS's own SDK for JavaScript call every operation (js/sdk.mjs).
func TestSDK(t *testing.T) {
	folder := filepath.Join(root(), "e2e", "js")
	if _, err := os.Stat(filepath.Join(folder, "node_modules", "@aws-sdk")); err != nil {
		t.Fatal("the SDK is missing: npm ci --ignore-scripts in e2e/js installs it")
	}
	g := StartGateway(t)
	cmd := exec.CommandContext(t.Context(), need(t, "node"), "sdk.mjs")
	cmd.Dir = folder
	cmd.Env = g.environ()
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "all operations answered") {
		t.Fatalf("%v\n%s", err, out)
	}
}

// environ is the environment of a program that uses the gateway: this machine's, with Env in
// the place of whatever AWS keys and profiles it has.
func (g *Gateway) environ() []string {
	env := []string{"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null"}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "AWS_") {
			env = append(env, variable)
		}
	}
	for name, value := range g.Env {
		env = append(env, name+"="+value)
	}
	return env
}
