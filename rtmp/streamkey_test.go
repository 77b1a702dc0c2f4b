package rtmp

import (
	"errors"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/ingest"
)

func TestStreamKey(t *testing.T) {
	tests := []struct{ what, app, tcURL, name, want string }{
		{"OBS, ffmpeg", "app", "rtmp://h:1935/app", "KEY", "KEY"},
		{"OBS with a slash behind the server", "app/", "rtmp://h:1935/app/", "KEY", "KEY"},
		{"any application", "live", "rtmp://h/live", "KEY", "KEY"},
		{"no application", "", "rtmp://h/", "KEY", "KEY"},
		{"ffmpeg with a slash behind the key", "app/KEY", "rtmp://h/app/KEY", "", "KEY"},
		{"slashes around the key", "app", "rtmp://h/app", "/KEY//", "KEY"},
		{"key as part of the server address", "app/KEY", "rtmp://h/app/KEY", "", "KEY"},
		{"key in tcUrl only", "app", "rtmp://h/app/KEY/", "", "KEY"},
		{"key in tcUrl only, no app", "", "rtmp://h/app/KEY", "", "KEY"},
		{"two applications", "app/instance", "rtmp://h/app/instance", "KEY", "KEY"},
		{"application in the name", "", "rtmp://h", "app/KEY", "KEY"},
		{"query behind the name", "app", "rtmp://h/app", "KEY?user=a&pass=b/c", "KEY"},
		{"query behind the app", "app/KEY?a=b", "rtmp://h/app/KEY?a=b", "", "KEY"},
		{"query behind both", "app?a=b", "rtmp://h/app?a=b", "KEY?c=d", "KEY"},
		{"percent encoding, once", "app", "rtmp://h/app", "sk%5Fa%2525", "sk_a%25"},
		{"encoded slash", "app%2FKEY", "rtmp://h/app%2FKEY", "", "KEY"},
		{"encoded question mark", "app", "rtmp://h/app", "a%3Fb", "a?b"},
		{"no percent encoding", "app", "rtmp://h/app", "100%", "100%"},
		{"a token", "app", "rtmp://h/app", "eyJhbGci.eyJqdGki.x-_Y", "eyJhbGci.eyJqdGki.x-_Y"},
		{"spaces from pasting", "app", "rtmp://h/app", " KEY\n", "KEY"},
		{"tcUrl that is none", "app", "://%zz", "KEY", "KEY"},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			if got, err := streamKey(test.app, test.tcURL, test.name); got != test.want || err != nil {
				t.Errorf("%q, %v; want %q", got, err, test.want)
			}
		})
	}
}

// TestNoStreamKey: the text says what came without repeating it, as it may be the key.
func TestNoStreamKey(t *testing.T) {
	for _, test := range []struct{ app, name, want string }{
		{"app", "", "the application had 3 characters, the stream name 0"},
		{"sk_secret", "", "the application had 9 characters"},
		{"", "///", "the stream name 3"},
		{"app", "?sk_secret", "the stream name 10"},
		{"app", strings.Repeat("sk_secret", 1000), "9000 characters"},
	} {
		key, err := streamKey(test.app, "rtmp://h/"+test.app, test.name)
		var r *ingest.Rejection
		if key != "" || !errors.As(err, &r) || r.Code != ingest.InvalidStreamKey {
			t.Errorf("%+v: %q, %v", test, key, err)
			continue
		}
		for _, part := range []string{test.want, "OBS: ", "ffmpeg: "} {
			if !strings.Contains(r.Detail, part) {
				t.Errorf("%q lacks %q", r.Detail, part)
			}
		}
		if strings.Contains(r.Detail, "secret") {
			t.Errorf("%q repeats what may be the key", r.Detail)
		}
	}
}
