/*
 * Sentences in buffers of a fixed size: one that finds no room whole ends in an
 * ellipsis, behind a whole character, so that nobody takes it for all. Any thread.
 */
#ifndef BASE_SENTENCE_H
#define BASE_SENTENCE_H

#include <stdarg.h>
#include <stddef.h>

#define SENTENCE_ELLIPSIS "\342\200\246"

/* Writes it to text, of size bytes, more than the ellipsis has. */
void sentence_format(char *text, size_t size, const char *format, va_list ap)
	__attribute__((format(printf, 3, 0)));

/* The same behind the first used bytes of text, at most size - 1. */
void sentence_add(char *text, size_t size, size_t used, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
