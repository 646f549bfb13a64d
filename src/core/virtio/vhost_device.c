/*
 * See vhost_device.h. The guest's I/O thread, but for the virtio ops, which are called
 * on vCPU threads and leave everything to update().
 */
#include "core/virtio/vhost_device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/clock.h"
#include "core/profile/profile.h"
#include "core/virtio/vhost_device_private.h"

#define DRAIN_POLL (2 * NS_PER_MS)
#define DRAIN_LIMIT (10 * NS_PER_S)
#define END_LIMIT 5000 /* ms for the program to end in peace */

static struct vhost_device *vhost_of(struct virtio *virtio)
{
	return container_of(virtio, struct vhost_device, virtio);
}

static void update(void *arg);

/* --- what the driver does --- */

static uint64_t offered(struct virtio *virtio)
{
	return vhost_of(virtio)->features;
}

static void config_read(struct virtio *virtio, uint32_t offset, void *data, unsigned length)
{
	memcpy(data, vhost_of(virtio)->config + offset, length);
}

static void driver_starts(struct virtio *virtio)
{
	struct vhost_device *vhost = vhost_of(virtio);

	vhost->may_launch = true;
	loop_post(vhost->transport.loop, &vhost->update);
}

static void driver_stops(struct virtio *virtio)
{
	struct vhost_device *vhost = vhost_of(virtio);

	loop_post(vhost->transport.loop, &vhost->update);
}

static bool is_serving(const struct vhost_device *vhost)
{
	return vhost->state == VHOST_RUNNING || vhost->state == VHOST_STOPPING ||
	       vhost->state == VHOST_DRAINING;
}

static bool driver_resets(struct virtio *virtio)
{
	struct vhost_device *vhost = vhost_of(virtio);

	vhost->resetting = is_serving(vhost);
	vhost->doubtful = false;
	memset(vhost->taken, 0, sizeof(vhost->taken));
	if (vhost->resetting)
		loop_post(vhost->transport.loop, &vhost->update);
	return !vhost->resetting;
}

static void pass_on(struct vhost_device *vhost, unsigned n)
{
	uint64_t one = 1;
	ssize_t done = write(virtio_pci_doorbell(&vhost->transport, n), &one, sizeof(one));

	(void)done; /* a full counter means that it has been rung */
}

/* The I/O thread's, of doorbells that the program does not hear. */
static void kick(struct virtio *virtio, unsigned n)
{
	struct vhost_device *vhost = vhost_of(virtio);

	if (vhost->state != VHOST_REFUSING)
		pass_on(vhost, n);
	else if (!vhost->may_launch) /* else a new one is about to be there for it */
		vhost_refuse(vhost, n);
}

/* --- the program's end --- */

/* Nobody serves the queues any more. Device lock held. */
static void set_quiet(struct vhost_device *vhost, enum vhost_state state)
{
	vhost->state = state;
	vhost->started = 0;
	if (!vhost->resetting)
		return;
	vhost->resetting = false;
	virtio_reset_done(&vhost->virtio);
}

/* What it left undone is what a next one begins with. Device lock held. */
static void recover(struct vhost_device *vhost)
{
	for (unsigned n = 0; n < vhost->kind->queues; n++) {
		struct virtq *queue = &vhost->virtio.queues[n];

		if (!(vhost->started & 1u << n))
			continue;
		virtq_recover(queue);
		/* Without notes, what the one before it had taken is still to be done. */
		if (!vhost->kind->in_order && vhost_inflight_begun(&vhost->inflight, n) &&
		    vhost_inflight_read(&vhost->inflight, n, queue, vhost->taken[n]) < 0)
			vhost->doubtful = true;
	}
}

/* The driver goes on without it. */
static void leave_alone(struct vhost_device *vhost)
{
	pthread_mutex_lock(&vhost->virtio.lock);
	if (vhost->doubtful)
		virtio_broken(&vhost->virtio, "what served it has left it in disorder");
	else if (vhost->virtio.running && vhost->state == VHOST_DOWN)
		vhost_begin_refusing(vhost);
	pthread_mutex_unlock(&vhost->virtio.lock);
}

