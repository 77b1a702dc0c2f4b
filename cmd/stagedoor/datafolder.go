package main

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	stderrors "errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/stage"
	"github.com/stagedoor/stagedoor/store"
	"github.com/stagedoor/stagedoor/store/sqlite"
)

// dataFolder is where the state lives. Everything in it is for the owner's eyes only.
type dataFolder string

// make makes the folder where there is none.
func (d dataFolder) make() error {
	err := os.MkdirAll(string(d), 0o700)
	return errors.Wrapf(err, "--data %s: the folder cannot be made; choose one that this user may write", d)
}

// open opens the store in the folder, which must exist.
func (d dataFolder) open(ctx context.Context) (store.Store, error) {
	s, err := sqlite.Open(ctx, filepath.Join(string(d), databaseFile))
	if err != nil {
		return nil, errors.WithMessagef(err, "--data %s", d)
	}
	return s, nil
}

// accessKey signs control API requests.
type accessKey struct {
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
}

const (
	databaseFile    = "stagedoor.db"
	credentialsFile = "credentials.json"
	firstFile       = "first-stage.json"
	endpointsFile   = "endpoints.json"
	lockFile        = "lock"
)

// credentials gives the access keys; on the first start it makes one. More than one key may
// be in the file, so that one can be replaced while the other is in use.
func (d dataFolder) credentials() (keys []accessKey, made bool, err error) {
	err = d.read(credentialsFile, &keys)
	if stderrors.Is(err, fs.ErrNotExist) {
		id, secret := make([]byte, 10), make([]byte, 30)
		_, _ = rand.Read(id)
		_, _ = rand.Read(secret)
		keys = []accessKey{{
			AccessKeyID:     "SD" + base32.StdEncoding.EncodeToString(id),
			SecretAccessKey: base64.RawURLEncoding.EncodeToString(secret),
		}}
		return keys, true, d.write(credentialsFile, keys)
	}
	if err == nil && len(keys) == 0 {
		err = errors.Errorf("%s holds no access key; delete it, and the next start makes one", filepath.Join(string(d), credentialsFile))
	}
	return keys, false, err
}

// firstStage names the resources that exist from the first start, so that the first minute
// needs no API call.
type firstStage struct {
	StageARN               string `json:"stageArn"`
	IngestConfigurationARN string `json:"ingestConfigurationArn"`
}

// first gives the first stage; where the folder has none it is created.
func (d dataFolder) first(ctx context.Context, s store.Store, region, account string) (firstStage, error) {
	var first firstStage
	err := d.read(firstFile, &first)
	if err == nil || !stderrors.Is(err, fs.ErrNotExist) {
		return first, err
	}
	prefix := "arn:aws:ivs:" + region + ":" + account + ":"
	configurationID := stage.NewID(12)
	secret := stage.NewID(32)
	first = firstStage{
		StageARN:               prefix + "stage/" + stage.NewID(12),
		IngestConfigurationARN: prefix + "ingest-configuration/" + configurationID,
	}
	now := time.Now()
	const unlimited = 1 << 30
	if err := s.CreateStage(ctx, stage.Stage{ARN: first.StageARN, Name: "first-stage", Created: now}, unlimited); err != nil {
		return first, err
	}
	err = s.CreateIngestConfiguration(ctx, stage.IngestConfiguration{
		ARN: first.IngestConfigurationARN, Name: "first-ingest", StageARN: first.StageARN, UserID: "encoder",
		Protocol: ingest.RTMP, Insecure: true, Created: now,
		Credentials: []stage.Credential{{
			ParticipantID: stage.NewID(12),
			StreamKey:     "rt_" + account + "_" + region + "_" + configurationID + "_" + secret,
		}},
	}, unlimited)
	if err != nil {
		return first, err
	}
	return first, d.write(firstFile, first)
}

func (d dataFolder) read(name string, v any) error {
	data, err := os.ReadFile(filepath.Join(string(d), name))
	if err != nil {
		return err
	}
	return errors.Wrapf(json.Unmarshal(data, v), "read %s", filepath.Join(string(d), name))
}

// write replaces a file as a whole: a crash leaves the former one or the new one.
func (d dataFolder) write(name string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return errors.Wrapf(err, "encode %s", name)
	}
	path := filepath.Join(string(d), name)
	if err := os.WriteFile(path+".new", append(data, '\n'), 0o600); err != nil {
		return errors.Wrapf(err, "write %s", path)
	}
	return errors.Wrapf(os.Rename(path+".new", path), "write %s", path)
}
