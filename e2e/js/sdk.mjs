// Calls every operation that stagedoor has with AWS's own SDK for JavaScript. The gateway and
// its keys come from the environment, as "stagedoor env" prints them. Any exception is a
// failure.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import * as ivs from "@aws-sdk/client-ivs-realtime";

const client = new ivs.IVSRealTimeClient({
  region: process.env.AWS_REGION,
  endpoint: process.env.AWS_ENDPOINT_URL_IVS_REALTIME,
});
const call = (operation, input = {}) => client.send(new ivs[operation + "Command"](input));
const refused = (promise, exception, words) =>
  assert.rejects(promise, (e) => {
    assert.ok(e instanceof ivs[exception], `${e.name}: ${e.message}`);
    assert.match(e.message, words);
    return true;
  });

// Stages, with tokens.
const { stage, participantTokens } = await call("CreateStage", {
  name: "sdk",
  tags: { a: "b" },
  participantTokenConfigurations: [{ userId: "u", capabilities: ["PUBLISH"], duration: 5 }],
});
assert.equal(stage.tags.a, "b");
assert.match(stage.endpoints.rtmps, /^rtmps:.*\/app\/$/);
assert.ok(participantTokens[0].expirationTime instanceof Date);
const arn = stage.arn;
assert.equal((await call("GetStage", { arn })).stage.name, "sdk");
assert.equal((await call("UpdateStage", { arn, name: "other" })).stage.name, "other");
const { participantToken } = await call("CreateParticipantToken", { stageArn: arn, attributes: { k: "ü" } });
assert.equal(participantToken.duration, 720);

// The paginator goes through all pages, one entry each.
for (let i = 0; i < 3; i++) await call("CreateStage", { name: "page" + i });
const names = [];
for await (const page of ivs.paginateListStages({ client, pageSize: 1 }, {})) {
  assert.equal(page.stages.length, 1);
  names.push(page.stages[0].name);
}
assert.deepEqual(names.slice(-4), ["other", "page0", "page1", "page2"]);

// Ingest configurations.
const { ingestConfiguration } = await call("CreateIngestConfiguration", {
  stageArn: arn, ingestProtocol: "RTMPS", redundantIngest: true, userId: "123",
});
const ingest = { arn: ingestConfiguration.arn };
assert.equal(ingestConfiguration.redundantIngestCredentials.length, 2);
assert.equal((await call("GetIngestConfiguration", ingest)).ingestConfiguration.state, "INACTIVE");
assert.equal((await call("UpdateIngestConfiguration", { ...ingest, redundantIngest: false })).ingestConfiguration.redundantIngest, false);
const { ingestConfigurations } = await call("ListIngestConfigurations", { filterByStageArn: arn, filterByState: "INACTIVE" });
assert.equal(ingestConfigurations.length, 1);
assert.equal(ingestConfigurations[0].streamKey, undefined);

// Public keys.
const { publicKey: pair } = generateKeyPairSync("ec", { namedCurve: "secp384r1" });
const publicKeyMaterial = pair.export({ type: "spki", format: "pem" });
const { publicKey } = await call("ImportPublicKey", { publicKeyMaterial, name: "k" });
await refused(call("ImportPublicKey", { publicKeyMaterial }), "ConflictException", /imported already/);
assert.equal((await call("GetPublicKey", { arn: publicKey.arn })).publicKey.publicKeyMaterial, publicKeyMaterial);
assert.equal((await call("ListPublicKeys")).publicKeys.length, 1);
await call("DeletePublicKey", { arn: publicKey.arn });

// Tags: the ARN travels in the path.
await call("TagResource", { resourceArn: arn, tags: { "b/c": "ü d+e" } });
assert.deepEqual((await call("ListTagsForResource", { resourceArn: arn })).tags, { a: "b", "b/c": "ü d+e" });
await call("UntagResource", { resourceArn: arn, tagKeys: ["a", "b/c"] });
assert.deepEqual((await call("ListTagsForResource", { resourceArn: arn })).tags, {});

// Sessions: nobody has been on this stage yet.
const nowhere = { stageArn: arn, sessionId: "st-ABCDEFGHIJKLM", participantId: "p" };
assert.deepEqual((await call("ListStageSessions", { stageArn: arn })).stageSessions, []);
assert.deepEqual((await call("ListParticipants", nowhere)).participants, []);
assert.deepEqual((await call("ListParticipantEvents", nowhere)).events, []);
await refused(call("GetStageSession", nowhere), "ResourceNotFoundException", /st-ABCDEFGHIJKLM/);
await refused(call("GetParticipant", nowhere), "ResourceNotFoundException", /p not found/);
await refused(call("DisconnectParticipant", nowhere), "ResourceNotFoundException", /not connected/);

// Refusals name what is wrong.
await refused(call("CreateStage", { name: "bad name" }), "ValidationException", /'name'.*pattern/);
await refused(call("ListCompositions"), "ValidationException", /not available yet/);
await assert.rejects(
  new ivs.IVSRealTimeClient({
    region: "eu-west-1", endpoint: process.env.AWS_ENDPOINT_URL_IVS_REALTIME,
    credentials: { accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: "wrong" },
  }).send(new ivs.ListStagesCommand({})),
  { name: "InvalidSignatureException" },
);

// More calls than the rate allows: the SDK waits and tries again.
const burst = await Promise.all(Array.from({ length: 8 }, () => call("GetStage", { arn })));
assert.equal(burst.length, 8);

await call("DeleteIngestConfiguration", { ...ingest, force: true });
await call("DeleteStage", { arn });
await refused(call("GetStage", { arn }), "ResourceNotFoundException", /not found/);
console.log("all operations answered");
