#!/bin/sh
# Makes the clips of this folder with ffmpeg (5.1 made the committed ones) and perl.
#
#   testdata/generate.sh             makes every committed clip again, here
#   testdata/generate.sh CLIP DIR    makes one clip in DIR; this is how the end-to-end
#                                    suite gets the large ones, which are not committed
#
# Every clip that loops is 8 s long: 240 pictures at 30 fps, 4 groups of pictures of 2 s and
# 375 AAC frames of 1024 samples at 48 kHz all end there together, so that
# "ffmpeg -stream_loop -1 -c copy" joins the end to the beginning without a gap or a click.
# To be periodic in the encoder's state too, three rounds are encoded and the second is kept.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

quiet="-hide_banner -loglevel error -nostdin -y"
exact="-fflags +bitexact -flags:v +bitexact -flags:a +bitexact -map_metadata -1"
# What a stage accepts: constrained baseline, an IDR each 2 s and no other, no B-frames.
baseline="-c:v libx264 -threads 1 -preset slow -profile:v baseline -pix_fmt yuv420p -g 60 -keyint_min 60 -sc_threshold 0"
aac="-c:a aac -ar 48000 -ac 2"
flv="-f flv -flvflags no_duration_filesize"

# second_round FILE OUT keeps the seconds 8 to 16, as they are.
second_round() {
	ffmpeg $quiet -ss 8 -i "$1" -t 8 -map 0 -c copy $exact $flv "$2"
}

# demo: what "stagedoor demo" shows. 720p30, moving and audible.
demo() {
	ffmpeg $quiet \
		-f lavfi -i "color=black:s=320x180:r=30:d=24,format=gbrp,geq=r='52+44*sin(2*PI*(X/W+T/8))':g='46+38*sin(2*PI*(Y/H-T/8+0.3))':b='92+60*sin(2*PI*((X+Y)/(W+H)+T/4))',scale=1280:720:flags=bicubic,format=yuv420p" \
		-f lavfi -i "color=white:s=120x120:r=30:d=24,format=rgba,geq=r=255:g=214:b=102:a='255*clip(58-hypot(X-59.5,Y-59.5),0,1)'" \
		-f lavfi -i "aevalsrc='0.22*exp(-2.5*mod(t,0.5))*(sin(2*PI*mod(t,0.5)*(262*eq(mod(floor(2*t),8),0)+330*eq(mod(floor(2*t),8),1)+392*eq(mod(floor(2*t),8),2)+524*eq(mod(floor(2*t),8),3)+440*eq(mod(floor(2*t),8),4)+392*eq(mod(floor(2*t),8),5)+330*eq(mod(floor(2*t),8),6)+294*eq(mod(floor(2*t),8),7)))+0.4*sin(2*PI*mod(t,0.5)*131))|0.22*exp(-2.5*mod(t,0.5))*(sin(2*PI*mod(t,0.5)*(262*eq(mod(floor(2*t),8),0)+330*eq(mod(floor(2*t),8),1)+392*eq(mod(floor(2*t),8),2)+524*eq(mod(floor(2*t),8),3)+440*eq(mod(floor(2*t),8),4)+392*eq(mod(floor(2*t),8),5)+330*eq(mod(floor(2*t),8),6)+294*eq(mod(floor(2*t),8),7)))+0.4*sin(2*PI*mod(t,0.5)*196))':s=48000:d=24" \
		-filter_complex "[0:v][1:v]overlay=x='580+480*sin(2*PI*t/4)':y='520-300*abs(sin(2*PI*t))':eval=frame,drawtext=text='stagedoor':font='DejaVu Sans':fontsize=110:fontcolor=white:x=(w-tw)/2:y=250,drawtext=text='the demo clip':font='DejaVu Sans':fontsize=36:fontcolor=white@0.8:x=(w-tw)/2:y=380,drawtext=text='%{eif\:1+mod(floor(t)\,8)\:d} / 8':font='DejaVu Sans Mono':fontsize=36:fontcolor=white@0.8:x=40:y=h-70[v]" \
		-map "[v]" -map 2:a -t 24 $baseline -crf 27 -maxrate 1000k -bufsize 1000k $aac -b:a 96k $exact "$tmp/demo.mp4"
	second_round "$tmp/demo.mp4" "$1/demo.flv"
}

