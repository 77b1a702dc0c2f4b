package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// checkFields gives the fields that the rules know, each in the type that its rule says, or
// the first one that breaks its rule. JSON's null counts as absent. The values themselves
// are not repeated in errors: a client may have put a secret in the wrong field.
func checkFields(rules []rule, raw map[string]any, prefix string) (input, error) {
	in := input{}
	for _, rule := range rules {
		field := prefix + rule.name
		value := raw[rule.name]
		if value == nil {
			if rule.required {
				return nil, invalid(field, "Member must not be null")
			}
			continue
		}
		checked, err := checkValue(rule, value, field)
		if err != nil {
			return nil, err
		}
		in[rule.name] = checked
	}
	return in, nil
}

func checkValue(r rule, value any, field string) (any, error) {
	switch r.kind {
	case text:
		if s, ok := value.(string); ok {
			return s, checkText(r, s, field)
		}
	case integer:
		if n, ok := value.(json.Number); ok {
			return checkInteger(r, n, field)
		}
	case boolean:
		if b, ok := value.(bool); ok {
			return b, nil
		}
	case texts:
		if list, ok := value.([]any); ok {
			return checkTexts(r, list, field)
		}
	case textMap:
		if m, ok := value.(map[string]any); ok {
			return checkTextMap(r, m, field)
		}
	case object:
		if m, ok := value.(map[string]any); ok {
			return checkFields(r.fields, m, field+".")
		}
	case objects:
		if list, ok := value.([]any); ok {
			return checkObjects(r, list, field)
		}
	}
	return nil, invalid(field, "Member must be %s; %s was sent", r.kind, describe(value))
}

func checkText(r rule, s, field string) error {
	if err := checkSize(r, utf8.RuneCountInString(s), field, "length"); err != nil {
		return err
	}
	if r.pattern != nil && !r.pattern.MatchString(s) {
		return invalid(field, "Member must satisfy regular expression pattern: %s", unanchored(r))
	}
	if r.enum != nil && !slices.Contains(r.enum, s) {
		return invalid(field, "Member must satisfy enum value set: [%s]", strings.Join(r.enum, ", "))
	}
	return nil
}

// unanchored is the pattern as the field list has it.
func unanchored(r rule) string {
	return strings.TrimSuffix(strings.TrimPrefix(r.pattern.String(), `^(?:`), `)$`)
}

func checkSize(r rule, n int, field, what string) error {
	if n < r.min {
		return invalid(field, "Member must have %s greater than or equal to %d", what, r.min)
	}
	if r.max != unlimited && n > r.max {
		return invalid(field, "Member must have %s less than or equal to %d", what, r.max)
	}
	return nil
}

func checkInteger(r rule, number json.Number, field string) (any, error) {
	n, err := strconv.Atoi(number.String())
	if err != nil {
		return nil, invalid(field, "Member must be a whole number from %d to %d", r.min, r.max)
	}
	return n, checkSize(r, n, field, "value")
}

func checkTexts(r rule, list []any, field string) (any, error) {
	if err := checkSize(r, len(list), field, "length"); err != nil {
		return nil, err
	}
	checked := make([]string, len(list))
	for i, value := range list {
		member := fmt.Sprintf("%s[%d]", field, i)
		s, ok := value.(string)
		if !ok {
			return nil, invalid(member, "Member must be %s; %s was sent", text, describe(value))
		}
		if err := checkText(*r.member, s, member); err != nil {
			return nil, err
		}
		checked[i] = s
	}
	return checked, nil
}

func checkTextMap(r rule, m map[string]any, field string) (any, error) {
	if err := checkSize(r, len(m), field, "length"); err != nil {
		return nil, err
	}
	checked, size := make(map[string]string, len(m)), 0
	for key, value := range m {
		s, ok := value.(string)
		if !ok {
			return nil, invalid(field, "Map value must be %s; %s was sent", text, describe(value))
		}
		if r.key != nil {
			if err := checkText(*r.key, key, field+" (a key)"); err != nil {
				return nil, err
			}
			if err := checkText(*r.member, s, field+" (a value)"); err != nil {
				return nil, err
			}
		}
		checked[key] = s
		size += len(key) + len(s)
	}
	if r.maxBytes > 0 && size > r.maxBytes {
		return nil, invalid(field, "Member must have keys and values of at most %d bytes in total", r.maxBytes)
	}
	return checked, nil
}

func checkObjects(r rule, list []any, field string) (any, error) {
	if err := checkSize(r, len(list), field, "length"); err != nil {
		return nil, err
	}
	checked := make([]input, len(list))
	for i, value := range list {
		member := fmt.Sprintf("%s[%d]", field, i)
		m, ok := value.(map[string]any)
		if !ok {
			return nil, invalid(member, "Member must be %s; %s was sent", object, describe(value))
		}
		in, err := checkFields(r.fields, m, member+".")
		if err != nil {
			return nil, err
		}
		checked[i] = in
	}
	return checked, nil
}

// String is for messages.
func (k kind) String() string {
	return [...]string{"a string", "a whole number", "a boolean", "a list of strings", "an object with string values", "an object", "a list of objects"}[k]
}

// describe names the JSON type of a value.
func describe(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case json.Number:
		return "a number"
	case bool:
		return "a boolean"
	case []any:
		return "a list"
	}
	return "an object"
}
