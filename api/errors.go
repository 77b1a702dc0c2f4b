package api

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/pkg/errors"
)

// fault is an error as the caller is told it. The message holds no secret.
type fault struct {
	status  int
	kind    string // the exception's name
	message string
}

func (f *fault) Error() string { return f.kind + ": " + f.message }

func faultf(status int, kind, format string, args ...any) *fault {
	return &fault{status: status, kind: kind, message: fmt.Sprintf(format, args...)}
}

// invalid names the field and the rule that it breaks.
func invalid(field, format string, args ...any) *fault {
	return faultf(http.StatusBadRequest, "ValidationException",
		"Value at '%s' failed to satisfy constraint: %s", field, fmt.Sprintf(format, args...))
}

func notFound(arn string) *fault {
	return faultf(http.StatusNotFound, "ResourceNotFoundException", "Resource: %s not found", arn)
}

func conflict(format string, args ...any) *fault {
	return faultf(http.StatusConflict, "ConflictException", format, args...)
}

func quotaExceeded(what string, quota int) *fault {
	return faultf(http.StatusPaymentRequired, "ServiceQuotaExceededException",
		"There are %d %s already, which is the quota. Delete one first, or have the operator raise the quota", quota, what)
}

// write sends the answer, or the error in the shape that AWS's clients read: the exception's
// name in a header, its text in the body under both names that they look for. It gives what
// was told, nil for an answer.
func (a *API) write(w http.ResponseWriter, answer any, err error) *fault {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if err == nil {
		// A write that fails means that the caller has gone.
		_ = json.NewEncoder(w).Encode(answer)
		return nil
	}
	var told *fault
	if !errors.As(err, &told) {
		told = faultf(http.StatusInternalServerError, "InternalServerException", "The gateway failed on its side; its log has the details under the request's id")
	}
	w.Header().Set("x-amzn-ErrorType", told.kind)
	w.WriteHeader(told.status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": told.message, "exceptionMessage": told.message})
	return told
}
