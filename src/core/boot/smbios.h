/*
 * The SMBIOS tables, by which a guest's system knows what it runs on. The machine's
 * thread.
 */
#ifndef CORE_BOOT_SMBIOS_H
#define CORE_BOOT_SMBIOS_H

#include "base/cause.h"
#include "core/hw/fw_cfg.h"
#include "core/profile/profile.h"

/* Adds them as files of firmware, which adds what it knows of itself. -ENOMEM with a cause. */
int smbios_describe(struct fw_cfg *fw_cfg, const struct profile *profile, struct cause *cause);

#endif
