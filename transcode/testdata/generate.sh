#!/bin/sh
# Makes the clips: AAC in ADTS by ffmpeg's encoder, and the same decoded by ffmpeg's float
# decoder to 16-bit PCM. Made with ffmpeg 5.1 (Debian 12). Four tones, one of them with
# vibrato, and a decaying ping four times a second; different on both sides.
set -e
cd "$(dirname "$0")"
left='0.25*sin(2*PI*440*t)+0.12*sin(2*PI*1320*t+sin(2*PI*5*t))+0.05*sin(2*PI*9000*t)+0.3*exp(-60*mod(t,0.25))*sin(2*PI*2500*t)'
right='0.25*sin(2*PI*330*t)+0.12*sin(2*PI*990*t+sin(2*PI*4*t))+0.04*sin(2*PI*12000*t)+0.3*exp(-60*mod(t+0.1,0.25))*sin(2*PI*1700*t)'
clip() { # name, rate, bit rate, expressions
	ffmpeg -v error -y -f lavfi -i "aevalsrc=exprs='$4':s=$2:d=0.75" -c:a aac -b:a "$3" -flags +bitexact -fflags +bitexact -f adts "$1.aac"
	ffmpeg -v error -y -flags bitexact -i "$1.aac" -f s16le "$1.s16"
}
clip stereo44100 44100 128k "$left|$right"
clip stereo48000 48000 128k "$left|$right"
clip mono44100 44100 64k "$left"