/* As the profile says. was_needed: the driver had been waiting for it, and the guest runs. */
static void tell_loss(struct vhost_device *vhost, bool was_needed, const char *why)
{
	struct device *device = vhost->device;
	bool pauses = was_needed && vhost->kind->on_backend(device) == ON_BACKEND_PAUSE;
	struct cause text;

	if (vhost->creating) {
		cause_set(vhost->cause, EIO, "%s: %s", device->name, why);
		return;
	}
	if (vhost->doubtful || (was_needed && !pauses))
		leave_alone(vhost);
	if (vhost->doubtful)
		cause_set(&text, 0, "%s: %.300s; it has left its queues in disorder: reset "
			  "the guest", device->name, why);
	else
		cause_set(&text, 0, "%s: %.400s%s", device->name, why,
			  pauses	 ? "; resume starts it again"
			  : was_needed ? "; the guest gets errors until it resets the device"
				       : "");
	if (pauses)
		device->host->full(device->host, text.text);
	else
		device->host->notice(device->host, text.text);
}

static void lose(struct vhost_device *vhost, const char *why)
{
	bool was_needed, ended;

	loop_timer_cancel(vhost->transport.loop, &vhost->drain);
	vhost_user_close(&vhost->user);
	ended = backend_kill(&vhost->backend);
	pthread_mutex_lock(&vhost->virtio.lock);
	/* It may still write to what its queues name. */
	if (!ended)
		vhost->doubtful = true;
	/* Who is paused already begins with a next one when it goes on. */
	was_needed = vhost->virtio.running && !vhost->resetting && !vhost->virtio.paused;
	vhost->may_launch = false; /* that was for this one */
	if (!vhost->resetting)
		recover(vhost);
	set_quiet(vhost, VHOST_DOWN);
	pthread_mutex_unlock(&vhost->virtio.lock);
	tell_loss(vhost, was_needed, why);
	if (vhost->creating)
		loop_stop(vhost->transport.loop);
}

static void backend_ended(void *arg, const char *why)
{
	lose(arg, why);
}

/* Its last words say more than that the connection is closed, so they are waited for. */
static void connection_failed(void *arg, const char *why)
{
	struct vhost_device *vhost = arg;
	char text[CAUSE_SIZE];

	if (backend_wait(&vhost->backend, text, sizeof(text)) < 0)
		snprintf(text, sizeof(text), "%s %s", program_name(vhost->kind->program), why);
	lose(vhost, text);
}

/* --- its beginning --- */

static void launch(struct vhost_device *vhost)
{
	struct cause cause;
	int fd = vhost->kind->launch(vhost->device, &vhost->backend, &cause);

	if (fd < 0) {
		tell_loss(vhost, true, cause.text);
		return;
	}
	pthread_mutex_lock(&vhost->virtio.lock);
	vhost->state = VHOST_CONNECTING;
	pthread_mutex_unlock(&vhost->virtio.lock);
	vhost_user_open(&vhost->user, fd);
}

/* NULL, or why the driver cannot go on with it. */
static const char *compare(struct vhost_device *vhost)
{
	const struct vhost_kind *kind = vhost->kind;
	uint64_t features = vhost->user.features & kind->features;

	if (!virtio_pci_serves(vhost->user.features))
		return "is too old: it does not serve queues as virtio 1 has them";
	if (vhost->creating) {
		vhost->features = features;
		if (kind->config_is_theirs)
			memcpy(vhost->config, vhost->user.config, kind->config_size);
		return NULL;
	}
	if (vhost->features & ~features)
		return "offers less than it did before";
	if (kind->config_is_theirs &&
	    memcmp(vhost->config, vhost->user.config, kind->config_size))
		return "serves another device than before";
	return NULL;
}

