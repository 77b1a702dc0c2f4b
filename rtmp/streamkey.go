package rtmp

import (
	"net/url"
	"strings"

	"github.com/stagedoor/stagedoor/ingest"
)

// streamKey finds the stream key in what an encoder sent. It is the publish command's
// stream name or, if that is empty, the last segment of the connect command's app or tcUrl
// beyond the first one, since encoders cut rtmp://HOST/app/KEY in different places. Slashes
// around it and a query behind it are removed, and %XX is decoded once.
//
// The Rejection says what was received without repeating it: it may be a misplaced key.
func streamKey(app, tcURL, name string) (string, error) {
	path := ""
	if u, err := url.Parse(tcURL); err == nil {
		path = u.EscapedPath()
	}
	key := lastSegment(name, 1)
	if key == "" {
		key = lastSegment(app, 2)
	}
	if key == "" {
		key = lastSegment(path, 2)
	}
	if key == "" && strings.HasPrefix(lastSegment(app, 1), "rt_") {
		return "", ingest.Rejectf(ingest.InvalidStreamKey,
			"The stream key stands where the application's name belongs; it must follow it. "+
				"Server: rtmp://HOST:1935/app/. ffmpeg: rtmp://HOST:1935/app/STREAMKEY.")
	}
	switch {
	case key == "":
		return "", ingest.Rejectf(ingest.InvalidStreamKey,
			"No stream key was received (the application had %d characters, the stream name %d); one is needed. "+
				"OBS: Settings > Stream > Stream Key. ffmpeg: rtmp://HOST:1935/app/STREAMKEY.", len(app), len(name))
	case len(key) > maxStreamKey:
		return "", ingest.Rejectf(ingest.InvalidStreamKey,
			"A stream key of %d characters was received; at most %d are allowed. OBS: Settings > Stream > Stream Key. "+
				"ffmpeg: rtmp://HOST:1935/app/STREAMKEY.", len(key), maxStreamKey)
	}
	return key, nil
}

// lastSegment gives the last segment of a path that has at least so many.
func lastSegment(path string, atLeast int) string {
	path, _, _ = strings.Cut(path, "?")
	if decoded, err := url.PathUnescape(path); err == nil {
		path = decoded
	}
	segments := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	if len(segments) < max(atLeast, 1) {
		return ""
	}
	return strings.TrimSpace(segments[len(segments)-1])
}
