package webrtchttp

import (
	"net/http"
	"strings"
)

// CORS lets pages of any origin use the resource, and read the headers that WHIP and WHEP
// clients need. Any origin is safe because the token travels in a header that the page
// itself sets, and never in a cookie. Call it before anything is answered, errors
// included: a browser hides an error that lacks these headers.
func CORS(w http.ResponseWriter, methods ...string) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match")
	h.Set("Access-Control-Expose-Headers", "Accept-Patch, Accept-Post, Allow, ETag, Link, Location, Retry-After, WWW-Authenticate")
	h.Set("Access-Control-Max-Age", "86400")
}

// WriteOptions answers an OPTIONS request, preflight or not, which needs no token: a browser
// sends none, and RFC 9725, 4.2, has clients ask before they have one. accept is the value of
// Accept-Post and may be empty.
func WriteOptions(w http.ResponseWriter, accept string, methods ...string) {
	CORS(w, methods...)
	w.Header().Set("Allow", strings.Join(methods, ", "))
	if accept != "" {
		w.Header().Set("Accept-Post", accept)
	}
	w.WriteHeader(http.StatusNoContent)
}

// AddICELinks adds one Link header for each ICE server, a STUN or TURN URI (RFC 9725, 4.6).
// They are separate headers because some clients split at every comma.
func AddICELinks(w http.ResponseWriter, servers []string) {
	for _, uri := range servers {
		w.Header().Add("Link", "<"+uri+`>; rel="ice-server"`)
	}
}