static void backend_ready(void *arg)
{
	struct vhost_device *vhost = arg;
	const char *wrong = compare(vhost);
	char text[256];

	if (wrong) {
		snprintf(text, sizeof(text), "%s %s", program_name(vhost->kind->program), wrong);
		lose(vhost, text);
		return;
	}
	pthread_mutex_lock(&vhost->virtio.lock);
	vhost->state = VHOST_IDLE;
	pthread_mutex_unlock(&vhost->virtio.lock);
	if (vhost->creating)
		loop_stop(vhost->transport.loop);
	else
		update(vhost);
}

/* --- its queues --- */

static void called(void *arg, uint32_t events)
{
	struct vhost_queue *queue = arg;
	uint64_t count;

	(void)events;
	if (read(queue->call_fd, &count, sizeof(count)) == sizeof(count))
		virtio_interrupt(&queue->vhost->virtio, (unsigned)(queue - queue->vhost->queues));
}

/* By which the interrupt comes to us; the first driver that needs it makes it. */
static int own_call(struct vhost_queue *queue)
{
	struct loop *loop = queue->vhost->transport.loop;

	if (queue->call_fd >= 0)
		return queue->call_fd;
	queue->call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (queue->call_fd >= 0 &&
	    loop_add(loop, &queue->call, queue->call_fd, EPOLLIN, called, queue) < 0) {
		close(queue->call_fd);
		queue->call_fd = -1;
	}
	return queue->call_fd;
}

static void find_calls(struct vhost_device *vhost, struct vhost_user_queue *rows)
{
	for (unsigned n = 0; n < vhost->kind->queues; n++) {
		rows[n].call_fd = virtio_pci_call(&vhost->transport, n);
		if (rows[n].call_fd < 0)
			rows[n].call_fd = own_call(&vhost->queues[n]);
	}
}

/* Fills in the queues that the driver has enabled. Device lock held. NULL, or what is wrong. */
static const char *find_queues(struct vhost_device *vhost, struct vhost_user_queue *rows)
{
	vhost->started = 0;
	for (unsigned n = 0; n < vhost->kind->queues; n++) {
		struct virtq *queue = &vhost->virtio.queues[n];

		if (!queue->enabled)
			continue;
		rows[n].queue = queue;
		rows[n].kick_fd = virtio_pci_doorbell(&vhost->transport, n);
		if (rows[n].kick_fd < 0 || rows[n].call_fd < 0)
			return "there is no eventfd left for its queues";
		if (!vhost->kind->in_order &&
		    vhost_inflight_write(&vhost->inflight, n, queue, vhost->taken[n]) < 0)
			return "the guest has broken its queues";
		vhost->started |= 1u << n;
	}
	return NULL;
}

/* Device lock held. NULL, or what is wrong. */
static const char *start_queues(struct vhost_device *vhost, struct vhost_user_queue *rows)
{
	const char *wrong = find_queues(vhost, rows);

	if (wrong)
		return wrong;
	if (vhost_user_start(&vhost->user, vhost->virtio.features, vhost->transport.memory,
			     rows) < 0)
		return "it does not listen";
	vhost->state = VHOST_RUNNING;
	for (unsigned n = 0; n < vhost->kind->queues; n++) {
		if (!(vhost->started & 1u << n))
			continue;
		/* Requests and answers may be there that nobody will tell of again. */
		pass_on(vhost, n);
		virtio_interrupt(&vhost->virtio, n);
	}
	return NULL;
}

static void drain(void *arg)
{
	struct vhost_device *vhost = arg;
	bool done = true;

	pthread_mutex_lock(&vhost->virtio.lock);
	for (unsigned n = 0; n < vhost->kind->queues; n++)
		if (vhost->started & 1u << n)
			done &= virtq_take_over(&vhost->virtio.queues[n], vhost->user.bases[n]);
	if (done) {
		memset(vhost->taken, 0, sizeof(vhost->taken));
		set_quiet(vhost, VHOST_IDLE);
	}
	pthread_mutex_unlock(&vhost->virtio.lock);
	if (done)
		update(vhost);
	else if (clock_monotonic() < vhost->drain_until)
		loop_timer_set(vhost->transport.loop, &vhost->drain, DRAIN_POLL);
	else
		lose(vhost, "it does not finish what it has begun");
}

