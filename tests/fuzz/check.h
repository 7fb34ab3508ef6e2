/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FUZZ_CHECK_H
#define FUZZ_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* What a fuzzer found wrong ends it where libFuzzer and TAP see it. */
static inline void check(bool holds, const char *what)
{
	if (holds)
		return;
	printf("Bail out! %s\n", what);
	fflush(stdout);
	abort();
}

#endif
