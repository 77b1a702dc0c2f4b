//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package main

// lock only makes the folder: this system has no lock that ends with its process.
func (d dataFolder) lock() (unlock func(), err error) {
	return func() {}, d.make()
}
