//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// Browser is a headless Chromium, driven over the DevTools protocol. It has a user's folder
// of its own, and a fake camera and microphone that need no permission.
type Browser struct {
	conn   *websocket.Conn
	reader sync.WaitGroup

	mu      sync.Mutex
	next    int
	replies map[int]chan reply
	pages   map[string]*Page // by session id
}

// Page is one tab.
type Page struct {
	browser *Browser
	session string

	mu  sync.Mutex
	log []string // what the page wrote to its console, and its exceptions
}

type reply struct {
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// StartBrowser starts Chromium; it ends with the test.
func StartBrowser(t testing.TB, flags ...string) *Browser {
	t.Helper()
	args := append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--disable-dev-shm-usage", "--user-data-dir=" + t.TempDir(), "--remote-debugging-port=0",
		"--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
		"--window-size=1280,900",
	}, flags...)
	cmd := exec.Command(need(t, "chromium"), append(args, "about:blank")...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // its children end with it
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := make(chan string, 1)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if _, url, ok := strings.Cut(lines.Text(), "DevTools listening on "); ok {
				address <- url
			}
		}
	}()
	b := &Browser{replies: make(map[int]chan reply), pages: make(map[string]*Page)}
	t.Cleanup(func() {
		if b.conn != nil {
			_ = b.conn.CloseNow()
		}
		b.reader.Wait()
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-drained
		_ = cmd.Wait()
	})
	select {
	case url := <-address:
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if b.conn, _, err = websocket.Dial(ctx, url, nil); err != nil {
			t.Fatalf("reaching Chromium's DevTools: %v", err)
		}
	case <-time.After(60 * time.Second):
		t.Fatal("Chromium did not open its DevTools port within 60 s")
	}
	b.conn.SetReadLimit(-1)
	b.reader.Add(1)
	go b.read()
	return b
}

// Open opens a URL in a new tab and waits until it is loaded.
func (b *Browser) Open(t testing.TB, url string) *Page {
	t.Helper()
	var target struct {
		TargetID string `json:"targetId"`
	}
	b.call(t, "", "Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct {
		SessionID string `json:"sessionId"`
	}
	b.call(t, "", "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	p := &Page{browser: b, session: attached.SessionID}
	b.mu.Lock()
	b.pages[p.session] = p
	b.mu.Unlock()
	for _, domain := range []string{"Runtime", "Log", "Page"} {
		b.call(t, p.session, domain+".enable", nil, nil)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the page's console:\n%s", p.Console())
		}
	})
	p.Go(t, url)
	return p
}

// Go loads a URL and waits until it is loaded.
func (p *Page) Go(t testing.TB, url string) {
	t.Helper()
	p.browser.call(t, p.session, "Page.navigate", map[string]any{"url": url}, nil)
	p.Wait(t, 20*time.Second, `document.readyState === "complete"`)
}

// Close closes the tab.
func (p *Page) Close(t testing.TB) {
	t.Helper()
	p.browser.call(t, p.session, "Page.close", nil, nil)
}

// Eval evaluates an expression, or the promise that it gives, as if the user had clicked,
// and decodes its JSON value into out, unless that is nil.
func (p *Page) Eval(t testing.TB, expression string, out any) {
	t.Helper()
	if err := p.eval(expression, out); err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
}

func (p *Page) eval(expression string, out any) error {
	var answer struct {
		Result struct {
			Value json.RawMessage `json:"value"`
		} `json:"result"`
		Exception *struct {
			Text      string `json:"text"`
			Exception struct {
				Description string `json:"description"`
			} `json:"exception"`
		} `json:"exceptionDetails"`
	}
	err := p.browser.do(p.session, "Runtime.evaluate", map[string]any{
		"expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true,
	}, &answer)
	if err != nil {
		return err
	}
	if answer.Exception != nil {
		return fmt.Errorf("the page threw %s %s", answer.Exception.Text, answer.Exception.Exception.Description)
	}
	if out == nil {
		return nil
	}
	if answer.Result.Value == nil {
		return fmt.Errorf("the expression gave undefined")
	}
	return json.Unmarshal(answer.Result.Value, out)
}

