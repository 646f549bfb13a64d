/* Saving and loading a machine, part by part. The guest's I/O thread. */
#include "core/machine/snapshot.h"

#include <errno.h>

#include "core/kvm/state.h"

int vm_save(struct vm *vm, struct state_writer *writer, struct cause *cause)
{
	int err;

	if (!vm_drained(vm))
		return cause_set(cause, EBUSY, "a device still has requests in flight");
	memory_save(&vm->memory, writer);
	firmware_save(&vm->firmware, writer);
	err = vcpus_save(&vm->cpus, writer, cause);
	if (!err)
		err = kvm_save(vm->config->kvm, vm->fd, writer, cause);
	if (!err)
		devices_save(&vm->devices, writer);
	return err;
}

/*
 * RAM comes first: vCPUs and devices look into it. Devices come last, for they raise
 * their lines and messages anew, which interrupt controllers must not forget again.
 */
static int load(struct vm *vm, struct state_reader *reader, struct cause *cause)
{
	int err = memory_load(&vm->memory, reader, cause);

	if (!err)
		err = firmware_load(&vm->firmware, reader, cause);
	if (!err)
		err = vcpus_load(&vm->cpus, reader, cause);
	if (!err)
		err = kvm_load(vm->config->kvm, vm->fd, reader, cause);
	if (!err)
		err = devices_load(&vm->devices, reader, cause);
	return err ? err : state_all_found(reader, cause);
}

int vm_load(struct vm **out, const struct vm_config *config, struct state_reader *reader,
	    struct cause *cause)
{
	int err = vm_build(out, config, true, cause);

	if (err)
		return err;
	err = load(*out, reader, cause);
	if (err)
		vm_destroy(*out);
	return err;
}
