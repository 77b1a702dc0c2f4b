package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestRoutesAreTheFieldLists wants every operation of the list, and no other.
func TestRoutesAreTheFieldLists(t *testing.T) {
	list := readFieldList(t)
	have := map[string]string{}
	for _, r := range routes {
		have[r.operation] = http.MethodPost + " /" + r.operation
	}
	for method, r := range tagRoutes {
		have[r.operation] = method + " /tags/{resourceArn}"
	}
	want := map[string]string{}
	for name, op := range list.operations {
		want[name] = op.method + " " + op.path
	}
	if !maps.Equal(have, want) {
		t.Fatalf("routes %v\nlist %v", have, want)
	}
	for name, r := range routes {
		if (limits[name] != nil) != (r.handle != nil) {
			t.Errorf("%s has a handler or limits, but not both", name)
		}
	}
}

// TestLimitsAreTheFieldLists compares the table with the list, rule by rule.
func TestLimitsAreTheFieldLists(t *testing.T) {
	list := readFieldList(t)
	for operation, rules := range limits {
		compareFields(t, list, operation, rules, list.operations[operation].in)
	}
}

func compareFields(t *testing.T, list *fieldList, at string, rules []rule, listed []listedField) {
	byName := map[string]rule{}
	for _, r := range rules {
		byName[r.name] = r
	}
	if len(byName) != len(listed) {
		t.Errorf("%s has rules for %v", at, slices.Sorted(maps.Keys(byName)))
	}
	for _, f := range listed {
		r, found := byName[f.name]
		switch {
		case !found:
			t.Errorf("%s.%s has no rule", at, f.name)
			continue
		case r.required != f.required:
			t.Errorf("%s.%s: required is %v", at, f.name, r.required)
		case (r.in == inPath) != (f.place == "in uri") || (r.in == inQuery) != (f.place == "in querystring"):
			t.Errorf("%s.%s: place is %v, listed %q", at, f.name, r.in, f.place)
		}
		compareType(t, list, at+"."+f.name, r, f.listedType)
	}
}

func compareType(t *testing.T, list *fieldList, at string, r rule, lt listedType) {
	want := map[string]kind{"string": text, "integer": integer, "boolean": boolean, "map": textMap, "list": texts}
	k, simple := want[lt.base]
	structure := lt.base
	if !simple {
		k = object
	}
	if lt.base == "list" && list.structures[lt.elem.base] != nil {
		k, structure = objects, lt.elem.base
	}
	if r.kind != k {
		t.Errorf("%s: kind %v, want %v", at, r.kind, k)
	}
	if k == object || k == objects {
		compareFields(t, list, at, r.fields, list.structures[structure])
	}
	bounds := [2]int{0, unlimited}
	if lt.bounded {
		bounds = [2]int{lt.min, lt.max}
	}
	if k != boolean && k != object && [2]int{r.min, r.max} != bounds {
		t.Errorf("%s: bounds %d..%d, want %v", at, r.min, r.max, bounds)
	}
	have := ""
	if r.pattern != nil {
		have = unanchored(r)
	}
	if have != lt.pattern && !strings.HasSuffix(at, ".resourceArn") { // see resourceARN
		t.Errorf("%s: pattern %s, want %s", at, have, lt.pattern)
	}
	if !slices.Equal(r.enum, lt.enum) {
		t.Errorf("%s: values %v, want %v", at, r.enum, lt.enum)
	}
	if lt.base == "map" && lt.key.bounded {
		compareType(t, list, at+" key", *r.key, *lt.key)
		compareType(t, list, at+" value", *r.member, *lt.elem)
	}
	if k == texts {
		compareType(t, list, at+"[]", *r.member, *lt.elem)
	}
}

// TestLimitsAreEnforced sends, for each field that the list bounds, a value just outside.
func TestLimitsAreEnforced(t *testing.T) {
	b := newBench(t, nil)
	tried := 0
	for _, operation := range slices.Sorted(maps.Keys(limits)) {
		op := b.list.operations[operation]
		for _, f := range op.in {
			if f.place != "" {
				continue // TestTagLimits
			}
			bad := breakers(b.list, f.listedType)
			if f.required {
				bad = append(bad, nil)
			}
			for _, value := range bad {
				body := valid(b.list, op.in)
				body[f.name] = value
				var r reply
				if strings.HasPrefix(op.path, tagsPath) {
					text, _ := json.Marshal(body)
					r = b.send(operation, b.request(op.method, "/tags/"+validARN("stage"), string(text)))
				} else {
					r = b.call(operation, body)
				}
				tried++
				if r.kind != "ValidationException" || !strings.Contains(r.message(), "'"+f.name) {
					t.Errorf("%s with %s = %.80v: %d %s %s", operation, f.name, fmt.Sprint(value), r.status, r.kind, r.message())
				}
			}
		}
	}
	if tried < 200 {
		t.Errorf("only %d values were tried", tried)
	}
	page, _, err := b.store.Stages(t.Context(), 0, 10)
	if err != nil || len(page) != 0 {
		t.Errorf("%d stages came of invalid requests (%v)", len(page), err)
	}
}

