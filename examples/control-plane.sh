#!/usr/bin/env bash
# The control plane from end to end, with the commands of the IVS user guide: a stage, an
# ingest configuration, a token, a public key; ffmpeg publishes over RTMPS with the returned
# stream key; then the session, its participants and their events.
#
# It needs ffmpeg, openssl and an aws CLI that knows ivs-realtime (version 1.27.98 or 2.11.5,
# of March 2023, or newer), and a gateway that runs:
#
#   stagedoor &
#   eval "$(stagedoor env)"
#   examples/control-plane.sh
set -euo pipefail
: "${AWS_ENDPOINT_URL_IVS_REALTIME:?run  eval \"\$(stagedoor env)\"  first}"
export AWS_PAGER=""
work=$(mktemp -d)
encoder=
trap '[ -z "$encoder" ] || kill "$encoder" 2>/dev/null || true; rm -rf "$work"' EXIT

say() { printf '\n--- %s\n' "$*"; }
# field NAME QUERY COMMAND...: sets the variable NAME to a field of the answer.
field() {
	local name=$1 query=$2
	shift 2
	printf -v "$name" '%s' "$(aws ivs-realtime "$@" --query "$query" --output text)"
}

say "a stage"
field stage stage.arn create-stage --name "test-stage"
aws ivs-realtime get-stage --arn "$stage"
field rtmps stage.endpoints.rtmps get-stage --arn "$stage"

say "an ingest configuration for an encoder"
field ingest ingestConfiguration.arn create-ingest-configuration --name 'test' --stage-arn "$stage" --user-id '123' --ingest-protocol 'RTMPS'
field key ingestConfiguration.streamKey get-ingest-configuration --arn "$ingest"
field participant ingestConfiguration.participantId get-ingest-configuration --arn "$ingest"
aws ivs-realtime list-ingest-configurations --filter-by-stage-arn "$stage"

say "a token for a viewer, from the gateway"
aws ivs-realtime create-participant-token --stage-arn "$stage" --user-id viewer --capabilities SUBSCRIBE --query 'participantToken.[participantId,expirationTime]' --output text

say "a public key, for tokens of one's own making"
openssl ecparam -name secp384r1 -genkey -noout -out "$work/priv.pem"
openssl ec -in "$work/priv.pem" -pubout -out "$work/public.pem" 2>/dev/null
field publicKey publicKey.arn import-public-key --public-key-material "$(cat "$work/public.pem")"
aws ivs-realtime get-public-key --arn "$publicKey"

say "ffmpeg publishes over RTMPS"
# The gateway's own certificate is self-signed; ffmpeg verifies none unless told to.
ffmpeg -hide_banner -nostdin -loglevel error -re \
	-f lavfi -i testsrc2=size=640x360:rate=30 -f lavfi -i sine=frequency=440:sample_rate=48000 \
	-c:v libx264 -profile:v baseline -preset:v veryfast -tune zerolatency -x264-params sliced-threads=0 \
	-g 30 -b:v 1000k -pix_fmt yuv420p -c:a aac -b:a 128k -ac 2 -f flv "$rtmps$key" &
encoder=$!
for _ in $(seq 30); do
	field state ingestConfiguration.state get-ingest-configuration --arn "$ingest"
	[ "$state" != ACTIVE ] || break
	kill -0 "$encoder" || { echo "ffmpeg ended"; exit 1; }
	sleep 0.5
done
[ "$state" = ACTIVE ] || { echo "the encoder is not on stage"; exit 1; }
echo "the ingest configuration is ACTIVE"

say "the session, its participants, the encoder's events"
aws ivs-realtime list-stage-sessions --stage-arn "$stage"
field session 'stageSessions[0].sessionId' list-stage-sessions --stage-arn "$stage"
aws ivs-realtime list-participants --stage-arn "$stage" --session-id "$session"
aws ivs-realtime get-participant --stage-arn "$stage" --session-id "$session" --participant-id "$participant"

say "the encoder is disconnected, and its key has no stage any more"
aws ivs-realtime disconnect-participant --stage-arn "$stage" --participant-id "$participant" --reason "the show is over"
wait "$encoder" || echo "ffmpeg ended with status $?"
encoder=
aws ivs-realtime get-ingest-configuration --arn "$ingest" --query 'ingestConfiguration.[state,stageArn]'
aws ivs-realtime list-participant-events --stage-arn "$stage" --session-id "$session" --participant-id "$participant"

say "all is deleted again"
aws ivs-realtime delete-ingest-configuration --arn "$ingest"
aws ivs-realtime delete-public-key --arn "$publicKey"
aws ivs-realtime delete-stage --arn "$stage"
say "done"
