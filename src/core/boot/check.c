/* What a profile wants to boot, before it does. Any thread. */
#include <string.h>

#include "base/checked.h"
#include "core/boot/boot.h"

#define SECTION "boot"

/* Words that a person may have from elsewhere, and what they do to a guest here. */
static const struct {
	const char *word, *effect;
} unwise[] = {
	{ "acpi=off", "the kernel then sees one processor alone and no power button" },
	{ "pci=off", "the kernel then finds no disks and no network cards" },
};

/* Whether this source could be booted; if not, that goes to the key. */
static bool try(const struct profile_check *check, struct guest_memory *memory,
		const struct boot_source *source, const char *key)
{
	struct boot_entry entry;
	struct cause cause;

	if (boot_load(source, memory, 0, &entry, &cause) == 0)
		return true;
	check->found(check->arg, SECTION, key, false, cause.text);
	return false;
}

/* A kernel prints on the console that it is told to, whatever the guest has. */
static void warn_of_console(const struct profile_check *check)
{
	static const char word[] = "console=hvc";
	bool has = check->profile->console == CONSOLE_VIRTIO, told = false;

	for (const char *at = check->profile->cmdline; *at; at = boot_next_word(at))
		told |= !strncmp(at, word, strlen(word));
	if (has && !told)
		check->found(check->arg, "guest", "console", true, "the kernel prints nothing on a "
			     "virtio console unless its command line has console=hvc0");
	if (told && !has)
		check->found(check->arg, SECTION, "cmdline", true, "console=hvc0: the guest has no "
			     "virtio console; console=virtio in [guest] gives it one");
}

void boot_warn(const struct profile_check *check)
{
	struct cause text;

	if (!check->profile->kernel)
		return;
	warn_of_console(check);
	for (const char *at = check->profile->cmdline; *at; at = boot_next_word(at))
		for (unsigned i = 0; i < ARRAY_SIZE(unwise); i++) {
			size_t size = strlen(unwise[i].word);

			if (strncmp(at, unwise[i].word, size) || (at[size] && at[size] != ' '))
				continue;
			cause_set(&text, 0, "%s: %s", unwise[i].word, unwise[i].effect);
			check->found(check->arg, SECTION, "cmdline", true, text.text);
		}
}

/* Each by itself beside the kernel, so that one mistake does not hide another. */
void boot_check(const struct profile_check *check, const struct boot_image *builtin)
{
	const struct profile *profile = check->profile;
	struct boot_source source = { .kernel = profile->kernel, .image = builtin, .look = true };
	struct guest_memory memory;
	struct cause cause;
	bool good;

	if (memory_create(&memory, profile->memory, &cause) < 0) {
		check->found(check->arg, "guest", "memory", false, cause.text);
		return;
	}
	good = try(check, &memory, &source, "kernel");
	/* The built-in one shows whether the initrd can be read at least. */
	if (!good)
		source.kernel = NULL;
	source.initrd = profile->initrd;
	if (source.initrd)
		try(check, &memory, &source, "initrd");
	source.initrd = NULL;
	source.cmdline = profile->cmdline;
	if (good && try(check, &memory, &source, "cmdline"))
		boot_warn(check);
	memory_destroy(&memory);
}
