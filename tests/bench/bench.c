/*
 * "make bench": how fast guests start, what they cost, and what an exit costs,
 * beside a bare KVM loop and QEMU in the same run. The sides take turns, run
 * on the same CPU and do the same; each figure is a median.
 *
 * Start it where vmdeck was built. QEMU is left out when it is not installed.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"
#include "side.h"

#define ROUNDS 11
#define ROUNDS_MAX (ROW_SAMPLES / (EXIT_STARTS * EXIT_TURNS))
#define BYTE_TIMEOUT 60000 /* ms; firmware can be slow */
#define EXITS 500	   /* as exits.elf is built with */
#define EXIT_STARTS 3	   /* of each round: where its memory lies makes a process slow or fast */
#define EXIT_TURNS 16	   /* of each start: short, so that all meet the same noise */
#define LOOP_STARTS "4"	   /* of one process; the first is not counted */
#define KEPT 200
#define KEPT_MANY 1000
#define DISTURBED 0.05
#define TRIES 3 /* at a row that others disturbed */

struct bench {
	char folder[64];
	char errors[PATH_MAX], start_ini[PATH_MAX], exits_ini[PATH_MAX];
	char here[PATH_MAX];
	unsigned rounds;
	bool qemu, many, json;
	const char *goal; /* only this one; NULL: all */
};

#define QEMU_COMMON "qemu-system-x86_64", "-accel", "kvm", "-cpu", "host,arch-capabilities=off", \
	"-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio"

/* --- files --- */

static void write_file(const struct bench *bench, const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", bench->folder, name);
	file = fopen(path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file)) {
		perror(path);
		exit(1);
	}
}

static void write_profile(struct bench *bench, const char *name, const char *kernel,
			  char path[PATH_MAX])
{
	char text[3 * PATH_MAX];

	snprintf(text, sizeof(text),
		 "[guest]\nname = bench\nmemory = 128M\n[boot]\nkernel = %s/tests/bench/%s\n"
		 "[disk0]\npath = %s/disk.img\nformat = raw\nreadonly = yes\n"
		 "[net0]\nswitch = bench\n",
		 bench->here, kernel, bench->folder);
	write_file(bench, name, text);
	snprintf(path, PATH_MAX, "%s/%s", bench->folder, name);
}

static void make_folder(struct bench *bench)
{
	static const char *const folders[] = { "vmdeck", "vmdeck/guests", "vmdeck/switches" };
	char path[PATH_MAX];

	strcpy(bench->folder, "/tmp/vmdeck-bench-XXXXXX");
	if (!getcwd(bench->here, sizeof(bench->here)) || !mkdtemp(bench->folder)) {
		perror("bench");
		exit(1);
	}
	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", bench->folder, folders[i]);
		mkdir(path, 0700);
	}
	write_file(bench, "vmdeck/switches/bench.ini", "[switch]\nuplink = none\n");
	write_file(bench, "disk.img", "");
	snprintf(path, sizeof(path), "%s/disk.img", bench->folder);
	if (truncate(path, 1 << 20))
		perror(path);
	write_profile(bench, "start.ini", "start.elf", bench->start_ini);
	write_profile(bench, "exits.ini", "exits.elf", bench->exits_ini);
	snprintf(bench->errors, sizeof(bench->errors), "%s/errors", bench->folder);
	setenv("XDG_CONFIG_HOME", bench->folder, 1);
	setenv("XDG_STATE_HOME", bench->folder, 1);
	setenv("XDG_RUNTIME_DIR", bench->folder, 1);
}

static void remove_folder(const struct bench *bench)
{
	static const char *const files[] = {
		"vmdeck/switches/bench.ini", "vmdeck/deck.sock", "vmdeck/deck.sock.lock", "disk.img",
		"start.ini", "exits.ini", "errors", "vmdeck/switches", "vmdeck/guests", "vmdeck", ""
	};
	char path[PATH_MAX];

	for (unsigned i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), "%s/%s", bench->folder, files[i]);
		remove(path);
	}
}

/* --- goals --- */

static void complain(const struct bench *bench, const struct side *side)
{
	char text[512] = "";
	FILE *file = fopen(bench->errors, "r");

	if (file && !fgets(text, sizeof(text), file))
		*text = '\0';
	if (file)
		fclose(file);
	fprintf(stderr, "bench: %s did not do its part: %s%s", side->name, text,
		*text ? "" : "(it said nothing)\n");
}

