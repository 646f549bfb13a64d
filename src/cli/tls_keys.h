/*
 * The secrets of TLS connections that a program writes while it runs (SSLKEYLOGFILE), as blocks of
 * a capture: who reads that can decrypt the packets behind them. Main thread.
 */
#ifndef CLI_TLS_KEYS_H
#define CLI_TLS_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TLS_KEYS_TEXT_MAX (64u * 1024) /* bytes of lines in a block */
#define TLS_KEYS_BLOCK_MAX (TLS_KEYS_TEXT_MAX + 24u)

struct tls_keys {
	const char *path; /* NULL: there are none */
	int fd;		  /* or -1: the file is not there yet */
	off_t at;	  /* what comes before has been in a block */
	bool unreadable;  /* it is no file of lines */
	uint8_t block[TLS_KEYS_BLOCK_MAX];
};

/* A file that is not there yet is waited for. 0, or a negative errno: it cannot be read. */
int tls_keys_open(struct tls_keys *keys, const char *path);

/*
 * The lines that have come since, as far as they are whole, as a pcapng Decryption Secrets Block in
 * block. Its size; 0: there are none, which also a NULL path means.
 */
size_t tls_keys_next(struct tls_keys *keys);

void tls_keys_close(struct tls_keys *keys);

#endif
