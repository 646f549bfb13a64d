/*
 * What a C program without a library needs: memory, text, numbers, byte order.
 */
#ifndef DEMO_LIB_H
#define DEMO_LIB_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MILLISECOND 1000000ul /* ns */
#define SECOND 1000000000ul
#define NEVER UINT64_MAX

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

void *memcpy(void *to, const void *from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int byte, size_t length);
int memcmp(const void *a, const void *b, size_t length);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);

/* Copies at most size - 1 characters and ends with NUL. */
void copy_text(char *to, size_t size, const char *from);

/* printf's subset: %d %u %x %c %s %%, l and ll, width, 0 and -. Length without NUL, below size. */
size_t format_list(char *to, size_t size, const char *text, va_list list);
size_t format(char *to, size_t size, const char *text, ...) __attribute__((format(printf, 3, 4)));

/* A decimal or 0x number, with K, M or G behind it if suffix is set; all of text, or false. */
bool parse_number(const char *text, bool suffix, uint64_t *number);

/* "a.b.c.d"; all of text up to end (may be NULL: then up to NUL). Host byte order. */
bool parse_ip(const char *text, uint32_t *ip);

/* Text in one of a few static buffers, good for one print. */
const char *ip_text(uint32_t ip);
const char *mac_text(const uint8_t mac[6]);

/* xorshift; the state must not be 0. */
uint32_t random_next(uint32_t *state);

/* FNV-1a of length bytes, going on from sum (HASH_START first). */
#define HASH_START 2166136261u
uint32_t hash(uint32_t sum, const void *data, size_t length);

/* 1000 * sin(2 pi turn / 1000) */
int sine(unsigned turn);

static inline uint16_t get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static inline uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static inline void put16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static inline void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

static inline uint64_t minimum(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t maximum(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

#endif