func validARN(kind string) string {
	return "arn:aws:ivs:eu-west-1:123456789012:" + kind + "/abcdefghijkl"
}

// valid gives the required fields with values that the list allows.
func valid(list *fieldList, fields []listedField) map[string]any {
	body := map[string]any{}
	for _, f := range fields {
		if !f.required || f.place != "" {
			continue
		}
		switch {
		case f.base == "map":
			body[f.name] = map[string]any{"a": "b"}
		case f.enum != nil:
			body[f.name] = f.enum[0]
		case f.name == "sessionId":
			body[f.name] = "st-ABCDEFGHIJKLM"
		case strings.Contains(f.pattern, "arn:aws:ivs"):
			kind := f.pattern[strings.LastIndex(f.pattern[:strings.Index(f.pattern, "/")], ":")+1 : strings.Index(f.pattern, "/")]
			body[f.name] = validARN(kind)
		case strings.Contains(f.pattern, "PUBLIC KEY"):
			body[f.name] = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
		case list.structures[f.base] != nil:
			body[f.name] = valid(list, list.structures[f.base])
		default:
			body[f.name] = "x"
		}
	}
	return body
}

// breakers gives values of every sort that the type forbids.
func breakers(list *fieldList, lt listedType) []any {
	var bad []any
	switch lt.base {
	case "string":
		bad = append(bad, 7, true, []any{"x"}, map[string]any{})
		if lt.bounded {
			bad = append(bad, strings.Repeat("ü", lt.max+1))
		}
		if lt.min > 0 {
			bad = append(bad, "", strings.Repeat("x", lt.min-1))
		}
		if lt.pattern != "" {
			bad = append(bad, "ü!", " ", "x\n")
		}
		if lt.enum != nil {
			bad = append(bad, "", "x", strings.ToLower(lt.enum[0]), lt.enum[0]+" ")
		}
	case "integer":
		bad = append(bad, "1", 1.5, 1e30, true)
		if lt.bounded {
			bad = append(bad, lt.min-1)
			if !lt.openMax {
				bad = append(bad, lt.max+1)
			}
		}
	case "boolean":
		bad = append(bad, "true", 0)
	case "map":
		bad = append(bad, "x", []any{}, map[string]any{"a": 1}, map[string]any{"a": nil})
		if lt.bounded {
			many := map[string]any{}
			for i := range lt.max + 1 {
				many[fmt.Sprint(i)] = ""
			}
			bad = append(bad, many)
		}
		if lt.key.bounded {
			bad = append(bad, map[string]any{"": "x"}, map[string]any{strings.Repeat("k", lt.key.max+1): "x"}, map[string]any{"k": strings.Repeat("v", lt.elem.max+1)})
		} else { // attributes
			bad = append(bad, map[string]any{"k": strings.Repeat("v", 1024)})
		}
	case "list":
		bad = append(bad, "x", map[string]any{}, []any{nil})
		if lt.bounded {
			bad = append(bad, slices.Repeat([]any{map[string]any{}}, lt.max+1))
		}
		for _, member := range breakers(list, *lt.elem) {
			bad = append(bad, []any{member})
		}
	default:
		bad = append(bad, "x", 1, []any{})
		for _, f := range list.structures[lt.base] {
			for _, value := range breakers(list, f.listedType) {
				body := valid(list, list.structures[lt.base])
				body[f.name] = value
				bad = append(bad, body)
			}
		}
	}
	return bad
}

// TestLimitsAllowTheirBounds sends the largest that is allowed.
func TestLimitsAllowTheirBounds(t *testing.T) {
	b := newBench(t, nil)
	long := strings.Repeat("ü", 128)
	tags := map[string]string{}
	for i := range 50 {
		tags[fmt.Sprintf("%03d", i)+strings.Repeat("k", 125)] = strings.Repeat("v", 256)
	}
	token := map[string]any{
		"duration": 20160, "userId": long, "attributes": map[string]string{"k": strings.Repeat("v", 1023)}, "capabilities": []string{"PUBLISH", "SUBSCRIBE"},
	}
	r := b.ok("CreateStage", map[string]any{
		"name": strings.Repeat("n", 128), "tags": tags, "participantTokenConfigurations": slices.Repeat([]any{token}, 12),
		"autoParticipantRecordingConfiguration": map[string]any{"storageConfigurationArn": ""},
		"unknown":                               []any{1, 2, 3}, "Name": "ignored: names are case-sensitive",
	})
	if n := len(r.at("participantTokens").([]any)); n != 12 {
		t.Errorf("%d tokens", n)
	}
	b.ok("CreateIngestConfiguration", map[string]any{
		"name": nil, "stageArn": "", "userId": long, "ingestProtocol": "RTMPS", "insecureIngest": nil, "tags": map[string]string{}, "attributes": map[string]string{},
	})
}
