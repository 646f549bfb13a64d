/*
 * Checks and runs packet filters. Any thread.
 *
 * The instructions are those of S. McCanne and V. Jacobson, "The BSD Packet
 * Filter" (1993), with XOR and MOD as in Linux's filter.rst and libpcap's
 * bpf_filter(). "protochain" compiles to a loop, the one use of a jump that goes
 * back; those are counted, so that every program ends.
 */
#include "base/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <emmintrin.h>

#include <linux/filter.h>

#define BACK_JUMPS_MAX 64u /* of one packet: as many headers in a row */

_Static_assert(sizeof(struct filter_insn) == sizeof(struct sock_filter), "the kernel's layout");

/* --- checking --- */

static bool check_load(const struct filter_insn *insn)
{
	switch (insn->code) {
	case BPF_LD | BPF_W | BPF_ABS: case BPF_LD | BPF_H | BPF_ABS: case BPF_LD | BPF_B | BPF_ABS:
	case BPF_LD | BPF_W | BPF_IND: case BPF_LD | BPF_H | BPF_IND: case BPF_LD | BPF_B | BPF_IND:
	case BPF_LD | BPF_W | BPF_LEN: case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM: case BPF_LDX | BPF_IMM:
	case BPF_LDX | BPF_B | BPF_MSH:
		return true;
	case BPF_LD | BPF_MEM: case BPF_LDX | BPF_MEM: case BPF_ST: case BPF_STX:
		return insn->k < BPF_MEMWORDS;
	}
	return false;
}

static bool check_arithmetic(const struct filter_insn *insn)
{
	if (insn->code & ~(BPF_ALU | 0xf0 | BPF_X))
		return false;
	switch (BPF_OP(insn->code)) {
	case BPF_DIV: case BPF_MOD:
		return BPF_SRC(insn->code) == BPF_X || insn->k;
	case BPF_ADD: case BPF_SUB: case BPF_MUL: case BPF_OR: case BPF_AND: case BPF_LSH:
	case BPF_RSH: case BPF_XOR:
		return true;
	}
	return insn->code == (BPF_ALU | BPF_NEG);
}

/* rest: how many instructions follow. */
static bool check_jump(const struct filter_insn *insn, uint32_t at, uint32_t count)
{
	uint32_t rest = count - at - 1;

	if (insn->code == (BPF_JMP | BPF_JA)) /* back: k is negative */
		return insn->k < rest || insn->k >= -at - 1;
	if (insn->code & ~(BPF_JMP | 0xf0 | BPF_X) || insn->jt >= rest || insn->jf >= rest)
		return false;
	switch (BPF_OP(insn->code)) {
	case BPF_JEQ: case BPF_JGT: case BPF_JGE: case BPF_JSET:
		return true;
	}
	return false;
}

static bool check(const struct filter_insn *insn, uint32_t at, uint32_t count)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_LD: case BPF_LDX: case BPF_ST: case BPF_STX:
		return check_load(insn);
	case BPF_ALU:
		return check_arithmetic(insn);
	case BPF_JMP:
		return check_jump(insn, at, count);
	case BPF_RET:
		return insn->code == (BPF_RET | BPF_K) || insn->code == (BPF_RET | BPF_A);
	case BPF_MISC:
		return insn->code == (BPF_MISC | BPF_TAX) || insn->code == (BPF_MISC | BPF_TXA);
	}
	return false;
}

static bool uses_memory(const struct filter_insn *insns, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		unsigned class = BPF_CLASS(insns[i].code);

		if (class == BPF_ST || class == BPF_STX ||
		    ((class == BPF_LD || class == BPF_LDX) && BPF_MODE(insns[i].code) == BPF_MEM))
			return true;
	}
	return false;
}

int filter_set(struct filter *filter, const struct filter_insn *insns, uint32_t count,
	       struct cause *cause)
{
	*filter = (struct filter){ 0 };
	if (!count || count > FILTER_INSNS_MAX)
		return cause_set(cause, EINVAL, "its program has %u instructions; 1 to %u can "
				 "be run", count, FILTER_INSNS_MAX);
	if (BPF_CLASS(insns[count - 1].code) != BPF_RET)
		return cause_set(cause, EINVAL, "its program has no end");
	for (uint32_t i = 0; i < count; i++)
		if (!check(&insns[i], i, count))
			return cause_set(cause, EINVAL, "instruction %u of its program, 0x%x, "
					 "cannot be run", i, insns[i].code);
	filter->insns = malloc(count * sizeof(*insns));
	if (!filter->insns)
		return cause_errno(cause, ENOMEM, "filter");
	memcpy(filter->insns, insns, count * sizeof(*insns));
	filter->count = count;
	filter->memory = uses_memory(insns, count);
	return 0;
}

