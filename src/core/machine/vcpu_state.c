/*
 * Saving and loading vCPUs. KVM api.rst §4.11 to §4.14, §4.18, §4.19, §4.31 to §4.34,
 * §4.38, §4.39, §4.42 to §4.45, §4.57, §4.58, §4.131, §4.132, §4.134. I/O thread.
 *
 * Reading goes through the table from its last row to its first, writing from its
 * first to its last. Reading the MP state lets a vCPU take an INIT or SIPI that
 * waits, and reading events settles an exception's side effects, so both come
 * before the rest. Writing: the local APIC's mode is in the APIC base of the system
 * registers, the MSR of its deadline needs the APIC's timer mode, general registers
 * take back an exception, which events set anew.
 */
#include "core/machine/vcpu_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/checked.h"
#include "core/kvm/state.h"

#define VERSION 1
#define MSRS_MAX 1024 /* KVM lists a few hundred */
#define XSAVE_MIN 4096u
#define XSAVE_MAX (1u << 20)
#define MSR_TSC_DEADLINE 0x6e0

/* --- what KVM does not check --- */

static int check_segments(const struct kvm_segment *segments, unsigned count, const char *record,
			  struct cause *cause)
{
	for (unsigned i = 0; i < count; i++) {
		const struct kvm_segment *s = &segments[i];

		if (s->type > 15 || s->dpl > 3 || s->padding ||
		    (s->present | s->db | s->s | s->l | s->g | s->avl | s->unusable) > 1)
			return state_refuse(cause, record, "segment %u is none", i);
	}
	return 0;
}

static int check_sregs(const void *data, const char *record, struct cause *cause)
{
	const struct kvm_sregs *sregs = data;
	unsigned waiting = 0;

	_Static_assert(offsetof(struct kvm_sregs, gdt) == 8 * sizeof(struct kvm_segment),
		       "cs to ldt lie in a row");
	for (unsigned i = 0; i < ARRAY_SIZE(sregs->interrupt_bitmap); i++)
		waiting += (unsigned)__builtin_popcountll(sregs->interrupt_bitmap[i]);
	if (waiting > 1)
		return state_refuse(cause, record, "%u interrupts are being delivered", waiting);
	return check_segments(&sregs->cs, 8, record, cause);
}

static int check_sregs2(const void *data, const char *record, struct cause *cause)
{
	const struct kvm_sregs2 *sregs = data;

	_Static_assert(offsetof(struct kvm_sregs2, gdt) == 8 * sizeof(struct kvm_segment),
		       "cs to ldt lie in a row");
	return check_segments(&sregs->cs, 8, record, cause);
}

static int check_events(const void *data, const char *record, struct cause *cause)
{
	const struct kvm_vcpu_events *events = data;

	if ((events->exception.injected | events->exception.has_error_code |
	     events->exception.pending | events->interrupt.injected | events->interrupt.soft |
	     events->nmi.injected | events->nmi.masked | events->smi.smm | events->smi.pending |
	     events->smi.smm_inside_nmi | events->smi.latched_init | events->triple_fault.pending |
	     events->exception_has_payload) > 1 || events->exception.nr > 31 ||
	    events->interrupt.shadow > (KVM_X86_SHADOW_INT_MOV_SS | KVM_X86_SHADOW_INT_STI))
		return state_refuse(cause, record, "no event that there is");
	return 0;
}

static int check_mp_state(const void *data, const char *record, struct cause *cause)
{
	const struct kvm_mp_state *state = data;

	/* KVM knows more of them, for other processors. */
	if (state->mp_state > KVM_MP_STATE_SIPI_RECEIVED)
		return state_refuse(cause, record, "state %u", state->mp_state);
	return 0;
}

/* --- extended state: its size is the host's --- */

/* 0: KVM does not say; then it is XSAVE_MIN. */
static unsigned xsave2_size(const struct kvm_host *kvm)
{
	int size = ioctl(kvm->fd, KVM_CHECK_EXTENSION, KVM_CAP_XSAVE2);

	return size < (int)XSAVE_MIN || size > (int)XSAVE_MAX ? 0 : (unsigned)size;
}

static int save_xsave(struct vcpu *vcpu, const char *record, struct state_writer *writer,
		      struct cause *cause)
{
	unsigned size = xsave2_size(vcpu->set->config.kvm);
	void *data = state_add(writer, record, VERSION, size ? size : XSAVE_MIN);

	if (!data)
		return 0; /* the writer says so in the end */
	if (ioctl(vcpu->fd, size ? KVM_GET_XSAVE2 : KVM_GET_XSAVE, data) < 0)
		return cause_errno(cause, errno, "%s: KVM does not give it", record);
	return 0;
}