# flashbeep: two white pictures and 100 ms of 1 kHz, both from k + 0.5 s on, each second.
# The dim square moves so that a picture is never a mere repeat.
flashbeep() {
	ffmpeg $quiet \
		-f lavfi -i "color=0x101010:s=640x360:r=30:d=24[b];color=0x404040:s=20x20:r=30:d=24[m];[b][m]overlay=x='mod(n*8,640)':y=300,drawbox=color=white:t=fill:enable='between(mod(n,30),15,16)'" \
		-f lavfi -i "aevalsrc='0.5*sin(2*PI*1000*t)*between(mod(t,1),0.5,0.6)|0.5*sin(2*PI*1000*t)*between(mod(t,1),0.5,0.6)':s=48000:d=24" \
		-t 24 $baseline -crf 23 $aac -b:a 96k $exact "$tmp/flashbeep.mp4"
	second_round "$tmp/flashbeep.mp4" "$1/flashbeep.flv"
}

# pattern: red, green / blue, yellow quadrants, a white bar that moves along the middle, and 440 Hz.
pattern_video="color=0xc00000:s=640x360:r=30:d=24,drawbox=x=320:y=0:w=320:h=180:color=0x00a000:t=fill,drawbox=x=0:y=180:w=320:h=180:color=0x0000c0:t=fill,drawbox=x=320:y=180:w=320:h=180:color=0xc0c000:t=fill,drawbox=x=0:y=165:w=640:h=30:color=black:t=fill[b];color=white:s=40x30:r=30:d=24[m];[b][m]overlay=x='mod(n*8,640)':y=165"
tone="sine=frequency=440:sample_rate=48000:duration=24,volume=4,aformat=channel_layouts=stereo"

pattern() {
	ffmpeg $quiet -f lavfi -i "$pattern_video" -f lavfi -i "$tone" \
		-t 24 $baseline -crf 20 $aac -b:a 96k $exact "$tmp/pattern.mp4"
	second_round "$tmp/pattern.mp4" "$1/pattern.flv"
}

# The rest breaks one rule each.

# violator NAME OPTIONS...: 4 s of the pattern and the tone, encoded with the options.
violator() {
	out=$1; shift
	ffmpeg $quiet -f lavfi -i "$pattern_video" -f lavfi -i "$tone" -t 4 \
		-c:v libx264 -threads 1 -preset fast -pix_fmt yuv420p -g 60 -keyint_min 60 -sc_threshold 0 \
		$aac -b:a 96k "$@" $exact $flv "$out"
}

# bframes: as x264 and OBS send them by default, Main profile with B-frames.
bframes() { violator "$1/bframes.flv" -profile:v main -bf 2 -b_strategy 0; }

# bframes-in-baseline: B slices in a stream whose SPS claims constraint_set0_flag, so that its
# profile alone would pass. The flag byte is patched in the avcC and in the SPS inside it.
bframes_in_baseline() {
	violator "$tmp/b.flv" -profile:v main -bf 2 -b_strategy 0 -x264-params "cabac=0:8x8dct=0:weightp=0"
	perl -0777 -pe 's/\x01\x4d\x40/\x01\x4d\xc0/g; s/\x67\x4d\x40/\x67\x4d\xc0/g' "$tmp/b.flv" >"$1/bframes-in-baseline.flv"
}

main_profile() { violator "$1/main.flv" -profile:v main -bf 0; }

high_profile() { violator "$1/high.flv" -profile:v high -bf 0; }

# resolution1080: 1920x1080, and nothing else wrong.
resolution1080() { violator "$1/1080p.flv" -profile:v baseline -bf 0 -vf scale=1920:1080:flags=neighbor -crf 30; }

no_audio() { violator "$1/no-audio.flv" -profile:v baseline -bf 0 -an; }

no_video() { violator "$1/no-video.flv" -vn; }

mp3() { violator "$1/mp3.flv" -profile:v baseline -bf 0 -c:a libmp3lame -ar 44100 -b:a 128k; }

# bitrate10m: 720p30 noise at a constant 10 Mbps, 16 s. Large, so it is made when a test needs it.
bitrate10m() {
	ffmpeg $quiet -f lavfi -i "testsrc2=s=1280x720:r=30,noise=alls=60:allf=t" -f lavfi -i "$tone" -t 16 \
		-c:v libx264 -preset ultrafast -profile:v baseline -bf 0 -pix_fmt yuv420p -g 60 -keyint_min 60 -sc_threshold 0 \
		-b:v 10M -minrate 10M -maxrate 10M -bufsize 2M -x264-params nal-hrd=cbr $aac -b:a 96k $exact $flv "$1/bitrate10m.flv"
}

committed="demo flashbeep pattern bframes bframes_in_baseline main_profile high_profile resolution1080 no_audio no_video mp3"

case $# in
0) for clip in $committed; do $clip "$here"; done ;;
2) $1 "$2" ;;
*) echo "usage: generate.sh [CLIP DIR]" >&2; exit 2 ;;
esac
