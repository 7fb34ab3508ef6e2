/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The library that harm-dlclose loads and unloads. */
#include "expect.h"

static void *from_constructor;

__attribute__((constructor)) static void plugin_begin(void)
{
	from_constructor = malloc(33);
	if (!from_constructor)
		abort();
}

__attribute__((destructor)) static void plugin_end(void)
{
	void *left = malloc(44);

	KEEP(left);
	free(from_constructor);
}

void *plugin_get(size_t n)
{
	void *p = malloc(n);

	KEEP(p);
	return p;
}

void plugin_put(void *p)
{
	free(p);
}
