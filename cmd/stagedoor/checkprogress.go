package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
)

// longFile is from how many bytes on reading a file takes long enough for a progress bar.
const longFile = 64 << 20

// withProgress shows how much of a long file was read, on a terminal only. done takes the
// bar away.
func withProgress(file io.ReaderAt, size int64, w io.Writer) (counted io.ReaderAt, done func()) {
	if size < longFile || !isTerminal(w) {
		return file, func() {}
	}
	bar := progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("judging"), progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	return progressReader{file, bar}, func() { _ = bar.Finish() } // it is a picture, and fails with the terminal
}

type progressReader struct {
	io.ReaderAt
	bar *progressbar.ProgressBar
}

func (r progressReader) ReadAt(p []byte, at int64) (int, error) {
	n, err := r.ReaderAt.ReadAt(p, at)
	_ = r.bar.Add(n)
	return n, err
}

// isTerminal says whether somebody looks at what is written.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	about, err := f.Stat()
	return err == nil && about.Mode()&os.ModeCharDevice != 0
}
