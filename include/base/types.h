/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The types that every layer shares. */
#ifndef MTRACE_BASE_TYPES_H
#define MTRACE_BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* An address in a tracee, of whatever word size it is.  Never a C pointer:
 * nothing at this address can be dereferenced here. */
typedef uint64_t taddr_t;

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

#endif
