/*
 * Commands of the network. CPU 0, tasks.
 */
#include "clock.h"
#include "command.h"
#include "console.h"
#include "net.h"
#include "nic.h"
#include "peers.h"
#include "task.h"
#include "tcp.h"

#define PAYLOAD 1400u

static bool address(const char *text, uint32_t *ip)
{
	if (peer_address(text, ip))
		return true;
	print("%s: neither an address nor a peer\n", text);
	return false;
}

bool command_ping(unsigned count, char **words)
{
	uint64_t number = 4, pause = 1000, rtt, least = NEVER, most = 0, sum = 0, received = 0;
	uint64_t sent = 0, next;
	uint64_t patience;
	uint32_t ip;

	if ((count > 2 && !parse_number(words[2], false, &number)) ||
	    (count > 3 && (!parse_number(words[3], false, &pause) || pause > 60000)))
		return false;
	if (!address(words[1], &ip))
		return true;
	patience = minimum(SECOND, maximum(25 * pause, 100) * MILLISECOND);
	next = clock_now();
	while (sent < number && command_sleep_until(next)) {
		next = clock_now() + pause * MILLISECOND;
		sent++;
		if (!net_ping(ip, sent, 56, patience, &rtt)) {
			print("%s: seq %lu: no answer\n", ip_text(ip), sent);
			continue;
		}
		print("%s: seq %lu: %lu us\n", ip_text(ip), sent, rtt / 1000);
		if (!command_in_background())
			console_flush();
		received++;
		sum += rtt;
		least = minimum(least, rtt);
		most = maximum(most, rtt);
	}
	print("ping: %lu sent, %lu received", sent, received);
	if (received > 0)
		print(", min/avg/max %lu/%lu/%lu us", least / 1000, sum / received / 1000,
		      most / 1000);
	print("\n");
	return true;
}

bool command_peers(unsigned count, char **words)
{
	unsigned n = peer_count();
	const struct peer *peer;

	(void)count;
	(void)words;
	for (unsigned i = 0; i < n; i++) {
		peer = peer_turn(i);
		print("%s %s, heard %lu s ago\n", peer->name, ip_text(peer->ip),
		      (clock_now() - peer->seen) / SECOND);
	}
	print("peers: %u\n", n);
	return true;
}

bool command_udp(unsigned count, char **words)
{
	uint32_t ip;

	(void)count;
	if (!address(words[1], &ip))
		return true;
	if (!net_resolve(ip, 2 * SECOND) ||
	    !net_send_udp(ip, PORT_TEXT, PORT_TEXT, words[2],
			  minimum(strlen(words[2]), UDP_PAYLOAD_MAX)))
		print("udp: %s does not answer ARP\n", ip_text(ip));
	else
		print("udp: sent\n");
	return true;
}

bool command_tcp(unsigned count, char **words)
{
	struct transfer result;
	uint64_t bytes;
	uint32_t ip;

	(void)count;
	if (!parse_number(words[2], true, &bytes))
		return false;
	if (!address(words[1], &ip))
		return true;
	tcp_transfer(ip, bytes, 1, &result);
	if (result.error != NULL)
		print("tcp: %s after %lu bytes\n", result.error, result.bytes);
	else
		print("tcp: %lu bytes in %lu us: %lu bytes/s, checksum right\n", result.bytes,
		      result.time / 1000, result.bytes * 1000000 / maximum(result.time / 1000, 1));
	return true;
}

static void get_page(struct tcp *c, const char *host, const char *path)
{
	uint64_t limit = clock_now() + 20 * SECOND, total = 0;
	char text[400], buffer[256];
	unsigned length, line = 0;

	length = format(text, sizeof(text), "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", path, host);
	tcp_write(c, text, length);
	while (!tcp_ended(c) && clock_now() < limit && !command_stopped()) {
		length = tcp_read(c, buffer, sizeof(buffer));
		if (length == 0)
			task_wait(limit);
		/* The status line is printed, the rest counted. */
		for (unsigned i = 0; i < length && line < 80; i++) {
			text[line++] = buffer[i];
			if (buffer[i] == '\n' || buffer[i] == '\r') {
				text[line - 1] = '\0';
				print("%s\n", text);
				line = 80;
			}
		}
		total += length;
	}
	print("http: %lu bytes%s\n", total, tcp_broken(c) ? ", connection broken" : "");
}

