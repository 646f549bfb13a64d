/*
 * A program that writes and flushes and is killed in the middle: what it had flushed is on its
 * image. VMDECK_KILL_ROUNDS says how often, 5 without it. After cmocka.h.
 */
#ifndef TESTS_UNIT_KILLED_H
#define TESTS_UNIT_KILLED_H

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILLED_BLOCKS 16u
#define KILLED_BLOCK 4096u

/* What the killer knows, in memory that both have. */
struct killed {
	_Atomic uint32_t flushed[KILLED_BLOCKS]; /* versions of the blocks: their first word */
	_Atomic uint32_t flushes;
};

/* All blocks have that version, and it was flushed. */
static inline void killed_flushed(struct killed *killed, uint32_t version)
{
	for (unsigned i = 0; i < KILLED_BLOCKS; i++)
		atomic_store(&killed->flushed[i], version);
	atomic_fetch_add(&killed->flushes, 1);
}

static inline void killed_check(const struct killed *killed, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	for (unsigned i = 0; i < KILLED_BLOCKS; i++) {
		uint32_t version;

		assert_int_equal(pread(fd, &version, sizeof(version), i * KILLED_BLOCK),
				 sizeof(version));
		assert_true(version >= atomic_load(&killed->flushed[i]));
	}
	close(fd);
}

/* write_on() writes versions from 1 on to the image at path and tells of each, for ever. */
static inline void killed_rounds(const char *path,
				 void (*write_on)(const char *path, struct killed *killed))
{
	const char *given = getenv("VMDECK_KILL_ROUNDS");
	unsigned rounds = given ? (unsigned)atoi(given) : 5;
	struct killed *killed = mmap(NULL, sizeof(*killed), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(killed, MAP_FAILED);
	srandom(1);
	for (unsigned round = 0; round < rounds; round++) {
		pid_t pid;
		int status;

		*killed = (struct killed){ 0 };
		assert_int_equal(truncate(path, 0), 0);
		assert_int_equal(truncate(path, KILLED_BLOCKS * KILLED_BLOCK), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (!pid) {
			write_on(path, killed);
			_exit(1);
		}
		for (unsigned i = 0; !atomic_load(&killed->flushes); i++) {
			assert_true(i < 60000);
			assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
			usleep(1000);
		}
		usleep((useconds_t)(random() % 20000));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		killed_check(killed, path);
	}
	munmap(killed, sizeof(*killed));
}

#endif
