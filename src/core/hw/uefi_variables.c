/*
 * See uefi_variables.h. What the guest programs is written to the file before its write
 * has ended, and forced to the host's disk when its driver goes back to reading: OVMF
 * orders its steps so that any of them may be the last, and each ends so.
 *
 * Created on the thread that builds the machine; programming on vCPU threads.
 */
#include "core/hw/uefi_variables.h"

#include <stdatomic.h>
#include <string.h>

#include "base/loop.h"
#include "core/bus/platform.h"
#include "core/hw/cfi_flash.h"
#include "core/hw/ovmf.h"
#include "core/hw/uefi_variables_file.h"
#include "core/kvm/memory.h"
#include "core/profile/check.h"

struct uefi_variables {
	struct cfi_flash flash;
	struct rom cells;
	struct variables_file file;
	struct device_host *host;
	struct loop_task task;
	_Atomic int error; /* a positive errno that is to be told; 0: none */
	int told;	   /* the last that was */
};

/*
 * I/O thread. The guest sees a write that has failed in the chip's status, and goes on; that
 * the host's disk has not taken it is told here only.
 */
static void tell(void *arg)
{
	struct uefi_variables *variables = arg;
	int error = atomic_load(&variables->error);
	struct cause text;

	if (error == variables->told)
		return;
	variables->told = error;
	cause_set(&text, 0, "UEFI variables cannot be written: %.300s: %s; what the guest changes "
		  "of them is lost", variables->file.path, strerror(error));
	variables->host->notice(variables->host, text.text);
}

static int report(struct uefi_variables *variables, int err)
{
	if (!err || atomic_exchange(&variables->error, -err) == -err)
		return err;
	loop_post(variables->host->loop, &variables->task);
	return err;
}

static int keep(void *arg, size_t offset, const void *cells, size_t size)
{
	struct uefi_variables *variables = arg;

	return report(variables, variables_file_write(&variables->file, offset, cells, size));
}

static void settle(void *arg)
{
	struct uefi_variables *variables = arg;

	report(variables, variables_file_sync(&variables->file));
}

static bool variables_wanted(const struct profile *profile, unsigned number)
{
	(void)number;
	return profile_firmware(profile) == FIRMWARE_UEFI;
}

static void check_variables(const struct profile_check *check)
{
	const struct profile *profile = check->profile;
	const char *path = profile->firmware_file;
	struct rom image, cells = { 0 };
	struct cause cause;
	int err;

	if (!variables_wanted(profile, 0))
		return;
	/* Of an image that cannot be read somebody else tells. */
	if ((path ? rom_read(&image, path, NULL) : ovmf_find_image(&image, NULL)) < 0)
		return;
	err = ovmf_find_variables(&cells, image.size, &cause);
	if (!err)
		err = variables_file_check(profile->name, cells.size, &cause);
	if (err)
		check->found(check->arg, "boot", "firmware", false, cause.text);
	rom_free(&cells);
	rom_free(&image);
}

static int open_file(struct uefi_variables *variables, struct cause *cause)
{
	struct device_host *host = variables->host;
	struct cause text;
	bool fresh;
	int err = variables_file_open(&variables->file, host->profile->name,
				      variables->cells.data, variables->cells.size, &fresh, cause);

	if (err || !fresh)
		return err;
	cause_set(&text, 0, "UEFI variables: %.300s is new", variables->file.path);
	host->notice(host, text.text);
	return 0;
}

static int create_variables(struct device *device, struct cause *cause)
{
	struct uefi_variables *variables = device->state;
	struct cfi_flash_wires wires = { keep, settle, variables };
	struct device_host *host = device->host;
	uint64_t base;
	int err;

	variables->host = host;
	variables->task = (struct loop_task){ .run = tell, .arg = variables };
	err = ovmf_find_variables(&variables->cells, host->firmware_size, cause);
	if (!err)
		err = open_file(variables, cause);
	if (err)
		return err;
	base = PLATFORM_ROM_END - host->firmware_size - variables->cells.size;
	err = cfi_flash_init(&variables->flash, host->mmio, base, variables->cells.data,
			     variables->cells.size, &wires, cause);
	return err ? err : memory_map(host->vm_fd, MEMORY_SLOT_VARIABLES, base,
				      variables->flash.view, variables->flash.size, true, cause);
}

static void destroy_variables(struct device *device)
{
	struct uefi_variables *variables = device->state;

	cfi_flash_destroy(&variables->flash);
	loop_unpost(variables->host->loop, &variables->task);
	variables_file_close(&variables->file);
	rom_free(&variables->cells);
}

static void save_variables(struct device *device, void *registers)
{
	struct uefi_variables *variables = device->state;

	cfi_flash_save(&variables->flash, registers);
}

static const char *load_variables(struct device *device, const void *registers)
{
	struct uefi_variables *variables = device->state;

	return cfi_flash_load(&variables->flash, registers);
}

const struct device_type uefi_variables_device = {
	.name = "UEFI variables",
	.size = sizeof(struct uefi_variables),
	.wanted = variables_wanted,
	.check = check_variables,
	.create = create_variables,
	.destroy = destroy_variables,
	.version = 1,
	.saved = sizeof(struct cfi_flash_registers),
	.save = save_variables,
	.load = load_variables,
};