static int load_xsave(struct vcpu *vcpu, const char *record, struct state_reader *reader,
		      struct cause *cause)
{
	unsigned own = xsave2_size(vcpu->set->config.kvm);
	const uint8_t *data;
	size_t size;
	int err;

	own = own ? own : XSAVE_MIN;
	err = state_find(reader, record, VERSION, own, own, &data, &size, cause);
	if (!err && ioctl(vcpu->fd, KVM_SET_XSAVE, data) < 0)
		err = state_refuse(cause, record, "KVM refuses it: %s", strerror(errno));
	return err;
}

/* --- MSRs: those that this KVM lists --- */

struct msr_list {
	struct { /* as struct kvm_msr_list */
		uint32_t count;
		uint32_t indices[MSRS_MAX];
	} known;
	struct { /* as struct kvm_msrs */
		uint32_t count, pad;
		struct kvm_msr_entry entries[MSRS_MAX];
	} msrs;
	bool seen[MSRS_MAX]; /* of known */
};

/* The caller's to free, also after a failure. */
static int list_msrs(struct msr_list **out, const struct kvm_host *kvm, const char *record,
		     struct cause *cause)
{
	struct msr_list *list = calloc(1, sizeof(*list));

	*out = list;
	if (!list)
		return cause_errno(cause, ENOMEM, "%s", record);
	list->known.count = MSRS_MAX;
	if (ioctl(kvm->fd, KVM_GET_MSR_INDEX_LIST, &list->known) < 0)
		return cause_errno(cause, errno, "%s: KVM does not list them", record);
	return 0;
}

/* All that are listed and that this vCPU has. */
static int read_msrs(struct msr_list *list, int fd)
{
	struct kvm_msr_entry *entries = list->msrs.entries;
	uint32_t *count = &list->msrs.count;
	int got;

	*count = list->known.count;
	for (uint32_t i = 0; i < *count; i++)
		entries[i].index = list->known.indices[i];
	/* KVM stops at one that it does not give, and says how many there were before. */
	while ((got = ioctl(fd, KVM_GET_MSRS, &list->msrs)) >= 0 && (uint32_t)got < *count) {
		--*count;
		memmove(&entries[got], &entries[got + 1],
			(*count - (uint32_t)got) * sizeof(*entries));
	}
	return got < 0 ? -errno : 0;
}

static int save_msrs(struct vcpu *vcpu, const char *record, struct state_writer *writer,
		     struct cause *cause)
{
	struct msr_list *list;
	int err = list_msrs(&list, vcpu->set->config.kvm, record, cause);

	if (!err) {
		err = read_msrs(list, vcpu->fd);
		if (err)
			cause_errno(cause, -err, "%s: KVM does not give them", record);
		else
			state_put(writer, record, VERSION, list->msrs.entries,
				  list->msrs.count * sizeof(struct kvm_msr_entry));
	}
	free(list);
	return err;
}

/* Each is one that this KVM lists, and comes once. The deadline goes to the end. */
static int check_msrs(struct msr_list *list, const char *record, struct cause *cause)
{
	struct kvm_msr_entry *entries = list->msrs.entries, deadline;
	uint32_t known = list->known.count, count = list->msrs.count, last = count;

	for (uint32_t i = 0, at; i < count; i++) {
		const struct kvm_msr_entry *entry = &entries[i];

		for (at = 0; at < known && list->known.indices[at] != entry->index; at++)
			;
		if (at == known || list->seen[at] || entry->reserved)
			return state_refuse(cause, record, "MSR 0x%x: %s", entry->index,
					    at == known ? "there is none here" :
					    entry->reserved ? "it is damaged" : "it comes twice");
		list->seen[at] = true;
		if (entry->index == MSR_TSC_DEADLINE)
			last = i;
	}
	if (last < count) {
		deadline = entries[last];
		entries[last] = entries[count - 1];
		entries[count - 1] = deadline;
	}
	return 0;
}

static int write_msrs(const struct msr_list *list, int fd, const char *record,
		      struct cause *cause)
{
	int set = ioctl(fd, KVM_SET_MSRS, &list->msrs);
	const struct kvm_msr_entry *refused = &list->msrs.entries[set < 0 ? 0 : set];

	if (set >= 0 && (uint32_t)set == list->msrs.count)
		return 0;
	return state_refuse(cause, record, "MSR 0x%x: KVM refuses 0x%llx", refused->index,
			    refused->data);
}

static int load_msrs(struct vcpu *vcpu, const char *record, struct state_reader *reader,
		     struct cause *cause)
{
	const size_t each = sizeof(struct kvm_msr_entry);
	struct msr_list *list;
	const uint8_t *data;
	size_t size;
	int err = list_msrs(&list, vcpu->set->config.kvm, record, cause);

