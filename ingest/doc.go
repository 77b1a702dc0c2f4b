// Package ingest holds the nouns that every other package of stagedoor speaks:
// the access unit, the audio frame, the sink that takes them, the request that a
// publisher makes at the door and the rejection that it may get.
//
// It imports the standard library only. Read it first.
package ingest
