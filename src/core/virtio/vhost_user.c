/* See vhost_user.h. The guest's I/O thread. */
#include "core/virtio/vhost_user.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Requests, vhost-user.rst "Front-end message types" */
enum {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	GET_VRING_BASE = 11,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	GET_PROTOCOL_FEATURES = 15,
	SET_PROTOCOL_FEATURES = 16,
	GET_QUEUE_NUM = 17,
	SET_VRING_ENABLE = 18,
	GET_CONFIG = 24,
	SET_INFLIGHT_FD = 32,
};

#define FLAG_VERSION 0x1u
#define FLAG_VERSION_MASK 0x3u
#define FLAG_REPLY 0x4u
#define FLAG_NEED_REPLY 0x8u

/*
 * The front end's addresses are but names for places in the memory table: the guest's own, so that
 * the deck's stay its secret, and behind these, as there are backends to which 0 is none.
 */
#define OURS (1ull << 40)

#define F_PROTOCOL_FEATURES (1ull << 30)

#define PROTOCOL_MQ (1ull << 0)
#define PROTOCOL_REPLY_ACK (1ull << 3)
#define PROTOCOL_CONFIG (1ull << 9)
#define PROTOCOL_INFLIGHT (1ull << 12)
#define PROTOCOL_WANTED (PROTOCOL_MQ | PROTOCOL_REPLY_ACK | PROTOCOL_CONFIG)

struct header {
	uint32_t request, flags, size;
};

struct vring_state {
	uint32_t index, number;
};

struct vring_address {
	uint32_t index, flags;
	uint64_t descriptors, used, available, log; /* as in the memory table */
};

struct memory_table {
	uint32_t count, padding;
	struct {
		uint64_t guest_address, size, our_address, file_offset;
	} regions[MEMORY_REGIONS];
};

struct inflight {
	uint64_t size, file_offset;
	uint16_t queues, queue_size;
};

struct config {
	uint32_t offset, size, flags;
	uint8_t bytes[VHOST_USER_CONFIG_MAX];
};

_Static_assert(sizeof(struct config) + sizeof(struct header) <=
		       sizeof(((struct vhost_user *)0)->input), "the longest answer");

/* --- saying --- */

union passed {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(MEMORY_REGIONS * sizeof(int))];
};

/* All of it or nothing: what is said at once is far smaller than a socket's buffer. */
static int say(struct vhost_user *user, uint32_t request, uint32_t flags, const void *payload,
	       size_t size, const int *fds, unsigned fd_count)
{
	struct header header = { request, FLAG_VERSION | flags, (uint32_t)size };
	union passed passed = { .header = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
					    .cmsg_len = CMSG_LEN(fd_count * sizeof(int)) } };
	struct iovec parts[] = { { &header, sizeof(header) },
				 { (void *)(uintptr_t)payload, size } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = size ? 2 : 1 };

	if (fd_count) {
		memcpy(CMSG_DATA(&passed.header), fds, fd_count * sizeof(int));
		message.msg_control = &passed;
		message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
	}
	if (sendmsg(user->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) !=
	    (ssize_t)(sizeof(header) + size))
		return -EIO;
	return 0;
}

/* The same, and an answer is due. */
static int ask(struct vhost_user *user, uint32_t request, uint32_t flags, const void *payload,
	       size_t size)
{
	int err = say(user, request, flags, payload, size, NULL, 0);

	if (err)
		return err;
	if (!user->due_count)
		loop_timer_set(user->loop, &user->patience, VHOST_USER_PATIENCE);
	user->due[user->due_count++] = request;
	return 0;
}

static int say_number(struct vhost_user *user, uint32_t request, uint64_t number)
{
	return say(user, request, 0, &number, sizeof(number), NULL, 0);
}

static int say_state(struct vhost_user *user, uint32_t request, uint32_t index, uint32_t number)
{
	struct vring_state state = { index, number };

	return say(user, request, 0, &state, sizeof(state), NULL, 0);
}

static int say_fd(struct vhost_user *user, uint32_t request, uint64_t index, int fd)
{
	return say(user, request, 0, &index, sizeof(index), &fd, 1);
}

static void fail(struct vhost_user *user, const char *why)
{
	vhost_user_close(user);
	user->ops->failed(user->arg, why);
}

/* --- the answers --- */

/* The next question of those that come one after the other, or ready(). */
static void go_on(struct vhost_user *user, uint32_t answered)
{
	struct config config = { .size = user->config_size };
	size_t config_size = sizeof(config) - sizeof(config.bytes) + user->config_size;
	int err;

	if (answered == GET_FEATURES) {
		err = ask(user, GET_PROTOCOL_FEATURES, 0, NULL, 0);
	} else if (answered == GET_PROTOCOL_FEATURES && (user->protocol & PROTOCOL_MQ)) {
		err = ask(user, GET_QUEUE_NUM, 0, NULL, 0);
	} else if (answered != GET_CONFIG && user->config_size) {
		err = ask(user, GET_CONFIG, 0, &config, config_size);
	} else {
		user->ops->ready(user->arg);
		return;
	}
	if (err)
		fail(user, "does not listen");
}

