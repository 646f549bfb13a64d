/* An interrupt router without KVM; any thread. */
#include "fake_router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct fake_router fake_router = { .lock = PTHREAD_MUTEX_INITIALIZER };

void fake_router_clear(void)
{
	memset(fake_router.level, 0, sizeof(fake_router.level));
	fake_router.used = fake_router.sets = fake_router.attached = 0;
	fake_router.refuse = 0;
}

void irq_set_line(struct irq_router *unused, unsigned line, bool level)
{
	(void)unused;
	pthread_mutex_lock(&fake_router.lock);
	assert_true(line < IRQ_LINES);
	fake_router.level[line] = level;
	pthread_mutex_unlock(&fake_router.lock);
}

int irq_msi_alloc(struct irq_router *unused)
{
	(void)unused;
	return IRQ_LINES + (int)fake_router.used++;
}

void irq_msi_free(struct irq_router *unused, int gsi)
{
	(void)unused;
	(void)gsi;
	fake_router.used--;
}

int irq_msi_set(struct irq_router *unused, int gsi, int fd, uint64_t address, uint32_t data)
{
	(void)unused;
	(void)gsi;
	assert_true(fd >= 0);
	if (fake_router.refuse)
		return fake_router.refuse;
	fake_router.sets++;
	fake_router.attached++;
	fake_router.address = address;
	fake_router.data = data;
	return 0;
}

void irq_msi_clear(struct irq_router *unused, int gsi, int fd)
{
	(void)unused;
	(void)gsi;
	(void)fd;
	fake_router.attached = 0;
}
