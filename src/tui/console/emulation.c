/* See emulation.h. */
#include "tui/console/emulation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* Bytes that the process has before it at most: as many as it takes for a frame or so. */
#define WINDOW_MIN 1024u
#define WINDOW_FIRST 8192u
#define WINDOW_MAX 32768u
#define WINDOW_LONG (80 * NS_PER_MS)
#define WINDOW_SHORT (30 * NS_PER_MS)

/* Cells that a byte may change; a piece is small enough to be taken at once. */
#define PIECE_CELLS (16u << 20)
#define PIECE_MIN 64u

#define PAUSE (5 * NS_PER_MS) /* of a process that says more than fits into its ring */
#define HEALTHY (10 * NS_PER_S) /* who lived so long did not end of what it began with */
#define TROUBLE_SHOWN (8 * NS_PER_S)

struct emulation {
	struct loop *loop;
	const struct sandbox_kind *kind;
	struct sandbox *sandbox;
	struct channel *channel; /* NULL: the process is not ready */
	void (*changed)(void *arg);
	void *arg;
	struct picture picture;

	struct tty *tty; /* whose terminal it is */
	unsigned opened; /* tty->opened */
	bool shown;
	uint64_t fed; /* position of tty->kept */
	struct modes modes; /* that the terminal begins in */
	uint64_t old; /* what is before it is not answered to */
	struct terminal_size size;
	uint32_t back;

	/* What the process has to be told yet. */
	bool say_new, say_size, say_back, say_find;
	uint32_t say_drawn;
	struct terminal_find find; /* the last one */
	bool finding;		   /* no answer came yet */

	bool waits; /* until the process has taken its window */
	uint32_t window;
	uint64_t fed_at;
	uint32_t fed_head; /* of the ring, after the last bytes of the console */
	struct loop_timer again;

	uint64_t begun_at;
	uint64_t ended_at; /* where it ended the last time; 0: nowhere */
	char trouble[SANDBOX_WHY_MAX + 160];
	struct loop_timer trouble_over;
};

static uint32_t clamp(uint32_t value, uint32_t low, uint32_t high)
{
	return value < low ? low : value > high ? high : value;
}

static bool say(struct channel *channel, const void *data, uint32_t size, uint32_t mark)
{
	void *record = channel_reserve(&channel->out, size);

	if (!record)
		return false;
	memcpy(record, data, size);
	channel_commit(&channel->out, size, mark);
	return true;
}

/* A fresh terminal, in the modes that it would have if it had been given everything. */
static bool say_new(struct emulation *emulation, struct channel *channel)
{
	char text[MODES_SPELL_MAX];
	size_t size = modes_spell(&emulation->modes, text);

	return say(channel, &emulation->size, sizeof(emulation->size), TO_TERMINAL_NEW) &&
	       say(channel, text, (uint32_t)size, TO_TERMINAL_OLD);
}

/* What is to be said before bytes; what finds no room is said the next time. */
static void say_all(struct emulation *emulation, struct channel *channel)
{
	struct terminal_size size = emulation->size;

	if (emulation->say_new && say_new(emulation, channel))
		emulation->say_new = emulation->say_size = false;
	if (emulation->say_new)
		return;
	if (emulation->say_size && say(channel, &size, sizeof(size), TO_TERMINAL_RESIZE))
		emulation->say_size = false;
	if (emulation->say_back &&
	    say(channel, &emulation->back, sizeof(emulation->back), TO_TERMINAL_BACK))
		emulation->say_back = false;
	if (emulation->say_find &&
	    say(channel, &emulation->find, sizeof(emulation->find), TO_TERMINAL_FIND))
		emulation->say_find = false;
	if (emulation->say_drawn &&
	    say(channel, &emulation->say_drawn, sizeof(uint32_t), TO_TERMINAL_DRAWN))
		emulation->say_drawn = 0;
}

