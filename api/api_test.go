package api

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestNewRefusesBadOptions(t *testing.T) {
	good := Options{
		Live: &fakeLive{}, Tokens: &fakeTokens{}, Credentials: map[string]string{"a": "b"},
		Region: "us-east-1", Account: "1", Endpoints: PublicEndpoints(nil, 1, 2),
	}
	for word, change := range map[string]func(*Options){
		"Store":      func(*Options) {},
		"access key": func(o *Options) { o.Credentials = nil },
		"region":     func(o *Options) { o.Region = "US_1" },
		"account":    func(o *Options) { o.Account = "me" },
	} {
		o := good
		if word != "Store" {
			o.Store = struct{ Store }{}
		}
		change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: error %v", word, err)
		}
	}
}

func TestUnknownPaths(t *testing.T) {
	b := newBench(t, nil)
	for _, c := range []struct{ method, path string }{
		{http.MethodGet, "/"}, {http.MethodGet, "/CreateStage"}, {http.MethodPost, "/createstage"}, {http.MethodPost, "/CreateStage/"},
		{http.MethodPost, "/Create%53tage"}, {http.MethodPut, "/tags/x"}, {http.MethodGet, "/tags"}, {http.MethodPost, "/Nothing"},
	} {
		if r := b.send("", b.request(c.method, c.path, "")); r.status != http.StatusNotFound || r.kind != "UnknownOperationException" {
			t.Errorf("%s %s: %d %s", c.method, c.path, r.status, r.kind)
		}
	}
	head, err := b.server.Client().Do(b.request(http.MethodHead, "/", ""))
	if err != nil || head.StatusCode != http.StatusNotFound {
		t.Errorf("HEAD: %v %v", head, err)
	}
}

// A ServeMux with the API's patterns hands it its own paths as they were sent.
func TestPatterns(t *testing.T) {
	b := newBench(t, nil)
	mux := http.NewServeMux()
	for _, pattern := range Patterns() {
		mux.Handle(pattern, b.server.Config.Handler)
	}
	for method, path := range map[string]string{http.MethodPost: "/CreateStage", http.MethodDelete: "/tags/arn%3Aaws%3Aivs%3Ax%3A1%3Astage%2Fa"} {
		r := b.request(method, path, "")
		if _, pattern := mux.Handler(r); pattern == "" {
			t.Errorf("%s %s is not handed over", method, path)
		}
	}
	for _, path := range []string{"/", "/whip", "/CreateStage"} {
		if _, pattern := mux.Handler(b.request(http.MethodGet, path, "")); pattern != "" && path != "/CreateStage" {
			t.Errorf("GET %s is taken by %s", path, pattern)
		}
	}
}

func TestBadBodies(t *testing.T) {
	b := newBench(t, nil)
	for word, body := range map[string]string{
		"at byte 1":      "x",
		"ends too early": `{"name":`,
		"at byte 9":      `{"name":}`,
		"a list was":     "[]",
		"null was":       "null",
		"a string was":   `"x"`,
		"nothing after":  `{"name":"a"} {"name":"b"}`,
		"'name'":         `{"name":"a","name":["b"]}`,
		"65536":          `{"name":"` + strings.Repeat("a", maxBody) + `"}`,
		"65536 bytes":    strings.Repeat(" ", 1<<20),
		"at byte":        strings.Repeat("[", maxBody),
	} {
		r := b.send("CreateStage", b.request(http.MethodPost, "/CreateStage", body))
		if r.kind != "ValidationException" || !strings.Contains(r.message(), word) {
			t.Errorf("%.20q: %d %s %s", body, r.status, r.kind, r.message())
		}
	}
	if r := b.ok("ListStages", map[string]any{}); len(r.at("stages").([]any)) != 0 {
		t.Errorf("bad bodies made stages: %v", r.body)
	}
	if r := b.send("CreateStage", b.request(http.MethodPost, "/CreateStage", "")); r.status != http.StatusOK {
		t.Errorf("an empty body: %s %s", r.kind, r.message())
	}
}

