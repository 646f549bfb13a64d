/* The protocol names against those of tshark, from a capture file written by libpcap. */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "decode_packets.h"

static int write_capture(const char *path)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 65550);
	pcap_dumper_t *dumper = pcap ? pcap_dump_open(pcap, path) : NULL;

	if (!dumper)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(decode_packets); i++) {
		const char *hex = decode_packets[i].hex;
		struct pcap_pkthdr header = { .ts.tv_sec = (long)i };
		unsigned char data[2048];
		unsigned byte;

		for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
			data[header.caplen++] = (unsigned char)byte;
		header.len = header.caplen;
		pcap_dump((unsigned char *)dumper, &header, data);
	}
	pcap_dump_close(dumper);
	pcap_close(pcap);
	return 0;
}

static int compare(FILE *names)
{
	char line[256];
	size_t count = 0, failed = 0;

	while (fgets(line, sizeof(line), names) && count < ARRAY_SIZE(decode_packets)) {
		const struct decode_packet *packet = &decode_packets[count++];

		line[strcspn(line, "\n")] = '\0';
		if (!packet->by_tshark || strcmp(line, packet->by_tshark) == 0)
			continue;
		printf("%s: %s by tshark, %s here\n", packet->label, line, packet->by_tshark);
		failed++;
	}
	if (count != ARRAY_SIZE(decode_packets)) {
		printf("tshark showed %zu of %zu packets\n", count, ARRAY_SIZE(decode_packets));
		return 1;
	}
	return failed ? 1 : 0;
}

int main(void)
{
	char directory[] = "/tmp/decode_tshark.XXXXXX", path[64], command[256];
	FILE *names;
	int failed;

	if (system("tshark -v >/dev/null 2>&1") != 0) {
		printf("skipped: tshark is not there\n");
		return 77;
	}
	if (!mkdtemp(directory)) {
		perror(directory);
		return 1;
	}
	snprintf(path, sizeof(path), "%s/packets.pcap", directory);
	/* Without preferences of the user, and each packet for itself. */
	snprintf(command, sizeof(command),
		 "HOME=%s tshark -n -r %s -T fields -e _ws.col.Protocol 2>%s/errors", directory,
		 path, directory);
	failed = write_capture(path);
	names = failed ? NULL : popen(command, "r");
	failed = names ? compare(names) : 1;
	if (names)
		pclose(names);
	snprintf(command, sizeof(command), "rm -r %s", directory);
	if (system(command) != 0)
		failed = 1;
	return failed;
}
