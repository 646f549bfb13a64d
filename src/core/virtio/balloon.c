/*
 * The virtio memory balloon. virtio 1.2 §5.5. Queues on the guest's I/O thread,
 * configuration on vCPU threads; all under the device lock, which what others see and
 * want of it takes as well.
 *
 * Pages that the driver puts into the balloon, and free ones that it reports, go back
 * to the host at once and are zeroes when the guest touches them again, so that taking
 * pages out needs nothing done. A guest can give back what it likes of its own RAM and
 * nothing else.
 *
 * The driver's statistics are a buffer that we keep until somebody looks: then it goes
 * back, and the driver offers it anew with what is true by then.
 */
#include "core/virtio/balloon.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/units.h"
#include "core/profile/profile.h"
#include "core/virtio/pci_device.h"

#define F_STATS (1ull << 1)
#define F_DEFLATE_ON_OOM (1ull << 2)
#define F_PAGE_POISON (1ull << 4)
#define F_REPORTING (1ull << 5)

#define QUEUE_SIZE 128

/*
 * Without free page hints, which are not offered, the reporting queue is the fifth by
 * §5.5.2 and the fourth to drivers that count only those queues that there are; either is
 * taken for it.
 */
enum { INFLATE, DEFLATE, STATS, REPORTING, QUEUES = 5 };

/* struct virtio_balloon_config, §5.5.4 */
struct balloon_config {
	uint32_t pages;	 /* that the balloon is to hold */
	uint32_t actual; /* that it holds; the driver's to write, as is the last one */
	uint32_t hint;	 /* of free page hints */
	uint32_t poison; /* what free pages are filled with */
};

struct balloon_device {
	struct virtio_pci transport; /* first: see virtio_device_create() */
	struct virtio device;
	/* The rest is guarded by the device's lock. */
	struct balloon_config config;
	uint16_t kept;	/* head of the statistics' buffer */
	bool keeps;	/* there is one */
	bool asked;	/* it went back to the driver, which has not answered */
	bool wanted;	/* somebody looks */
	uint64_t asked_at;  /* CLOCK_MONOTONIC, ns */
	uint64_t stats_at;  /* the same of the newest statistics; 0: there are none */
	uint64_t stats[DEVICE_MEMORY_STATS];
	uint32_t known;	    /* bit n: the driver has said stats[n] */
};

static struct balloon_device *balloon_of(struct virtio *device)
{
	return container_of(device, struct balloon_device, device);
}

static uint64_t features(struct virtio *device)
{
	(void)device;
	return F_STATS | F_DEFLATE_ON_OOM | F_PAGE_POISON | F_REPORTING;
}

static void config_read(struct virtio *device, uint32_t offset, void *data, unsigned length)
{
	memcpy(data, (const uint8_t *)&balloon_of(device)->config + offset, length);
}

static void config_write(struct virtio *device, uint32_t offset, const void *data, unsigned length)
{
	struct balloon_config *config = &balloon_of(device)->config;
	uint32_t value;

	if (length != sizeof(value))
		return;
	memcpy(&value, data, sizeof(value));
	if (offset == offsetof(struct balloon_config, actual))
		config->actual = value;
	else if (offset == offsetof(struct balloon_config, poison))
		config->poison = value;
}

/* --- pages --- */

/* A run of pages that are neighbours, in whichever order they come. */
struct run {
	uint64_t first, count;
};

static void give_back(struct balloon_device *balloon, struct run *run, unsigned *work)
{
	uint64_t length = run->count * BALLOON_PAGE;
	void *host = memory_at(balloon->transport.memory, run->first * BALLOON_PAGE, length);

	if (host) {
		memory_give_back(balloon->transport.memory, host, length);
		++*work;
	}
	run->count = 0;
}

static void add_page(struct balloon_device *balloon, struct run *run, uint64_t page,
		     unsigned *work)
{
	if (!memory_at(balloon->transport.memory, page * BALLOON_PAGE, BALLOON_PAGE))
		return;
	if (run->count && page == run->first + run->count) {
		run->count++;
	} else if (run->count && page + 1 == run->first) {
		run->first = page;
		run->count++;
	} else {
		if (run->count)
			give_back(balloon, run, work);
		*run = (struct run){ page, 1 };
	}
}

/* Numbers of pages, 32 bits each, which may be cut anywhere. */
static void inflate(struct balloon_device *balloon, const struct iovec *iov, unsigned count,
		    unsigned *work)
{
	unsigned pages = 0, have = 0;
	struct run run = { 0, 0 };
	uint8_t number[4];
	uint32_t page;

	for (unsigned i = 0; i < count; i++) {
		const uint8_t *at = iov[i].iov_base, *end = at + iov[i].iov_len;

		for (; at < end && pages < BALLOON_CHAIN_MAX; at++) {
			number[have++] = *at;
			if (have < sizeof(number))
				continue;
			memcpy(&page, number, sizeof(page));
			add_page(balloon, &run, page, work);
			have = 0;
			pages++;
		}
	}
	if (run.count)
		give_back(balloon, &run, work);
}

