/*
 * The virtio console. virtio 1.2 §5.3, without its multiple ports. Queues on the guest's I/O
 * thread, configuration on vCPU threads, input and the size of the window on any.
 *
 * A request brings as much as the guest has to print, so a line costs a kick where a serial
 * port costs an exit for each byte.
 *
 * Who types or changes the window holds the lock of the console that the device prints on
 * under its own: so these two take no lock but that of the input, which is the last.
 */
#include "core/virtio/console.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/mutex.h"
#include "core/profile/profile.h"
#include "core/virtio/pci_device.h"

enum { RX, TX, QUEUES };

#define F_SIZE (1ull << 0)
#define F_EMERGENCY_WRITE (1ull << 2)

#define QUEUE_SIZE 16 /* Linux fills it with pages to be typed into */
#define BURST (256u << 10) /* bytes printed before others have their turn */
#define REQUEST_COST 64u   /* bytes that a smaller request counts as */

/* struct virtio_console_config, §5.3.4 */
struct console_config {
	uint16_t columns, rows;
	uint32_t ports;	    /* of several */
	uint32_t emergency; /* written: a byte to be printed without a queue */
};

struct console_device {
	struct virtio_pci transport; /* first: see virtio_device_create() */
	struct virtio device;
	struct device_host *host;
	_Atomic uint32_t window; /* rows << 16 | columns; 0: nobody has said */
	bool prints;		 /* this driver has printed; guarded by the device's lock */
	struct mutex input_lock; /* guards the rest */
	uint32_t start, count;
	uint8_t input[VIRTIO_CONSOLE_INPUT];
};

static struct console_device *console_of(struct virtio *device)
{
	return container_of(device, struct console_device, device);
}

static void print(struct console_device *console, const uint8_t *data, size_t size)
{
	struct device_host *host = console->host;

	host->print(host, CONSOLE_VIRTIO, data, size);
}

static uint64_t features(struct virtio *device)
{
	(void)device;
	return F_SIZE | F_EMERGENCY_WRITE;
}

static void config_read(struct virtio *device, uint32_t offset, void *data, unsigned length)
{
	uint32_t window = atomic_load(&console_of(device)->window);
	const struct console_config config = { .columns = window & 0xffff, .rows = window >> 16,
					       .ports = 1 };

	memcpy(data, (const uint8_t *)&config + offset, length);
}

static void config_write(struct virtio *device, uint32_t offset, const void *data, unsigned length)
{
	(void)length;
	if (offset == offsetof(struct console_config, emergency))
		print(console_of(device), data, 1);
}

static void begin(struct virtio *device)
{
	console_of(device)->prints = false;
}

/*
 * Linux reads the size of the window when it is told of a change, and before it has made its
 * console it does not: so it is told when it first prints.
 */
static void tell_window(struct console_device *console)
{
	if (!console->prints && atomic_load(&console->window))
		virtio_config_changed(&console->device);
	console->prints = true;
}

/* --- queues --- */

/* One request: its cost in bytes, 0 when there is none, or -EINVAL. */
static int print_next(struct console_device *console)
{
	struct virtq *queue = &console->device.queues[TX];
	struct iovec iov[VIRTQ_CHAIN_MAX];
	struct virtq_chain chain;
	int r = virtq_pop(queue, &chain, iov, VIRTQ_CHAIN_MAX);

	if (r <= 0)
		return r;
	for (unsigned i = 0; i < chain.read_count; i++)
		print(console, iov[i].iov_base, iov[i].iov_len);
	virtq_push(queue, chain.head, 0);
	return chain.read_size < REQUEST_COST ? (int)REQUEST_COST :
	       chain.read_size < BURST	      ? (int)chain.read_size : (int)BURST;
}

static int transmit(struct console_device *console)
{
	struct virtq *queue = &console->device.queues[TX];
	unsigned work = 0;
	int r = 0;

	virtq_want_kicks(queue, false);
	while (work < BURST) {
		r = print_next(console);
		if (r > 0) {
			work += (unsigned)r;
			continue;
		}
		virtq_want_kicks(queue, true);
		if (r < 0 || !virtq_pending(queue))
			break;
		virtq_want_kicks(queue, false);
	}
	if (work >= BURST)
		virtio_kick_again(&console->device, TX);
	if (virtq_publish(queue))
		virtio_interrupt(&console->device, TX);
	return r;
}

/* Moves what was typed into buffers of the guest's; the bytes. The input's lock is held. */
static uint32_t fill(struct console_device *console, const struct iovec *iov, unsigned count)
{
	uint32_t total = 0;

	for (unsigned i = 0; i < count && console->count; i++) {
		uint8_t *to = iov[i].iov_base;
		size_t left = iov[i].iov_len;

		for (; left && console->count; left--, total++) {
			*to++ = console->input[console->start];
			console->start = (console->start + 1) % VIRTIO_CONSOLE_INPUT;
			console->count--;
		}
	}
	return total;
}

