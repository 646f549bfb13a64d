/* Opening /dev/kvm. Any thread. */
#include "core/kvm/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"

static const struct {
	int capability;
	const char *name;
} needed[] = {
	{ KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP" },
	{ KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY" },
	{ KVM_CAP_PIT2, "KVM_CAP_PIT2" },
	{ KVM_CAP_IRQFD, "KVM_CAP_IRQFD" },
	{ KVM_CAP_IOEVENTFD, "KVM_CAP_IOEVENTFD" },
	{ KVM_CAP_IOEVENTFD_ANY_LENGTH, "KVM_CAP_IOEVENTFD_ANY_LENGTH" },
	{ KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI" },
	{ KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT" },
	{ KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID" },
};

#define PAGE 4096
#define FEATURE_TSC_DEADLINE (1u << 24) /* leaf 1, ECX */

/* Of the local APIC's timer modes KVM reports one apart, because the APIC may not be its own. */
static void add_tsc_deadline(struct kvm_host *host)
{
	struct kvm_cpuid2 *cpuid = &host->cpuid.head;

	if (ioctl(host->fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) <= 0)
		return;
	for (uint32_t i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 1)
			cpuid->entries[i].ecx |= FEATURE_TSC_DEADLINE;
}

static void on_kick(int signal)
{
	(void)signal;
}

static int open_error(int error, struct cause *cause)
{
	struct stat st;
	struct group *group;

	if (error == ENOENT)
		return cause_set(cause, error, "/dev/kvm: there is none; load the module kvm_intel or "
				 "kvm_amd, and switch virtualization on in the firmware's setup");
	if (error != EACCES && error != EPERM)
		return cause_errno(cause, error, "/dev/kvm");
	if (stat("/dev/kvm", &st) == 0 && (st.st_mode & S_IRGRP) && st.st_gid &&
	    (group = getgrgid(st.st_gid)))
		return cause_set(cause, error, "/dev/kvm: permission denied; join the group %s "
				 "(sudo usermod -aG %s $USER) and log in again", group->gr_name,
				 group->gr_name);
	return cause_set(cause, error, "/dev/kvm: permission denied, and no group is allowed to open "
			 "it; give it to the group kvm (sudo chgrp kvm /dev/kvm; sudo chmod g+rw "
			 "/dev/kvm) and join that, or run as root");
}

int kvm_open(struct kvm_host **out, struct cause *cause)
{
	struct sigaction action = { .sa_handler = on_kick };
	struct kvm_host *host = calloc(1, sizeof(*host));
	int err, version, size, page;

	if (!host)
		return cause_errno(cause, ENOMEM, "/dev/kvm");
	host->fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (host->fd < 0) {
		err = open_error(errno, cause);
		goto fail;
	}
	version = ioctl(host->fd, KVM_GET_API_VERSION, 0ul);
	if (version != KVM_API_VERSION) {
		err = cause_set(cause, ENOTSUP, "/dev/kvm: speaks version %d, not %d", version,
				KVM_API_VERSION);
		goto fail;
	}
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		if (ioctl(host->fd, KVM_CHECK_EXTENSION, needed[i].capability) > 0)
			continue;
		err = cause_set(cause, ENOTSUP, "/dev/kvm: this kernel's KVM lacks %s",
				needed[i].name);
		goto fail;
	}
	size = ioctl(host->fd, KVM_GET_VCPU_MMAP_SIZE, 0ul);
	if (size < (int)sizeof(struct kvm_run)) {
		err = cause_errno(cause, errno, "/dev/kvm: KVM_GET_VCPU_MMAP_SIZE");
		goto fail;
	}
	host->run_size = (size_t)size;
	page = ioctl(host->fd, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_MMIO);
	if (page > 0 && (page + 1) * PAGE <= size &&
	    ioctl(host->fd, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_PIO) > 0)
		host->ring = (size_t)page * PAGE;
	host->cpuid.head.nent = KVM_CPUID_MAX;
	if (ioctl(host->fd, KVM_GET_SUPPORTED_CPUID, &host->cpuid) < 0) {
		err = cause_errno(cause, errno, "/dev/kvm: KVM_GET_SUPPORTED_CPUID");
		goto fail;
	}
	add_tsc_deadline(host);
	sigaction(KVM_KICK_SIGNAL, &action, NULL);
	/*
	 * One heap for all threads: they allocate while a machine is built, hardly
	 * while it runs, and each further heap grows by mprotect(), which makes KVM
	 * look at every machine of the process. The heap grows in large steps, which
	 * cost address space only.
	 */
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TOP_PAD, 2 << 20);
	*out = host;
	return 0;
fail:
	kvm_close(host);
	return err;
}

unsigned kvm_vcpus_max(const struct kvm_host *host)
{
	int most = ioctl(host->fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);

	if (most <= 0)
		most = ioctl(host->fd, KVM_CHECK_EXTENSION, KVM_CAP_NR_VCPUS);
	return most > 0 ? (unsigned)most : 4; /* as api.rst says of a KVM that knows neither */
}

void kvm_close(struct kvm_host *host)
{
	if (!host)
		return;
	if (host->fd >= 0)
		close(host->fd);
	free(host);
}
