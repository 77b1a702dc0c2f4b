package main

import "hash/crc32"

// pictureID names a picture by what is in its slices: a checksum and their length. Servers
// may change everything else about a picture: its parameter sets, its SEI, its packets, and
// the importance bits in a slice's header byte, which is therefore left out.
type pictureID struct{ crc, length uint32 }

// castagnoli is the checksum that most processors compute by themselves.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// add takes more bytes of a slice.
func (id *pictureID) add(b []byte) {
	id.crc = crc32.Update(id.crc, castagnoli, b)
	id.length += uint32(len(b))
}

// The NAL unit types (ITU-T H.264, table 7-1; RFC 6184, table 1) that matter here.
const (
	naluSlice = 1
	naluIDR   = 5
	naluSTAPA = 24
	naluFUA   = 28
)

func isSlice(naluType byte) bool { return naluType == naluSlice || naluType == naluIDR }
