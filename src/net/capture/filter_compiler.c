/*
 * Compiles packet filters in a process of its own. The first half is that
 * process's, its only thread; the second is the deck's, its loop's thread.
 */
#include "net/capture/filter_compiler.h"

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <pcap/pcap.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/library.h"
#include "net/capture/filter_words.h"
#include "net/frame/frame.h"

#define PROGRAM_MAX (FILTER_INSNS_MAX * sizeof(struct filter_insn))
#define CPU_SECONDS 3 /* more than the patience of a deck that looks after it */

/* Marks of records: a text to the process, and one of the other two back. */
enum { RECORD_TEXT, RECORD_PROGRAM, RECORD_ERROR };

/* --- the process --- */

/* What is used of libpcap. */
static struct {
	typeof(pcap_open_dead) *open_dead;
	typeof(pcap_compile) *compile;
	typeof(pcap_geterr) *geterr;
	typeof(pcap_freecode) *freecode;
	typeof(pcap_close) *close;
} pcap;

static const struct library_function pcap_functions[] = {
	{ "pcap_open_dead", &pcap.open_dead },
	{ "pcap_compile", &pcap.compile },
	{ "pcap_geterr", &pcap.geterr },
	{ "pcap_freecode", &pcap.freecode },
	{ "pcap_close", &pcap.close },
};

