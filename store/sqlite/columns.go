package sqlite

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"time"

	"github.com/pkg/errors"
)

// textMap is a map as a JSON column. A nil map reads back as an empty one.
type textMap map[string]string

// Value is for database/sql.
func (m textMap) Value() (driver.Value, error) {
	if m == nil {
		m = textMap{}
	}
	b, err := json.Marshal(m)
	return string(b), errors.Wrap(err, "map column")
}

// Scan is for database/sql.
func (m *textMap) Scan(src any) error {
	text, ok := src.(string)
	if !ok {
		return errors.Errorf("map column holds %T", src)
	}
	return errors.Wrap(json.Unmarshal([]byte(text), m), "map column")
}

// nanos is a time as nanoseconds since 1970, 0 for the zero time.
type nanos time.Time

// Value is for database/sql.
func (t nanos) Value() (driver.Value, error) {
	if time.Time(t).IsZero() {
		return int64(0), nil
	}
	return time.Time(t).UnixNano(), nil
}

// Scan is for database/sql.
func (t *nanos) Scan(src any) error {
	n, ok := src.(int64)
	if !ok {
		return errors.Errorf("time column holds %T", src)
	}
	*t = nanos{}
	if n != 0 {
		*t = nanos(time.Unix(0, n).UTC())
	}
	return nil
}

// row is a row of a query, be it the only one or one of many.
type row interface{ Scan(dest ...any) error }

var (
	_ row = (*sql.Row)(nil)
	_ row = (*sql.Rows)(nil)
)
