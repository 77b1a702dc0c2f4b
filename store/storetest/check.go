package storetest

import (
	"errors"
	"reflect"
	"testing"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

// wantErr wants this very error, not one that wraps it with words of the backend.
func wantErr(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("error %v, want %v", got, want)
	}
}

func want[T any](t *testing.T, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

// pages reads a list to its end, size entries at a time; between is called after each page.
func pages[T any](t *testing.T, size int, between func(), read func(after int64, limit int) ([]T, int64, error)) []T {
	t.Helper()
	var all []T
	for after := int64(0); ; {
		page, next, err := read(after, size)
		must(t, err)
		if len(page) > size || (next != 0 && len(page) != size) {
			t.Fatalf("page of %d entries (next %d), limit %d", len(page), next, size)
		}
		all = append(all, page...)
		if next == 0 {
			return all
		}
		after = next
		if between != nil {
			between()
		}
	}
}
