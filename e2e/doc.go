// Package e2e runs the built program against real ones: ffmpeg, GStreamer and Chromium.
//
//	go test -tags e2e ./e2e/...                           everything; about ten minutes
//	go test -tags e2e -run TestRefusals -v ./e2e          one subject
//	go test -tags e2e -run "TestFirst|TestDelay|TestLipSync" -v ./e2e  prints the README's figures (FIGURE ...)
//
// A program that is missing (ffmpeg, gst-launch-1.0, chromium) is a failure, not a reason to
// skip: a machine that cannot run these tests has not tested the gateway. The aws CLI is the one
// exception: no registry of ours has one that knows ivs-realtime, so it is used where it is present.
package e2e