/* Each other round backwards: what a side leaves to the kernel to do meets the next one. */
static int side_of(unsigned round, int i, int count)
{
	return round % 2 ? count - 1 - i : i;
}

/* 1: from exec to the guest's first byte. */
static void measure_exec(const struct bench *bench, struct row *row)
{
	struct side sides[SIDES] = {
		[OURS] = { .name = "vmdeck", .argv = { "./vmdeck", "run", bench->start_ini } },
		[BARE] = { .name = "bare", .argv = { "tests/bench/bare", "run",
						     "tests/bench/start.elf", "128" } },
		[QEMU] = { .name = "qemu",
			   .argv = { QEMU_COMMON, "-M",
				     "microvm,x-option-roms=off,isa-serial=on", "-m", "128", "-bios",
				     "tests/bench/rom.bin" } },
	};
	uint64_t when;

	for (unsigned round = 0; round < bench->rounds; round++) {
		for (int i = 0; i < SIDES; i++) {
			int n = side_of(round, i, SIDES);

			if ((n == QEMU && !bench->qemu) || side_start(&sides[n], bench->errors) < 0)
				continue;
			if (side_byte(&sides[n], BYTE_TIMEOUT, &when))
				row_add(row, n, (double)(when - side_started()) / 1e6);
			else
				complain(bench, &sides[n]);
			side_end(&sides[n]);
		}
	}
}

struct starts {
	struct row one;
	unsigned seen;
};

static void take_start(void *arg, const char *text)
{
	struct starts *starts = arg;
	double ns;

	if (sscanf(text, "start %lf", &ns) == 1 && starts->seen++)
		row_add(&starts->one, 0, ns / 1e6);
}

/* 2: one guest after the other in one process. */
static void measure_starts(const struct bench *bench, struct row *row)
{
	struct side sides[SIDES] = {
		[OURS] = { .name = "machines", .argv = { "tests/bench/machines", "loop",
							 bench->start_ini, "128", LOOP_STARTS } },
		[BARE] = { .name = "bare", .argv = { "tests/bench/bare", "loop",
						     "tests/bench/start.elf", "128",
						     LOOP_STARTS } },
	};

	for (unsigned round = 0; round < bench->rounds; round++) {
		for (int i = 0; i <= BARE; i++) {
			int n = side_of(round, i, BARE + 1);
			struct starts starts = { 0 };

			if (side_lines(&sides[n], bench->errors, take_start, &starts))
				row_add(row, n, row_median(&starts.one, 0));
			else
				complain(bench, &sides[n]);
		}
	}
}

struct kept {
	double ns, host, user;
	bool seen;
};

static void take_kept(void *arg, const char *text)
{
	struct kept *kept = arg;

	if (sscanf(text, "kept %lf %lf %lf", &kept->ns, &kept->host, &kept->user) == 3)
		kept->seen = true;
}

/* 3 and 4: many guests at once; how fast they are there, and what each takes. */
static void measure_kept(const struct bench *bench, struct row *row, unsigned count)
{
	char number[16];
	struct side sides[SIDES] = {
		[OURS] = { .name = "machines", .argv = { "tests/bench/machines", "keep",
							 bench->start_ini, "16", number } },
		[BARE] = { .name = "bare", .argv = { "tests/bench/bare", "keep",
						     "tests/bench/start.elf", "16", number } },
	};

	snprintf(number, sizeof(number), "%u", count);
	for (unsigned round = 0; round < bench->rounds; round++) {
		for (int i = 0; i <= BARE; i++) {
			int n = side_of(round, i, BARE + 1);
			struct kept kept = { 0 };

			if (!side_lines(&sides[n], bench->errors, take_kept, &kept) || !kept.seen) {
				complain(bench, &sides[n]);
				continue;
			}
			row_add(&row[0], n, count / (kept.ns / 1e9));
			row_add(&row[1], n, kept.host / 1024);
			row_add(&row[2], n, kept.user / 1024);
		}
	}
}

