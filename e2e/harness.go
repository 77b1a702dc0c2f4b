//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/stage"
)

// built is the program under test: TestMain sets it before the first test.
var built string

// build compiles the program into dir.
func build(dir string) error {
	built = filepath.Join(dir, "stagedoor")
	cmd := exec.Command("go", "build", "-o", built, "./cmd/stagedoor")
	cmd.Dir = root()
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}

// root is the repository's folder.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(file))
}

// Clip gives the path of a clip of testdata.
func Clip(name string) string { return filepath.Join(root(), "testdata", name) }

// need gives the path of a real program; without it the test fails.
func need(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("%s is missing: .ci/run installs it", program)
	}
	return path
}

// Program is a real program that runs beside the test. What it writes is kept.
type Program struct {
	cmd    *exec.Cmd
	output lockedBuffer
	ended  chan struct{}
	err    error // valid once ended is closed
}

// Start starts a program, which is killed at the end of the test if it still runs.
func Start(t testing.TB, name string, args ...string) *Program {
	t.Helper()
	p := &Program{cmd: exec.Command(name, args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // its children end with it
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		select {
		case <-p.ended:
		default:
			_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
			<-p.ended
		}
		if t.Failed() {
			t.Logf("%s wrote:\n%s", filepath.Base(name), tail(p.Output(), 6000))
		}
	})
	return p
}

// Output is what the program wrote so far, to either stream.
func (p *Program) Output() string { return p.output.String() }

// Wait waits for the program's end and gives its exit status.
func (p *Program) Wait(t testing.TB, limit time.Duration) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(limit):
		t.Fatalf("%s still runs after %v", filepath.Base(p.cmd.Path), limit)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Interrupt asks the program to end, as Ctrl-C does, and waits for it.
func (p *Program) Interrupt(t testing.TB, limit time.Duration) int {
	t.Helper()
	_ = p.cmd.Process.Signal(os.Interrupt) // it may have ended
	return p.Wait(t, limit)
}

// Gateway is the program under test, started with a data folder of its own on ports that
// the kernel chose.
type Gateway struct {
	*Program
	Data string
	Env  map[string]string // what "stagedoor env" prints
}

// StartGateway runs "stagedoor serve" until the end of the test, and then checks that it
// ended in good order and told no secret in its log.
func StartGateway(t testing.TB, flags ...string) *Gateway {
	t.Helper()
	return startGateway(t, "serve", flags...)
}

func startGateway(t testing.TB, command string, flags ...string) *Gateway {
	t.Helper()
	g := &Gateway{Data: t.TempDir()}
	args := []string{command, "--data", g.Data}
	for _, flag := range []string{"--http", "--rtmp", "--rtmps", "--ice", "--admin"} {
		args = append(args, flag, "127.0.0.1:0")
	}
	g.Program = Start(t, built, append(args, flags...)...)
	t.Cleanup(func() { g.stop(t) })
	within(t, 20*time.Second, "the gateway is ready", func() bool {
		g.Env = readEnv(g.Data)
		if g.Env == nil {
			return false
		}
		response, err := http.Get(g.Env["AWS_ENDPOINT_URL_IVS_REALTIME"] + "/readyz")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return g
}

var export = regexp.MustCompile(`(?m)^export ([A-Z_]+)='(.*)'$`)

// readEnv gives nil while the gateway is not up.
func readEnv(data string) map[string]string {
	out, err := exec.Command(built, "env", "--data", data).Output()
	if err != nil {
		return nil
	}
	env := make(map[string]string)
	for _, found := range export.FindAllStringSubmatch(string(out), -1) {
		env[found[1]] = found[2]
	}
	return env
}

func (g *Gateway) stop(t testing.TB) {
	_ = g.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-g.ended:
		if code := g.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("the gateway ended with status %d after SIGTERM", code)
		}
	case <-time.After(20 * time.Second):
		t.Error("the gateway still runs 20 s after SIGTERM")
	}
	for _, secret := range []string{"STAGEDOOR_STREAM_KEY", "STAGEDOOR_PUBLISH_TOKEN", "STAGEDOOR_WATCH_TOKEN", "AWS_SECRET_ACCESS_KEY"} {
		if value := g.Env[secret]; value != "" && strings.Contains(g.Log(), value) {
			t.Errorf("%s is in the gateway's log", secret)
		}
	}
}

// Log is the gateway's log without what it prints for the person at the terminal.
func (g *Gateway) Log() string {
	var log strings.Builder
	lines := bufio.NewScanner(strings.NewReader(g.Output()))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "time=") {
			log.WriteString(lines.Text() + "\n")
		}
	}
	return log.String()
}

// RTMP and RTMPS are the URLs with the stream key.
func (g *Gateway) RTMP() string  { return g.Env["STAGEDOOR_RTMP_URL"] + g.Env["STAGEDOOR_STREAM_KEY"] }
func (g *Gateway) RTMPS() string { return g.Env["STAGEDOOR_RTMPS_URL"] + g.Env["STAGEDOOR_STREAM_KEY"] }

// Scene gives the stage as the events feed shows it now.
func (g *Gateway) Scene(t testing.TB) stage.Scene {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	url := strings.Replace(g.Env["AWS_ENDPOINT_URL_IVS_REALTIME"], "http", "ws", 1) + "/events"
	conn, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + g.Env["STAGEDOOR_WATCH_TOKEN"]}},
	})
	if err != nil {
		t.Fatalf("the events feed: %v", err)
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(1 << 20)
	_, data, err := conn.Read(ctx)
	if err != nil {
		t.Fatalf("the events feed: %v", err)
	}
	var scene stage.Scene
	if err := json.Unmarshal(data, &scene); err != nil {
		t.Fatalf("the events feed sent %s: %v", data, err)
	}
	return scene
}

// OnStage waits until somebody is on stage.
func (g *Gateway) OnStage(t testing.TB) {
	t.Helper()
	within(t, 20*time.Second, "somebody is on stage", func() bool { return len(g.Scene(t).Participants) > 0 })
}

// PlayClip publishes a clip of testdata as it is, in real time, over and over.
func PlayClip(t testing.TB, path, url string) *Program {
	t.Helper()
	return Start(t, need(t, "ffmpeg"), "-hide_banner", "-nostdin", "-re", "-stream_loop", "-1", "-i", path, "-c", "copy", "-f", "flv", url)
}

// MakeClip makes a clip that is too large to be kept, and gives its path.
func MakeClip(t testing.TB, name string) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.Command(filepath.Join(root(), "testdata", "generate.sh"), name, dir).CombinedOutput()
	if err != nil {
		t.Fatalf("making the clip %s: %v\n%s", name, err, out)
	}
	return filepath.Join(dir, name+".flv")
}

// within waits until something is true, for things that give no other sign.
func within(t testing.TB, limit time.Duration, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("%v have passed and it is not true that %s", limit, what)
}

// ffmpeg runs ffmpeg to its end and gives what it wrote to its standard output.
func ffmpeg(t testing.TB, args ...string) []byte {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(need(t, "ffmpeg"), append([]string{"-hide_banner", "-nostdin", "-loglevel", "error"}, args...)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("ffmpeg %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.Bytes()
}

func tail(text string, most int) string {
	if len(text) > most {
		return "…" + text[len(text)-most:]
	}
	return text
}

// lockedBuffer is a buffer that is written and read at once.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.b.Len() > 16<<20 {
		return 0, errors.New("16 MiB of output are enough")
	}
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
