/*
 * The demonstration: traffic with the peers, disk bursts, CPU and memory in
 * waves.
 */
#ifndef DEMO_BACKGROUND_H
#define DEMO_BACKGROUND_H

#include "lib.h"

/* Starts its tasks, which rest until it is on. */
void background_setup(void);

bool background_on(void);
void background_set(bool on);

#endif
