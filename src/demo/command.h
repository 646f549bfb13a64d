/*
 * The command table.
 */
#ifndef DEMO_COMMAND_H
#define DEMO_COMMAND_H

#include "lib.h"

#define COMMAND_WORDS 8

struct command {
	const char *name;
	const char *arguments;
	const char *help;
	unsigned least, most; /* words after the name; the last takes the rest of the line */
	bool (*run)(unsigned count, char **words); /* words[0] is the name; false: show the usage */
};

/* Runs one line, which is cut into words in place. "&" at its end: in the background. */
void command_run(char *line);

/* The running command shall end: ^C, or "stop" for one in the background. */
bool command_stopped(void);
bool command_in_background(void);

/* Sleeps until then in pieces; false when the command shall end. */
bool command_sleep_until(uint64_t when);

/* Prints "why" with the command's name when it is not NULL; true then. */
bool command_failed(const char *name, const char *why);

/* command_net.c */
bool command_ping(unsigned count, char **words);
bool command_peers(unsigned count, char **words);
bool command_udp(unsigned count, char **words);
bool command_tcp(unsigned count, char **words);
bool command_http(unsigned count, char **words);
bool command_flood(unsigned count, char **words);
bool command_sink(unsigned count, char **words);
bool load_net(const char *peer, uint64_t rate, uint64_t seconds);

/* command_load.c */
bool command_disk(unsigned count, char **words);
bool command_mem(unsigned count, char **words);
bool command_cpu(unsigned count, char **words);
bool command_load(unsigned count, char **words);
bool command_exits(unsigned count, char **words);

/* command_rate.c */
bool command_rate(unsigned count, char **words);

/* Fills or checks a buffer with what "disk write" leaves at that offset. */
void pattern_fill(uint8_t *buffer, uint64_t offset, uint32_t length, uint32_t seed);
bool pattern_matches(const uint8_t *buffer, uint64_t offset, uint32_t length, uint32_t seed);

/* command_end.c, attack.c, fuzz.c */
bool command_crash(unsigned count, char **words);
bool command_reboot(unsigned count, char **words);
bool command_poweroff(unsigned count, char **words);
bool command_attack(unsigned count, char **words);
bool command_fuzz(unsigned count, char **words);

#endif
