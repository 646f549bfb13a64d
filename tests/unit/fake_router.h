/*
 * For tests of PCI functions: in place of core/kvm/irq.c, an interrupt router that
 * writes down what it is told.
 */
#ifndef TESTS_UNIT_FAKE_ROUTER_H
#define TESTS_UNIT_FAKE_ROUTER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/kvm/irq.h"

extern struct fake_router {
	pthread_mutex_t lock;
	bool level[IRQ_LINES];
	unsigned used, sets, attached;
	int refuse; /* what irq_msi_set() returns */
	uint64_t address;
	uint32_t data;
} fake_router;

void fake_router_clear(void);

#endif
