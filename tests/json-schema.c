/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usage: json-schema doc/JSON.md EXPORT.json…
 *
 * Exit status 0: all exports are as the page says, 1: some are not (each
 * breach is printed), 2: a file cannot be read. */
#include "unit/json-schema.h"

static int check(json_t *schema, const char *name)
{
	json_error_t error;
	json_t *v = json_load_file(name, 0, &error);
	int n;

	if (!v) {
		printf("# %s:%d: %s\n", name, error.line, error.text);
		return 2;
	}
	n = schema_errors(schema, v);
	json_decref(v);
	return n ? 1 : 0;
}

int main(int argc, char **argv)
{
	json_t *schema = argc > 2 ? schema_load(argv[1]) : NULL;
	int status = 0, one;

	if (!schema) {
		printf("# usage: %s doc/JSON.md EXPORT.json…\n", argv[0]);
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		one = check(schema, argv[i]);
		status = one > status ? one : status;
	}
	json_decref(schema);
	return status;
}
