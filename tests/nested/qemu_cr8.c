/*
 * For QEMU 7.2 and its neighbours, by LD_PRELOAD: of a guest's guest that writes CR8 while
 * an interrupt waits for it they tell another part without the lock that it asks for, and
 * end with "assertion failed: (qemu_mutex_iothread_locked())". OVMF writes CR8 whenever
 * it has been interrupted. Here that part, a function of the module accel-tcg, is called
 * with the lock.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>

bool qemu_mutex_iothread_locked(void);
void qemu_mutex_lock_iothread_impl(const char *file, int line);
void qemu_mutex_unlock_iothread(void);
void tcg_handle_interrupt(void *cpu, int mask);

static int find_module(struct dl_phdr_info *info, size_t size, void *found)
{
	(void)size;
	if (!strstr(info->dlpi_name, "/accel-tcg-"))
		return 0;
	*(void **)found = dlopen(info->dlpi_name, RTLD_LAZY | RTLD_NOLOAD);
	return 1;
}

/* Stands in the module's place for all of QEMU. */
void tcg_handle_interrupt(void *cpu, int mask)
{
	static void (*handle)(void *cpu, int mask);
	bool locked = qemu_mutex_iothread_locked();
	void *module = NULL;

	if (!locked)
		qemu_mutex_lock_iothread_impl(__FILE__, __LINE__);
	if (!handle) {
		dl_iterate_phdr(find_module, &module);
		*(void **)&handle = dlsym(module, "tcg_handle_interrupt");
	}
	handle(cpu, mask);
	if (!locked)
		qemu_mutex_unlock_iothread();
}
