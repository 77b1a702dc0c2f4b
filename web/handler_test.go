package web

import (
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func get(t *testing.T, h http.Handler, method, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func newHandler(t *testing.T) *Handler {
	t.Helper()
	h := New(Options{Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(h.Close)
	return h
}

func TestPaths(t *testing.T) {
	h := newHandler(t)
	for _, c := range []struct {
		method, path string
		status       int
		kind         string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8"},
		{"HEAD", "/", 200, "text/html; charset=utf-8"},
		{"GET", "/publish", 200, "text/html; charset=utf-8"},
		{"GET", "/assets/watch.js", 200, "text/javascript; charset=utf-8"},
		{"GET", "/assets/style.css", 200, "text/css; charset=utf-8"},
		{"GET", "/assets/icon.svg", 200, "image/svg+xml"},
		{"POST", "/", 405, "application/problem+json"},
		{"GET", "/assets/", 404, "application/problem+json"},
		{"GET", "/assets/../handler.go", 404, "application/problem+json"},
		{"GET", "/assets/watch.html", 404, "application/problem+json"},
		{"GET", "/watch", 404, "application/problem+json"},
	} {
		response := get(t, h, c.method, c.path)
		if response.StatusCode != c.status || response.Header.Get("Content-Type") != c.kind {
			t.Errorf("%s %s: %d %q, want %d %q", c.method, c.path, response.StatusCode, response.Header.Get("Content-Type"), c.status, c.kind)
		}
	}
}

func TestPagesAreClosedToOtherOrigins(t *testing.T) {
	response := get(t, newHandler(t), "GET", "/")
	policy := response.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %s", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("the policy allows something unsafe: %q", policy)
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestUnchangedFileIsNotSentAgain(t *testing.T) {
	h := newHandler(t)
	tag := get(t, h, "GET", "/").Header.Get("ETag")
	if response := get(t, h, "GET", "/", "If-None-Match", tag); response.StatusCode != http.StatusNotModified {
		t.Errorf("the second request got %d, want 304", response.StatusCode)
	}
}

// The policy forbids what these look for, so a page with one of them would be broken.
func TestPagesHoldNothingThatThePolicyForbids(t *testing.T) {
	forbidden := regexp.MustCompile(`(?i)<script(?:>| [^>]*[^>/]>[^<])|<style|\sstyle=|\son[a-z]+=|(?:src|href)="(?:https?:)?//|@import|url\(`)
	err := fs.WalkDir(static, "static", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".html") && !strings.HasSuffix(path, ".css") {
			return err
		}
		content, err := static.ReadFile(path)
		if err != nil {
			return err
		}
		if found := forbidden.FindString(string(content)); found != "" {
			t.Errorf("%s holds %q", path, found)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A module that imports a file which is not there leaves the page empty.
func TestEveryReferenceIsServed(t *testing.T) {
	h := newHandler(t)
	reference := regexp.MustCompile(`(?:from "\./|(?:src|href)="assets/)([a-z.]+)"`)
	entries, err := fs.ReadDir(static, "static")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, entry := range entries {
		content, err := static.ReadFile("static/" + entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range reference.FindAllStringSubmatch(string(content), -1) {
			seen++
			if response := get(t, h, "GET", "/assets/"+found[1]); response.StatusCode != http.StatusOK {
				t.Errorf("%s refers to %s, which is answered with %d", entry.Name(), found[1], response.StatusCode)
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d references were found: the expression no longer fits the files", seen)
	}
}
