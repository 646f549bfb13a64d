/* See secrets.h. mlock(2), madvise(2), memfd_create(2). */
#include "core/disk/secrets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct secrets {
	char texts[PROFILE_DISKS_MAX][SECRET_MAX]; /* "": there is none */
	char *paths[PROFILE_DISKS_MAX];		   /* of the images that they are of */
};

_Static_assert(sizeof(struct secrets) <= 4096, "they are one page");

static void wipe(struct secrets *secrets, unsigned number)
{
	explicit_bzero(secrets->texts[number], SECRET_MAX);
	free(secrets->paths[number]);
	secrets->paths[number] = NULL;
}

/* That of the image at path, if it is the disk's; or "". */
static const char *find(const struct secrets *secrets, unsigned number, const char *path)
{
	bool known = secrets && path && secrets->paths[number] &&
		     !strcmp(secrets->paths[number], path);

	return known ? secrets->texts[number] : "";
}

int secrets_put(struct secrets **secrets, unsigned number, const char *path, const char *text,
		struct cause *cause)
{
	size_t size = strlen(text);

	if (!size)
		return cause_set(cause, EINVAL, "its passphrase is empty");
	if (size >= SECRET_MAX)
		return cause_set(cause, EINVAL, "its passphrase is longer than %d bytes; set "
				 "secret_file= to a file with it", SECRET_MAX - 1);
	if (!*secrets) {
		struct secrets *page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE,
					    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (page == MAP_FAILED)
			return cause_errno(cause, errno, "its passphrase");
		/* A host that allows no more locked memory may swap it. */
		(void)mlock(page, sizeof(*page));
		(void)madvise(page, sizeof(*page), MADV_DONTDUMP);
		*secrets = page;
	}
	wipe(*secrets, number);
	(*secrets)->paths[number] = strdup(path);
	if (!(*secrets)->paths[number])
		return cause_errno(cause, ENOMEM, "its passphrase");
	memcpy((*secrets)->texts[number], text, size);
	return 0;
}

void secrets_keep_for(struct secrets *secrets, const struct profile *profile)
{
	for (unsigned i = 0; secrets && i < PROFILE_DISKS_MAX; i++)
		if (!*find(secrets, i, profile ? profile->disks[i].path : NULL))
			wipe(secrets, i);
}

void secrets_free(struct secrets **secrets)
{
	if (!*secrets)
		return;
	for (unsigned i = 0; i < PROFILE_DISKS_MAX; i++)
		wipe(*secrets, i);
	munmap(*secrets, sizeof(**secrets));
	*secrets = NULL;
}

bool secrets_lack(const struct secrets *secrets, const struct profile *profile, unsigned number)
{
	const struct profile_disk *disk = &profile->disks[number];

	return disk->present && disk->format == DISK_FORMAT_LUKS && !disk->secret_file &&
	       !*find(secrets, number, disk->path);
}

int secrets_open(const struct secrets *secrets, unsigned number, const char *path, int *fd)
{
	const char *text = find(secrets, number, path);
	ssize_t size = (ssize_t)strlen(text);
	int err = 0;

	*fd = -1;
	if (!size)
		return 0;
	*fd = memfd_create("passphrase", MFD_CLOEXEC);
	if (*fd < 0)
		return -errno;
	if (pwrite(*fd, text, (size_t)size, 0) != size) {
		err = -EIO;
		close(*fd);
		*fd = -1;
	}
	return err;
}