/* One piece of what the console keeps. */
static bool feed_piece(struct emulation *emulation, struct channel *channel)
{
	const struct tty *tty = emulation->tty;
	const struct kept *kept = &tty->kept;
	uint64_t new = emulation->old > tty->old ? emulation->old : tty->old;
	bool old = emulation->fed < new;
	uint64_t end = old && new < kept->end ? new : kept->end;
	uint32_t piece = clamp(PIECE_CELLS / (emulation->size.rows * emulation->size.columns),
			       PIECE_MIN, TERMINAL_PIECE_MAX);
	void *record;

	if (end - emulation->fed < piece)
		piece = (uint32_t)(end - emulation->fed);
	record = channel_reserve(&channel->out, piece);
	if (!record)
		return false;
	kept_copy(kept, emulation->fed, record, piece);
	channel_commit(&channel->out, piece, old ? TO_TERMINAL_OLD : TO_TERMINAL_BYTES);
	emulation->fed += piece;
	return true;
}

/* The process has taken a window's worth: how long that took says how large the next one is. */
static void measure(struct emulation *emulation)
{
	uint64_t now = clock_monotonic(), took = now - emulation->fed_at;

	emulation->waits = false;
	if (took > WINDOW_LONG)
		emulation->window /= 2;
	else if (took < WINDOW_SHORT)
		emulation->window *= 2;
	emulation->window = clamp(emulation->window, WINDOW_MIN, WINDOW_MAX);
	/* Half of a processor is enough for what nobody can read. */
	if (took > WINDOW_SHORT)
		loop_timer_set(emulation->loop, &emulation->again, took);
}

/* As much as the window holds. */
static void feed(struct emulation *emulation, struct channel *channel)
{
	const struct kept *kept = &emulation->tty->kept;
	uint64_t fed = emulation->fed;

	while (emulation->fed < kept->end && channel_used(&channel->out) < emulation->window &&
	       feed_piece(emulation, channel))
		;
	emulation->waits = emulation->fed < kept->end;
	emulation->fed_at = clock_monotonic();
	if (emulation->fed != fed)
		emulation->fed_head = channel->out.head;
}

/* A terminal of its own for what the console keeps. */
static void load(struct emulation *emulation)
{
	struct tty *tty = emulation->tty;

	if (emulation->opened != tty->opened)
		emulation->ended_at = emulation->old = 0;
	emulation->opened = tty->opened;
	emulation->fed = kept_start(&tty->kept, &emulation->modes);
	emulation->size.terminal++;
	emulation->say_new = true;
	emulation->say_size = false;
	emulation->say_back = emulation->back > 0;
	emulation->begun_at = clock_monotonic();
}

/* Says and feeds what can be said and fed. */
static void go_on(struct emulation *emulation)
{
	struct channel *channel = emulation->channel;
	struct tty *tty = emulation->tty;
	uint32_t head;

	if (!channel)
		return;
	if (tty->opened != emulation->opened || emulation->fed < tty->kept.begin)
		load(emulation);
	head = channel->out.head;
	say_all(emulation, channel);
	if (emulation->waits && channel_used(&channel->out) == 0)
		measure(emulation);
	if (emulation->shown && !emulation->waits && !emulation->say_new &&
	    !emulation->again.armed)
		feed(emulation, channel);
	if (channel->out.head != head) {
		channel_publish(&channel->out);
		sandbox_sent(emulation->sandbox);
	}
	/* To be woken when the ring is empty; it may be so already. */
	if (emulation->waits &&
	    !channel_wait_for_room(&channel->out, channel_record_max(channel->out.size)))
		loop_timer_set(emulation->loop, &emulation->again, NS_PER_MS);
	tty_hold(tty, emulation->shown && tty->kept.end - emulation->fed > KEPT_MAX / 2);
}

static void answer(const uint8_t *data, size_t size, void *arg)
{
	struct emulation *emulation = arg;

	tty_send(emulation->tty, data, size);
}

static bool is_found(const struct emulation *emulation)
{
	return emulation->finding && emulation->picture.found.number == emulation->find.number;
}

