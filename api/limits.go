package api

import "regexp"

// limits is what each field of each operation's request may hold, from the API's field list
// (testdata/ivs-realtime-api.txt; a test compares). check.go applies it.
var limits = map[string][]rule{
	"CreateStage": {
		resourceName, tags,
		{name: "participantTokenConfigurations", kind: objects, max: 12, fields: tokenFields},
		recording,
	},
	"GetStage":    {required(stageARN("arn"))},
	"ListStages":  {pageToken, pageSize},
	"UpdateStage": {required(stageARN("arn")), resourceName, recording},
	"DeleteStage": {required(stageARN("arn"))},

	"CreateIngestConfiguration": {
		resourceName, optionalStageARN, userID("userId"), attributes,
		required(rule{name: "ingestProtocol", kind: text, max: unlimited, enum: []string{"RTMP", "RTMPS"}}),
		{name: "insecureIngest", kind: boolean}, {name: "redundantIngest", kind: boolean}, tags,
	},
	"GetIngestConfiguration": {required(arn("arn", "ingest-configuration"))},
	"ListIngestConfigurations": {
		stageARN("filterByStageArn"),
		{name: "filterByState", kind: text, max: unlimited, enum: []string{"ACTIVE", "INACTIVE"}},
		pageToken, pageSize,
	},
	"UpdateIngestConfiguration": {
		required(arn("arn", "ingest-configuration")), optionalStageARN, {name: "redundantIngest", kind: boolean},
	},
	"DeleteIngestConfiguration": {required(arn("arn", "ingest-configuration")), {name: "force", kind: boolean}},

	"CreateParticipantToken": append([]rule{required(stageARN("stageArn"))}, tokenFields...),
	"DisconnectParticipant": {
		required(stageARN("stageArn")),
		required(rule{name: "participantId", kind: text, max: 64, pattern: pattern(`[a-zA-Z0-9-_]*`)}),
		{name: "reason", kind: text, max: 128},
	},

	"ImportPublicKey": {
		required(rule{name: "publicKeyMaterial", kind: text, max: unlimited, pattern: pattern(
			`.*-----BEGIN PUBLIC KEY-----\r?\n([a-zA-Z0-9+/=\r\n]+)\r?\n-----END PUBLIC KEY-----(\r?\n)?.*`)}),
		resourceName, tags,
	},
	"GetPublicKey":    {required(arn("arn", "public-key"))},
	"ListPublicKeys":  {pageToken, pageSize},
	"DeletePublicKey": {required(arn("arn", "public-key"))},

	"GetStageSession":   {required(stageARN("stageArn")), sessionID},
	"ListStageSessions": {required(stageARN("stageArn")), pageToken, pageSize},
	"GetParticipant":    {required(stageARN("stageArn")), sessionID, participantID},
	"ListParticipants": {
		required(stageARN("stageArn")), sessionID, userID("filterByUserId"), {name: "filterByPublished", kind: boolean},
		{name: "filterByState", kind: text, max: unlimited, enum: []string{"CONNECTED", "DISCONNECTED"}},
		pageToken, pageSize,
		{name: "filterByRecordingState", kind: text, max: unlimited, enum: []string{"STARTING", "ACTIVE", "STOPPING", "STOPPED", "FAILED"}},
	},
	"ListParticipantEvents": {required(stageARN("stageArn")), sessionID, participantID, pageToken, pageSize},

	"ListTagsForResource": {resourceARN},
	"TagResource":         {resourceARN, required(tags)},
	"UntagResource":       {resourceARN, {name: "tagKeys", kind: texts, max: 50, in: inQuery, required: true, member: &rule{kind: text, min: 1, max: 128}}},
}

// kind is the JSON type of a field.
type kind int

const (
	text    kind = iota
	integer      // a whole number
	boolean
	texts   // a list of text
	textMap // an object whose values are text
	object  // an object with fields
	objects // a list of such objects
)

// place is where a request has the field.
type place int

const (
	inBody place = iota
	inPath
	inQuery
)

const unlimited = -1

