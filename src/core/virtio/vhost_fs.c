/*
 * Folders of the host that a guest can mount: virtio-fs, virtio 1.2 §5.11, by virtiofsd
 * over vhost-user. The guest's I/O thread; looking at folders: any thread.
 *
 * A virtiofsd that is started anew knows nothing of what the guest had open: what the guest
 * asks for fails until it has mounted the folder again.
 */
#include "core/virtio/vhost_fs.h"

#include <errno.h>
#include <linux/fuse.h>
#include <linux/virtio_fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/profile/check.h"
#include "core/profile/profile.h"
#include "core/virtio/vhost_device.h"

#define NAME "share"
#define TAG_MAX sizeof(((struct virtio_fs_config *)0)->tag)

static bool wanted(const struct profile *profile, unsigned number)
{
	return profile->shares[number].present;
}

static int check_share(const struct profile_share *share, struct cause *cause)
{
	char program[PATH_MAX];
	struct stat st;

	if (stat(share->path, &st) < 0)
		return cause_errno(cause, errno, "%s", share->path);
	if (!S_ISDIR(st.st_mode))
		return cause_set(cause, ENOTDIR, "%s is no folder; name one", share->path);
	/* Which are more than themselves in virtiofsd's options. */
	if (strpbrk(share->path, ",\\"))
		return cause_set(cause, EINVAL, "%s: a folder with a comma or a backslash in its "
				 "path cannot be shared; rename it", share->path);
	return program_find(PROGRAM_VIRTIOFSD, program, cause);
}

static const char *check_tag(const struct profile *profile, unsigned number)
{
	const char *tag = profile->shares[number].tag;

	if (!*tag || strlen(tag) > TAG_MAX)
		return "a tag has 1 to 36 bytes";
	for (unsigned i = 0; i < number; i++)
		if (profile->shares[i].present && profile->shares[i].tag &&
		    !strcmp(profile->shares[i].tag, tag))
			return "another share has this tag as well; give each its own";
	return NULL;
}

static void check(const struct profile_check *check)
{
	char name[DEVICE_NAME_MAX];
	struct cause cause;

	for (unsigned i = 0; i < PROFILE_SHARES_MAX; i++) {
		const struct profile_share *share = &check->profile->shares[i];
		const char *wrong = share->tag ? check_tag(check->profile, i) : NULL;

		snprintf(name, sizeof(name), NAME "%u", i);
		if (share->path && check_share(share, &cause) < 0)
			check->found(check->arg, name, "path", false, cause.text);
		if (wrong)
			check->found(check->arg, name, "tag", false, wrong);
	}
}

static const struct profile_share *share_of(const struct device *device)
{
	return &device->host->profile->shares[device->number];
}

static unsigned on_backend(const struct device *device)
{
	return share_of(device)->on_backend;
}

static int launch(const struct device *device, struct backend *backend, struct cause *cause)
{
	const struct profile_share *share = share_of(device);
	char source[PATH_MAX + 16];
	/* What the one in C and the one in Rust both take; a pool would not be in order. */
	const char *const arguments[] = { "--fd=" BACKEND_LISTEN_FD, "--thread-pool-size=0", "-o",
					  source, NULL };
	struct program_order order = { .program = PROGRAM_VIRTIOFSD, .arguments = arguments,
				       .readonly = share->readonly ? share->path : NULL,
				       .fds = { -1, -1 } };
	int err = check_share(share, cause);

	if (err)
		return err;
	snprintf(source, sizeof(source), "source=%s", share->path);
	return backend_start(backend, &order, cause);
}

static void configure(const struct device *device, uint8_t *config)
{
	struct virtio_fs_config fields = { .num_request_queues = 1 };
	const char *tag = share_of(device)->tag;

	memcpy(fields.tag, tag, strnlen(tag, TAG_MAX));
	memcpy(config, &fields, sizeof(fields));
}

/* Drivers give each header a buffer of its own; FORGET gets no answer. linux/fuse.h. */
static uint32_t refuse(const struct virtq_chain *chain, struct iovec *iov)
{
	struct fuse_out_header answer = { .len = sizeof(answer), .error = -EIO };
	struct fuse_in_header asked;

	if (!chain->read_count || iov[0].iov_len < sizeof(asked) || !chain->write_count ||
	    iov[chain->read_count].iov_len < sizeof(answer))
		return 0;
	memcpy(&asked, iov[0].iov_base, sizeof(asked));
	answer.unique = asked.unique;
	memcpy(iov[chain->read_count].iov_base, &answer, sizeof(answer));
	return sizeof(answer);
}

static const struct vhost_kind kind = {
	.id = 26,
	.class_code = 0x018000, /* mass storage, other */
	.queues = 2,		/* for what goes ahead of all others, and for requests */
	.queue_size = VHOST_QUEUE_SIZE,
	.config_size = sizeof(struct virtio_fs_config),
	.program = PROGRAM_VIRTIOFSD,
	.in_order = true,
	.on_backend = on_backend,
	.launch = launch,
	.configure = configure,
	.refuse = refuse,
};

static int create(struct device *device, struct cause *cause)
{
	const char *wrong = check_tag(device->host->profile, device->number);

	if (wrong)
		return cause_set(cause, EINVAL, "%s: %s", device->name, wrong);
	return vhost_create(device, &kind, cause);
}

const struct device_type vhost_fs_device = {
	.name = NAME,
	.max = PROFILE_SHARES_MAX,
	.wanted = wanted,
	.check = check,
	.create = create,
	VHOST_ROW,
	.size = sizeof(struct vhost_device),
	.destroy = vhost_destroy,
	.load = vhost_load,
};