static struct library pcap_library = {
	.file = PCAP_SONAME,
	.package = "libpcap0.8",
	.functions = pcap_functions,
	.count = ARRAY_SIZE(pcap_functions),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

static int prepare(struct cause *cause)
{
	static const struct rlimit seconds = { CPU_SECONDS, CPU_SECONDS };

	if (setrlimit(RLIMIT_CPU, &seconds) < 0)
		return cause_errno(cause, errno, "setrlimit");
	return library_load(&pcap_library, cause);
}

static int compile(pcap_t *dead, struct filter_insn *insns, const char *text, struct cause *cause)
{
	struct bpf_program program;
	int count;

	_Static_assert(sizeof(*insns) == sizeof(*program.bf_insns), "one layout");
	if (pcap.compile(dead, &program, text, 1, PCAP_NETMASK_UNKNOWN))
		return cause_set(cause, EINVAL, "%s", pcap.geterr(dead));
	count = (int)program.bf_len;
	if (program.bf_len > FILTER_INSNS_MAX)
		count = cause_set(cause, EINVAL, "it becomes %u instructions; at most %u can be "
				  "run", program.bf_len, FILTER_INSNS_MAX);
	else
		memcpy(insns, program.bf_insns, program.bf_len * sizeof(*insns));
	pcap.freecode(&program);
	return count;
}

int filter_process_compile(struct filter_insn *insns, const char *text, struct cause *cause)
{
	int result = library_load(&pcap_library, cause);
	pcap_t *dead;

	if (result)
		return result;
	dead = pcap.open_dead(DLT_EN10MB, NET_FRAME_MAX);
	if (!dead)
		return cause_set(cause, ENOMEM, "no memory");
	result = compile(dead, insns, text, cause);
	pcap.close(dead);
	return result;
}

static void wait_for_record(struct channel *channel)
{
	struct pollfd wake = { .fd = channel->wake_fd, .events = POLLIN };

	while (channel_wait_for_record(&channel->in)) {
		poll(&wake, 1, -1);
		channel_woken(channel);
	}
}

static void send_record(struct channel_writer *out, const void *data, uint32_t size, uint32_t mark)
{
	void *room = channel_reserve(out, size);

	if (!room)
		return;
	memcpy(room, data, size);
	channel_commit(out, size, mark);
	channel_publish(out);
}

static void run_process(struct channel *channel, const char *label)
{
	static struct filter_insn insns[FILTER_INSNS_MAX];
	static char text[FILTER_REWRITTEN_MAX];
	struct cause cause;
	uint32_t size, mark;
	int count;

	(void)label;
	wait_for_record(channel);
	if (channel_next(&channel->in, &size, &mark) != 1 || size >= sizeof(text))
		return;
	channel_copy(&channel->in, text, size);
	channel_drop(&channel->in);
	channel_release(&channel->in);
	count = filter_process_compile(insns, text, &cause);
	if (count < 0)
		send_record(&channel->out, cause.text, (uint32_t)strlen(cause.text), RECORD_ERROR);
	else
		send_record(&channel->out, insns, (uint32_t)((size_t)count * sizeof(*insns)),
			    RECORD_PROGRAM);
}

const struct sandbox_kind filter_process = {
	.name = "filter",
	.layout = { .to_process = 32768, .from_process = 65536 },
	.walls = { .memory = 256u << 20, .descriptors = 16, .filter = FILTER_COMPILER },
	.once = true,
	.prepare = prepare,
	.run = run_process,
};

_Static_assert(FILTER_REWRITTEN_MAX <= 32768 - 8 && PROGRAM_MAX <= 65536 - 8 &&
	       CAUSE_SIZE <= 65536 - 8, "each record fits its ring");

/* --- the deck --- */

static void release(struct filter_compiler *compiler)
{
	loop_timer_cancel(compiler->loop, &compiler->patience);
	loop_unpost(compiler->loop, &compiler->finish);
	sandbox_stop(compiler->sandbox);
	compiler->sandbox = NULL;
	free(compiler->text);
	compiler->text = NULL;
	compiler->loop = NULL;
}

static void finish(void *arg)
{
	struct filter_compiler *compiler = arg;
	struct filter filter = compiler->filter;
	struct cause cause = compiler->cause; /* the owner may free both */

	compiler->filter = (struct filter){ 0 };
	release(compiler);
	compiler->done(compiler->arg, &filter, compiler->error, &cause);
}

/* The answer is there, whatever it is; the first one counts. error: 0, or what cause says. */
static void settle(struct filter_compiler *compiler, int error)
{
	compiler->error = error;
	compiler->settled = true;
	loop_timer_cancel(compiler->loop, &compiler->patience);
	loop_post(compiler->loop, &compiler->finish);
}

static void fail(struct filter_compiler *compiler, int error, const char *why)
{
	if (!compiler->settled)
		settle(compiler, cause_set(&compiler->cause, error, "filter \"%.200s\": %s",
					   compiler->expression, why));
}

/* libpcap's words: foreign text. */
static void take_error(struct filter_compiler *compiler, const struct channel_reader *in,
		       uint32_t size)
{
	char why[CAUSE_SIZE];
	uint32_t length = size < sizeof(why) - 1 ? size : (uint32_t)sizeof(why) - 1;

	channel_copy(in, why, length);
	why[length] = '\0';
	for (uint32_t i = 0; i < length; i++)
		if (why[i] < ' ' || why[i] > '~')
			why[i] = '?';
	fail(compiler, EINVAL, why);
}

static void take_program(struct filter_compiler *compiler, const struct channel_reader *in,
			 uint32_t size)
{
	struct filter_insn *insns = malloc(PROGRAM_MAX);
	struct cause cause;
	int error;

	if (!insns) {
		fail(compiler, ENOMEM, "no memory");
		return;
	}
	channel_copy(in, insns, size);
	error = filter_set(&compiler->filter, insns, size / (uint32_t)sizeof(*insns), &cause);
	free(insns);
	if (error)
		fail(compiler, -error, cause.text);
	else
		settle(compiler, 0);
}

static void take_answer(void *arg)
{
	struct filter_compiler *compiler = arg;
	struct channel_reader *in = &sandbox_channel(compiler->sandbox)->in;
	uint32_t size, mark;
	int there = channel_next(in, &size, &mark);

	if (compiler->settled || (there == 0 && channel_wait_for_record(in)))
		return;
	if (there == 0)
		there = channel_next(in, &size, &mark);
	if (there == 1 && mark == RECORD_ERROR)
		take_error(compiler, in, size);
	else if (there == 1 && mark == RECORD_PROGRAM && size <= PROGRAM_MAX &&
		 size % sizeof(struct filter_insn) == 0)
		take_program(compiler, in, size);
	else
		fail(compiler, EPROTO, "the compiler's answer makes no sense");
}

static void take_end(void *arg, const char *why, uint64_t again_ns)
{
	struct filter_compiler *compiler = arg;
	struct cause cause;

	(void)again_ns;
	cause_set(&cause, EIO, "it could not be compiled: %s", why);
	fail(compiler, EIO, cause.text);
}

static void send_text(void *arg)
{
	struct filter_compiler *compiler = arg;
	struct channel *channel = sandbox_channel(compiler->sandbox);

	channel_wait_for_record(&channel->in);
	send_record(&channel->out, compiler->text, (uint32_t)strlen(compiler->text), RECORD_TEXT);
	loop_timer_set(compiler->loop, &compiler->patience, FILTER_PATIENCE);
}

static void run_out(void *arg)
{
	fail(arg, ETIMEDOUT, "it is not compiled within 2 seconds; write a shorter one");
}

int filter_compile(struct filter_compiler *compiler, struct loop *loop, const char *expression,
		   struct cause *cause)
{
	static const struct sandbox_ops ops = {
		.ready = send_text, .input = take_answer, .ended = take_end,
	};
	int error;

	if (strlen(expression) > FILTER_TEXT_MAX)
		return cause_set(cause, EINVAL, "filter: longer than %u bytes", FILTER_TEXT_MAX);
	compiler->text = malloc(FILTER_REWRITTEN_MAX);
	if (!compiler->text)
		return cause_errno(cause, ENOMEM, "filter");
	compiler->loop = loop;
	compiler->expression = expression;
	compiler->settled = false;
	compiler->patience = (struct loop_timer){ .fire = run_out, .arg = compiler };
	compiler->finish = (struct loop_task){ .run = finish, .arg = compiler };
	error = filter_rewrite(compiler->text, FILTER_REWRITTEN_MAX, expression, cause);
	if (!error)
		error = sandbox_start(&compiler->sandbox, loop, &filter_process, "", &ops,
				      compiler, cause);
	if (error) {
		release(compiler);
		return cause_prefix(cause, error, "filter \"%.200s\"", expression);
	}
	return 0;
}

void filter_compile_cancel(struct filter_compiler *compiler)
{
	if (!compiler->loop)
		return;
	release(compiler);
	filter_free(&compiler->filter);
}
