package main

import (
	"os"
	"runtime/debug"
)

// gcPercent lets the heap grow by half between collections instead of doubling. Most of it is
// pictures, which hold no pointers and cost the collector nothing, so that half the memory
// for twice the collections is a good bargain: under 1 % of the CPU (docs/performance.md).
const gcPercent = 50

// tuneGC sets the collector up for media, unless the operator has (GOGC, GOMEMLIMIT).
func tuneGC() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
