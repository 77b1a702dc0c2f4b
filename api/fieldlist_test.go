package api

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// fieldList is testdata/ivs-realtime-api.txt, the API's own description of itself.
type fieldList struct {
	operations map[string]*listedOperation
	errors     map[string]int // HTTP status by exception
	structures map[string][]listedField
}

type listedOperation struct {
	method, path string
	in, out      []listedField
}

// listedField is one line of a structure or of an operation's input or output.
type listedField struct {
	name     string
	required bool
	listedType
	place string // "", "in uri ...", "in querystring ..."
}

// listedType is what stands after the colon.
type listedType struct {
	base     string // string integer boolean float timestamp list map, or a structure's name
	min, max int
	bounded  bool
	openMax  bool
	pattern  string
	enum     []string
	elem     *listedType // of a list; the value of a map
	key      *listedType // of a map
}

var (
	operationLine = regexp.MustCompile(`^(\w+)  (GET|POST|DELETE) (\S+) -> 200`)
	errorLine     = regexp.MustCompile(`^(\w+)  HTTP (\d+)$`)
	fieldLine     = regexp.MustCompile(`^  (\w+)(\*?): (.*)$`)
	boundsAtEnd   = regexp.MustCompile(` \((\d+)\.\.(\d+)\)$`)
	boundsInside  = regexp.MustCompile(` (\d+)\.\.(\d*)$`)
)

func readFieldList(t testing.TB) *fieldList {
	t.Helper()
	f, err := os.Open("testdata/ivs-realtime-api.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	l := &fieldList{operations: map[string]*listedOperation{}, errors: map[string]int{}, structures: map[string][]listedField{}}
	var op *listedOperation
	var into *[]listedField
	var section, structure string
	flush := func() {
		if structure != "" && into != nil {
			l.structures[structure] = *into
		}
		structure, into = "", nil
	}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "## "):
			flush()
			section = line[3:]
		case section == "Errors" && errorLine.MatchString(line):
			m := errorLine.FindStringSubmatch(line)
			l.errors[m[1]], _ = strconv.Atoi(m[2])
		case section == "Operations" && operationLine.MatchString(line):
			m := operationLine.FindStringSubmatch(line)
			op = &listedOperation{method: m[2], path: m[3]}
			l.operations[m[1]] = op
		case line == " in:":
			into = &op.in
		case line == " out:":
			into = &op.out
		case section == "Structures" && line != "" && line[0] != ' ':
			flush()
			structure, into = line, &[]listedField{}
		case into != nil && fieldLine.MatchString(line):
			m := fieldLine.FindStringSubmatch(line)
			field := listedField{name: m[1], required: m[2] == "*"}
			text := m[3]
			for _, mark := range []string{" in uri ", " in querystring ", " in header "} {
				if before, _, found := strings.Cut(text, mark); found {
					field.place, text = strings.TrimSpace(mark), before
				}
			}
			field.listedType = parseListedType(t, text)
			*into = append(*into, field)
		}
	}
	flush()
	if len(l.operations) != 39 || len(l.errors) != 7 || len(l.structures) < 40 {
		t.Fatalf("field list: %d operations, %d errors, %d structures", len(l.operations), len(l.errors), len(l.structures))
	}
	return l
}

