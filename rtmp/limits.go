package rtmp

// What one connection may ask of the process. Sizes are bytes.
const (
	maxCommand      = 64 << 10 // a command or data message
	maxMedia        = 4 << 20  // an audio, video or aggregate message
	maxControl      = 1 << 10  // a protocol control message
	maxUnfinished   = 8 << 20  // all unfinished messages of a connection together
	keptBuffer      = 64 << 10 // for the next message on a chunk stream
	maxChunkStreams = 16
	// maxUnfinishedStranger is maxUnfinished for who has not been let in.
	maxUnfinishedStranger = 256 << 10
	maxStreams            = 8 // message streams
	maxMediaUnitNALU      = 1024
	maxParameterSets      = 64 << 10 // SPS and PPS together
	maxAudioConfig        = 1 << 10
	maxStreamKey          = 4 << 10
	maxStatusText         = 1 << 10

	maxAMFDepth  = 6
	maxAMFArray  = 256
	maxAMFValues = 2048

	readBuffer = 16 << 10
	// announcedChunk is the chunk size that we announce and write with. ffmpeg copies it.
	announcedChunk = 64 << 10
	// innerChunk is the chunk size between guard and go-rtmp: any message is one chunk.
	innerChunk   = 0xffffff
	windowSize   = 2_500_000 // acknowledgement window and peer bandwidth, RTMP 5.4.4 and 5.4.5
	minAckWindow = 64 << 10

	// hopeless is how many messages without a usable picture (or sound) a new publisher may
	// send before it is told so.
	hopeless = 100
)
