package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// canonicalRequest is the text that both sides of Signature Version 4 hash.
func canonicalRequest(r *http.Request, signedHeaders []string, body []byte) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + canonicalPath(r.URL.EscapedPath()) + "\n" + canonicalQuery(r.URL.RawQuery) + "\n")
	for _, name := range signedHeaders {
		b.WriteString(name + ":" + canonicalHeader(r, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(signedHeaders, ";") + "\n" + hexSHA256(body))
	return b.String()
}

// canonicalPath resolves dot segments and empty ones, and encodes the path as it was sent
// once more: what was %2F becomes %252F (every service but S3).
func canonicalPath(sent string) string {
	var segments []string
	for segment := range strings.SplitSeq(sent, "/") {
		switch segment {
		case "", ".":
		case "..":
			segments = segments[:max(0, len(segments)-1)]
		default:
			segments = append(segments, percentEncode(segment))
		}
	}
	path := "/" + strings.Join(segments, "/")
	if strings.HasSuffix(sent, "/") && len(segments) > 0 {
		path += "/"
	}
	return path
}

// canonicalQuery sorts the parameters by their encoded name, then by their encoded value.
// What cannot be decoded is left out: the signature then differs.
func canonicalQuery(raw string) string {
	values, _ := url.ParseQuery(raw)
	type pair struct{ name, value string }
	var pairs []pair
	for name, list := range values {
		for _, value := range list {
			pairs = append(pairs, pair{percentEncode(name), percentEncode(value)})
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	encoded := make([]string, len(pairs))
	for i, p := range pairs {
		encoded[i] = p.name + "=" + p.value
	}
	return strings.Join(encoded, "&")
}

// canonicalHeader gives a header's values, trimmed, with runs of spaces made one.
func canonicalHeader(r *http.Request, name string) string {
	switch name {
	case "host": // net/http keeps these two apart from the others
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	var values []string
	for _, value := range r.Header.Values(name) {
		values = append(values, strings.Join(strings.Fields(value), " "))
	}
	return strings.Join(values, ",")
}

// percentEncode encodes all but the unreserved characters of RFC 3986, section 2.3.
func percentEncode(s string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return b.String()
}
