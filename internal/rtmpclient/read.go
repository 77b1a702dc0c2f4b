package rtmpclient

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"

	"github.com/pkg/errors"
	amf0 "github.com/yutopp/go-amf0"
)

// maxMessage bounds what a server may send in one message, in bytes.
const maxMessage = 1 << 20

// read takes the server's messages until the connection ends.
func (c *Client) read() {
	defer close(c.done)
	r := chunkReader{r: bufio.NewReader(c.conn), size: 128, streams: map[uint32]*inMessage{}}
	for {
		m, err := r.next()
		if err != nil {
			c.err = errors.Wrap(err, "the server ended the connection")
			return
		}
		switch m.kind {
		case 1:
			if len(m.body) >= 4 {
				r.size = max(1, int(binary.BigEndian.Uint32(m.body)&0x7fffffff))
			}
		case 20:
			answer, err := decode(m.body)
			if err != nil {
				continue
			}
			select {
			case c.answers <- answer:
			default:
			}
			if refused := answer.refusal(); refused != nil {
				c.err = refused
				_, _ = io.Copy(io.Discard, r.r)
				return
			}
		}
	}
}

func decode(body []byte) (command, error) {
	var a command
	decoder := amf0.NewDecoder(bytes.NewReader(body))
	if err := decoder.Decode(&a.name); err != nil {
		return a, err
	}
	for {
		var arg any
		if err := decoder.Decode(&arg); err != nil {
			return a, nil //nolint:nilerr // the end of the body, or a value of no interest
		}
		a.args = append(a.args, arg)
	}
}

type inMessage struct {
	kind     byte
	length   int
	extended bool
	body     []byte
}

// chunkReader puts messages together from chunks (RTMP 1.0, 5.3.1).
type chunkReader struct {
	r       *bufio.Reader
	size    int
	streams map[uint32]*inMessage
}

func (c *chunkReader) next() (*inMessage, error) {
	for {
		first, err := c.r.ReadByte()
		if err != nil {
			return nil, err
		}
		id := uint32(first & 0x3f)
		if id < 2 {
			extra := make([]byte, id+1)
			if _, err := io.ReadFull(c.r, extra); err != nil {
				return nil, err
			}
			id = 64 + uint32(extra[0])
			if len(extra) == 2 {
				id += uint32(extra[1]) << 8
			}
		}
		m := c.streams[id]
		if m == nil {
			if len(c.streams) >= 64 {
				return nil, errors.New("the server uses more than 64 chunk streams")
			}
			m = &inMessage{}
			c.streams[id] = m
		}
		if err := c.header(first>>6, m); err != nil {
			return nil, err
		}
		part := min(c.size, m.length-len(m.body))
		start := len(m.body)
		m.body = append(m.body, make([]byte, part)...)
		if _, err := io.ReadFull(c.r, m.body[start:]); err != nil {
			return nil, err
		}
		if len(m.body) == m.length {
			whole := *m
			m.body = nil
			return &whole, nil
		}
	}
}

func (c *chunkReader) header(format byte, m *inMessage) error {
	sizes := [4]int{11, 7, 3, 0}
	var h [11]byte
	if _, err := io.ReadFull(c.r, h[:sizes[format]]); err != nil {
		return err
	}
	if format < 3 {
		m.extended = h[0] == 0xff && h[1] == 0xff && h[2] == 0xff
	}
	if format < 2 {
		m.length = int(h[3])<<16 | int(h[4])<<8 | int(h[5])
		m.kind = h[6]
	}
	if m.length > maxMessage {
		return errors.Errorf("the server sends a message of %d bytes", m.length)
	}
	if m.extended {
		_, err := io.ReadFull(c.r, h[:4])
		return err
	}
	return nil
}
