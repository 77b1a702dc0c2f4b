// Publishes a file by the WHIP muxer of FFmpeg 8.1, over and over and in real time, without
// coding it again: node whip.mjs FILE URL TOKEN SECONDS. It says how long the muxer took to
// start, and "left" when it has ended in good order.
import { Dictionary, FFmpegError, FormatContext, Packet } from "node-av/lib";

const [file, url, token, seconds] = process.argv.slice(2);
const check = (result, what) => FFmpegError.throwIfError(result, what);

const input = new FormatContext();
check(await input.openInput(file), "open");
check(await input.findStreamInfo(), "read");
const output = new FormatContext();
check(output.allocOutputContext2(null, "whip", url), "make the muxer");
for (const from of input.streams) {
  const to = output.newStream();
  check(from.codecpar.copy(to.codecpar), "copy the parameters");
  to.codecpar.codecTag = 0;
  to.timeBase = from.timeBase;
}
const options = new Dictionary();
options.set("authorization", token, 0);
const before = performance.now();
check(await output.writeHeader(options), "start");
console.log("started", Math.round(performance.now() - before), "ms");

const packet = new Packet();
packet.alloc();
const start = performance.now();
const over = () => performance.now() - start > seconds * 1000;
for (let round = 0; !over(); round++) {
  while (!over() && (await input.readFrame(packet)) >= 0) {
    const from = input.streams[packet.streamIndex].timeBase;
    const shift = BigInt(Math.round((round * 8 * from.den) / from.num)); // every clip has 8 s
    packet.pts += shift;
    packet.dts += shift;
    const due = start + (Number(packet.dts) * from.num * 1000) / from.den - performance.now();
    if (due > 0) await new Promise((done) => setTimeout(done, due));
    packet.rescaleTs(from, output.streams[packet.streamIndex].timeBase);
    check(await output.interleavedWriteFrame(packet), "write");
  }
  await input.seekFrame(-1, 0n, 1);
}
check(await output.writeTrailer(), "end");
console.log("left");
process.exit(0);