func TestThrottling(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Quotas.RateFactor = 0 })
	list := func() reply { return b.call("ListStages", map[string]any{}) }
	for range 5 {
		if r := list(); r.status != http.StatusOK {
			t.Fatalf("%s %s", r.kind, r.message())
		}
	}
	r := list()
	if r.status != http.StatusTooManyRequests || r.kind != "ThrottlingException" || r.header.Get("Retry-After") != "1" {
		t.Fatalf("%d %s", r.status, r.kind)
	}
	b.ok("CreateStage", map[string]any{}) // each operation has a count of its own
	unsigned := b.request(http.MethodPost, "/CreateStage", "{}")
	unsigned.Header.Del("Authorization")
	for range 20 { // those without a key take nobody's calls
		wantRefusal(t, b.send("CreateStage", unsigned), "MissingAuthenticationTokenException")
	}
	b.ok("CreateStage", map[string]any{})
	b.now = b.now.Add(200 * time.Millisecond)
	if r := list(); r.status != http.StatusOK {
		t.Errorf("after a fifth of a second: %s", r.kind)
	}
}

// TestRates compares the rates with the guide's chapter on service quotas.
func TestRates(t *testing.T) {
	for _, r := range routes {
		want := 5
		switch {
		case r.operation == "CreateParticipantToken":
			want = 50
		case strings.Contains(r.operation, "PublicKey"):
			want = 3
		}
		if r.perSecond != want {
			t.Errorf("%s has %d calls per second, want %d", r.operation, r.perSecond, want)
		}
	}
	for _, r := range tagRoutes {
		if r.perSecond != 10 {
			t.Errorf("%s has %d calls per second", r.operation, r.perSecond)
		}
	}
}

func TestEndpoints(t *testing.T) {
	request := &http.Request{Host: "[::1]:9999"}
	for _, c := range []struct {
		public, request string
		rtmp, rtmps     int
		want            Endpoints
	}{
		{public: "https://stage.example", rtmp: 1935, rtmps: 443, want: Endpoints{
			Events: "wss://stage.example/events", WHIP: "https://stage.example/whip",
			RTMP: "rtmp://stage.example:1935/app/", RTMPS: "rtmps://stage.example:443/app/"}},
		{rtmp: 1935, want: Endpoints{Events: "ws://[::1]:9999/events", WHIP: "http://[::1]:9999/whip", RTMP: "rtmp://[::1]:1935/app/"}},
	} {
		var public *url.URL
		if c.public != "" {
			var err error
			if public, err = url.Parse(c.public); err != nil {
				t.Fatal(err)
			}
		}
		if got := PublicEndpoints(public, c.rtmp, c.rtmps)(request); got != c.want {
			t.Errorf("got  %+v\nwant %+v", got, c.want)
		}
	}
}

func TestUUID(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		id := newUUID()
		if len(id) != 36 || id[14] != '4' || !slices.Contains([]byte("89ab"), id[19]) || seen[id] {
			t.Fatalf("UUID %s", id)
		}
		seen[id] = true
	}
}

// A caller that stops sending in the midst of its body is told so.
func TestBodyThatEndsEarly(t *testing.T) {
	b := newBench(t, nil)
	conn, err := net.Dial("tcp", b.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, "POST /CreateStage HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(answer), "ended too early") {
		t.Errorf("%q (%v)", answer, err)
	}
}

func FuzzBody(f *testing.F) {
	f.Add("CreateStage", `{"name":"a","tags":{"a":"b"},"participantTokenConfigurations":[{"duration":1,"capabilities":["PUBLISH"]}]}`)
	f.Add("ListStages", `{"maxResults":1e2,"nextToken":"TGlzdFN0YWdlczo3"}`)
	f.Add("UntagResource", `{"tagKeys":[null]}`)
	f.Fuzz(func(t *testing.T, operation, body string) {
		raw, err := parseBody([]byte(body))
		if err != nil {
			return
		}
		in, err := checkFields(limits[operation], raw, "")
		if err != nil {
			return
		}
		if after, limit, err := in.page(operation); err == nil && (after < 0 || limit < 1 || limit > 100) {
			t.Fatalf("page after %d of %d", after, limit)
		}
		for _, name := range []string{"name", "userId", "reason"} {
			if n := len(in.text(name)); n > 4*128 {
				t.Fatalf("%s has %d bytes", name, n)
			}
		}
	})
}
