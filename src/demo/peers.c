/*
 * Discovery: UDP broadcasts "hello NAME" on port 7000, every second at first
 * and in the demonstration, every ten when the guest is at rest. Services:
 * UDP echo (7), text (7001); TCP echo (7), status page (80), transfer (7007):
 * takes bytes until the peer closes, then answers with 8 bytes count and 4
 * bytes FNV-1a sum, big-endian. CPU 0.
 */
#include "peers.h"

#include "background.h"
#include "clock.h"
#include "command.h"
#include "console.h"
#include "cpu.h"
#include "memory.h"
#include "net.h"
#include "task.h"
#include "tcp.h"

#define LIFE (35 * SECOND)
#define SOON (10 * SECOND) /* after the start: hello every second */

struct peer peers[PEERS_MAX];
bool peers_quiet;
struct service_counters service_counters;

static bool alive(const struct peer *peer)
{
	return peer->seen != 0 && clock_now() - peer->seen < LIFE;
}

static void send_hello(uint32_t to)
{
	char text[48];
	size_t length = format(text, sizeof(text), "hello %s", guest_name);

	net_send_udp(to, PORT_HELLO, PORT_HELLO, text, length);
}

static void input_hello(uint32_t from, uint16_t port, const uint8_t *data, unsigned length)
{
	struct peer *place = &peers[0];
	bool known = false;

	if (port != PORT_HELLO || length < 7 || length > 6 + sizeof(place->name) - 1 ||
	    memcmp(data, "hello ", 6) != 0 || from == net_address.ip)
		return;
	for (unsigned i = 6; i < length; i++)
		if (data[i] <= ' ' || data[i] > '~')
			return;
	for (unsigned i = 0; i < PEERS_MAX; i++) {
		if (peers[i].seen != 0 && peers[i].ip == from) {
			place = &peers[i];
			known = alive(place);
			break;
		}
		if (peers[i].seen < place->seen)
			place = &peers[i];
	}
	memcpy(place->name, data + 6, length - 6);
	place->name[length - 6] = '\0';
	place->ip = from;
	place->seen = clock_now();
	if (!known && !peers_quiet && net_address.ip != 0)
		send_hello(from);
}

void hello_task(void *unused)
{
	uint64_t start = clock_now();

	(void)unused;
	for (;;) {
		bool often = background_on() || clock_now() - start < SOON;

		if (net_address.ip == 0 || peers_quiet) {
			task_wait(NEVER);
			continue;
		}
		send_hello(IP_BROADCAST);
		task_sleep(often ? SECOND : 10 * SECOND);
	}
}

const struct peer *peer_named(const char *name)
{
	for (unsigned i = 0; i < PEERS_MAX; i++)
		if (alive(&peers[i]) && strcmp(peers[i].name, name) == 0)
			return &peers[i];
	return NULL;
}

bool peer_address(const char *text, uint32_t *ip)
{
	const struct peer *peer = peer_named(text);

	if (peer != NULL)
		*ip = peer->ip;
	return peer != NULL || parse_ip(text, ip);
}

unsigned peer_count(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < PEERS_MAX; i++)
		count += alive(&peers[i]);
	return count;
}

const struct peer *peer_turn(unsigned n)
{
	unsigned count = peer_count();

	if (count == 0)
		return NULL;
	n %= count;
	for (unsigned i = 0; i < PEERS_MAX; i++)
		if (alive(&peers[i]) && n-- == 0)
			return &peers[i];
	return NULL;
}

static void input_echo(uint32_t from, uint16_t port, const uint8_t *data, unsigned length)
{
	/* Never to another echo port, or two would go on for ever. */
	if (port != PORT_ECHO)
		net_send_udp(from, PORT_ECHO, port, data, length);
}

static void input_text(uint32_t from, uint16_t port, const uint8_t *data, unsigned length)
{
	char text[161];

	service_counters.texts++;
	if (port == PORT_TEXT && length > 0 && data[0] == 0)
		return;
	length = minimum(length, sizeof(text) - 1);
	for (unsigned i = 0; i < length; i++)
		text[i] = data[i] >= ' ' && data[i] <= '~' ? data[i] : '.';
	text[length] = '\0';
	note("udp from %s: %s", ip_text(from), text);
}

