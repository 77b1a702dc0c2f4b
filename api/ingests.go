package api

import (
	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/stage"
)

// ingestView is the API's IngestConfiguration. It has secrets; the summary has none.
type ingestView struct {
	ingestSummary
	StreamKey   string            `json:"streamKey"`
	Credentials []credentialView  `json:"redundantIngestCredentials,omitempty"`
	Attributes  map[string]string `json:"attributes"`
	Tags        map[string]string `json:"tags"`
}

// ingestSummary is the API's IngestConfigurationSummary.
type ingestSummary struct {
	Name          string          `json:"name"`
	ARN           string          `json:"arn"`
	Protocol      ingest.Protocol `json:"ingestProtocol"`
	StageARN      string          `json:"stageArn"`
	ParticipantID string          `json:"participantId"`
	State         string          `json:"state"`
	UserID        string          `json:"userId"`
	Redundant     bool            `json:"redundantIngest"`
}

// credentialView is the API's RedundantIngestCredential.
type credentialView struct {
	ParticipantID string `json:"participantId"`
	StreamKey     string `json:"streamKey"`
}

func (a *API) summarizeIngest(c stage.IngestConfiguration) ingestSummary {
	state := "INACTIVE"
	if a.active(c) {
		state = "ACTIVE"
	}
	return ingestSummary{
		Name: c.Name, ARN: c.ARN, Protocol: c.Protocol, StageARN: c.StageARN,
		ParticipantID: c.Credentials[0].ParticipantID, State: state, UserID: c.UserID, Redundant: c.Redundant,
	}
}

func (a *API) viewIngest(c stage.IngestConfiguration) map[string]ingestView {
	view := ingestView{
		ingestSummary: a.summarizeIngest(c), StreamKey: c.Credentials[0].StreamKey, Attributes: c.Attributes, Tags: c.Tags,
	}
	if c.Redundant {
		for _, credential := range c.Credentials {
			view.Credentials = append(view.Credentials, credentialView(credential))
		}
	}
	return map[string]ingestView{"ingestConfiguration": view}
}

// active says whether an encoder is publishing with one of the configuration's keys.
func (a *API) active(c stage.IngestConfiguration) bool {
	for _, credential := range c.Credentials {
		if c.StageARN != "" && a.o.Live.Publishing(c.StageARN, credential.ParticipantID) {
			return true
		}
	}
	return false
}

func (a *API) createIngestConfiguration(c call) (any, error) {
	protocol := ingest.Protocol(c.in.text("ingestProtocol"))
	if protocol == ingest.RTMP && !c.in.boolean("insecureIngest") {
		return nil, invalid("insecureIngest", "Member must be true where ingestProtocol is RTMP: plain RTMP sends the stream key and the media readable for everybody on the way")
	}
	config := stage.IngestConfiguration{
		ARN: a.newARN("ingest-configuration", stage.NewID(12)), Name: c.in.text("name"),
		StageARN: c.in.text("stageArn"), UserID: c.in.text("userId"), Attributes: c.in.textMap("attributes"),
		Protocol: protocol, Insecure: c.in.boolean("insecureIngest"), Redundant: c.in.boolean("redundantIngest"),
		Tags: c.in.textMap("tags"), Created: a.o.Clock().UTC(),
	}
	config.Credentials = append(config.Credentials, a.newCredential(config.ARN))
	if config.Redundant {
		config.Credentials = append(config.Credentials, a.newCredential(config.ARN))
	}
	err := a.o.Store.CreateIngestConfiguration(c, config, a.o.Quotas.IngestConfigurations)
	switch {
	case errors.Is(err, stage.ErrLimit):
		return nil, quotaExceeded("ingest configurations", a.o.Quotas.IngestConfigurations)
	case errors.Is(err, stage.ErrNotFound):
		return nil, invalid("stageArn", "Member must be the ARN of a stage that exists")
	case err != nil:
		return nil, err
	}
	return a.viewIngest(config), nil
}

func (a *API) findIngest(c call) (stage.IngestConfiguration, error) {
	config, err := a.o.Store.IngestConfiguration(c, c.in.text("arn"))
	if errors.Is(err, stage.ErrNotFound) {
		return config, notFound(c.in.text("arn"))
	}
	return config, err
}

func (a *API) getIngestConfiguration(c call) (any, error) {
	config, err := a.findIngest(c)
	if err != nil {
		return nil, err
	}
	return a.viewIngest(config), nil
}

func (a *API) listIngestConfigurations(c call) (any, error) {
	after, limit, err := c.in.page("ListIngestConfigurations")
	if err != nil {
		return nil, err
	}
	stageARN, state := c.in.text("filterByStageArn"), c.in.text("filterByState")
	keep := func(config stage.IngestConfiguration) bool {
		return (stageARN == "" || config.StageARN == stageARN) && (state == "" || a.active(config) == (state == "ACTIVE"))
	}
	page, next, err := a.o.Store.IngestConfigurations(c, keep, after, limit)
	if err != nil {
		return nil, err
	}
	return struct {
		IngestConfigurations []ingestSummary `json:"ingestConfigurations"`
		NextToken            string          `json:"nextToken,omitempty"`
	}{views(page, a.summarizeIngest), nextToken("ListIngestConfigurations", next)}, nil
}

func (a *API) updateIngestConfiguration(c call) (any, error) {
	config, err := a.findIngest(c)
	if err != nil {
		return nil, err
	}
	if a.active(config) {
		return nil, conflict("The ingest configuration is ACTIVE: an encoder is publishing with it. Disconnect its participant first")
	}
	if c.in.has("stageArn") {
		config.StageARN = c.in.text("stageArn")
	}
	if redundant := c.in.boolean("redundantIngest"); c.in.has("redundantIngest") && redundant != config.Redundant {
		config.Redundant = redundant
		config.Credentials = config.Credentials[:1]
		if config.Redundant {
			config.Credentials = append(config.Credentials, a.newCredential(config.ARN))
		}
	}
	err = a.o.Store.UpdateIngestConfiguration(c, config)
	if errors.Is(err, stage.ErrNotFound) {
		return nil, notFound(config.StageARN)
	}
	if err != nil {
		return nil, err
	}
	return a.viewIngest(config), nil
}

// deleteIngestConfiguration deletes first and disconnects then: the key is unusable before
// the encoder can try it again.
func (a *API) deleteIngestConfiguration(c call) (any, error) {
	config, err := a.findIngest(c)
	if err != nil {
		return nil, err
	}
	if a.active(config) && !c.in.boolean("force") {
		return nil, conflict("The ingest configuration is ACTIVE: an encoder is publishing with it. Set force to true to disconnect it and to delete the configuration")
	}
	err = a.o.Store.DeleteIngestConfiguration(c, config.ARN)
	if errors.Is(err, stage.ErrNotFound) {
		return nil, notFound(config.ARN)
	}
	if err != nil {
		return nil, err
	}
	for _, credential := range config.Credentials {
		if config.StageARN == "" {
			break
		}
		err := a.o.Live.Disconnect(c, config.StageARN, credential.ParticipantID, "the ingest configuration was deleted")
		if err != nil && !errors.Is(err, stage.ErrNotFound) {
			return nil, err
		}
	}
	return struct{}{}, nil
}