static void take_records(void *arg)
{
	struct emulation *emulation = arg;
	struct channel *channel = emulation->channel;
	unsigned turns = 4;
	int result;

	if (!channel)
		return;
	do {
		result = picture_input(&emulation->picture, channel, answer, emulation);
		if (result < 0) {
			sandbox_broken(emulation->sandbox, "it sent what makes no sense");
			return;
		}
	} while (!channel_wait_for_record(&channel->in) && --turns > 0);
	/* One that never stops talking is listened to now and then. */
	if (turns == 0)
		loop_timer_set(emulation->loop, &emulation->again, PAUSE);
	if ((emulation->picture.next.number || is_found(emulation)) && emulation->shown)
		emulation->changed(emulation->arg);
	go_on(emulation);
}

static void trouble_over(void *arg)
{
	struct emulation *emulation = arg;

	emulation->trouble[0] = '\0';
	emulation->changed(emulation->arg);
}

static void ready(void *arg)
{
	struct emulation *emulation = arg;

	if (*emulation->trouble)
		loop_timer_set(emulation->loop, &emulation->trouble_over, TROUBLE_SHOWN);
	emulation->channel = sandbox_channel(emulation->sandbox);
	emulation->fed_head = emulation->channel->out.head;
	emulation->window = WINDOW_FIRST;
	load(emulation);
}

/* Bytes of the ring, up to the last ones of the console, that it has not taken. */
static uint32_t left_of_console(struct emulation *emulation)
{
	struct channel_writer *out = &emulation->channel->out;
	uint32_t used = channel_used(out), said = out->head - emulation->fed_head;

	return used > said ? used - said : 0;
}

/*
 * Whether it ended of what it had ended of before, as far as can be told: of something
 * that it had not taken yet, and that it was given the last time, too.
 */
static bool ended_there(struct emulation *emulation)
{
	uint64_t left = emulation->channel ? left_of_console(emulation) : 0;
	uint64_t taken = emulation->fed - (left < emulation->fed ? left : emulation->fed);
	bool again = left && taken < emulation->ended_at &&
		     clock_monotonic() - emulation->begun_at < HEALTHY;

	emulation->ended_at = left ? emulation->fed : 0;
	return again;
}

static void ended(void *arg, const char *why, uint64_t again_ns)
{
	struct emulation *emulation = arg;
	bool there = ended_there(emulation);

	if (there)
		kept_forget(&emulation->tty->kept, emulation->fed);
	if (emulation->old < emulation->fed)
		emulation->old = emulation->fed;
	emulation->channel = NULL;
	emulation->waits = false;
	emulation->say_drawn = 0;
	emulation->say_find = emulation->finding = false;
	picture_detach(&emulation->picture);
	loop_timer_cancel(emulation->loop, &emulation->again);
	loop_timer_cancel(emulation->loop, &emulation->trouble_over);
	if (again_ns)
		snprintf(emulation->trouble, sizeof(emulation->trouble),
			 "The terminal failed%s: %s. It begins again%s in %.1f s.",
			 there ? " again" : "", why, there ? ", empty," : "",
			 (double)again_ns / (double)NS_PER_S);
	else
		snprintf(emulation->trouble, sizeof(emulation->trouble),
			 "The terminal failed: %s.", why);
	emulation->changed(emulation->arg);
}

static const struct sandbox_ops sandbox_ops = {
	.ready = ready,
	.input = take_records,
	.ended = ended,
};

struct emulation *emulation_new(struct loop *loop, const struct sandbox_kind *kind,
				void (*changed)(void *arg), void *arg)
{
	struct emulation *emulation = calloc(1, sizeof(*emulation));

	if (!emulation)
		return NULL;
	emulation->loop = loop;
	emulation->kind = kind;
	emulation->changed = changed;
	emulation->arg = arg;
	emulation->size = (struct terminal_size){ .rows = 24, .columns = 80 };
	emulation->again = (struct loop_timer){ .fire = take_records, .arg = emulation };
	emulation->trouble_over = (struct loop_timer){ .fire = trouble_over, .arg = emulation };
	return emulation;
}

