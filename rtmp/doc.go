// Package rtmp lets RTMP and RTMPS encoders in and gives their pictures and sound to an
// ingest.Sink.
//
// Three layers, one goroutine a connection:
//
//   - door accepts connections and limits their number;
//   - guard reads the bytes of a connection, takes every hostile or unusual part out of them
//     and gives go-rtmp a stream that it reads without harm;
//   - session is go-rtmp's handler: it asks ingest.Publish, unpacks FLV and words refusals.
//
// "RTMP" in comments is Adobe's Real Time Messaging Protocol 1.0, "E-RTMP" is Enhanced RTMP
// v2 of the Veovera Software Organization, "FLV" is Adobe's FLV file format 10.1, annex E.
package rtmp
