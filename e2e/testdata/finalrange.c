/* Decodes Opus packets, each after its 16-bit big-endian length, from standard input with
 * libopus, and prints for each the range coder's final state and the largest sample. */
#include <math.h>
#include <opus/opus.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
	int channels = argc > 1 ? atoi(argv[1]) : 2, err, high;
	OpusDecoder *d = opus_decoder_create(48000, channels, &err);
	if (err != OPUS_OK)
		return 2;
	while ((high = getchar()) != EOF) {
		static unsigned char packet[65536];
		static float pcm[5760 * 2];
		size_t size = (size_t)high << 8 | (size_t)getchar();
		if (fread(packet, 1, size, stdin) != size)
			return 3;
		int n = opus_decode_float(d, packet, (opus_int32)size, pcm, 5760, 0);
		if (n < 0) {
			fprintf(stderr, "%s\n", opus_strerror(n));
			return 4;
		}
		opus_uint32 range;
		opus_decoder_ctl(d, OPUS_GET_FINAL_RANGE(&range));
		float peak = 0;
		for (int i = 0; i < n * channels; i++)
			peak = fmaxf(peak, fabsf(pcm[i]));
		printf("%08x %d %f\n", range, n, peak);
	}
	return 0;
}