bool command_http(unsigned count, char **words)
{
	uint64_t port;
	uint32_t ip;
	struct tcp *c;

	(void)count;
	if (!parse_number(words[2], false, &port) || port == 0 || port > 65535)
		return false;
	if (!address(words[1], &ip))
		return true;
	c = tcp_connect(ip, port, 5 * SECOND);
	if (c == NULL) {
		print("http: no connection\n");
		return true;
	}
	get_page(c, words[1], words[3]);
	tcp_close(c);
	return true;
}

/* Ethernet, IPv4 and UDP to the sink's port; the UDP checksum is left out, as RFC 768 allows. */
static bool flood_frame(uint32_t ip, unsigned size)
{
	static uint8_t frame[FRAME_MAX];
	uint8_t *header = frame + 14;

	memset(frame, 0, sizeof(frame));
	if (!net_resolve(ip, 2 * SECOND) || !net_mac_of(ip, frame))
		return false;
	memcpy(frame + 6, nic_mac, 6);
	put16(frame + 12, 0x0800);
	put16(header, 0x4500);
	put16(header + 2, size - 14);
	put16(header + 8, 64 << 8 | IP_UDP);
	put32(header + 12, net_address.ip);
	put32(header + 16, ip);
	put16(header + 10, net_checksum(0, header, 20));
	put16(header + 20, PORT_SINK);
	put16(header + 22, PORT_SINK);
	put16(header + 24, size - 34);
	return nic_flood_frame(frame, size, 0);
}

bool command_flood(unsigned count, char **words)
{
	uint64_t size, seconds, start, end, now, turn, sent = 0, idle;
	uint32_t ip;

	(void)count;
	if (!parse_number(words[2], false, &size) || !parse_number(words[3], false, &seconds) ||
	    size < FRAME_MIN || size > FRAME_MAX || seconds > 86400)
		return false;
	if (!address(words[1], &ip))
		return true;
	if (!flood_frame(ip, size)) {
		print("flood: %s does not answer ARP, or the card is busy\n", ip_text(ip));
		return true;
	}
	start = now = turn = idle = clock_now();
	end = start + seconds * SECOND;
	while (now < end && !command_stopped()) {
		unsigned n = nic_flood(256);

		sent += n;
		now = clock_now();
		if (n > 0)
			idle = now;
		if (now - idle > 30000) {
			nic_flood_wait();
			idle = turn = clock_now();
		} else if (now - turn > 2 * MILLISECOND) {
			task_yield();
			turn = clock_now();
		}
	}
	nic_flood_end();
	now = maximum(clock_now() - start, 1000);
	print("flood: %lu frames of %lu bytes in %lu us: %lu frames/s\n", sent, size, now / 1000,
	      sent * 1000000 / (now / 1000));
	return true;
}

bool command_sink(unsigned count, char **words)
{
	uint64_t time = net_counters.sink_last - net_counters.sink_first;

	(void)count;
	(void)words;
	print("sink: %lu frames, %lu bytes in %lu us: %lu frames/s\n", net_counters.sink_frames,
	      net_counters.sink_bytes, time / 1000,
	      net_counters.sink_frames * 1000000 / maximum(time / 1000, 1));
	net_counters.sink_frames = net_counters.sink_bytes = 0;
	net_counters.sink_first = net_counters.sink_last = 0;
	return true;
}

bool load_net(const char *peer, uint64_t rate, uint64_t seconds)
{
	uint64_t start, now, due, sent = 0;
	static const uint8_t data[PAYLOAD];
	uint32_t ip;

	if (!address(peer, &ip))
		return true;
	if (!net_resolve(ip, 2 * SECOND)) {
		print("load: %s does not answer ARP\n", ip_text(ip));
		return true;
	}
	start = clock_now();
	while ((now = clock_now()) < start + seconds * SECOND) {
		due = (now - start) / 1000 * rate / PAYLOAD / 1000000;
		for (unsigned burst = 0; sent < due && burst < 32; burst++, sent++)
			if (!net_send_udp(ip, PORT_SINK, PORT_SINK, data, PAYLOAD))
				break;
		if (command_stopped())
			break;
		if (sent < due)
			task_yield();
		else
			task_sleep(maximum(MILLISECOND,
					   minimum(PAYLOAD * SECOND / rate, 100 * MILLISECOND)));
	}
	now = maximum((clock_now() - start) / 1000, 1);
	print("load: net %lu bytes in %lu us: %lu bytes/s\n", sent * PAYLOAD, now,
	      sent * PAYLOAD * 1000000 / now);
	return true;
}
