//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	stderrors "errors"
	"os"
	"path/filepath"
	"syscall"

	"github.com/pkg/errors"
)

// lock makes the folder where there is none, and keeps a second gateway out of it: that one
// would end the first one's sessions in the journal. The kernel gives the lock back when the
// process ends, however it ends. unlock is nil where there is an error.
func (d dataFolder) lock() (unlock func(), err error) {
	if err := d.make(); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(string(d), lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, errors.Wrapf(err, "--data %s: cannot be written; choose a folder of this user", d)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if stderrors.Is(err, syscall.EWOULDBLOCK) {
		_ = file.Close()
		return nil, errors.Errorf("--data %s: another gateway runs with this folder; stop that one, or choose another folder", d)
	}
	// Any other error comes of a file system that has no locks: then there is none.
	return func() { _ = file.Close() }, nil
}
