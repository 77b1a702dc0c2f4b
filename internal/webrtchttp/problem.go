package webrtchttp

import (
	"encoding/json"
	"net/http"
	"strings"
)

// problem is a problem document (RFC 9457, section 3.1). Its type is always about:blank:
// Code is what programs look at, and Title and Detail are for people.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Code   string `json:"code,omitempty"`
}

// WriteProblem answers with an application/problem+json document. An empty title becomes
// the status's own phrase; detail and code may be empty. Headers such as WWW-Authenticate
// and Retry-After are set by the caller beforehand.
func WriteProblem(w http.ResponseWriter, status int, title, detail, code string) {
	if title == "" {
		title = http.StatusText(status)
	}
	body, err := json.Marshal(problem{Type: "about:blank", Title: title, Status: status, Detail: detail, Code: code})
	if err != nil { // strings and a number always marshal
		http.Error(w, title, status)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a client that is gone needs no answer
}

// WriteMethodNotAllowed answers 405 with the methods that are allowed (RFC 9110, 15.5.6).
func WriteMethodNotAllowed(w http.ResponseWriter, r *http.Request, allowed ...string) {
	list := strings.Join(allowed, ", ")
	w.Header().Set("Allow", list)
	WriteProblem(w, http.StatusMethodNotAllowed, "", r.Method+" does not work here; what does: "+list+".", "METHOD_NOT_ALLOWED")
}