void filter_free(struct filter *filter)
{
	free(filter->insns);
	*filter = (struct filter){ 0 };
}

/* --- running --- */

struct machine {
	const uint8_t *data;
	uint32_t captured, size;
	uint32_t a, x;
	bool stopped; /* by something other than a return */
	bool beyond;  /* it hangs on more than the bytes in seen: others, or the size */
	uint64_t seen; /* bit i: byte i was loaded */
	uint32_t memory[BPF_MEMWORDS];
};

static inline void see(struct machine *machine, uint64_t at, uint32_t width)
{
	if (at + width <= FILTER_WINDOW)
		machine->seen |= ((1ull << width) - 1) << at;
	else
		machine->beyond = true;
}

/* Loads width bytes at offset + base into *a; false: the packet ends before. */
static inline bool load(struct machine *machine, uint32_t base, uint32_t offset,
			uint32_t width, uint32_t *a)
{
	uint64_t at = (uint64_t)base + offset;
	const uint8_t *p;

	if (at + width > machine->captured) {
		machine->beyond = true;
		return false;
	}
	see(machine, at, width);
	p = machine->data + at;
	if (width == 4)
		*a = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	else
		*a = width == 2 ? (uint32_t)p[0] << 8 | p[1] : p[0];
	return true;
}

static bool load_any(struct machine *machine, const struct filter_insn *insn)
{
	uint32_t k = insn->k;

	switch (insn->code) {
	case BPF_LD | BPF_W | BPF_IND: return load(machine, machine->x, k, 4, &machine->a);
	case BPF_LD | BPF_B | BPF_IND: return load(machine, machine->x, k, 1, &machine->a);
	case BPF_LD | BPF_W | BPF_LEN:
		machine->a = machine->size;
		machine->beyond = true;
		break;
	case BPF_LD | BPF_IMM: machine->a = k; break;
	case BPF_LD | BPF_MEM: machine->a = machine->memory[k]; break;
	case BPF_LDX | BPF_W | BPF_LEN:
		machine->x = machine->size;
		machine->beyond = true;
		break;
	case BPF_LDX | BPF_IMM: machine->x = k; break;
	case BPF_LDX | BPF_MEM: machine->x = machine->memory[k]; break;
	case BPF_LDX | BPF_B | BPF_MSH: /* the length of an IPv4 header */
		machine->beyond |= k >= machine->captured;
		if (k >= machine->captured)
			return false;
		see(machine, k, 1);
		machine->x = (machine->data[k] & 0xfu) << 2;
		break;
	case BPF_ST: machine->memory[k] = machine->a; break;
	case BPF_STX: machine->memory[k] = machine->x; break;
	}
	return true;
}

/* false: a division by a zero that the packet brought. */
static bool compute(struct machine *machine, const struct filter_insn *insn)
{
	uint32_t b = BPF_SRC(insn->code) == BPF_X ? machine->x : insn->k;

	switch (BPF_OP(insn->code)) {
	case BPF_ADD: machine->a += b; break;
	case BPF_SUB: machine->a -= b; break;
	case BPF_MUL: machine->a *= b; break;
	case BPF_OR: machine->a |= b; break;
	case BPF_AND: machine->a &= b; break;
	case BPF_XOR: machine->a ^= b; break;
	case BPF_LSH: machine->a = b < 32 ? machine->a << b : 0; break;
	case BPF_RSH: machine->a = b < 32 ? machine->a >> b : 0; break;
	case BPF_NEG: machine->a = -machine->a; break;
	case BPF_DIV:
		if (!b)
			return false;
		machine->a /= b;
		break;
	case BPF_MOD:
		if (!b)
			return false;
		machine->a %= b;
		break;
	}
	return true;
}

/* A jump that compares with x. */
static bool holds(const struct machine *machine, const struct filter_insn *insn)
{
	uint32_t b = machine->x;

	switch (BPF_OP(insn->code)) {
	case BPF_JEQ: return machine->a == b;
	case BPF_JGT: return machine->a > b;
	case BPF_JGE: return machine->a >= b;
	}
	return machine->a & b;
}

