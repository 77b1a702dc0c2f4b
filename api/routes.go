package api

import (
	"context"
	"net/http"
	"strings"
)

// route is one operation.
type route struct {
	operation string
	perSecond int // calls, from the guide's chapter on service quotas
	// handle gives what becomes the JSON of the answer. It is nil where stagedoor does not
	// have the operation yet.
	handle func(*API, call) (any, error)
}

// call is a request that was found to be well-formed and its caller to be genuine.
type call struct {
	context.Context
	in        input
	endpoints Endpoints
}

// routes are POST /OperationName.
var routes = byOperation([]route{
	{"CreateStage", 5, (*API).createStage},
	{"GetStage", 5, (*API).getStage},
	{"ListStages", 5, (*API).listStages},
	{"UpdateStage", 5, (*API).updateStage},
	{"DeleteStage", 5, (*API).deleteStage},

	{"CreateIngestConfiguration", 5, (*API).createIngestConfiguration},
	{"GetIngestConfiguration", 5, (*API).getIngestConfiguration},
	{"ListIngestConfigurations", 5, (*API).listIngestConfigurations},
	{"UpdateIngestConfiguration", 5, (*API).updateIngestConfiguration},
	{"DeleteIngestConfiguration", 5, (*API).deleteIngestConfiguration},

	{"CreateParticipantToken", 50, (*API).createParticipantToken},
	{"DisconnectParticipant", 5, (*API).disconnectParticipant},

	{"ImportPublicKey", 3, (*API).importPublicKey},
	{"GetPublicKey", 3, (*API).getPublicKey},
	{"ListPublicKeys", 3, (*API).listPublicKeys},
	{"DeletePublicKey", 3, (*API).deletePublicKey},

	{"GetStageSession", 5, (*API).getStageSession},
	{"ListStageSessions", 5, (*API).listStageSessions},
	{"GetParticipant", 5, (*API).getParticipant},
	{"ListParticipants", 5, (*API).listParticipants},
	{"ListParticipantEvents", 5, (*API).listParticipantEvents},

	// Recording, composition and replication.
	{"CreateEncoderConfiguration", 5, nil},
	{"GetEncoderConfiguration", 5, nil},
	{"ListEncoderConfigurations", 5, nil},
	{"DeleteEncoderConfiguration", 5, nil},
	{"CreateStorageConfiguration", 5, nil},
	{"GetStorageConfiguration", 5, nil},
	{"ListStorageConfigurations", 5, nil},
	{"DeleteStorageConfiguration", 5, nil},
	{"StartComposition", 5, nil},
	{"GetComposition", 5, nil},
	{"ListCompositions", 5, nil},
	{"StopComposition", 5, nil},
	{"StartParticipantReplication", 5, nil},
	{"ListParticipantReplicas", 5, nil},
	{"StopParticipantReplication", 5, nil},
})

// tagRoutes are METHOD /tags/{resourceArn}.
var tagRoutes = map[string]route{
	http.MethodGet:    {"ListTagsForResource", 10, (*API).listTagsForResource},
	http.MethodPost:   {"TagResource", 10, (*API).tagResource},
	http.MethodDelete: {"UntagResource", 10, (*API).untagResource},
}

const tagsPath = "/tags/"

func byOperation(all []route) map[string]route {
	m := make(map[string]route, len(all))
	for _, r := range all {
		m[r.operation] = r
	}
	return m
}

// findRoute works on the escaped path: an ARN in it has its slash as %2F.
func findRoute(r *http.Request) (route, bool) {
	path := r.URL.EscapedPath()
	if strings.HasPrefix(path, tagsPath) {
		found, ok := tagRoutes[r.Method]
		return found, ok
	}
	found, ok := routes[strings.TrimPrefix(path, "/")]
	return found, ok && r.Method == http.MethodPost
}

// Patterns gives the patterns by which a http.ServeMux hands the API's own paths, and no
// others, to it.
func Patterns() []string {
	patterns := []string{tagsPath}
	for operation := range routes {
		patterns = append(patterns, "POST /"+operation)
	}
	return patterns
}
