/*
 * The frames of decode_frames.py: each has the line that is stated there, whatever it is cut to
 * nothing reads beyond it, and tshark's protocol column says the same of most of them.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "net/decode/decode.h"

/* Of each thousand frames, as many have tshark's name at least. */
#define SHARE_LEAST 991u
#define FRAMES_MAX 2000u

static struct frame {
	char label[64], text[sizeof(((struct packet_summary *)0)->text)];
	uint8_t *data;
	uint32_t size;
	struct packet_summary summary;
} frames[FRAMES_MAX];
static size_t frame_count;
static unsigned faults;

static int read_frames(const char *capture, const char *lines)
{
	FILE *data = fopen(capture, "rb"), *labels = fopen(lines, "r");
	uint32_t header[6], record[4];
	char line[512];
	int status = 0;

	if (!data || !labels || fread(header, sizeof(header), 1, data) != 1)
		status = -1;
	while (!status && fread(record, sizeof(record), 1, data) == 1) {
		struct frame *frame = &frames[frame_count];
		char *tab;

		if (frame_count == FRAMES_MAX || record[2] > 65535 ||
		    !(frame->data = malloc(record[2])) ||
		    fread(frame->data, record[2], 1, data) != 1 ||
		    !fgets(line, sizeof(line), labels) || !(tab = strchr(line, '\t'))) {
			status = -1;
			break;
		}
		frame->size = record[2];
		*tab++ = '\0';
		tab[strcspn(tab, "\n")] = '\0';
		snprintf(frame->label, sizeof(frame->label), "%.63s", line);
		snprintf(frame->text, sizeof(frame->text), "%.191s", tab);
		frame_count++;
	}
	if (data)
		fclose(data);
	if (labels)
		fclose(labels);
	return frame_count ? status : -1;
}

/* In a copy of that size, so that a sanitizer sees what is read behind it. */
static void summarize(const struct frame *frame, size_t captured, size_t size,
		      struct packet_summary *out)
{
	uint8_t *exact = malloc(captured ? captured : 1);

	if (!exact)
		abort();
	memcpy(exact, frame->data, captured);
	memset(out, 'x', sizeof(*out));
	packet_summarize(exact, captured, size, out);
	free(exact);
}

static int printable(const char *text, size_t room)
{
	size_t size = strnlen(text, room);

	if (size == room)
		return 0;
	while (size--)
		if (!isprint((unsigned char)text[size]))
			return 0;
	return 1;
}

static void check_lines(void)
{
	size_t stated = 0;

	for (size_t i = 0; i < frame_count; i++) {
		struct frame *frame = &frames[i];

		summarize(frame, frame->size, frame->size, &frame->summary);
		stated += frame->text[0] != '\0';
		if (!frame->text[0] || strcmp(frame->text, frame->summary.text) == 0)
			continue;
		printf("%s: \"%s\" instead of \"%s\"\n", frame->label, frame->summary.text,
		       frame->text);
		faults++;
	}
	printf("%zu frames, %zu lines stated\n", frame_count, stated);
	if (frame_count < 700 || stated < 300)
		faults++;
}

static void check_cuts(void)
{
	struct packet_summary s;

	for (size_t i = 0; i < frame_count; i++)
		for (size_t size = 0; size <= frames[i].size; size++)
			for (unsigned all = 0; all < 2; all++) {
				summarize(&frames[i], size, all ? size : frames[i].size, &s);
				if (printable(s.protocol, sizeof(s.protocol)) && s.protocol[0] &&
				    printable(s.text, sizeof(s.text)) &&
				    printable(s.from, sizeof(s.from)) &&
				    printable(s.to, sizeof(s.to)))
					continue;
				printf("%s cut to %zu bytes: not printable\n", frames[i].label,
				       size);
				faults++;
			}
}

static void check_share(FILE *names)
{
	size_t count = 0, equal = 0;
	char line[256];

	for (; count < frame_count && fgets(line, sizeof(line), names); count++) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, frames[count].summary.protocol) == 0)
			equal++;
		else
			printf("%s: %s by tshark, %s here\n", frames[count].label, line,
			       frames[count].summary.protocol);
	}
	printf("%zu of %zu protocols are those of tshark\n", equal, count);
	if (count != frame_count || equal * 1000 < frame_count * SHARE_LEAST)
		faults++;
}

int main(void)
{
	char directory[] = "/tmp/decode_corpus.XXXXXX", capture[64], lines[64], command[512];
	const char *source = getenv("srcdir");
	FILE *names = NULL;
	int skipped = 0;

	if (system("python3 -c pass >/dev/null 2>&1") != 0) {
		printf("skipped: python3 is not there\n");
		return 77;
	}
	if (!mkdtemp(directory)) {
		perror(directory);
		return 1;
	}
	snprintf(capture, sizeof(capture), "%s/frames.pcap", directory);
	snprintf(lines, sizeof(lines), "%s/lines", directory);
	snprintf(command, sizeof(command),
		 "PYTHONDONTWRITEBYTECODE=1 python3 %s/tests/unit/decode_frames.py %s %s",
		 source ? source : ".", capture, lines);
	if (system(command) != 0 || read_frames(capture, lines) < 0) {
		printf("there are no frames\n");
		faults++;
	} else {
		check_lines();
		check_cuts();
		skipped = system("tshark -v >/dev/null 2>&1") != 0;
		snprintf(command, sizeof(command),
			 "HOME=%s tshark -n -r %s -T fields -e _ws.col.Protocol 2>%s/errors",
			 directory, capture, directory);
		names = skipped ? NULL : popen(command, "r");
		if (names) {
			check_share(names);
			pclose(names);
		} else if (!skipped) {
			faults++;
		}
	}
	for (size_t i = 0; i < frame_count; i++)
		free(frames[i].data);
	snprintf(command, sizeof(command), "rm -r %s", directory);
	if (system(command) != 0)
		faults++;
	if (!faults && skipped) {
		printf("skipped: tshark is not there\n");
		return 77;
	}
	return faults ? 1 : 0;
}