/* What does not jump; false: the packet does not match. */
static bool step(struct machine *machine, const struct filter_insn *insn)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
		return compute(machine, insn);
	case BPF_MISC:
		if (BPF_MISCOP(insn->code) == BPF_TAX)
			machine->x = machine->a;
		else
			machine->a = machine->x;
		return true;
	}
	return load_any(machine, insn);
}

/*
 * What the program returns: how much of the packet it wants, 0 for none. What most filters
 * consist of stands here, the rest in step().
 */
static uint32_t run(struct machine *machine, const struct filter_insn *insn)
{
	unsigned back = BACK_JUMPS_MAX;
	bool there = true;
	uint32_t a = 0;

	for (; there; insn++) {
		switch (insn->code) {
		case BPF_LD | BPF_W | BPF_ABS: there = load(machine, 0, insn->k, 4, &a); break;
		case BPF_LD | BPF_H | BPF_ABS: there = load(machine, 0, insn->k, 2, &a); break;
		case BPF_LD | BPF_B | BPF_ABS: there = load(machine, 0, insn->k, 1, &a); break;
		case BPF_LD | BPF_H | BPF_IND:
			there = load(machine, machine->x, insn->k, 2, &a);
			break;
		case BPF_JMP | BPF_JEQ: insn += a == insn->k ? insn->jt : insn->jf; break;
		case BPF_JMP | BPF_JGT: insn += a > insn->k ? insn->jt : insn->jf; break;
		case BPF_JMP | BPF_JGE: insn += a >= insn->k ? insn->jt : insn->jf; break;
		case BPF_JMP | BPF_JSET: insn += a & insn->k ? insn->jt : insn->jf; break;
		case BPF_JMP | BPF_JA:
			there = (int32_t)insn->k >= 0 || back--;
			insn += (int32_t)insn->k;
			break;
		case BPF_RET | BPF_K: return insn->k;
		case BPF_RET | BPF_A: return a;
		default:
			machine->a = a;
			if (BPF_CLASS(insn->code) == BPF_JMP)
				insn += holds(machine, insn) ? insn->jt : insn->jf;
			else
				there = step(machine, insn);
			a = machine->a;
		}
	}
	machine->stopped = true;
	return 0;
}

static void set_up(struct machine *machine, const struct filter *filter, const uint8_t *data,
		   uint32_t captured, uint32_t size)
{
	machine->data = data;
	machine->captured = captured;
	machine->size = size;
	machine->a = machine->x = 0;
	machine->stopped = machine->beyond = false;
	machine->seen = 0;
	if (filter->memory)
		memset(machine->memory, 0, sizeof(machine->memory));
}

bool filter_match(const struct filter *filter, const uint8_t *data, uint32_t captured,
		  uint32_t size)
{
	struct machine machine;

	if (!filter->insns)
		return true;
	set_up(&machine, filter, data, captured, size);
	return run(&machine, filter->insns) != 0;
}

/* Bit i: byte i is the same; of FILTER_WINDOW bytes. */
static inline uint64_t same_bytes(const uint8_t *one, const uint8_t *other)
{
	uint64_t same = 0;

	for (unsigned i = 0; i < 4; i++) {
		unsigned at = i < 3 ? 16 * i : FILTER_WINDOW - 16;
		__m128i a, b;

		memcpy(&a, one + at, sizeof(a));
		memcpy(&b, other + at, sizeof(b));
		same |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(a, b)) << at;
	}
	return same;
}

static void learn(struct filter_memo *memo, const struct machine *machine, bool match)
{
	memo->known = !machine->beyond && !machine->stopped && machine->captured >= FILTER_WINDOW;
	if (!memo->known)
		return;
	memo->bytes = machine->seen;
	memo->match = match;
	memcpy(memo->data, machine->data, FILTER_WINDOW);
}

bool filter_may_match(const struct filter *filter, const uint8_t *data, uint32_t captured,
		      uint32_t size, struct filter_memo *memo)
{
	struct machine machine;
	bool match;

	if (memo->known && captured >= FILTER_WINDOW &&
	    !(memo->bytes & ~same_bytes(memo->data, data)))
		return memo->match;
	set_up(&machine, filter, data, captured, size);
	/* It may have stopped where more of the packet is. */
	match = run(&machine, filter->insns) != 0 || (machine.stopped && captured < size);
	learn(memo, &machine, match);
	return match;
}