static const char *take_features(struct vhost_user *user, uint64_t features)
{
	if (!(features & F_PROTOCOL_FEATURES))
		return "is too old: it knows no features of the vhost-user protocol";
	user->features = features & ~F_PROTOCOL_FEATURES;
	return NULL;
}

static const char *take_protocol_features(struct vhost_user *user, uint64_t features)
{
	if (user->config_size && !(features & PROTOCOL_CONFIG))
		return "is too old: it does not tell its device's configuration";
	if (!(features & PROTOCOL_REPLY_ACK))
		return "is too old: it does not confirm what it is told";
	user->protocol = features & PROTOCOL_WANTED;
	if (user->inflight)
		user->protocol |= PROTOCOL_INFLIGHT;
	if (say_number(user, SET_PROTOCOL_FEATURES, user->protocol))
		return "does not listen";
	return NULL;
}

static const char *take_config(struct vhost_user *user, const struct config *config,
			       uint32_t size)
{
	if (size != sizeof(*config) - sizeof(config->bytes) + user->config_size ||
	    config->offset || config->size != user->config_size)
		return "does not tell its device's configuration";
	memcpy(user->config, config->bytes, user->config_size);
	return NULL;
}

static const char *take_base(struct vhost_user *user, const struct vring_state *state,
			     uint32_t size)
{
	if (size != sizeof(*state) || state->index >= user->queues || state->number > UINT16_MAX)
		return "tells of a queue that there is not";
	user->bases[state->index] = (uint16_t)state->number;
	return NULL;
}

/* Of a whole message that is due. NULL, or what is wrong with it. */
static const char *take(struct vhost_user *user, uint32_t request, const uint8_t *payload,
			uint32_t size)
{
	struct config config = { 0 };
	struct vring_state state;
	uint64_t number;

	if (request == GET_CONFIG) {
		memcpy(&config, payload, size);
		return take_config(user, &config, size);
	}
	if (size != sizeof(number))
		return "gives an answer of another size";
	memcpy(&number, payload, sizeof(number));
	memcpy(&state, payload, sizeof(state));
	switch (request) {
	case GET_FEATURES:
		return take_features(user, number);
	case GET_PROTOCOL_FEATURES:
		return take_protocol_features(user, number);
	case GET_QUEUE_NUM:
		return number < user->queues ? "has too few queues" : NULL;
	case GET_VRING_BASE:
		return take_base(user, &state, size);
	default: /* what is to be confirmed */
		return number ? "refuses the queues" : NULL;
	}
}

static void take_message(struct vhost_user *user, const struct header *header)
{
	uint32_t request = user->due[0];
	const char *wrong;

	user->input_size = 0;
	memmove(user->due, user->due + 1, --user->due_count * sizeof(user->due[0]));
	if (!user->due_count)
		loop_timer_cancel(user->loop, &user->patience);
	wrong = take(user, request, user->input + sizeof(*header), header->size);
	if (wrong) {
		fail(user, wrong);
		return;
	}
	switch (request) {
	case GET_FEATURES:
	case GET_PROTOCOL_FEATURES:
	case GET_QUEUE_NUM:
	case GET_CONFIG:
		go_on(user, request);
		break;
	case GET_VRING_BASE:
		if (!user->due_count)
			user->ops->stopped(user->arg);
		break;
	default:
		user->ops->running(user->arg);
		break;
	}
}

/* NULL while a header may be that of the next answer. */
static const char *check_header(const struct vhost_user *user, const struct header *header)
{
	if (!user->due_count || header->request != user->due[0])
		return "answers what was not asked";
	if ((header->flags & FLAG_VERSION_MASK) != FLAG_VERSION || !(header->flags & FLAG_REPLY))
		return "gives an answer that is none";
	if (header->size > sizeof(struct config))
		return "gives an answer that is too long";
	return NULL;
}

/* Reads up to size bytes of the message. 1: they are all there; 0; negative: no more comes. */
static int fill(struct vhost_user *user, size_t size)
{
	ssize_t n;

	while (user->input_size < size) {
		/* Descriptors that come along find no room and are closed. */
		n = recv(user->fd, user->input + user->input_size, size - user->input_size,
			 MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0)
			return -EIO;
		user->input_size += (unsigned)n;
	}
	return 1;
}

/* One message at most a call: what it leads to may close the connection. */
static void read_answer(void *arg, uint32_t events)
{
	struct vhost_user *user = arg;
	struct header header;
	const char *wrong;
	int r = fill(user, sizeof(header));

	(void)events;
	if (r > 0) {
		memcpy(&header, user->input, sizeof(header));
		wrong = check_header(user, &header);
		if (wrong) {
			fail(user, wrong);
			return;
		}
		r = fill(user, sizeof(header) + header.size);
	}
	if (r < 0)
		fail(user, "has closed the connection");
	else if (r > 0)
		take_message(user, &header);
}

