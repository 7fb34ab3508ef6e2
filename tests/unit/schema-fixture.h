/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doc/JSON.md's schema, for groups of cmocka's tests: _setup and _teardown of a group. */
#ifndef MTRACE_TESTS_SCHEMA_FIXTURE_H
#define MTRACE_TESTS_SCHEMA_FIXTURE_H

#include <stdlib.h>

#include "base/xalloc.h"
#include "json-schema.h"

static json_t *schema;

static int load_schema(void **state)
{
	const char *top = getenv("top_srcdir");
	char *path = xasprintf("%s/doc/JSON.md", top ? top : ".");

	(void)state;
	schema = schema_load(path);
	free(path);
	return schema ? 0 : -1;
}

static int drop_schema(void **state)
{
	(void)state;
	json_decref(schema);
	return 0;
}

#endif