/* The last it took may still be on their way to the used rings. */
static void backend_stopped(void *arg)
{
	struct vhost_device *vhost = arg;

	pthread_mutex_lock(&vhost->virtio.lock);
	vhost->state = VHOST_DRAINING;
	pthread_mutex_unlock(&vhost->virtio.lock);
	vhost->drain_until = clock_monotonic() + DRAIN_LIMIT;
	drain(vhost);
}

/* Device lock held. Negative: it does not listen. */
static int stop_queues(struct vhost_device *vhost)
{
	struct vhost_user_queue rows[VIRTIO_QUEUES_MAX] = { 0 };
	int r;

	for (unsigned n = 0; n < vhost->kind->queues; n++)
		if (vhost->started & 1u << n)
			rows[n].queue = &vhost->virtio.queues[n];
	r = vhost_user_stop(&vhost->user, rows);
	vhost->state = VHOST_STOPPING;
	if (!r)
		set_quiet(vhost, VHOST_IDLE);
	return r;
}

/* Brings the program to where the driver and the machine want it. No lock held. */
static void update(void *arg)
{
	struct vhost_device *vhost = arg;
	struct vhost_user_queue rows[VIRTIO_QUEUES_MAX] = { 0 };
	struct virtio *virtio = &vhost->virtio;
	const char *wrong = NULL;
	bool wanted, launches, found = vhost->state == VHOST_IDLE && virtio->running;

	/* A driver that is ready a moment later has this run again. */
	if (found)
		find_calls(vhost, rows);
	pthread_mutex_lock(&virtio->lock);
	wanted = virtio->running && !virtio->paused && !vhost->resetting &&
		 !vhost->doubtful;
	launches = wanted && vhost->may_launch &&
		   (vhost->state == VHOST_DOWN || vhost->state == VHOST_REFUSING);
	if (launches) {
		vhost->may_launch = false;
		vhost_end_refusing(vhost);
	}
	if (wanted && found)
		wrong = start_queues(vhost, rows);
	else if (!wanted && vhost->state == VHOST_RUNNING && stop_queues(vhost) < 0)
		wrong = "it does not listen";
	pthread_mutex_unlock(&virtio->lock);
	if (wrong)
		lose(vhost, wrong);
	else if (launches)
		launch(vhost);
}

/* It was taken to run since it was told to. */
static void backend_running(void *arg)
{
	struct vhost_device *vhost = arg;
	char text[256];

	for (unsigned n = 0; !vhost->kind->in_order && n < vhost->kind->queues; n++) {
		if (!(vhost->started & 1u << n) || vhost_inflight_begun(&vhost->inflight, n))
			continue;
		pthread_mutex_lock(&vhost->virtio.lock);
		vhost->doubtful = true;
		pthread_mutex_unlock(&vhost->virtio.lock);
		snprintf(text, sizeof(text), "%s takes no notes of what it begins",
			 program_name(vhost->kind->program));
		lose(vhost, text);
		return;
	}
}

static const struct vhost_user_ops user_ops = {
	.ready = backend_ready,
	.running = backend_running,
	.stopped = backend_stopped,
	.failed = connection_failed,
};

/* --- life --- */

static void set_ops(struct vhost_device *vhost)
{
	const struct vhost_kind *kind = vhost->kind;

	vhost->ops = (struct virtio_ops){
		.id = kind->id,
		.class_code = kind->class_code,
		.queues = kind->queues,
		.queue_size = kind->queue_size,
		.config_size = kind->config_size,
		.served_elsewhere = true,
		.features = offered,
		.config_read = config_read,
		.start = driver_starts,
		.stop = driver_stops,
		.kick = kick,
		.reset = driver_resets,
	};
	vhost->virtio.ops = &vhost->ops;
}