static void lose_patience(void *arg)
{
	fail(arg, "does not answer");
}

/* --- life --- */

void vhost_user_init(struct vhost_user *user, struct loop *loop, unsigned queues,
		     uint32_t config_size, const struct vhost_inflight *inflight,
		     const struct vhost_user_ops *ops, void *arg)
{
	*user = (struct vhost_user){ .loop = loop, .ops = ops, .arg = arg, .fd = -1,
				     .queues = queues, .config_size = config_size,
				     .inflight = inflight };
	user->patience = (struct loop_timer){ .fire = lose_patience, .arg = user };
}

void vhost_user_open(struct vhost_user *user, int fd)
{
	user->fd = fd;
	user->due_count = user->input_size = 0;
	user->features = user->protocol = 0;
	if (loop_add(user->loop, &user->source, fd, EPOLLIN, read_answer, user) < 0 ||
	    say(user, SET_OWNER, 0, NULL, 0, NULL, 0) < 0 ||
	    ask(user, GET_FEATURES, 0, NULL, 0) < 0)
		fail(user, "does not listen");
}

void vhost_user_close(struct vhost_user *user)
{
	if (user->fd < 0)
		return;
	loop_timer_cancel(user->loop, &user->patience);
	loop_remove(user->loop, &user->source);
	close(user->fd);
	user->fd = -1;
	user->due_count = 0;
}

static int say_memory(struct vhost_user *user, const struct guest_memory *memory)
{
	struct memory_table table = { .count = memory->count };
	size_t size = sizeof(table) - sizeof(table.regions) +
		      memory->count * sizeof(table.regions[0]);
	int fds[MEMORY_REGIONS];

	for (unsigned i = 0; i < memory->count; i++) {
		const struct memory_region *region = &memory->regions[i];

		table.regions[i].guest_address = region->base;
		table.regions[i].size = region->size;
		table.regions[i].our_address = OURS + region->base;
		table.regions[i].file_offset = memory_file_offset(memory, i);
		fds[i] = memory->fd;
	}
	return say(user, SET_MEM_TABLE, 0, &table, size, fds, memory->count);
}

static int say_inflight(struct vhost_user *user, const struct vhost_inflight *inflight)
{
	struct inflight of = { .size = inflight->size, .queues = inflight->queues,
			       .queue_size = inflight->queue_size };

	return say(user, SET_INFLIGHT_FD, 0, &of, sizeof(of), &inflight->fd, 1);
}

static int say_queue(struct vhost_user *user, uint32_t index, const struct vhost_user_queue *row)
{
	const struct virtq *queue = row->queue;
	const struct vring_address address = {
		.index = index,
		.descriptors = OURS + queue->descriptor_address,
		.used = OURS + queue->device_address,
		.available = OURS + queue->driver_address,
	};
	int err = say_state(user, SET_VRING_NUM, index, queue->size);

	if (!err)
		err = say_state(user, SET_VRING_BASE, index, queue->next_available);
	if (!err)
		err = say(user, SET_VRING_ADDR, 0, &address, sizeof(address), NULL, 0);
	if (!err)
		err = say_fd(user, SET_VRING_CALL, index, row->call_fd);
	if (!err)
		err = say_fd(user, SET_VRING_KICK, index, row->kick_fd);
	return err;
}

int vhost_user_start(struct vhost_user *user, uint64_t features, const struct guest_memory *memory,
		     const struct vhost_user_queue *queues)
{
	struct vring_state on = { .number = 1 };
	int err = say_number(user, SET_FEATURES, features | F_PROTOCOL_FEATURES);
	unsigned left = 0;

	if (!err && user->inflight)
		err = say_inflight(user, user->inflight);
	if (!err)
		err = say_memory(user, memory);
	for (uint32_t i = 0; !err && i < user->queues; i++) {
		if (!queues[i].queue)
			continue;
		err = say_queue(user, i, &queues[i]);
		left++;
	}
	for (on.index = 0; !err && on.index < user->queues; on.index++) {
		if (!queues[on.index].queue)
			continue;
		if (--left)
			err = say(user, SET_VRING_ENABLE, 0, &on, sizeof(on), NULL, 0);
		else
			err = ask(user, SET_VRING_ENABLE, FLAG_NEED_REPLY, &on, sizeof(on));
	}
	if (err)
		vhost_user_close(user);
	return err;
}

int vhost_user_stop(struct vhost_user *user, const struct vhost_user_queue *queues)
{
	struct vring_state state = { 0 };
	int err = 0;

	for (; !err && state.index < user->queues; state.index++)
		if (queues[state.index].queue)
			err = ask(user, GET_VRING_BASE, 0, &state, sizeof(state));
	if (err)
		vhost_user_close(user);
	return err ? err : user->due_count != 0;
}
