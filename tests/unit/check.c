/* "vmdeck check": what a start would refuse is a mistake with its line, or a warning. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/boot/load.h"
#include "core/deck/check.h"
#include "core/disk/qcow2.h"
#include "lib/pvh_image.h"

#define KERNEL "[boot]\nkernel=../kernel\n"

static char folder[64];
static struct boot_image builtin;
static struct deck_config config;

/* The path is good until the fourth call after it. */
static const char *path_of(const char *name)
{
	static char paths[4][256];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static const char *write_file(const char *name, const void *data, size_t size)
{
	const char *path = path_of(name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	return path;
}

static const char *write_text(const char *name, const char *text)
{
	return write_file(name, text, strlen(text));
}

/* guests, switches, a kernel, and a switch that is good and one that is not. */
static int setup(void **state)
{
	static char guests[128], switches[128];
	static struct pvh_image kernel = PVH_IMAGE(0);

	(void)state;
	strcpy(folder, "/tmp/vmdeck-check-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(guests, sizeof(guests), "%s/guests", folder);
	snprintf(switches, sizeof(switches), "%s/switches", folder);
	if (mkdir(guests, 0700) || mkdir(switches, 0700))
		return -1;
	write_file("kernel", &kernel, sizeof(kernel));
	write_text("initrd", "0123");
	write_text("empty", "");
	write_text("switches/wan.ini", "[switch]\n");
	write_text("switches/bad.ini", "[switch]\nuplink=moon\n");
	builtin = (struct boot_image){ &kernel, sizeof(kernel), "name|ip" };
	config = (struct deck_config){ .builtin = &builtin, .guests_folder = guests,
				       .switches_folder = switches };
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

/* What is found in a profile of this text: "line: text" or "line: warning: text" a line. */
static const char *found_in(const char *text)
{
	static char out[4096];
	struct profile_report report;
	size_t n = 0;
	int error = deck_check(&config, write_text("guests/g.ini", text), &report);

	assert_int_equal(error < 0, report.count > 0);
	out[0] = '\0';
	for (size_t i = 0; i < report.count; i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%u: %s\n",
				      report.mistakes[i].line, report.mistakes[i].text);
	for (size_t i = 0; i < report.warning_count; i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%u: warning: %s\n",
				      report.warnings[i].line, report.warnings[i].text);
	profile_report_free(&report);
	unlink(path_of("guests/g.ini"));
	return out;
}

static void good_ones_have_none(void **state)
{
	static const char *const texts[] = {
		"", "[boot]\ncmdline = name=a ip=\"1 2\"  name\n",
		KERNEL "initrd=../initrd\ncmdline = x=pci=off pci=offx \"a pci=off b\"\n",
		"[net0]\nswitch=wan\n[net1]\nswitch=lan\nforward=2222:22\n",
		"[guest]\nmemory=1T\novercommit=yes\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_string_equal(found_in(texts[i]), "");
}

static void what_a_start_refuses_is_found(void **state)
{
	static const struct {
		const char *text, *line, *found;
	} cases[] = {
		{ "[boot]\nkernel=none\n", "2: kernel: ", "/none: No such file or directory; " },
		{ "[boot]\nkernel=g.ini\n", "2: kernel: ", "g.ini: not a bzImage and not an ELF" },
		{ "[boot]\nkernel=/dev/full\n", "2: kernel: ", "not a regular file" },
		{ KERNEL "initrd=none\n", "3: initrd: ", "/none: No such file" },
		{ KERNEL "initrd=../empty\n", "3: initrd: ", "the initrd is empty" },
		{ "[boot]\ncmdline = name=x console=ttyS0\n", "2: cmdline: ",
		  "'console=ttyS0' is for a kernel, and none is given (the built-in guest knows " },
		{ "[net1]\nswitch=wna\n", "2: switch: ", "there is no switch named wna; describe" },
		{ "[net0]\nmac=52:54:00:00:00:01\nswitch=bad\n", "3: switch: ",
		  "the profile of switch bad has mistakes" },
		{ "[net0]\nswitch=wan\nforward=2222:22\n", "3: forward: ",
		  "switch wan has no way for the ports of this host; it needs uplink=nat" },
		{ "[guest]\n\nmemory=1T\n", "3: memory: ", "it wants 1048576 MiB of memory, but " },
		{ "[boot]\nfirmware=bios\nfirmware_file=none\n", "3: firmware_file: ",
		  "/none: No such file" },
		{ "[boot]\nfirmware=bios\nfirmware_file=g.ini\n", "3: firmware_file: ",
		  "firmware has a multiple of 4096" },
		{ "[boot]\nfirmware=bios\nfirmware_file=../empty\n", "3: firmware_file: ",
		  "has 0 bytes" },
		{ "[boot]\nfirmware=bios\nfirmware_file=/dev/full\n", "3: firmware_file: ",
		  "not a regular file" },
		{ "[guest]\n\nmemory=63M\n[boot]\nfirmware=uefi\n", "3: memory: ",
		  "UEFI firmware needs at least 64M" },
		{ "[guest]\ncpus=5\ncpu_sockets=2\n", "2: cpus: ", "make 2 * 2 * 1 = 4 vCPUs" },
		{ "[guest]\n\ncpu_mask=avx51f\n", "3: cpu_mask: ", "did you mean avx512f?" },
		{ "[guest]\nmemory=65M\nbacking=hugetlb\n", "3: backing: ", "a multiple of 2M" },
		{ "[disk2]\npath=none\n", "2: path: ", "/none" },
		{ "[disk0]\npath=../switches\n", "2: path: ", "/switches is " },
		{ KERNEL "cmdline = quiet pci=off\n", "3: warning: cmdline: ", "no disks" },
		{ KERNEL "cmdline = acpi=off quiet\n", "3: warning: cmdline: ", "no power button" },
		{ KERNEL "cmdline = console=hvc0 quiet\n", "3: warning: cmdline: ",
		  "console=virtio in [guest] gives it one" },
		{ "[guest]\nconsole=virtio\n" KERNEL "cmdline = console=ttyS0\n",
		  "2: warning: console: ", "unless its command line has console=hvc0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *found = found_in(cases[i].text);

		if (strncmp(found, cases[i].line, strlen(cases[i].line)) ||
		    !strstr(found, cases[i].found) || strchr(found, '\n')[1])
			fail_msg("%s\ngave %s\ninstead of %s%s", cases[i].text, found,
				 cases[i].line, cases[i].found);
	}
}

/* A mistake does not hide those of other keys, in the profile or in what it names. */
static void everything_is_found_at_once(void **state)
{
	const char *found = found_in("[guest]\ncpus=0\n[boot]\nkernel=none\ninitrd=none2\n[disk0]\n"
				     "readonly=yes\n[disk1]\npath=none3\n[net0]\nswitch=no\n");

	(void)state;
	assert_non_null(strstr(found, "2: cpus: "));
	assert_non_null(strstr(found, "4: kernel: "));
	assert_non_null(strstr(found, "5: initrd: "));
	assert_non_null(strstr(found, "6: [disk0] needs a 'path'"));
	assert_non_null(strstr(found, "9: path: "));
	assert_non_null(strstr(found, "11: switch: "));
}

/* Headers are read, and nothing of what is as large as memory. */
static void large_files_are_not_read(void **state)
{
	(void)state;
	write_text("large", "");
	assert_int_equal(truncate(path_of("large"), 1ll << 40), 0);
	assert_non_null(strstr(found_in(KERNEL "initrd=../large\n"), "no room for an initrd"));
	assert_int_equal(truncate(path_of("large"), 1ll << 30), 0);
	assert_string_equal(found_in("[guest]\nmemory=8G\novercommit=yes\n"
				     KERNEL "initrd=../large\n"), "");
}

static void make_qcow2(const char *name, const char *backing)
{
	int fd = open(path_of(name), O_RDWR | O_CREAT | O_EXCL, 0600);

	assert_int_equal(qcow2_create(fd, 65536, backing, "raw"), 0);
	close(fd);
}

/* The files decide, by whatever paths they are named and whoever serves them. */
static void one_file_of_two_disks_is_found(void **state)
{
#define RAW "[disk0]\npath=../raw.img\n"
#define BASED "format=qcow2\nbacking_files=yes\n"
	static const struct {
		const char *text, *found; /* NULL: nothing of that kind */
	} cases[] = {
		{ RAW "[disk1]\npath=../sym.img\n", "4: path: %s/sym.img is the image of disk0 (%s/raw.img "
		  "there) as well; two disks can share one if both have readonly=yes or overlay=\n" },
		{ RAW "[disk1]\npath=../hard.img\nreadonly=yes\n", "is the image of disk0 (" },
		{ RAW "readonly=yes\n[disk1]\npath=../hard.img\nreadonly=yes\n", NULL },
		{ RAW "overlay=discard\n[disk1]\npath=../hard.img\n", "5: path: %s/hard.img is "
		  "what disk0 (%s/raw.img there) is based on, so it must not change; set readonly=yes "
		  "or overlay= here\n" },
		{ RAW "[disk1]\npath=../hard.img\noverlay=keep\n", "4: path: %s/hard.img is written "
		  "to as disk0 (%s/raw.img there), so nothing can be based on it; set readonly=yes or "
		  "overlay= there\n" },
		{ RAW "overlay=keep\n[disk1]\npath=../hard.img\noverlay=discard\n", NULL },
		{ RAW "overlay=keep\n[disk1]\npath=../raw.img\noverlay=discard\n", NULL },
		{ RAW "overlay=keep\n[disk1]\npath=../raw.img\n", "path: is the image of [disk0]" },
		{ RAW "[disk1]\npath=../one.qcow2\n" BASED, "raw.img is written to as disk0" },
		{ RAW, NULL },
		{ "[disk0]\npath=../one.qcow2\n" BASED "[disk1]\npath=../sym.qcow2\n" BASED,
		  "sym.qcow2 is the image of disk0 (" },
		{ "[disk0]\npath=../one.qcow2\n" BASED "[disk1]\npath=../sym.qcow2\nformat=raw\n",
		  "sym.qcow2 is the image of disk0 (" },
		{ "[disk0]\npath=../one.qcow2\n" BASED "[disk1]\npath=../two.qcow2\n" BASED, NULL },
		{ "[disk0]\npath=../one.qcow2\n" BASED "[disk1]\npath=../raw.img\n",
		  "raw.img is what disk0 is based on" },
	};

	(void)state;
	write_text("raw.img", "");
	assert_int_equal(truncate(path_of("raw.img"), 65536), 0);
	assert_int_equal(link(path_of("raw.img"), path_of("hard.img")), 0);
	assert_int_equal(symlink("raw.img", path_of("sym.img")), 0);
	make_qcow2("one.qcow2", "raw.img");
	make_qcow2("two.qcow2", "raw.img");
	assert_int_equal(symlink("one.qcow2", path_of("sym.qcow2")), 0);
	assert_int_equal(truncate(path_of("one.qcow2"), 1 << 20), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *wanted = cases[i].found, *found = found_in(cases[i].text);
		char guests[128], text[1024];

		snprintf(guests, sizeof(guests), "%s/guests/..", folder);
		snprintf(text, sizeof(text), wanted ? wanted : "disk0", guests, guests);
		if (!strstr(found, text) != !wanted)
			fail_msg("%s\ngave %s\ninstead of %s", cases[i].text, found, text);
	}
}

static void count(void *arg, const char *path, const struct profile_report *report)
{
	char *out = arg;

	snprintf(out + strlen(out), 512 - strlen(out), "%s:%zu ", strrchr(path, '/') + 1,
		 report->count);
}

static void folders_are_checked_as_a_whole(void **state)
{
	char out[512] = "";
	const char *found;
	struct cause cause;

	(void)state;
	write_text("guests/a.ini", "[net0]\nswitch=wan\nmac=52:54:00:00:00:01\n");
	write_text("guests/b.ini", "[guest]\nname=c\n[net0]\nmac=52:54:00:00:00:01\nswitch=wan\n");
	write_text("guests/c.ini", "[net0]\nswitch=lan\nmac=52:54:00:00:00:01\n");
	assert_int_equal(deck_check_folder(&config, folder, count, out, &cause), 5);
	assert_string_equal(out, "bad.ini:1 wan.ini:0 a.ini:1 b.ini:2 c.ini:1 ");
	*out = '\0';
	assert_int_equal(deck_check_folder(&config, path_of("guests"), count, out, &cause), 3);
	assert_string_equal(out, "a.ini:1 b.ini:2 c.ini:1 ");
	*out = '\0';
	assert_int_equal(deck_check_folder(&config, NULL, count, out, &cause), 5);
	assert_int_equal(deck_check_folder(&config, path_of("switches"), count, out, &cause), 2);
	assert_int_equal(deck_check_folder(&config, path_of("kernel"), count, out, &cause),
			 -ENOTDIR);
	write_text("guests/d.ini", "[net1]\nswitch=lan\naddress=10.0.2.50\n");
	found = found_in("[net3]\nswitch=lan\naddress=10.0.2.50\n");
	assert_non_null(strstr(found, "3: address: guest d ("));
	assert_string_equal(found_in("[net3]\nswitch=lan\naddress=10.0.2.51\n"), "");
	/* One that lies in the folder is seen beside the others, one that does not is not. */
	assert_non_null(strstr(found_in("[guest]\nname=a\n"), "2: name: guest a ("));
	write_text("x.ini", "[guest]\nname=a\n");
	assert_int_equal(deck_check(&config, path_of("x.ini"), &(struct profile_report){ 0 }), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(good_ones_have_none, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_start_refuses_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(everything_is_found_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(one_file_of_two_disks_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(large_files_are_not_read, setup, teardown),
		cmocka_unit_test_setup_teardown(folders_are_checked_as_a_whole, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
