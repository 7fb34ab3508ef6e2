/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Built with AddressSanitizer: its leak checker cannot work, and must not hang. */
#include <stdlib.h>

int main(void)
{
	void *volatile p = malloc(3);

	return p ? 4 : 1;
}
