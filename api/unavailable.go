package api

import "net/http"

// notAvailable answers the operations of recording, composition and replication.
func notAvailable(operation string) *fault {
	return faultf(http.StatusBadRequest, "ValidationException", "%s is not available yet in stagedoor: it has no recording, composition or replication", operation)
}

// refuseRecording refuses a stage that is to be recorded. Clients that spell out "do not
// record" (an empty ARN) are taken at their word.
func refuseRecording(in input) error {
	const field = "autoParticipantRecordingConfiguration"
	if in.object(field).text("storageConfigurationArn") != "" {
		return invalid(field+".storageConfigurationArn", "Member must be empty: recording is not available yet in stagedoor")
	}
	return nil
}
