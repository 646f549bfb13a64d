/*
 * doctor: what this host gives, and what to do about what it does not. It tries
 * each thing; no deck is needed for it.
 */
#include "cli/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/host_memory.h"
#include "cli/output.h"
#include "control/message_text.h"
#include "sandbox/confine.h"
#include "sandbox/probe.h"
#include "sandbox/program.h"

#define FILES_WANTED 16384 /* of a deck: roles/session.c */
#define MIB (1ull << 20)

enum finding { GOOD, NOTE, BAD };

static const struct {
	const char *name, *colour;
} findings[] = {
	[GOOD] = { "ok", "\033[32m" },
	[NOTE] = { "note", "" },
	[BAD] = { "missing", "\033[31m" },
};

struct doctor {
	json_t *checks;
	struct columns columns; /* filled unless json */
	bool json, bad;
};

/* text: what is so; advice: what to do about it, or NULL. */
static void tell(struct doctor *doctor, enum finding finding, const char *name, const char *text,
		 const char *advice)
{
	char whole[CAUSE_SIZE * 2];

	snprintf(whole, sizeof(whole), "%s%s%s", text, advice ? "; " : "", advice ? advice : "");
	if (!doctor->json)
		columns_add(&doctor->columns,
			    (const char *const[]){ name, findings[finding].name, whole },
			    output_colour() ? findings[finding].colour : "");
	json_array_append_new(doctor->checks,
			      json_pack("{s:o, s:o, s:o, s:o*}", "name", message_text(name),
					"finding", message_text(findings[finding].name), "text",
					message_text(text), "advice",
					advice ? message_text(advice) : NULL));
	doctor->bad |= finding == BAD;
}

/* A number that the kernel shows in a file, or absent. */
static long read_number(const char *path, long absent)
{
	FILE *file = fopen(path, "re");
	long number = absent;

	if (file && fscanf(file, "%ld", &number) != 1)
		number = absent;
	if (file)
		fclose(file);
	return number;
}

/* --- walls of processes --- */