// Wait evaluates an expression each 100 ms until it is true.
func (p *Page) Wait(t testing.TB, limit time.Duration, expression string) {
	t.Helper()
	var last error
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		var met bool
		if last = p.eval("!!("+expression+")", &met); last == nil && met {
			return
		}
	}
	t.Fatalf("after %v the page still does not meet %s (%v)", limit, expression, last)
}

// Click clicks the first element that matches the selector.
func (p *Page) Click(t testing.TB, selector string) {
	t.Helper()
	p.Eval(t, fmt.Sprintf("document.querySelector(%q).click()", selector), nil)
}

// Screenshot stores a picture of the page; a width of 0 keeps the window's own.
func (p *Page) Screenshot(t testing.TB, path string, width int) {
	t.Helper()
	if width > 0 {
		p.browser.call(t, p.session, "Emulation.setDeviceMetricsOverride",
			map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}, nil)
	}
	var shot struct {
		Data string `json:"data"`
	}
	p.browser.call(t, p.session, "Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true}, &shot)
	picture, err := base64.StdEncoding.DecodeString(shot.Data)
	if err == nil {
		err = os.WriteFile(path, picture, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Console gives what the page wrote to its console so far, exceptions included.
func (p *Page) Console() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.log, "\n")
}

func (b *Browser) call(t testing.TB, session, method string, params, out any) {
	t.Helper()
	if err := b.do(session, method, params, out); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
}

func (b *Browser) do(session, method string, params, out any) error {
	answered := make(chan reply, 1)
	b.mu.Lock()
	b.next++
	id := b.next
	b.replies[id] = answered
	b.mu.Unlock()

	request := map[string]any{"id": id, "method": method}
	if params != nil {
		request["params"] = params
	}
	if session != "" {
		request["sessionId"] = session
	}
	data, err := json.Marshal(request)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	if err := b.conn.Write(ctx, websocket.MessageText, data); err != nil {
		return err
	}
	select {
	case r := <-answered:
		if r.Error != nil {
			return fmt.Errorf("answer of Chromium: %s", r.Error.Message)
		}
		if out == nil {
			return nil
		}
		return json.Unmarshal(r.Result, out)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// read passes replies on to who waits for them until the connection is closed.
func (b *Browser) read() {
	defer b.reader.Done()
	for {
		_, data, err := b.conn.Read(context.Background())
		if err != nil {
			return
		}
		var message struct {
			ID      int             `json:"id"`
			Session string          `json:"sessionId"`
			Method  string          `json:"method"`
			Params  json.RawMessage `json:"params"`
			reply
		}
		if json.Unmarshal(data, &message) != nil {
			continue
		}
		b.mu.Lock()
		answered, page := b.replies[message.ID], b.pages[message.Session]
		delete(b.replies, message.ID)
		b.mu.Unlock()
		switch {
		case answered != nil:
			answered <- message.reply
		case page != nil && (message.Method == "Runtime.consoleAPICalled" || message.Method == "Runtime.exceptionThrown" || message.Method == "Log.entryAdded"):
			page.mu.Lock()
			page.log = append(page.log, consoleText(message.Params))
			page.mu.Unlock()
		}
	}
}

// consoleText finds the words in an event about the console, an exception or the browser's log.
func consoleText(params []byte) string {
	var event struct {
		Args []struct {
			Value       any    `json:"value"`
			Description string `json:"description"`
		} `json:"args"`
		Details struct {
			Exception struct {
				Description string `json:"description"`
			} `json:"exception"`
		} `json:"exceptionDetails"`
		Entry struct {
			Text string `json:"text"`
			URL  string `json:"url"`
		} `json:"entry"`
	}
	_ = json.Unmarshal(params, &event) // whatever it is, it is shown only when a test fails
	words := []string{event.Details.Exception.Description, event.Entry.Text, event.Entry.URL}
	for _, arg := range event.Args {
		words = append(words, arg.Description, fmt.Sprint(arg.Value))
	}
	return strings.TrimSpace(strings.Join(words, " "))
}
