package validate

// The rule "video codec": H.264. Other codecs are refused by name where they are
// recognised, at the door (UnsupportedVideo words it); here a header must be readable.

// UnsupportedVideo is the finding for a stream whose video codec is not H.264, for
// programs that read files.
func UnsupportedVideo(codec string) Finding { return *words{}.videoCodec(codec + " video") }

func (w words) damagedHeader(name string) *Finding {
	return w.videoCodec("The H.264 header (" + name + ") cannot be read")
}