/* Runs the loop until the program has told what it offers, or is no more. It has its time-outs. */
static int wait_for_backend(struct vhost_device *vhost, struct cause *cause)
{
	vhost->cause = cause;
	vhost->creating = true;
	launch(vhost);
	while (vhost->state == VHOST_CONNECTING)
		loop_run(vhost->transport.loop);
	vhost->creating = false;
	vhost->cause = NULL;
	return vhost->state == VHOST_IDLE ? 0 : -EIO;
}

int vhost_create(struct device *device, const struct vhost_kind *kind, struct cause *cause)
{
	struct vhost_device *vhost = device->state;
	struct loop *loop = device->host->loop;
	int err;

	vhost->device = device;
	vhost->kind = kind;
	vhost->transport.loop = loop;
	vhost->update = (struct loop_task){ .run = update, .arg = vhost };
	vhost->drain = (struct loop_timer){ .fire = drain, .arg = vhost };
	for (unsigned n = 0; n < kind->queues; n++)
		vhost->queues[n] = (struct vhost_queue){ .call_fd = -1, .vhost = vhost };
	backend_init(&vhost->backend, loop, backend_ended, vhost);
	vhost_user_init(&vhost->user, loop, kind->queues,
			kind->config_is_theirs ? kind->config_size : 0,
			kind->in_order ? NULL : &vhost->inflight, &user_ops, vhost);
	set_ops(vhost);
	if (kind->configure)
		kind->configure(device, vhost->config);
	err = virtio_device_create(device, &vhost->virtio, cause);
	if (!err && !kind->in_order) {
		err = vhost_inflight_create(&vhost->inflight, kind->queues, kind->queue_size);
		if (err)
			cause_errno(cause, -err, "%s: memory for notes of what is begun",
				    device->name);
	}
	return err ? err : wait_for_backend(vhost, cause);
}

void vhost_destroy(struct device *device)
{
	struct vhost_device *vhost = device->state;

	if (!vhost->kind)
		return;
	virtio_pci_destroy(&vhost->transport);
	loop_unpost(device->host->loop, &vhost->update);
	loop_timer_cancel(device->host->loop, &vhost->drain);
	vhost_user_close(&vhost->user);
	backend_stop(&vhost->backend, END_LIMIT);
	for (unsigned n = 0; n < vhost->kind->queues; n++) {
		loop_remove(device->host->loop, &vhost->queues[n].call);
		if (vhost->queues[n].call_fd >= 0)
			close(vhost->queues[n].call_fd);
	}
	vhost_inflight_destroy(&vhost->inflight);
}

void vhost_start(struct device *device)
{
	struct vhost_device *vhost = device->state;

	virtio_device_start(device);
	pthread_mutex_lock(&vhost->virtio.lock);
	vhost->may_launch = true;
	pthread_mutex_unlock(&vhost->virtio.lock);
	loop_post(device->host->loop, &vhost->update);
}

bool vhost_stop(struct device *device)
{
	struct vhost_device *vhost = device->state;

	virtio_device_stop(device);
	update(vhost);
	return !is_serving(vhost);
}

bool vhost_reset(struct device *device)
{
	return virtio_device_reset(device);
}

void vhost_describe(struct device *device, char *text, size_t size)
{
	struct vhost_device *vhost = device->state;
	int pid = atomic_load(&vhost->backend.process.pid);
	size_t used;

	virtio_device_describe(device, text, size);
	used = strlen(text);
	if (used >= size)
		return;
	if (pid)
		snprintf(text + used, size - used, ", by %s (process %d)",
			 program_name(vhost->kind->program), pid);
	else
		snprintf(text + used, size - used, ", without %s",
			 program_name(vhost->kind->program));
}
