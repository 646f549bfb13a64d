/*
 * Memory, text and numbers for a program without a library. Any task.
 */
#include "lib.h"

void *memcpy(void *to, const void *from, size_t length)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	for (; length >= 16; length -= 16, t += 16, f += 16) {
		uint64_t a, b;

		__builtin_memcpy(&a, f, 8);
		__builtin_memcpy(&b, f + 8, 8);
		__builtin_memcpy(t, &a, 8);
		__builtin_memcpy(t + 8, &b, 8);
	}
	while (length-- > 0) {
		*t++ = *f++;
		__asm__ volatile("" : : : "memory");
	}
	return to;
}

void *memmove(void *to, const void *from, size_t length)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	if (t <= f || t >= f + length)
		return memcpy(to, from, length);
	while (length-- > 0) {
		t[length] = f[length];
		__asm__ volatile("" : : : "memory");
	}
	return to;
}

void *memset(void *to, int byte, size_t length)
{
	uint8_t *t = to;
	uint64_t pattern = 0x0101010101010101ull * (uint8_t)byte;

	for (; length >= 8; length -= 8, t += 8) {
		__builtin_memcpy(t, &pattern, 8);
		__asm__ volatile("" : : : "memory");
	}
	while (length-- > 0) {
		*t++ = byte;
		__asm__ volatile("" : : : "memory");
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t length)
{
	const uint8_t *x = a, *y = b;

	for (; length > 0; length--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strlen(const char *text)
{
	size_t length = 0;

	while (text[length] != '\0') {
		length++;
		__asm__ volatile("" : : : "memory");
	}
	return length;
}

int strcmp(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return (uint8_t)*a - (uint8_t)*b;
}

void copy_text(char *to, size_t size, const char *from)
{
	size_t length = minimum(strlen(from), size - 1);

	memcpy(to, from, length);
	to[length] = '\0';
}

struct output {
	char *at;
	size_t room; /* without the NUL */
	size_t length;
};

static void output_character(struct output *output, char c)
{
	if (output->length < output->room)
		output->at[output->length++] = c;
}

static void output_padded(struct output *output, const char *text, size_t length, unsigned width,
			  bool left, char fill)
{
	size_t pad = width > length ? width - length : 0;

	for (size_t i = 0; !left && i < pad; i++)
		output_character(output, fill);
	for (size_t i = 0; i < length; i++)
		output_character(output, text[i]);
	for (size_t i = 0; left && i < pad; i++)
		output_character(output, ' ');
}

static size_t digits(char *end, uint64_t value, unsigned base)
{
	size_t length = 0;

	do {
		*--end = "0123456789abcdef"[value % base];
		value /= base;
		length++;
	} while (value != 0);
	return length;
}

static const char *output_argument(struct output *output, const char *text, va_list list)
{
	bool left = false, negative = false;
	unsigned width = 0, longs = 0;
	char fill = ' ', buffer[24];
	const char *string;
	uint64_t value;
	size_t length;

	for (; *text == '-' || *text == '0'; text++) {
		left |= *text == '-';
		fill = *text == '0' ? '0' : fill;
	}
	for (; *text >= '0' && *text <= '9'; text++)
		width = width * 10 + *text - '0';
	for (; *text == 'l'; text++)
		longs++;
	switch (*text) {
	case 's':
		string = va_arg(list, const char *);
		output_padded(output, string, strlen(string), width, left, ' ');
		break;
	case 'c':
		output_character(output, va_arg(list, int));
		break;
	case 'd':
	case 'u':
	case 'x':
		value = longs > 0 ? va_arg(list, unsigned long) : va_arg(list, unsigned);
		if (*text == 'd') {
			value = longs > 0 ? value : (uint64_t)(int)value;
			negative = (int64_t)value < 0;
			value = negative ? -value : value;
		}
		length = digits(buffer + sizeof(buffer), value, *text == 'x' ? 16 : 10);
		if (negative)
			buffer[sizeof(buffer) - ++length] = '-';
		output_padded(output, buffer + sizeof(buffer) - length, length, width, left, fill);
		break;
	default:
		output_character(output, *text);
	}
	return *text == '\0' ? text : text + 1;
}

size_t format_list(char *to, size_t size, const char *text, va_list list)
{
	struct output output = { .at = to, .room = size - 1 };
	va_list copy;

	va_copy(copy, list);
	while (*text != '\0') {
		if (*text == '%')
			text = output_argument(&output, text + 1, copy);
		else
			output_character(&output, *text++);
	}
	va_end(copy);
	to[output.length] = '\0';
	return output.length;
}

size_t format(char *to, size_t size, const char *text, ...)
{
	va_list list;
	size_t length;

	va_start(list, text);
	length = format_list(to, size, text, list);
	va_end(list);
	return length;
}

static int digit(char c, unsigned base)
{
	int value = -1;

	if (c >= '0' && c <= '9')
		value = c - '0';
	else if (c >= 'a' && c <= 'f')
		value = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		value = c - 'A' + 10;
	return value < (int)base ? value : -1;
}

bool parse_number(const char *text, bool suffix, uint64_t *number)
{
	unsigned base = text[0] == '0' && text[1] == 'x' ? 16 : 10, shift = 0;
	uint64_t value = 0;

	if (base == 16)
		text += 2;
	if (digit(*text, base) < 0)
		return false;
	for (; digit(*text, base) >= 0; text++) {
		if (value > (UINT64_MAX - 15) / base)
			return false;
		value = value * base + digit(*text, base);
	}
	if (suffix && *text != '\0') {
		char c = *text | 0x20;

		shift = c == 'k' ? 10 : c == 'm' ? 20 : c == 'g' ? 30 : 0;
		if (shift == 0 || value > UINT64_MAX >> shift)
			return false;
		text++;
	}
	*number = value << shift;
	return *text == '\0';
}

bool parse_ip(const char *text, uint32_t *ip)
{
	uint32_t address = 0;

	for (unsigned i = 0; i < 4; i++) {
		unsigned value = 0, length = 0;

		for (; digit(*text, 10) >= 0 && length < 4; text++, length++)
			value = value * 10 + *text - '0';
		if (length == 0 || value > 255 || *text != (i < 3 ? '.' : '\0'))
			return false;
		address = address << 8 | value;
		text += i < 3;
	}
	*ip = address;
	return true;
}

static char *text_buffer(size_t *size)
{
	static char buffers[4][20];
	static unsigned next;

	*size = sizeof(buffers[0]);
	return buffers[next++ % ARRAY_SIZE(buffers)];
}

const char *ip_text(uint32_t ip)
{
	size_t size;
	char *text = text_buffer(&size);

	format(text, size, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
	return text;
}

const char *mac_text(const uint8_t mac[6])
{
	size_t size;
	char *text = text_buffer(&size);

	format(text, size, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
	       mac[5]);
	return text;
}

uint32_t random_next(uint32_t *state)
{
	uint32_t x = *state;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return *state = x;
}

uint32_t hash(uint32_t sum, const void *data, size_t length)
{
	const uint8_t *at = data;

	while (length-- > 0)
		sum = (sum ^ *at++) * 16777619u;
	return sum;
}

int sine(unsigned turn)
{
	/* Bhaskara's formula, in half turns: 16 x (h - x) / (5 h^2 - 4 x (h - x)) */
	int x = turn % 500, product = x * (500 - x);
	int value = (int)(16000ll * product / (5ll * 500 * 500 - 4ll * product));

	return turn % 1000 < 500 ? value : -value;
}