	if (!err)
		err = state_find(reader, record, VERSION, 0, MSRS_MAX * each, &data, &size, cause);
	if (!err && size % each)
		err = state_refuse(cause, record, "%zu bytes are no number of MSRs", size);
	if (!err) {
		memcpy(list->msrs.entries, data, size);
		list->msrs.count = (uint32_t)(size / each);
		err = check_msrs(list, record, cause);
	}
	if (!err)
		err = write_msrs(list, vcpu->fd, record, cause);
	free(list);
	return err;
}

/* --- all of a vCPU --- */

/* In the order of loading; see above. */
static const struct {
	struct kvm_part part;
	/* In place of the part's ioctls, for what is not of one size. */
	int (*save)(struct vcpu *vcpu, const char *record, struct state_writer *writer,
		    struct cause *cause);
	int (*load)(struct vcpu *vcpu, const char *record, struct state_reader *reader,
		    struct cause *cause);
} rows[] = {
	{ .part = { .name = "sregs", .get = KVM_GET_SREGS, .set = KVM_SET_SREGS,
		    .size = sizeof(struct kvm_sregs), .check = check_sregs } },
	/* With what a processor keeps of PAE page directory pointers. */
	{ .part = { .name = "sregs2", .capability = KVM_CAP_SREGS2, .get = KVM_GET_SREGS2,
		    .set = KVM_SET_SREGS2, .size = sizeof(struct kvm_sregs2),
		    .check = check_sregs2 } },
	{ .part = { .name = "xcrs", .get = KVM_GET_XCRS, .set = KVM_SET_XCRS,
		    .size = sizeof(struct kvm_xcrs) } },
	{ .part.name = "xsave", .save = save_xsave, .load = load_xsave },
	{ .part = { .name = "debugregs", .get = KVM_GET_DEBUGREGS, .set = KVM_SET_DEBUGREGS,
		    .size = sizeof(struct kvm_debugregs) } },
	{ .part = { .name = "regs", .get = KVM_GET_REGS, .set = KVM_SET_REGS,
		    .size = sizeof(struct kvm_regs) } },
	{ .part = { .name = "lapic", .get = KVM_GET_LAPIC, .set = KVM_SET_LAPIC,
		    .size = sizeof(struct kvm_lapic_state) } },
	{ .part.name = "msrs", .save = save_msrs, .load = load_msrs },
	{ .part = { .name = "events", .get = KVM_GET_VCPU_EVENTS, .set = KVM_SET_VCPU_EVENTS,
		    .size = sizeof(struct kvm_vcpu_events), .check = check_events } },
	{ .part = { .name = "mp_state", .get = KVM_GET_MP_STATE, .set = KVM_SET_MP_STATE,
		    .size = sizeof(struct kvm_mp_state), .check = check_mp_state } },
};

_Static_assert(sizeof(struct kvm_lapic_state) <= KVM_PART_MAX, "the largest of them");

static int save_vcpu(struct vcpu *vcpu, struct state_writer *writer, struct cause *cause)
{
	char scope[STATE_NAME_MAX / 2], record[STATE_NAME_MAX];
	int err = 0;

	snprintf(scope, sizeof(scope), "vcpu%u", vcpu->index);
	for (unsigned i = ARRAY_SIZE(rows); !err && i--;) {
		snprintf(record, sizeof(record), "%s/%s", scope, rows[i].part.name);
		err = rows[i].save ? rows[i].save(vcpu, record, writer, cause) :
		      kvm_save_part(vcpu->set->config.kvm, vcpu->fd, &rows[i].part, scope, writer,
				    cause);
	}
	return err;
}

static int load_vcpu(struct vcpu *vcpu, struct state_reader *reader, struct cause *cause)
{
	char scope[STATE_NAME_MAX / 2], record[STATE_NAME_MAX];
	int err = 0;

	snprintf(scope, sizeof(scope), "vcpu%u", vcpu->index);
	for (unsigned i = 0; !err && i < ARRAY_SIZE(rows); i++) {
		snprintf(record, sizeof(record), "%s/%s", scope, rows[i].part.name);
		err = rows[i].load ? rows[i].load(vcpu, record, reader, cause) :
		      kvm_load_part(vcpu->set->config.kvm, vcpu->fd, &rows[i].part, scope, reader,
				    cause);
	}
	return err;
}

int vcpus_save(struct vcpu_set *set, struct state_writer *writer, struct cause *cause)
{
	int err = 0;

	for (unsigned i = 0; !err && i < set->count; i++)
		err = save_vcpu(&set->vcpus[i], writer, cause);
	return err;
}

int vcpus_load(struct vcpu_set *set, struct state_reader *reader, struct cause *cause)
{
	int err = 0;

	for (unsigned i = 0; !err && i < set->count; i++)
		err = load_vcpu(&set->vcpus[i], reader, cause);
	return err;
}
