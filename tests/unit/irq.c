/* Which routes of messages are whose; KVM has no part in that. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/kvm/irq.h"

static void test_routes(void **state)
{
	struct irq_router router = { .vm_fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER };

	(void)state;
	for (int i = 0; i < IRQ_MSI_MAX; i++)
		assert_int_equal(irq_msi_alloc(&router), IRQ_LINES + i);
	assert_int_equal(irq_msi_alloc(&router), -ENOSPC);
	irq_msi_free(&router, IRQ_LINES + 70);
	irq_msi_free(&router, IRQ_LINES);
	assert_int_equal(irq_msi_alloc(&router), IRQ_LINES);
	assert_int_equal(irq_msi_alloc(&router), IRQ_LINES + 70);
	assert_int_equal(irq_msi_alloc(&router), -ENOSPC);
	irq_destroy(&router);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_routes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