/* Starts a guest that makes exits and leaves it stopped. */
static bool start_exits(const struct bench *bench, struct side *side)
{
	uint64_t when;
	bool there = side_start(side, bench->errors) == 0;

	for (int bytes = 0; there && bytes < 3; bytes++) /* the first is not from CPL 3 yet */
		there = side_byte(side, BYTE_TIMEOUT, &when);
	if (there)
		side_freeze(side);
	else
		complain(bench, side);
	return there;
}

/* us of an exit, from one byte to the next; 0: it said nothing. */
static double take_turn(struct side *side)
{
	uint64_t first, second;
	double us = 0;

	side_drain(side);
	side_thaw(side);
	if (side_byte(side, BYTE_TIMEOUT, &first) && side_byte(side, BYTE_TIMEOUT, &second))
		us = (double)(second - first) / 1e3 / EXITS;
	side_freeze(side);
	return us;
}

/*
 * 5: all sides run at once but are stopped, save the one whose turn it is. From one byte to the
 * next the guest writes EXITS times to a register. The first row's bare loop has a second thread
 * in its process, as each monitor has; the second row's is alone. QEMU, which no goal asks for
 * here and whose firmware takes seconds, is started once.
 */
static void measure_exits(const struct bench *bench, struct row *row)
{
	enum { ALONE = SIDES, RUNNERS };
	struct side sides[RUNNERS] = {
		[OURS] = { .name = "vmdeck", .argv = { "./vmdeck", "run", bench->exits_ini } },
		[BARE] = { .name = "bare", .argv = { "tests/bench/bare", "run2",
						     "tests/bench/exits.elf", "128" } },
		[QEMU] = { .name = "qemu",
			   .argv = { QEMU_COMMON, "-M", "microvm,isa-serial=on,rtc=on,pit=on,pic=on",
				     "-m", "128", "-kernel", "tests/bench/exits.elf" } },
		[ALONE] = { .name = "bare", .argv = { "tests/bench/bare", "run",
						      "tests/bench/exits.elf", "128" } },
	};
	unsigned turns = bench->rounds * EXIT_STARTS * EXIT_TURNS;
	bool there[RUNNERS] = { false };
	double us[RUNNERS];

	if (bench->qemu)
		there[QEMU] = start_exits(bench, &sides[QEMU]);
	for (unsigned turn = 0; turn < turns; turn++) {
		for (int i = 0; i < RUNNERS && turn % EXIT_TURNS == 0; i++) {
			if (i == QEMU)
				continue;
			side_end(&sides[i]);
			there[i] = start_exits(bench, &sides[i]);
		}
		for (int i = 0; i < RUNNERS; i++) {
			int n = side_of(turn, i, RUNNERS);

			us[n] = there[n] ? take_turn(&sides[n]) : 0;
		}
		for (int i = 0; i < SIDES; i++)
			if (us[i] != 0)
				row_add(&row[0], i, us[i]);
		if (us[OURS] != 0 && us[ALONE] != 0) {
			row_add(&row[1], OURS, us[OURS]);
			row_add(&row[1], BARE, us[ALONE]);
		}
	}
	for (int i = 0; i < RUNNERS; i++)
		side_end(&sides[i]);
}

static void measure_200(const struct bench *bench, struct row *row)
{
	measure_kept(bench, row, KEPT);
}

static void measure_1000(const struct bench *bench, struct row *row)
{
	measure_kept(bench, row, KEPT_MANY);
}

static const struct row plan[] = {
	{ .goal = "1", .what = "exec to the guest's first byte, 128 MiB", .unit = "ms",
	  .of_bare = 2.5, .of_qemu = 8 },
	{ .goal = "2", .what = "start in the running program, 128 MiB", .unit = "ms",
	  .of_bare = 1.5 },
	{ .goal = "3", .what = "200 guests of 16 MiB started and kept", .unit = "guests/s",
	  .more_is_better = true, .of_bare = 0.75 },
	{ .goal = "4", .what = "host memory for each of them, RAM apart", .unit = "KiB",
	  .at_most = 717 },
	{ .goal = "4", .what = "of it resident in user space", .unit = "KiB", .at_most = 64 },
	{ .goal = "5", .what = "exit to a device and back, CPL 3", .unit = "us",
	  .of_bare = 1.01, .above_bare = 0.06 },
	{ .goal = "-", .what = "so too, the bare loop alone in its process", .unit = "us" },
	{ .goal = "3", .what = "1000 guests of 16 MiB started and kept", .unit = "guests/s",
	  .more_is_better = true, .of_bare = 0.7 },
	{ .goal = "4", .what = "host memory for each of them, RAM apart", .unit = "KiB",
	  .at_most = 717 },
	{ .goal = "4", .what = "of it resident in user space", .unit = "KiB", .at_most = 64 },
};

