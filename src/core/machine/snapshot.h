/*
 * A machine as saved state: its RAM, its vCPUs, what the kernel keeps for it, and
 * its devices. The guest's I/O thread.
 */
#ifndef CORE_MACHINE_SNAPSHOT_H
#define CORE_MACHINE_SNAPSHOT_H

#include "base/state.h"
#include "core/machine/vm.h"

/*
 * Appends the records of a machine that is paused and drained, which goes on as it was
 * when it is resumed. A negative errno with a cause; what the writer lacks memory for
 * is told by state_end().
 */
int vm_save(struct vm *vm, struct state_writer *writer, struct cause *cause);

/*
 * Builds a machine, from the same profile, and makes it the one that was saved; it goes
 * on with vm_start(). On failure, such as -EINVAL for a record that is hostile or of
 * another profile, nothing is left and the cause names the record.
 */
int vm_load(struct vm **out, const struct vm_config *config, struct state_reader *reader,
	    struct cause *cause);

#endif
