/*
 * What the way of an exit asks of code and data.
 *
 * After an exit the host's TLB, its branch predictors and its first cache can be
 * cold: each page on the way is then a walk, each branch that is taken and each
 * line of code a wait. So the functions on the way of each exit stand together
 * in the program, from the start of a page on (vcpu.c), the data that they need
 * lie on one page (vm.h), and what happens most comes without a jump.
 */
#ifndef CORE_BUS_EXIT_PATH_H
#define CORE_BUS_EXIT_PATH_H

#define EXIT_PATH __attribute__((hot))
#define EXIT_PAGE 4096

#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

#endif
