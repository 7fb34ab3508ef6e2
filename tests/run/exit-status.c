/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mtrace ends as the program does. */
#include "expect.h"

int main(void)
{
	expect("exit_code", 7);
	return 7;
}
