/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

void *in_library(void);

void *in_library(void)
{
	return malloc(77);
}