// rule is what one field may hold.
type rule struct {
	name     string
	kind     kind
	required bool
	// min and max bound the characters of text, the value of an integer, the entries of a
	// list or a map.
	min, max int
	// maxBytes bounds the keys and values of a map together; 0 for no bound.
	maxBytes int
	pattern  *regexp.Regexp // of the whole text
	enum     []string
	in       place
	key      *rule  // of a map
	member   *rule  // of a list of text, or of a map
	fields   []rule // of objects
}

var (
	resourceName = rule{name: "name", kind: text, max: 128, pattern: pattern(`[a-zA-Z0-9-_]*`)}
	tags         = rule{
		name: "tags", kind: textMap, max: 50,
		key: &rule{kind: text, min: 1, max: 128}, member: &rule{kind: text, max: 256},
	}
	// attributes: "The maximum length of this field is 1 KB total" (the guide, on tokens).
	attributes       = rule{name: "attributes", kind: textMap, max: unlimited, maxBytes: 1024}
	optionalStageARN = rule{name: "stageArn", kind: text, max: 128, pattern: pattern(`^$|^arn:aws:ivs:[a-z0-9-]+:[0-9]+:stage/[a-zA-Z0-9-]+$`)}
	participantID    = required(rule{name: "participantId", kind: text, max: 64, pattern: pattern(`[a-zA-Z0-9-]*`)})
	sessionID        = required(rule{name: "sessionId", kind: text, min: 16, max: 16, pattern: pattern(`st-[a-zA-Z0-9]+`)})
	pageToken        = rule{name: "nextToken", kind: text, max: 1024, pattern: pattern(`[a-zA-Z0-9+/=_-]*`)}
	pageSize         = rule{name: "maxResults", kind: integer, min: 1, max: 100}
	// resourceARN is not the published pattern, which has room for one letter where the
	// kind of the resource stands: no ARN matches it.
	resourceARN = required(rule{name: "resourceArn", kind: text, min: 1, max: 128, in: inPath, pattern: pattern(`arn:aws:ivs:[a-z0-9-]+:[0-9]+:[a-z-]+/[a-zA-Z0-9-]+`)})
	tokenFields = []rule{
		{name: "duration", kind: integer, min: 1, max: 20160},
		userID("userId"),
		attributes,
		{name: "capabilities", kind: texts, max: 2, member: &rule{kind: text, max: unlimited, enum: []string{"PUBLISH", "SUBSCRIBE"}}},
	}
	recording = rule{name: "autoParticipantRecordingConfiguration", kind: object, fields: []rule{
		required(rule{name: "storageConfigurationArn", kind: text, max: 128, pattern: pattern(`^$|^arn:aws:ivs:[a-z0-9-]+:[0-9]+:storage-configuration/[a-zA-Z0-9-]+$`)}),
		{name: "mediaTypes", kind: texts, max: 1, member: &rule{kind: text, max: unlimited, enum: []string{"AUDIO_VIDEO", "AUDIO_ONLY", "NONE"}}},
		{name: "thumbnailConfiguration", kind: object, fields: []rule{
			{name: "targetIntervalSeconds", kind: integer, min: 1, max: 86400},
			{name: "storage", kind: texts, max: 2, member: &rule{kind: text, max: unlimited, enum: []string{"SEQUENTIAL", "LATEST"}}},
			{name: "recordingMode", kind: text, max: unlimited, enum: []string{"INTERVAL", "DISABLED"}},
		}},
		{name: "recordingReconnectWindowSeconds", kind: integer, max: 300},
		{name: "hlsConfiguration", kind: object, fields: []rule{
			{name: "targetSegmentDurationSeconds", kind: integer, min: 2, max: 10},
		}},
		{name: "recordParticipantReplicas", kind: boolean},
	}}
)

func required(r rule) rule { r.required = true; return r }

func arn(name, kind string) rule {
	return rule{name: name, kind: text, min: 1, max: 128, pattern: pattern(`arn:aws:ivs:[a-z0-9-]+:[0-9]+:` + kind + `/[a-zA-Z0-9-]+`)}
}

func stageARN(name string) rule { return arn(name, "stage") }

func userID(name string) rule { return rule{name: name, kind: text, max: 128} }

// pattern matches the whole text, as AWS does.
func pattern(expr string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + expr + `)$`) }