static void progress_echo(struct tcp *c)
{
	uint8_t buffer[1024];
	unsigned length;

	while (!tcp_broken(c) && tcp_drained(c)) {
		length = tcp_read(c, buffer, sizeof(buffer));
		if (length == 0)
			break;
		tcp_write(c, buffer, length);
	}
	if (tcp_ended(c))
		tcp_close(c);
}

static void progress_transfer(struct tcp *c)
{
	uint64_t *count = tcp_word(c, 0), *sum = tcp_word(c, 1);
	uint8_t buffer[1460], answer[12];
	unsigned length;

	if (*count == 0)
		*sum = HASH_START;
	while ((length = tcp_read(c, buffer, sizeof(buffer))) > 0) {
		*sum = hash(*sum, buffer, length);
		*count += length;
		service_counters.transfer_bytes += length;
	}
	if (!tcp_ended(c))
		return;
	put32(answer, *count >> 32);
	put32(answer + 4, *count);
	put32(answer + 8, *sum);
	tcp_write(c, answer, sizeof(answer));
	service_counters.transfers++;
	tcp_close(c);
}

static void progress_http(struct tcp *c)
{
	char buffer[512], body[256];
	uint64_t *newlines = tcp_word(c, 0);
	unsigned length = tcp_read(c, buffer, sizeof(buffer));
	size_t size;

	for (unsigned i = 0; i < length && *newlines < 2; i++) {
		if (buffer[i] == '\n')
			++*newlines;
		else if (buffer[i] != '\r')
			*newlines = 0;
	}
	if (*newlines >= 2 || tcp_ended(c)) {
		size = format(body, sizeof(body),
			      "guest %s\nuptime %lu s\nvcpus %u\nmemory %lu KiB\npeers %u\n",
			      guest_name, clock_now() / SECOND, cpu_count, memory_size() / 1024,
			      peer_count());
		size = format(buffer, sizeof(buffer),
			      "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: "
			      "%lu\r\n\r\n%s",
			      size, body);
		tcp_write(c, buffer, size);
		service_counters.requests++;
		tcp_close(c);
	}
}

void services_setup(void)
{
	net_listen_udp(PORT_HELLO, input_hello);
	net_listen_udp(PORT_ECHO, input_echo);
	net_listen_udp(PORT_TEXT, input_text);
	tcp_listen(PORT_ECHO, progress_echo);
	tcp_listen(PORT_HTTP, progress_http);
	tcp_listen(PORT_TRANSFER, progress_transfer);
}

static const char *transfer(struct tcp *c, uint64_t bytes, uint32_t seed, uint64_t *sent)
{
	uint64_t limit = clock_now() + 20 * SECOND;
	uint32_t sum = HASH_START, piece[365];
	uint8_t answer[12];
	unsigned got = 0, length, done;

	while (*sent < bytes) {
		for (unsigned i = 0; i < ARRAY_SIZE(piece); i++)
			piece[i] = random_next(&seed);
		length = minimum(sizeof(piece), bytes - *sent);
		sum = hash(sum, piece, length);
		for (done = 0; done < length;) {
			unsigned n = tcp_write(c, (uint8_t *)piece + done, length - done);

			if (tcp_broken(c))
				return "the connection broke";
			if (command_stopped())
				return "stopped";
			if (n > 0)
				limit = clock_now() + 20 * SECOND;
			else if (clock_now() > limit)
				return "the peer takes no more";
			else
				task_wait(limit);
			done += n;
		}
		*sent += length;
	}
	tcp_shutdown(c);
	while (got < sizeof(answer)) {
		got += tcp_read(c, answer + got, sizeof(answer) - got);
		if (got < sizeof(answer) && tcp_ended(c))
			return "the connection broke";
		if (clock_now() > limit)
			return "no answer";
		if (got < sizeof(answer))
			task_wait(limit);
	}
	if (((uint64_t)get32(answer) << 32 | get32(answer + 4)) != bytes ||
	    get32(answer + 8) != sum)
		return "the checksum is wrong";
	return NULL;
}

void tcp_transfer(uint32_t ip, uint64_t bytes, uint32_t seed, struct transfer *result)
{
	uint64_t start = clock_now();
	struct tcp *c = tcp_connect(ip, PORT_TRANSFER, 5 * SECOND);

	*result = (struct transfer){ .error = "no connection" };
	if (c == NULL)
		return;
	result->error = transfer(c, bytes, seed | 1, &result->bytes);
	result->time = clock_now() - start;
	tcp_close(c);
}
