#!/bin/sh
# Makes the clips of this folder again, with ffmpeg (5.1 made the committed ones): the same
# second of video and audio in every container, and what stages do not take.
set -eu
cd "$(dirname "$0")"
quiet="-hide_banner -loglevel error -nostdin -y"
exact="-fflags +bitexact -flags:v +bitexact -flags:a +bitexact -map_metadata -1"
video="-f lavfi -i testsrc2=size=160x160:rate=15:duration=1"
audio="-f lavfi -i sine=frequency=440:sample_rate=48000:duration=1"
x264="-c:v libx264 -threads 1 -pix_fmt yuv420p -profile:v baseline -crf 45 -g 15"
aac="-c:a aac -b:a 32k"

ffmpeg $quiet $video $audio $x264 $aac $exact good.flv
copy="$quiet -i good.flv -c copy $exact"
ffmpeg $copy good.mp4
ffmpeg $copy -movflags +faststart faststart.mp4
ffmpeg $copy good.mov
ffmpeg $copy -movflags frag_keyframe+empty_moov -frag_duration 300000 fragments.mp4
ffmpeg $copy -movflags cmaf+frag_keyframe+separate_moof+empty_moov -frag_duration 300000 cmaf.mp4
ffmpeg $copy good.ts
ffmpeg $quiet $video $audio -c:v libx264 -threads 1 -pix_fmt yuv420p -profile:v main -bf 2 -b_strategy 0 -crf 45 $aac $exact bframes.mp4
ffmpeg $quiet -i bframes.mp4 -c copy $exact bframes.ts
ffmpeg $quiet $video $audio $x264 -c:a libopus -b:a 32k $exact opus.mp4
ffmpeg $quiet -i opus.mp4 -c copy $exact opus.ts
ffmpeg $quiet $video $audio $x264 -c:a libmp3lame -ar 44100 -b:a 32k $exact mp3.mp4
ffmpeg $quiet -i mp3.mp4 -c copy $exact mp3.ts
ffmpeg $quiet $video $audio $x264 -c:a ac3 -b:a 64k $exact ac3.mp4
ffmpeg $quiet -i ac3.mp4 -c copy $exact ac3.ts
ffmpeg $quiet $video $audio $x264 -c:a pcm_s16le -ar 8000 $exact pcm.mov
ffmpeg $quiet $video $audio -c:v libx265 -x265-params log-level=none:pools=1 -crf 40 $aac $exact hevc.mp4
ffmpeg $quiet -i hevc.mp4 -c copy $exact hevc.ts
ffmpeg $quiet $video $audio -c:v libvpx-vp9 -b:v 30k $aac $exact vp9.mp4
ffmpeg $quiet $video $audio -c:v libaom-av1 -cpu-used 8 -crf 60 $aac $exact av1.mp4
ffmpeg $quiet $video $audio $audio -map 0 -map 1 -map 2 $x264 $aac $exact two-audio.mp4
