/* INI files: any bytes. What is handed out is text that can be shown, and both views agree. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/ini.h"
#include "lib/fuzz.h"

#define SEED(text) { text, sizeof(text) - 1 }

const struct fuzz_seed fuzz_seeds[] = {
	SEED("[guest]\nname = web\ncpus=2 ; two\nmemory=512M\n[boot]\n"
	     "cmdline=\"console=ttyS0 #x\"\n[disk0]\npath = 'a b'\nreadonly=yes\n"),
	SEED("\xef\xbb\xbf[switch]\r\nuplink=nat\r\naddress=10.0.2.2/24\r\n"),
	SEED("[a]\nk=\"\"\nl=''\nm=;\nn==\no=\"x\n[b]\np=\xc3\xa4\\\nq='\"'#\n[a]\nk=2"),
	{ NULL, 0 },
};

static void count_mistake(void *arg, unsigned line, const char *text)
{
	(void)line;
	assert(*text);
	++*(size_t *)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ini_entry *entry;
	size_t mistakes = 0, i;
	struct cause cause;
	struct ini *ini;

	if (ini_parse(&ini, "fuzz", (const char *)data, size, count_mistake, &mistakes, &cause))
		abort();
	for (i = 0; (entry = ini_entry(ini, i)); i++) {
		assert(entry->line > 0 && *entry->section && *entry->key);
		assert(!strpbrk(entry->value, "\n\x1b"));
		assert(ini_find(ini, entry->section, entry->key) == entry);
	}
	ini_free(ini);
	return 0;
}
