package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clockTick is the unit of CPU time in /proc: USER_HZ, which is 100 on every Linux that Go
// runs on.
const clockTick = 10 * time.Millisecond

// usage is what a server has used up to now.
type usage struct {
	cpu time.Duration // user and system, of the process and all that it has started
	rss int64         // bytes
}

// processTree reads the usage of a process and its descendants from /proc (proc(5)). It is
// zero where there is no such process.
func processTree(root int) usage {
	children := map[int][]int{}
	stats := map[int][]string{}
	names, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range names {
		pid, err := strconv.Atoi(strings.Split(name, "/")[2])
		if err != nil {
			continue
		}
		if fields := statFields(pid); fields != nil {
			parent, _ := strconv.Atoi(fields[1])
			children[parent] = append(children[parent], pid)
			stats[pid] = fields
		}
	}
	var sum usage
	for todo := []int{root}; len(todo) > 0; {
		pid := todo[0]
		todo = append(todo[1:], children[pid]...)
		fields, known := stats[pid]
		if !known {
			continue
		}
		// utime, stime, and those of children that have ended: fields 14 to 17 in proc(5).
		for _, field := range fields[11:15] {
			ticks, _ := strconv.ParseInt(field, 10, 64)
			sum.cpu += time.Duration(ticks) * clockTick
		}
		pages, _ := strconv.ParseInt(fields[21], 10, 64)
		sum.rss += pages * int64(os.Getpagesize())
	}
	return sum
}

// statFields gives the fields of /proc/PID/stat from the third one on: the second is the
// program's name, which may hold anything.
func statFields(pid int) []string {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil // it has ended meanwhile
	}
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) < 22 {
		return nil
	}
	return fields
}

// ownCPU gives the CPU time of this process.
func ownCPU() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// waiting is how long goroutines of this process were ready to run before they ran: how much
// of the latency is the tool's own, and the machine's.
type waiting struct{ counts []uint64 }

func readWaiting() (waiting, []float64) {
	sample := []metrics.Sample{{Name: "/sched/latencies:seconds"}}
	metrics.Read(sample)
	h := sample[0].Value.Float64Histogram()
	return waiting{slices.Clone(h.Counts)}, h.Buckets
}

// p99 gives the 99th percentile since then, in milliseconds.
func (w waiting) p99() float64 {
	now, buckets := readWaiting()
	total := uint64(0)
	for i := range now.counts {
		now.counts[i] -= w.counts[i]
		total += now.counts[i]
	}
	sum := uint64(0)
	for i, n := range now.counts {
		if sum += n; total > 0 && sum*100 >= total*99 {
			return buckets[min(i+1, len(buckets)-2)] * 1000
		}
	}
	return 0
}