/* The buffers are the free pages. With a poison of its own the driver wants to find that in them. */
static void report(struct balloon_device *balloon, const struct iovec *iov, unsigned count,
		   unsigned *work)
{
	if ((balloon->device.features & F_PAGE_POISON) && balloon->config.poison)
		return;
	for (unsigned i = 0; i < count; i++, ++*work)
		memory_give_back(balloon->transport.memory, iov[i].iov_base, iov[i].iov_len);
}

static int serve_pages(struct balloon_device *balloon, unsigned n, unsigned *work)
{
	struct virtq *queue = &balloon->device.queues[n];
	struct iovec iov[VIRTQ_CHAIN_MAX];
	struct virtq_chain chain;
	int r = virtq_pop(queue, &chain, iov, VIRTQ_CHAIN_MAX);

	if (r <= 0)
		return r;
	++*work;
	if (n == INFLATE)
		inflate(balloon, iov, chain.read_count, work);
	else if (n >= REPORTING)
		report(balloon, iov + chain.read_count, chain.write_count, work);
	virtq_push(queue, chain.head, 0);
	return 1;
}

static int kick_pages(struct balloon_device *balloon, unsigned n)
{
	struct virtq *queue = &balloon->device.queues[n];
	unsigned work = 0;
	int r = 0;

	virtq_want_kicks(queue, false);
	while (work < BALLOON_BURST) {
		r = serve_pages(balloon, n, &work);
		if (r > 0)
			continue;
		virtq_want_kicks(queue, true);
		if (r < 0 || !virtq_pending(queue))
			break;
		virtq_want_kicks(queue, false);
	}
	if (work >= BALLOON_BURST)
		virtio_kick_again(&balloon->device, n);
	if (virtq_publish(queue))
		virtio_interrupt(&balloon->device, n);
	return r;
}

/* --- statistics --- */

struct __attribute__((packed)) stat {
	uint16_t tag;
	uint64_t value;
};

static void take_stats(struct balloon_device *balloon, const struct iovec *iov, unsigned count)
{
	struct stat stats[2 * DEVICE_MEMORY_STATS] = { 0 }; /* newer drivers have more */
	size_t size = 0;

	for (unsigned i = 0; i < count && size < sizeof(stats); i++) {
		size_t n = sizeof(stats) - size < iov[i].iov_len ? sizeof(stats) - size
								 : iov[i].iov_len;

		memcpy((uint8_t *)stats + size, iov[i].iov_base, n);
		size += n;
	}
	for (size_t i = 0; i < size / sizeof(*stats); i++) {
		if (stats[i].tag >= DEVICE_MEMORY_STATS)
			continue;
		balloon->stats[stats[i].tag] =
			stats[i].value < INT64_MAX ? stats[i].value : INT64_MAX;
		balloon->known |= 1u << stats[i].tag;
	}
	balloon->stats_at = clock_monotonic();
}

/* Gives the buffer back to the driver, if somebody waits for newer ones. */
static void ask_for_stats(struct balloon_device *balloon)
{
	struct virtq *queue = &balloon->device.queues[STATS];

	if (!balloon->wanted || !balloon->keeps)
		return;
	balloon->wanted = balloon->keeps = false;
	balloon->asked = true;
	balloon->asked_at = clock_monotonic();
	virtq_push(queue, balloon->kept, 0);
	if (virtq_publish(queue))
		virtio_interrupt(&balloon->device, STATS);
}

/* The driver has one buffer for them; a second one while we keep it is against the rules. */
static int kick_stats(struct balloon_device *balloon)
{
	struct virtq *queue = &balloon->device.queues[STATS];
	struct iovec iov[VIRTQ_CHAIN_MAX];
	struct virtq_chain chain;
	int r;

	while ((r = virtq_pop(queue, &chain, iov, VIRTQ_CHAIN_MAX)) > 0) {
		if (balloon->keeps)
			return virtq_break(queue);
		take_stats(balloon, iov, chain.read_count);
		balloon->kept = chain.head;
		balloon->keeps = true;
		balloon->asked = false;
		virtq_want_kicks(queue, true);
	}
	ask_for_stats(balloon);
	return r;
}

static void kick(struct virtio *device, unsigned n)
{
	struct balloon_device *balloon = balloon_of(device);
	bool stats = n == STATS && (device->features & F_STATS);
	int r = stats ? kick_stats(balloon) : kick_pages(balloon, n);

	if (r < 0)
		virtio_broken(device, stats ? "the queue of statistics breaks the rules of virtio"
					    : "a queue of pages breaks the rules of virtio");
}

/* --- life --- */

/* What the balloon held is the guest's again: it forgets it with its driver. */
static bool reset(struct virtio *device)
{
	struct balloon_device *balloon = balloon_of(device);

	balloon->keeps = balloon->asked = balloon->wanted = false;
	balloon->config.actual = balloon->config.poison = 0;
	balloon->stats_at = 0;
	balloon->known = 0;
	return true;
}

