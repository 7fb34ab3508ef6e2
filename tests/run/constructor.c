/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is allocated before main and released after it. */
#include "expect.h"

static void *early, *late;

static void __attribute__((constructor)) before_main(void)
{
	early = malloc(1234);
	KEEP(early);
	late = malloc(4321);
	KEEP(late);
}

static void __attribute__((destructor)) after_main(void)
{
	free(late);
}

int main(void)
{
	expect_stack("before_main", "total_blocks", 2);
	expect_stack("before_main", "total_bytes", 1234 + 4321);
	expect_stack("before_main", "open_blocks", 1);
	expect_stack("before_main", "open_bytes", 1234);
	expect("exit_code", 0);
	return 0;
}
