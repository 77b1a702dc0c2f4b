// Package web is what stagedoor shows to people: a page that watches a stage, a page that
// publishes to one from the browser, and the feed of scenes behind them.
//
// The pages are plain files in static/, embedded as they are. They load nothing from
// elsewhere, and the token they work with is in the URL's fragment, which browsers never
// send.
package web