static const struct virtio_ops balloon_ops = {
	.id = 5,
	.class_code = 0x058000, /* other memory controller */
	.queues = QUEUES,
	.queue_size = QUEUE_SIZE,
	.config_size = sizeof(struct balloon_config),
	.features = features,
	.config_read = config_read,
	.config_write = config_write,
	.kick = kick,
	.reset = reset,
};

static bool wanted(const struct profile *profile, unsigned number)
{
	(void)number;
	return profile->balloon;
}

static int create(struct device *device, struct cause *cause)
{
	struct balloon_device *balloon = device->state;

	balloon->device.ops = &balloon_ops;
	return virtio_device_create(device, &balloon->device, cause);
}

static void destroy(struct device *device)
{
	virtio_pci_destroy(device->state);
}

/* The buffer goes back to where it was found, to be found again. */
static bool stop(struct device *device)
{
	struct balloon_device *balloon = device->state;

	virtio_device_stop(device);
	pthread_mutex_lock(&balloon->device.lock);
	if (balloon->keeps)
		virtq_unpop(&balloon->device.queues[STATS]);
	balloon->keeps = false;
	pthread_mutex_unlock(&balloon->device.lock);
	return true;
}

struct __attribute__((packed)) balloon_registers {
	struct virtio_pci_registers transport;
	uint32_t pages, actual, poison;
};

static void save(struct device *device, void *to)
{
	struct balloon_registers *registers = to;
	struct balloon_device *balloon = device->state;

	virtio_pci_save(&balloon->transport, &registers->transport);
	registers->pages = balloon->config.pages;
	registers->actual = balloon->config.actual;
	registers->poison = balloon->config.poison;
}

static const char *load(struct device *device, const void *from)
{
	const struct balloon_registers *registers = from;
	struct balloon_device *balloon = device->state;

	if (registers->pages > device->host->memory->size / BALLOON_PAGE)
		return "the size of the balloon";
	balloon->config.pages = registers->pages;
	balloon->config.actual = registers->actual;
	balloon->config.poison = registers->poison;
	return virtio_pci_load(&balloon->transport, &registers->transport);
}

/* --- what others want and see --- */

static int resize(struct device *device, struct device_size *size, struct cause *cause)
{
	struct balloon_device *balloon = device->state;
	uint64_t all = device->host->memory->size, bytes = size->bytes;

	if (bytes > all) {
		char text[TEXT_NUMBER];

		return cause_set(cause, ERANGE, "it has %s; a balloon only takes of it",
				 text_size(text, (double)all));
	}
	pthread_mutex_lock(&balloon->device.lock);
	balloon->config.pages = (uint32_t)((all - bytes) / BALLOON_PAGE);
	virtio_config_changed(&balloon->device);
	pthread_mutex_unlock(&balloon->device.lock);
	return 0;
}

static void memory_view(struct device *device, bool look, struct device_memory *out)
{
	struct balloon_device *balloon = device->state;
	uint64_t now = clock_monotonic();

	pthread_mutex_lock(&balloon->device.lock);
	*out = (struct device_memory){
		.present = true,
		.target = device->host->memory->size - (uint64_t)balloon->config.pages * BALLOON_PAGE,
		.balloon = (uint64_t)balloon->config.actual * BALLOON_PAGE,
		.known = balloon->known,
		.age = balloon->stats_at ? now - balloon->stats_at : 0,
	};
	memcpy(out->stats, balloon->stats, sizeof(out->stats));
	if (look && !balloon->wanted && !balloon->asked &&
	    now - balloon->asked_at >= BALLOON_POLL_MS * NS_PER_MS) {
		balloon->wanted = true;
		virtio_kick_again(&balloon->device, STATS);
	}
	pthread_mutex_unlock(&balloon->device.lock);
}

static void describe(struct device *device, char *text, size_t size)
{
	struct balloon_device *balloon = device->state;
	char number[TEXT_NUMBER];
	uint32_t pages;
	size_t used;

	pthread_mutex_lock(&balloon->device.lock);
	pages = balloon->config.actual;
	pthread_mutex_unlock(&balloon->device.lock);
	virtio_device_describe(device, text, size);
	used = strlen(text);
	snprintf(text + used, size - used, ", holds %s",
		 text_size(number, (double)pages * BALLOON_PAGE));
}

const struct device_type balloon_device = {
	.name = "balloon",
	.size = sizeof(struct balloon_device),
	.pci = true,
	.wanted = wanted,
	.create = create,
	.destroy = destroy,
	.start = virtio_device_start,
	.stop = stop,
	.reset = virtio_device_reset,
	.version = 1,
	.saved = sizeof(struct balloon_registers),
	.save = save,
	.load = load,
	.describe = describe,
	.resize = resize,
	.memory_view = memory_view,
};
