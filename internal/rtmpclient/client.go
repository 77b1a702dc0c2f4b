// Package rtmpclient is a small RTMP publisher for the demo, the load tool and tests. It
// speaks RTMP 1.0 in the simplest way that every server takes, and tells a refusal's text.
package rtmpclient

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/pkg/errors"
	amf0 "github.com/yutopp/go-amf0"
)

const (
	handshakeSize = 1536  // RTMP 1.0, 5.2.3
	chunkSize     = 65536 // of what is sent; announced by SetChunkSize
	stepTimeout   = 10 * time.Second
)

// Refused is the server's word against a publisher: the code and the text of its onStatus.
type Refused struct{ Code, Description string }

func (e *Refused) Error() string { return e.Code + ": " + e.Description }

// Client is one publishing connection. Its methods are for one goroutine, but for Close and
// Err.
type Client struct {
	conn net.Conn
	w    *bufio.Writer
	done chan struct{} // closed when the reader has ended
	err  error         // why; set before done is closed

	answers chan command
	stream  uint32
}

type command struct {
	name string
	args []any
}

// Publish connects to rtmp://HOST[:PORT]/APP/KEY (or rtmps) and returns once the server has
// accepted the publisher. A refusal is a *Refused. tlsConfig may be nil.
func Publish(ctx context.Context, rawURL string, tlsConfig *tls.Config) (*Client, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("the RTMP URL is malformed") // err would repeat the stream key
	}
	app, key, found := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if !found {
		return nil, errors.New("the RTMP URL has no stream key: rtmp://HOST/APP/KEY is needed")
	}
	if u.RawQuery != "" {
		key += "?" + u.RawQuery
	}
	conn, err := dial(ctx, u, tlsConfig)
	if err != nil {
		return nil, errors.Wrap(err, "connect")
	}
	c := &Client{conn: conn, w: bufio.NewWriterSize(conn, 32<<10), done: make(chan struct{}), answers: make(chan command, 8)}
	_ = conn.SetDeadline(time.Now().Add(stepTimeout))
	if err := c.handshake(); err != nil {
		_ = conn.Close()
		return nil, err
	}
	_ = conn.SetDeadline(time.Time{})
	go c.read()
	if err := c.start(app, key, u.Scheme+"://"+u.Host+"/"+app); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

