/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allocations in a library, and here, of which the machine that they run on has no
 * unwinding tables.  Before the first of them nothing is waited for. */
#include "expect.h"

void rows_work(int n);

int main(void)
{
	rows_work(1);
	rows_work(2);
	expect_stack("leaf", "total_blocks", 2);
	expect_stack("one_way", "total_blocks", 1);
	expect_stack("other_way", "total_blocks", 1);
	expect_stack("rows_work", "total_blocks", 2);
	expect_stack("main", "total_blocks", 2);
	expect("unwind.broken", 0);
	return 0;
}