func parseListedType(t testing.TB, text string) listedType {
	t.Helper()
	text = strings.TrimSuffix(strings.TrimSuffix(text, " sensitive"), " iso8601")
	lt := listedType{}
	if m := boundsAtEnd.FindStringSubmatch(text); m != nil {
		lt.bounded = true
		lt.min, _ = strconv.Atoi(m[1])
		lt.max, _ = strconv.Atoi(m[2])
		text = strings.TrimSuffix(text, m[0])
	}
	switch {
	case strings.HasPrefix(text, "["):
		elem := parseListedType(t, strings.TrimSuffix(text[1:], "]"))
		lt.base, lt.elem = "list", &elem
		return lt
	case strings.HasPrefix(text, "{"):
		key, value, _ := strings.Cut(strings.TrimSuffix(text[1:], "}"), ": ")
		k, v := parseListedType(t, key), parseListedType(t, value)
		lt.base, lt.key, lt.elem = "map", &k, &v
		return lt
	}
	if before, after, found := strings.Cut(text, " /"); found {
		lt.pattern, text = strings.TrimSuffix(after, "/"), before
	}
	if before, after, found := strings.Cut(text, " one of "); found {
		lt.enum, text = strings.Split(after, "|"), before
	}
	if m := boundsInside.FindStringSubmatch(text); m != nil {
		lt.bounded, lt.openMax = true, m[2] == ""
		lt.min, _ = strconv.Atoi(m[1])
		lt.max, _ = strconv.Atoi(m[2])
		text = strings.TrimSuffix(text, m[0])
	}
	lt.base = text
	return lt
}

// check gives what is wrong with an answer, nothing where it fits the list.
func (l *fieldList) check(fields []listedField, answer map[string]any, at string) (faults []string) {
	known := map[string]listedField{}
	for _, f := range fields {
		known[f.name] = f
		if _, there := answer[f.name]; f.required && !there {
			faults = append(faults, at+f.name+" is missing")
		}
	}
	for name, value := range answer {
		if at+name == "participant.health" {
			continue // stagedoor's own, and the only one
		}
		f, listed := known[name]
		if !listed {
			faults = append(faults, at+name+" is not in the list")
			continue
		}
		faults = append(faults, l.checkType(f.listedType, value, at+name)...)
	}
	return faults
}

func (l *fieldList) checkType(lt listedType, value any, at string) (faults []string) {
	wrong := func(format string, args ...any) {
		faults = append(faults, at+": "+fmt.Sprintf(format, args...))
	}
	size := func(n int) {
		if lt.bounded && (n < lt.min || n > lt.max && !lt.openMax) {
			wrong("%d is not within %d..%d", n, lt.min, lt.max)
		}
	}
	switch lt.base {
	case "string":
		s, ok := value.(string)
		if !ok {
			wrong("%T", value)
			return
		}
		size(utf8.RuneCountInString(s))
		if lt.pattern != "" && !regexp.MustCompile(`^(?:`+lt.pattern+`)$`).MatchString(s) {
			wrong("%q does not match %s", s, lt.pattern)
		}
		if lt.enum != nil && !strings.Contains("|"+strings.Join(lt.enum, "|")+"|", "|"+s+"|") {
			wrong("%q is none of %v", s, lt.enum)
		}
	case "timestamp":
		s, _ := value.(string)
		if _, err := time.Parse(time.RFC3339, s); err != nil {
			wrong("%v is no RFC 3339 string", value)
		}
	case "integer":
		n, ok := value.(float64)
		if !ok || n != float64(int(n)) {
			wrong("%v", value)
		}
		size(int(n))
	case "boolean":
		if _, ok := value.(bool); !ok {
			wrong("%v", value)
		}
	case "list":
		list, ok := value.([]any)
		if !ok {
			wrong("%T", value)
		}
		size(len(list))
		for i, member := range list {
			faults = append(faults, l.checkType(*lt.elem, member, fmt.Sprintf("%s[%d]", at, i))...)
		}
	case "map":
		m, ok := value.(map[string]any)
		if !ok {
			wrong("%T", value)
		}
		size(len(m))
		for key, member := range m {
			faults = append(faults, l.checkType(*lt.key, key, at+" key")...)
			faults = append(faults, l.checkType(*lt.elem, member, at+"."+key)...)
		}
	default:
		m, ok := value.(map[string]any)
		fields, known := l.structures[lt.base]
		if !ok || !known {
			wrong("%T for %s", value, lt.base)
			return
		}
		faults = append(faults, l.check(fields, m, at+".")...)
	}
	return faults
}