#define PLAN_ROWS (sizeof(plan) / sizeof(*plan))

static const struct {
	void (*measure)(const struct bench *bench, struct row *row);
	unsigned row, rows;
	bool only_many;
} sections[] = {
	{ measure_exec, 0, 1, false },
	{ measure_starts, 1, 1, false },
	{ measure_200, 2, 3, false },
	{ measure_exits, 5, 2, false },
	{ measure_1000, 7, 3, true },
};

static bool is_asked(const struct bench *bench, unsigned n)
{
	bool asked = bench->many || !sections[n].only_many;

	for (unsigned i = 0; asked && bench->goal && i < sections[n].rows; i++)
		if (!strcmp(plan[sections[n].row + i].goal, bench->goal))
			return true;
	return asked && !bench->goal;
}

/* Measures until others were quiet, a few times; the last try stands and says so. */
static void run_section(const struct bench *bench, struct row *rows, unsigned n)
{
	const struct row *planned = plan + sections[n].row;
	struct load before, after;
	unsigned count = sections[n].rows;

	for (unsigned attempt = 0; attempt < TRIES; attempt++) {
		double others;

		memcpy(rows, planned, count * sizeof(*rows));
		load_read(&before);
		sections[n].measure(bench, rows);
		load_read(&after);
		others = load_others(&before, &after);
		for (unsigned i = 0; i < count; i++)
			rows[i].others = others;
		if (others <= DISTURBED)
			return;
		if (attempt + 1 < TRIES)
			fprintf(stderr, "bench: others used %.0f %% of a CPU, once more: %s\n",
				100 * others, planned->what);
	}
}

static void usage(FILE *file)
{
	fprintf(file, "usage: bench [--json] [--rounds N] [--goal N] [--many] [--no-qemu]\n"
		      "  --rounds  rounds of each figure, 1 to %d, %d if not given\n"
		      "  --goal    only what is measured for this goal, such as 5\n"
		      "  --many    also 1000 guests at once\n", ROUNDS_MAX, ROUNDS);
}

static void options(struct bench *bench, int argc, char **argv)
{
	static const struct option names[] = {
		{ "json", no_argument, NULL, 'j' }, { "rounds", required_argument, NULL, 'r' },
		{ "goal", required_argument, NULL, 'g' }, { "many", no_argument, NULL, 'm' }, { "no-qemu", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' }, { 0 }
	};
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (option == 'j') {
			bench->json = true;
		} else if (option == 'r' && atoi(optarg) > 0 && atoi(optarg) <= ROUNDS_MAX) {
			bench->rounds = (unsigned)atoi(optarg);
		} else if (option == 'g') {
			bench->goal = optarg;
		} else if (option == 'm') {
			bench->many = true;
		} else if (option == 'q') {
			bench->qemu = false;
		} else if (option == 'h') {
			usage(stdout);
			exit(0);
		} else {
			usage(stderr);
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	static struct row rows[PLAN_ROWS];
	struct bench bench = { .rounds = ROUNDS, .qemu = true };
	unsigned count = 0;

	options(&bench, argc, argv);
	if (access("/dev/kvm", R_OK | W_OK)) {
		fprintf(stderr, "bench: /dev/kvm: %s\n", strerror(errno));
		return 1;
	}
	if (bench.qemu && system("command -v qemu-system-x86_64 >/dev/null")) {
		fprintf(stderr, "bench: qemu-system-x86_64 is not installed and left out\n");
		bench.qemu = false;
	}
	make_folder(&bench);
	side_pin_driver();
	for (unsigned n = 0; n < sizeof(sections) / sizeof(*sections); n++) {
		if (!is_asked(&bench, n))
			continue;
		run_section(&bench, rows + count, n);
		count += sections[n].rows;
	}
	remove_folder(&bench);
	if (bench.json)
		report_json(rows, count);
	else
		report_table(rows, count);
	return 0;
}