func dial(ctx context.Context, u *url.URL, config *tls.Config) (net.Conn, error) {
	port := u.Port()
	if u.Scheme == "rtmps" {
		if port == "" {
			port = "443"
		}
		return (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	}
	if port == "" {
		port = "1935"
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
}

func (c *Client) handshake() error {
	hello := make([]byte, 1+handshakeSize)
	hello[0] = 3
	_, _ = rand.Read(hello[9:])
	if _, err := c.conn.Write(hello); err != nil {
		return errors.Wrap(err, "handshake")
	}
	answer := make([]byte, 1+2*handshakeSize)
	if _, err := io.ReadFull(c.conn, answer); err != nil {
		return errors.Wrap(err, "handshake")
	}
	if answer[0] != 3 {
		return errors.Errorf("handshake: the server speaks version %d of RTMP; 3 is expected", answer[0])
	}
	_, err := c.conn.Write(answer[1 : 1+handshakeSize])
	return errors.Wrap(err, "handshake")
}

// start goes through connect, createStream and publish.
func (c *Client) start(app, key, tcURL string) error {
	if err := c.message(2, 1, 0, 0, binary.BigEndian.AppendUint32(nil, chunkSize)); err != nil {
		return err
	}
	if err := c.call(0, "connect", 1.0, amf0.ECMAArray{"app": app, "type": "nonprivate", "flashVer": "FMLE/3.0 (compatible; stagedoor)", "tcUrl": tcURL}); err != nil {
		return err
	}
	if _, err := c.await("_result"); err != nil {
		return errors.WithMessage(err, "connect")
	}
	if err := c.call(0, "createStream", 2.0, nil); err != nil {
		return err
	}
	created, err := c.await("_result")
	if err != nil {
		return errors.WithMessage(err, "createStream")
	}
	if len(created.args) < 3 {
		return errors.New("createStream: the server's answer has no stream id")
	}
	id, _ := created.args[2].(float64)
	c.stream = uint32(id)
	if err := c.call(c.stream, "publish", 3.0, nil, key, "live"); err != nil {
		return err
	}
	_, err = c.await("onStatus")
	return err
}

// await gives the next answer of that name; an error answer is a *Refused.
func (c *Client) await(name string) (command, error) {
	timer := time.NewTimer(stepTimeout)
	defer timer.Stop()
	for {
		select {
		case answer := <-c.answers:
			if refused := answer.refusal(); refused != nil {
				return answer, refused
			}
			if answer.name == name {
				return answer, nil
			}
		case <-c.done:
			return command{}, c.err
		case <-timer.C:
			return command{}, errors.Errorf("the server did not answer within %s", stepTimeout)
		}
	}
}

func (a command) refusal() *Refused {
	for _, arg := range a.args {
		info, ok := arg.(amf0.ECMAArray)
		if !ok {
			if object, isMap := arg.(map[string]any); isMap {
				info, ok = object, true
			}
		}
		if !ok {
			continue
		}
		level, _ := info["level"].(string)
		if level != "error" && a.name != "_error" {
			continue
		}
		code, _ := info["code"].(string)
		description, _ := info["description"].(string)
		return &Refused{code, description}
	}
	return nil
}

// Write sends the body of one FLV tag as a message; kind is the tag's type, timestamp in
// milliseconds. The bytes are the caller's again when it returns.
func (c *Client) Write(kind byte, timestamp uint32, body []byte) error {
	chunkStream := byte(4)
	if kind == 9 {
		chunkStream = 6
	}
	if err := c.message(chunkStream, kind, c.stream, timestamp, body); err != nil {
		return c.reason(err)
	}
	return nil
}

// reason prefers the server's word to the broken pipe that follows it.
func (c *Client) reason(err error) error {
	select {
	case <-c.done:
	case <-time.After(time.Second): // the server's word may still be on its way
		return err
	}
	var refused *Refused
	if errors.As(c.err, &refused) {
		return refused
	}
	return err
}

// Done is closed when the server has ended the connection; Err then says why.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err gives why the connection ended: a *Refused where the server said so. It is valid once
// Done is closed.
func (c *Client) Err() error { return c.err }

// Close ends the connection in good order and waits for the reader.
func (c *Client) Close() error {
	_ = c.conn.SetWriteDeadline(time.Now().Add(time.Second))
	_ = c.call(c.stream, "deleteStream", 4.0, nil, float64(c.stream))
	err := c.conn.Close()
	<-c.done
	return err
}

func (c *Client) call(stream uint32, args ...any) error {
	var body bytes.Buffer
	encoder := amf0.NewEncoder(&body)
	for _, arg := range args {
		if object, ok := arg.(amf0.ECMAArray); ok {
			arg = map[string]any(object)
		}
		if err := encoder.Encode(arg); err != nil {
			return errors.Wrap(err, "encode AMF0")
		}
	}
	return c.message(3, 20, stream, 0, body.Bytes())
}

// message writes one message, in chunks (RTMP 1.0, 5.3.1), and flushes it.
func (c *Client) message(chunkStream, kind byte, stream, timestamp uint32, body []byte) error {
	header := make([]byte, 12, 16)
	header[0] = chunkStream // fmt 0
	short := min(timestamp, 0xffffff)
	header[1], header[2], header[3] = byte(short>>16), byte(short>>8), byte(short)
	header[4], header[5], header[6] = byte(len(body)>>16), byte(len(body)>>8), byte(len(body))
	header[7] = kind
	binary.LittleEndian.PutUint32(header[8:], stream)
	var extended []byte
	if short == 0xffffff {
		extended = binary.BigEndian.AppendUint32(nil, timestamp)
	}
	_, _ = c.w.Write(append(header, extended...))
	for len(body) > chunkSize {
		_, _ = c.w.Write(body[:chunkSize])
		_ = c.w.WriteByte(0xc0 | chunkStream) // fmt 3
		_, _ = c.w.Write(extended)
		body = body[chunkSize:]
	}
	_, _ = c.w.Write(body)
	return errors.Wrap(c.w.Flush(), "send")
}