/* Ends the process and forgets what it showed. */
static void put_down(struct emulation *emulation)
{
	sandbox_stop(emulation->sandbox);
	emulation->sandbox = NULL;
	emulation->channel = NULL;
	loop_timer_cancel(emulation->loop, &emulation->again);
	loop_timer_cancel(emulation->loop, &emulation->trouble_over);
	emulation->trouble[0] = '\0';
	emulation->waits = emulation->say_back = emulation->say_find = emulation->finding = false;
	emulation->say_drawn = 0;
	emulation->ended_at = 0;
	emulation->back = 0;
	picture_destroy(&emulation->picture);
}

void emulation_free(struct emulation *emulation)
{
	if (!emulation)
		return;
	put_down(emulation);
	free(emulation);
}

/* What one guest's output made of a process is not to see another guest's console. */
static void begin(struct emulation *emulation, struct tty *tty)
{
	struct cause cause;

	put_down(emulation);
	emulation->tty = tty;
	emulation->old = tty->kept.end;
	emulation->opened = tty->opened;
	if (sandbox_start(&emulation->sandbox, emulation->loop, emulation->kind, tty->name,
			  &sandbox_ops, emulation, &cause) < 0)
		snprintf(emulation->trouble, sizeof(emulation->trouble),
			 "There is no terminal: %s.", cause.text);
}

void emulation_show(struct emulation *emulation, struct tty *tty)
{
	if (emulation->tty && emulation->tty != tty)
		tty_hold(emulation->tty, false);
	emulation->shown = tty != NULL;
	if (!tty)
		return;
	if (tty != emulation->tty || !emulation->sandbox)
		begin(emulation, tty);
	else if (emulation->opened == tty->opened)
		emulation->old = tty->kept.end;
	go_on(emulation);
}

void emulation_more(struct emulation *emulation)
{
	go_on(emulation);
}

void emulation_resize(struct emulation *emulation, int rows, int columns)
{
	struct terminal_size *size = &emulation->size;
	bool anew;

	if (size->rows == (uint32_t)rows && size->columns == (uint32_t)columns)
		return;
	/*
	 * libvterm cuts off what is right of a narrower screen and wraps no line again:
	 * the console begins anew in its new width.
	 */
	anew = size->columns != (uint32_t)columns && emulation->channel;
	size->rows = (uint32_t)rows;
	size->columns = (uint32_t)columns;
	if (anew && emulation->old < emulation->fed)
		emulation->old = emulation->fed;
	if (anew)
		load(emulation);
	else
		emulation->say_size = true;
	go_on(emulation);
}

void emulation_scroll(struct emulation *emulation, unsigned back)
{
	if (emulation->back == back)
		return;
	emulation->back = back;
	emulation->say_back = true;
	go_on(emulation);
}

void emulation_find(struct emulation *emulation, const struct find_text *text, enum find_step step)
{
	emulation->find.number++;
	emulation->find.step = step;
	emulation->find.text = *text;
	emulation->say_find = emulation->finding = true;
	go_on(emulation);
}

bool emulation_found(struct emulation *emulation, struct terminal_found *found)
{
	if (!is_found(emulation))
		return false;
	emulation->finding = false;
	*found = emulation->picture.found;
	return true;
}

void emulation_mouse(struct emulation *emulation, const struct terminal_mouse *mouse)
{
	struct channel *channel = emulation->channel;

	if (!channel || emulation->say_new ||
	    !say(channel, mouse, sizeof(*mouse), TO_TERMINAL_MOUSE))
		return;
	channel_publish(&channel->out);
	sandbox_sent(emulation->sandbox);
}

const struct picture *emulation_picture(struct emulation *emulation)
{
	struct picture *picture = &emulation->picture;
	struct channel *channel = emulation->channel;
	uint32_t number = channel ? picture_take(picture, channel, &emulation->size) : 0;

	if (number) {
		emulation->say_drawn = number;
		go_on(emulation);
	}
	return picture->frame.number ? picture : NULL;
}

const char *emulation_trouble(const struct emulation *emulation)
{
	return emulation->trouble;
}

int emulation_pid(const struct emulation *emulation)
{
	return emulation->sandbox ? sandbox_pid(emulation->sandbox) : 0;
}
