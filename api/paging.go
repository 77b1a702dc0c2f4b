package api

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// defaultPage is how many entries a list answers where maxResults is absent.
const defaultPage = 50

// page gives the place and the size of the page that the caller asks for. The token is
// opaque to the caller; it names the list, so that another list's token is noticed.
func (in input) page(list string) (after int64, limit int, err error) {
	limit = in.integer("maxResults", defaultPage)
	token := in.text("nextToken")
	if token == "" {
		return 0, limit, nil
	}
	const wrong = "Member must be the nextToken of an earlier answer to the same operation"
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return 0, 0, invalid("nextToken", wrong)
	}
	of, number, _ := strings.Cut(string(text), ":")
	after, err = strconv.ParseInt(number, 10, 64)
	if of != list || err != nil || after <= 0 {
		return 0, 0, invalid("nextToken", wrong)
	}
	return after, limit, nil
}

// nextToken is the token of the page after this one, empty where there is none.
func nextToken(list string, next int64) string {
	if next == 0 {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(list + ":" + strconv.FormatInt(next, 10)))
}

// views maps a page's entries to what is shown of them.
func views[T, V any](page []T, view func(T) V) []V {
	shown := make([]V, 0, len(page)) // a list that is empty is [] and not null
	for _, entry := range page {
		shown = append(shown, view(entry))
	}
	return shown
}
