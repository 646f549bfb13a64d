/*
 * Features of processors by the names that Linux has for them in /proc/cpuinfo, and what a
 * profile hides of them. Any thread.
 */
#ifndef CORE_KVM_FEATURES_H
#define CORE_KVM_FEATURES_H

#include <stdbool.h>

#include "base/cause.h"
#include "core/kvm/kvm.h"

/*
 * Whether a list, separated by commas or spaces, names features only: 0, or -EINVAL with a
 * cause. NULL is an empty one.
 */
int features_check(const char *list, struct cause *cause);

/* Takes the features of a list that passed features_check() out of a table. */
void features_hide(struct kvm_cpuid2 *cpuid, const char *list);

/*
 * Whether guests of this KVM find in CPUID what KVM_SET_CPUID2 says; one that works without
 * VT-x or AMD-V may show them the host's processor as it is. It runs a guest of two instructions,
 * which takes some milliseconds. A negative errno when it cannot be tried.
 */
int features_hidden_from_guests(const struct kvm_host *kvm);

#endif