/* The input's lock is held. */
static int receive(struct console_device *console)
{
	struct virtq *queue = &console->device.queues[RX];
	struct iovec iov[VIRTQ_CHAIN_MAX];
	struct virtq_chain chain;
	int r = 0;

	virtq_want_kicks(queue, false);
	while (console->count) {
		r = virtq_pop(queue, &chain, iov, VIRTQ_CHAIN_MAX);
		if (r > 0 && !chain.write_size)
			r = virtq_break(queue);
		if (r < 0)
			break;
		if (r > 0) {
			virtq_push(queue, chain.head, fill(console, iov + chain.read_count,
							   chain.write_count));
			continue;
		}
		virtq_want_kicks(queue, true);
		if (!virtq_pending(queue))
			break;
		virtq_want_kicks(queue, false);
	}
	if (virtq_publish(queue))
		virtio_interrupt(&console->device, RX);
	return r;
}

static void kick(struct virtio *device, unsigned n)
{
	struct console_device *console = console_of(device);
	int r;

	if (n == TX) {
		r = transmit(console);
		if (r >= 0 && device->queues[TX].next_used)
			tell_window(console);
	} else {
		mutex_lock(&console->input_lock);
		r = receive(console);
		mutex_unlock(&console->input_lock);
	}
	if (r < 0)
		virtio_broken(device, n == TX ? "the transmit queue breaks the rules of virtio"
					      : "the receive queue breaks the rules of virtio");
}

static const struct virtio_ops console_ops = {
	.id = 3,
	.class_code = 0x078000, /* other communication controller */
	.queues = QUEUES,
	.queue_size = QUEUE_SIZE,
	.config_size = sizeof(struct console_config),
	.features = features,
	.config_read = config_read,
	.config_write = config_write,
	.start = begin,
	.kick = kick,
};

/* --- people --- */

static size_t type(struct device *device, const uint8_t *data, size_t size)
{
	struct console_device *console = device->state;
	size_t taken;

	mutex_lock(&console->input_lock);
	taken = VIRTIO_CONSOLE_INPUT - console->count;
	if (taken > size)
		taken = size;
	for (size_t i = 0; i < taken; i++)
		console->input[(console->start + console->count++) % VIRTIO_CONSOLE_INPUT] = data[i];
	mutex_unlock(&console->input_lock);
	if (taken)
		virtio_kick_again(&console->device, RX);
	return taken;
}

static void set_window(struct device *device, unsigned rows, unsigned columns)
{
	struct console_device *console = device->state;
	uint32_t window = (rows & 0xffff) << 16 | (columns & 0xffff);

	/* Also of one as large as before: whoever shows it wants the guest to know. */
	atomic_store(&console->window, window);
	if (console->device.running)
		virtio_config_changed(&console->device);
}

/* --- life --- */

static bool wanted(const struct profile *profile, unsigned number)
{
	(void)number;
	return profile->console == CONSOLE_VIRTIO;
}

static int create(struct device *device, struct cause *cause)
{
	struct console_device *console = device->state;

	console->host = device->host;
	console->device.ops = &console_ops;
	return virtio_device_create(device, &console->device, cause);
}

static void destroy(struct device *device)
{
	virtio_pci_destroy(device->state);
}

struct __attribute__((packed)) console_registers {
	struct virtio_pci_registers transport;
	uint32_t window;
	uint32_t count;
	uint8_t input[VIRTIO_CONSOLE_INPUT];
};

static void save(struct device *device, void *to)
{
	struct console_registers *registers = to;
	struct console_device *console = device->state;

	virtio_pci_save(&console->transport, &registers->transport);
	registers->window = atomic_load(&console->window);
	mutex_lock(&console->input_lock);
	registers->count = console->count;
	for (unsigned i = 0; i < console->count; i++)
		registers->input[i] =
			console->input[(console->start + i) % VIRTIO_CONSOLE_INPUT];
	mutex_unlock(&console->input_lock);
}

static const char *load(struct device *device, const void *from)
{
	const struct console_registers *registers = from;
	struct console_device *console = device->state;
	uint32_t unsaid = 0;
	const char *wrong;

	if (registers->count > VIRTIO_CONSOLE_INPUT)
		return "input";
	mutex_lock(&console->input_lock);
	console->start = 0;
	console->count = registers->count;
	memcpy(console->input, registers->input, sizeof(console->input));
	mutex_unlock(&console->input_lock);
	wrong = virtio_pci_load(&console->transport, &registers->transport);
	/* The window that it is shown in here is another one, unless nobody shows it. */
	if (!wrong && !atomic_compare_exchange_strong(&console->window, &unsaid, registers->window) &&
	    unsaid != registers->window && console->device.running)
		virtio_config_changed(&console->device);
	return wrong;
}

static void describe(struct device *device, char *text, size_t size)
{
	struct console_device *console = device->state;
	uint32_t window = atomic_load(&console->window);
	size_t used;

	virtio_device_describe(device, text, size);
	used = strlen(text);
	if (window)
		snprintf(text + used, size - used, ", %ux%u", window & 0xffff, window >> 16);
}

const struct device_type virtio_console_device = {
	.name = "console",
	.size = sizeof(struct console_device),
	.pci = true,
	.console = CONSOLE_VIRTIO,
	.wanted = wanted,
	.create = create,
	.destroy = destroy,
	.start = virtio_device_start,
	.stop = virtio_device_stop,
	.reset = virtio_device_reset,
	.version = 1,
	.saved = sizeof(struct console_registers),
	.save = save,
	.load = load,
	.input = type,
	.window = set_window,
	.describe = describe,
};