/* Settings that keep processes from namespaces of their own. */
static const char *namespaces_advice(void)
{
	static const struct {
		const char *path;
		long refusing;
		const char *advice;
	} settings[] = {
		{ "/proc/sys/kernel/unprivileged_userns_clone", 0,
		  "sysctl kernel.unprivileged_userns_clone=1" },
		{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1,
		  "sysctl kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile "
		  "for vmdeck that allows userns" },
		{ "/proc/sys/user/max_user_namespaces", 0,
		  "sysctl user.max_user_namespaces=10000" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (read_number(settings[i].path, -1) == settings[i].refusing)
			return settings[i].advice;
	return "let whoever runs vmdeck (a container, a service manager) allow user namespaces";
}

static const char *wall_advice(unsigned number)
{
	switch (1u << number) {
	case WALL_USER:
	case WALL_MOUNT:
	case WALL_PID:
	case WALL_IPC:
	case WALL_NET:
		return namespaces_advice();
	case WALL_LANDLOCK:
		return "add landlock to the kernel's command line: lsm=landlock,...";
	case WALL_NOT_ROOT:
		return "do not run vmdeck as root; the group that may open /dev/kvm is enough";
	default:
		return NULL;
	}
}

static void look_at_walls(struct doctor *doctor)
{
	uint32_t in_force = 0;
	struct cause cause;

	if (probe_walls(&in_force, &cause) < 0) {
		tell(doctor, BAD, "processes", cause.text, namespaces_advice());
		return;
	}
	for (unsigned i = 0; i < WALL_COUNT; i++) {
		char name[64];
		bool given = in_force & 1u << i;

		snprintf(name, sizeof(name), "process: %s", wall_name(i));
		tell(doctor, given ? GOOD : BAD, name, wall_means(i, given),
		     given ? NULL : wall_advice(i));
	}
}

static void look_at_filters(struct doctor *doctor)
{
	uint32_t missing = probe_filters();

	for (unsigned i = FILTER_THREADS; i < FILTER_COUNT; i++) {
		char name[64];
		bool given = !(missing & 1u << i);

		snprintf(name, sizeof(name), "thread: seccomp, %s", filter_name(i));
		tell(doctor, given ? GOOD : BAD, name, filter_whose(i),
		     given ? NULL : "use a kernel with CONFIG_SECCOMP_FILTER");
	}
	tell(doctor, NOTE, "thread: screen",
	     "has no filter, since it starts the editor and the pager; a deck without a screen "
	     "has no such thread", NULL);
}

static void look_at_cores(struct doctor *doctor)
{
	bool given = confine_process();

	tell(doctor, given ? GOOD : BAD, "core dumps",
	     given ? "none is written of guests' memory" : "one can be written of guests' memory",
	     given ? NULL : "allow a hard limit of 1 (ulimit -Hc 1, LimitCORE=1)");
}

/* --- what guests need --- */

static void look_at_rings(struct doctor *doctor, const struct cli_hooks *hooks)
{
	struct cause why;
	bool given = hooks->rings(&why);

	tell(doctor, given ? GOOD : NOTE, "io_uring",
	     given ? "guests' disks use it, held to their own files" : why.text,
	     given ? NULL : "threads serve the disks in its place, which takes more of the "
			    "host's time");
}

static void look_at_kvm(struct doctor *doctor, const struct cli_hooks *hooks)
{
	struct cause cause;

	if (hooks->kvm(&cause) < 0)
		tell(doctor, BAD, "/dev/kvm", cause.text, NULL);
	else
		tell(doctor, GOOD, "/dev/kvm", "it can be opened and has what guests need", NULL);
}

static void look_at_masks(struct doctor *doctor, const struct cli_hooks *hooks)
{
	int given = hooks->masks();

	if (given >= 0)
		tell(doctor, given ? GOOD : NOTE, "cpu_mask",
		     given ? "guests do not find what it hides of the processor" :
			     "guests find the host's processor as it is",
		     given ? NULL : "this KVM works without VT-x and AMD-V, and does not hide it");
}

/* Where none of them is, guests still start by their kernels. */
static void look_at_firmware(struct doctor *doctor, const struct cli_hooks *hooks)
{
	static const struct {
		const char *name, *text;
	} kinds[] = {
		{ "firmware: bios", "SeaBIOS is there to start what guests have on their disks" },
		{ "firmware: uefi", "OVMF is there to start what guests have on their disks" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct cause cause;
		bool given = hooks->firmware(i == 1, &cause) == 0;

		tell(doctor, given ? GOOD : NOTE, kinds[i].name, given ? kinds[i].text : cause.text,
		     NULL);
	}
}

static void look_at_files(struct doctor *doctor)
{
	struct rlimit limit = { 0 };
	char text[CAUSE_SIZE];
	bool enough;

	getrlimit(RLIMIT_NOFILE, &limit);
	enough = limit.rlim_max >= FILES_WANTED;
	snprintf(text, sizeof(text), "%" PRIu64 " open files are allowed; a guest has up to 16",
		 (uint64_t)limit.rlim_max);
	tell(doctor, enough ? GOOD : NOTE, "open files", text,
	     enough ? NULL : "for hundreds of guests raise it (ulimit -Hn, LimitNOFILE=)");
}

static void look_at_memory(struct doctor *doctor)
{
	struct host_memory memory;
	char text[CAUSE_SIZE];

	host_memory_read(&memory, "");
	snprintf(text, sizeof(text), "%llu MiB are free for guests; if it runs out, the "
		 "kernel ends the deck with all guests", memory.available / MIB);
	tell(doctor, NOTE, "memory", text,
	     "give guests less than that, or let it end others first: choom -n -500 -p PID");
}

/* Word that memory runs short, which the deck tells before it is too late. */
static void look_at_pressure(struct doctor *doctor)
{
	int fd = host_memory_watch();

	tell(doctor, fd >= 0 ? GOOD : NOTE, "memory pressure",
	     fd >= 0 ? "the deck says when memory runs short" :
		       "the kernel does not tell the deck when memory runs short",
	     fd >= 0 ? NULL : "add psi=1 to its command line, or update it");
	if (fd >= 0)
		close(fd);
}

static void look_at_kernel(struct doctor *doctor)
{
	struct utsname kernel;
	unsigned major = 0, minor = 0;
	char text[CAUSE_SIZE];
	bool old;

	uname(&kernel);
	sscanf(kernel.release, "%u.%u", &major, &minor);
	old = major < 6 || (major == 6 && minor < 1);
	snprintf(text, sizeof(text), "Linux %s", kernel.release);
	tell(doctor, old ? NOTE : GOOD, "kernel", text,
	     old ? "it is older than 6.1, which is the oldest that vmdeck is tested with" : NULL);
}

static void look_at_program(struct doctor *doctor, enum program program, const char *path)
{
	uint32_t refused = probe_program(program);
	char text[PATH_MAX + CAUSE_SIZE];
	const char *advice = NULL;
	size_t used;

	used = (size_t)snprintf(text, sizeof(text), "%s; %s", path, program_purpose(program));
	for (unsigned i = 0; i < WALL_COUNT; i++) {
		if (!(refused & 1u << i))
			continue;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s %s",
					 advice ? "," : ", but without", wall_name(i));
		advice = wall_advice(i);
	}
	tell(doctor, refused ? BAD : GOOD, program_name(program), text, advice);
}

/* Programs of others; who does not use what they serve need not have them. */
static void look_at_programs(struct doctor *doctor)
{
	for (enum program program = 0; program < PROGRAM_COUNT; program++) {
		char path[PATH_MAX], text[CAUSE_SIZE * 2];
		struct cause cause;

		if (program_find(program, path, &cause) == 0) {
			look_at_program(doctor, program, path);
			continue;
		}
		snprintf(text, sizeof(text), "%s; %s", cause.text, program_purpose(program));
		tell(doctor, NOTE, program_name(program), text, NULL);
	}
}

int doctor_main(struct cli *cli)
{
	struct doctor doctor = { .checks = json_array(), .columns = { .count = 3 },
				 .json = cli->json };
	json_t *object;

	look_at_walls(&doctor); /* forks, and so comes before any thread */
	look_at_filters(&doctor);
	look_at_cores(&doctor);
	look_at_kvm(&doctor, cli->hooks);
	look_at_masks(&doctor, cli->hooks);
	look_at_rings(&doctor, cli->hooks);
	look_at_firmware(&doctor, cli->hooks);
	look_at_files(&doctor);
	look_at_memory(&doctor);
	look_at_pressure(&doctor);
	look_at_programs(&doctor);
	look_at_kernel(&doctor);
	object = json_pack("{s:o, s:b}", "checks", doctor.checks, "ok", !doctor.bad);
	if (cli->json)
		output_json(object);
	else
		columns_print(&doctor.columns, 1);
	json_decref(object);
	return doctor.bad ? CLI_FAILED : CLI_OK;
}
