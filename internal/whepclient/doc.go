// Package whepclient is a WHEP viewer for tests and for stagebench: it receives H.264 and
// Opus, puts the pictures together again and notes when what came.
package whepclient
