/*
 * VM exits by reason: their names, and what is done at those that are rare. The
 * two that are not, IO and MMIO, stand in vcpu.c. KVM api.rst §5. The vCPU's own
 * thread, but vcpu_exit_name().
 */
#include "core/machine/vcpu_private.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>

/* --- true when the vCPU goes on --- */

static bool exit_continue(struct vcpu *vcpu)
{
	(void)vcpu;
	return true;
}

static bool exit_shutdown(struct vcpu *vcpu)
{
	vcpus_end(vcpu->set, VM_CRASHED, vcpu, "vCPU %u: triple fault", vcpu->index);
	return false;
}

static bool exit_fail_entry(struct vcpu *vcpu)
{
	vcpus_end(vcpu->set, VM_CRASHED, vcpu,
		  "vCPU %u: the processor refused to enter the guest, reason 0x%llx", vcpu->index,
		  (unsigned long long)vcpu->run->fail_entry.hardware_entry_failure_reason);
	return false;
}

static bool exit_internal_error(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	char bytes[3 * 15 + 1] = "";
	struct kvm_regs regs = { 0 };
	unsigned size;

	if (run->internal.suberror != KVM_INTERNAL_ERROR_EMULATION) {
		vcpus_end(vcpu->set, VM_CRASHED, vcpu, "vCPU %u: KVM internal error %u",
			  vcpu->index, run->internal.suberror);
		return false;
	}
	ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	if (run->emulation_failure.ndata >= 4 &&
	    (run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES)) {
		size = run->emulation_failure.insn_size;
		if (size > sizeof(run->emulation_failure.insn_bytes))
			size = sizeof(run->emulation_failure.insn_bytes);
		for (unsigned i = 0; i < size; i++)
			snprintf(bytes + 3 * i, sizeof(bytes) - 3 * i, " %02x",
				 run->emulation_failure.insn_bytes[i]);
	}
	vcpus_end(vcpu->set, VM_CRASHED, vcpu,
		  "vCPU %u: KVM cannot emulate the instruction at 0x%llx%s%s", vcpu->index,
		  (unsigned long long)regs.rip, *bytes ? ":" : "", bytes);
	return false;
}

static bool exit_system_event(struct vcpu *vcpu)
{
	uint32_t type = vcpu->run->system_event.type;

	if (type == KVM_SYSTEM_EVENT_SHUTDOWN)
		vcpus_end(vcpu->set, VM_POWERED_OFF, NULL, "powered off");
	else if (type == KVM_SYSTEM_EVENT_RESET)
		vcpus_end(vcpu->set, VM_RESET, NULL, "reset");
	else
		vcpus_end(vcpu->set, VM_CRASHED, vcpu, "vCPU %u: system event %u", vcpu->index,
			  type);
	return false;
}

static bool exit_unknown(struct vcpu *vcpu)
{
	vcpus_end(vcpu->set, VM_CRASHED, vcpu, "vCPU %u: exit %s (%u), hardware reason 0x%llx",
		  vcpu->index, vcpu_exit_name(vcpu->run->exit_reason), vcpu->run->exit_reason,
		  (unsigned long long)vcpu->run->hw.hardware_exit_reason);
	return false;
}

/* Every exit has a name; the thread serves IO and MMIO itself. */
static const struct {
	const char *name;
	bool (*handle)(struct vcpu *vcpu);
} exits[VCPU_EXIT_REASONS] = {
	[KVM_EXIT_UNKNOWN] = { "UNKNOWN", exit_unknown },
	[KVM_EXIT_EXCEPTION] = { "EXCEPTION", exit_unknown },
	[KVM_EXIT_IO] = { "IO", NULL },
	[KVM_EXIT_HYPERCALL] = { "HYPERCALL", exit_unknown },
	[KVM_EXIT_DEBUG] = { "DEBUG", exit_unknown },
	[KVM_EXIT_HLT] = { "HLT", exit_continue },
	[KVM_EXIT_MMIO] = { "MMIO", NULL },
	[KVM_EXIT_IRQ_WINDOW_OPEN] = { "IRQ_WINDOW_OPEN", exit_continue },
	[KVM_EXIT_SHUTDOWN] = { "SHUTDOWN", exit_shutdown },
	[KVM_EXIT_FAIL_ENTRY] = { "FAIL_ENTRY", exit_fail_entry },
	[KVM_EXIT_INTR] = { "INTR", exit_continue },
	[KVM_EXIT_SET_TPR] = { "SET_TPR", exit_continue },
	[KVM_EXIT_TPR_ACCESS] = { "TPR_ACCESS", exit_unknown },
	[KVM_EXIT_NMI] = { "NMI", exit_unknown },
	[KVM_EXIT_INTERNAL_ERROR] = { "INTERNAL_ERROR", exit_internal_error },
	[KVM_EXIT_WATCHDOG] = { "WATCHDOG", exit_unknown },
	[KVM_EXIT_SYSTEM_EVENT] = { "SYSTEM_EVENT", exit_system_event },
	[KVM_EXIT_IOAPIC_EOI] = { "IOAPIC_EOI", exit_continue },
	[KVM_EXIT_HYPERV] = { "HYPERV", exit_unknown },
	[KVM_EXIT_X86_RDMSR] = { "X86_RDMSR", exit_unknown },
	[KVM_EXIT_X86_WRMSR] = { "X86_WRMSR", exit_unknown },
	[KVM_EXIT_DIRTY_RING_FULL] = { "DIRTY_RING_FULL", exit_unknown },
	[KVM_EXIT_AP_RESET_HOLD] = { "AP_RESET_HOLD", exit_unknown },
	[KVM_EXIT_X86_BUS_LOCK] = { "X86_BUS_LOCK", exit_continue },
};

const char *vcpu_exit_name(unsigned reason)
{
	return reason < VCPU_EXIT_REASONS && exits[reason].name ? exits[reason].name : "other";
}

bool vcpu_rare_exit(struct vcpu *vcpu, uint32_t reason)
{
	if (reason < VCPU_EXIT_REASONS && exits[reason].handle)
		return exits[reason].handle(vcpu);
	return exit_unknown(vcpu);
}
