package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"time"
)

//go:embed static
var static embed.FS

// pages are the files that have a path of their own; the others are below /assets/.
var pages = map[string]string{
	"watch.html":   "/",
	"publish.html": "/publish",
}

// policy lets the pages run only what is served beside them, and lets nobody frame them:
// a token is in their URL.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// file is one embedded file, ready to be served.
type file struct {
	name    string
	content []byte
	kind    string
	tag     string // entity tag, with its quotes
}

func loadFiles() map[string]file {
	files := make(map[string]file)
	entries, err := fs.ReadDir(static, "static")
	if err != nil {
		panic(err) // the folder is embedded: it cannot fail in a program that was built
	}
	for _, entry := range entries {
		content, err := static.ReadFile(path.Join("static", entry.Name()))
		if err != nil {
			panic(err) // likewise
		}
		sum := sha256.Sum256(content)
		at, isPage := pages[entry.Name()]
		if !isPage {
			at = "/assets/" + entry.Name()
		}
		files[at] = file{
			name:    entry.Name(),
			content: content,
			kind:    contentType(entry.Name()),
			tag:     `"` + hex.EncodeToString(sum[:8]) + `"`,
		}
	}
	return files
}

// contentType does not ask the machine's own tables for what the pages need: some of them
// call JavaScript text/plain, and browsers then refuse it.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(path.Ext(name))
}

func (f file) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", f.kind)
	header.Set("ETag", f.tag)
	header.Set("Cache-Control", "no-cache") // asked for again each time, so that a new version shows at once
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self)")
	http.ServeContent(w, r, f.name, time.Time{}, bytes.NewReader(f.content))
}
