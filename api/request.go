package api

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pkg/errors"
)

const (
	maxBody     = 64 << 10         // bytes; the largest valid request is far smaller
	maxDrain    = 4 << 20          // bytes of an oversized body that are read and thrown away
	bodyTimeout = 10 * time.Second // for the body to arrive
)

// readBody reads the request's body. An oversized one is drained before it is refused, as
// far as is sensible: a client that is still sending would not read our answer.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	// Where it is not supported (a test's recorder) there is nothing to wait for.
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(bodyTimeout))
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, faultf(http.StatusBadRequest, "ValidationException", "The request's body ended too early or took longer than %v", bodyTimeout)
	}
	if len(body) > maxBody {
		_, _ = io.CopyN(io.Discard, r.Body, maxDrain)
		return nil, invalid("body", "Member must have length less than or equal to %d bytes", maxBody)
	}
	// Left in place it would end the request's context while the call is being answered. After
	// a failure it stays: net/http reads what is left of the body before the next request.
	_ = connection.SetReadDeadline(time.Time{})
	return body, nil
}

// readInput gathers the fields of a request from wherever the operation has them, and checks
// them against limits. Fields that the operation does not know are ignored, as AWS does.
func readInput(route route, r *http.Request, body []byte) (input, error) {
	raw, err := parseBody(body)
	if err != nil {
		return nil, err
	}
	rules := limits[route.operation]
	for _, rule := range rules {
		switch rule.in {
		case inPath:
			value, err := url.PathUnescape(strings.TrimPrefix(r.URL.EscapedPath(), tagsPath))
			if err != nil {
				return nil, invalid(rule.name, "Member must be percent-encoded")
			}
			raw[rule.name] = value
		case inQuery:
			delete(raw, rule.name)
			if values, ok := r.URL.Query()[rule.name]; ok {
				list := make([]any, len(values))
				for i, value := range values {
					list[i] = value
				}
				raw[rule.name] = list
			}
		}
	}
	return checkFields(rules, raw, "")
}

func parseBody(body []byte) (map[string]any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return map[string]any{}, nil
	}
	var value any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil, badJSON(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, invalid("body", "Member must be one JSON object with nothing after it")
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, invalid("body", "Member must be a JSON object; %s was sent", describe(value))
	}
	return object, nil
}

func badJSON(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return invalid("body", "Member must be JSON; at byte %d: %s", syntax.Offset, syntax.Error())
	}
	return invalid("body", "Member must be JSON; it ends too early")
}

// input is the checked fields of a request or of an object in it. Each holds the type that
// its rule says; absent fields have no entry.
type input map[string]any

func (in input) has(name string) bool { _, ok := in[name]; return ok }

func (in input) text(name string) string { s, _ := in[name].(string); return s }

func (in input) boolean(name string) bool { b, _ := in[name].(bool); return b }

func (in input) integer(name string, otherwise int) int {
	if n, ok := in[name].(int); ok {
		return n
	}
	return otherwise
}

func (in input) texts(name string) []string { l, _ := in[name].([]string); return l }

// textMap gives an empty map where the field is absent.
func (in input) textMap(name string) map[string]string {
	if m, ok := in[name].(map[string]string); ok {
		return m
	}
	return map[string]string{}
}

func (in input) object(name string) input { o, _ := in[name].(input); return o }

func (in input) objects(name string) []input { l, _ := in[name].([]input); return l }
