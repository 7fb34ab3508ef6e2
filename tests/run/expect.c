/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usage: expect EXPECTED EXPORT.json
 *
 * Compares what a traced program said of itself (tests/run/expect.h) with what
 * mtrace exported.  Prints a line for each difference;
 * exit status 0: all agree, 1: they differ or there is nothing to compare,
 * 2: something is wrong with the files. */
#include <errno.h>
#include <stdio.h>

#include <jansson.h>

#include "base/types.h"
#include "base/xalloc.h"

static const char *const ops[] = { "==", "!=", ">=", "<=", ">", "<" };

static bool holds(long long is, const char *op, long long want)
{
	if (!strcmp(op, "!="))
		return is != want;
	if (!strcmp(op, ">="))
		return is >= want;
	if (!strcmp(op, "<="))
		return is <= want;
	if (!strcmp(op, ">"))
		return is > want;
	if (!strcmp(op, "<"))
		return is < want;
	return is == want;
}

/* Follows a.b.c into objects.  NULL: no such member. */
static json_t *member(json_t *at, const char *path)
{
	char *copy = xstrdup(path), *rest = copy, *name;

	while (at && (name = strsep(&rest, ".")))
		at = json_object_get(at, name);
	free(copy);
	return at;
}

static bool has_function(json_t *stack, const char *function)
{
	json_t *frames = json_object_get(stack, "frames"), *frame;
	size_t i;

	json_array_foreach(frames, i, frame) {
		const char *name = json_string_value(json_object_get(frame, "function"));

		if (name && !strcmp(name, function))
			return true;
	}
	return false;
}

static bool is_kind(json_t *stack, const char *want)
{
	const char *kind = json_string_value(json_object_get(stack, "kind"));

	return kind && !strcmp(kind, want);
}

/* Blocks and mappings apart: a thread's stack is a mapping. */
static long long sum_of_stacks(json_t *proc, const char *kind, const char *function, const char *key)
{
	json_t *stacks = json_object_get(proc, "stacks"), *stack;
	long long sum = 0;
	size_t i;

	json_array_foreach(stacks, i, stack)
		if (has_function(stack, function) && is_kind(stack, kind))
			sum += json_integer_value(json_object_get(stack, key));
	return sum;
}

/* Equal, or the last part of a path. */
static bool same_text(const char *is, const char *want)
{
	size_t n = strlen(is), m = strlen(want);

	return n >= m && !strcmp(is + n - m, want) && (n == m || is[n - m - 1] == '/');
}

static bool check_value(const char *line, json_t *value, const char *op, const char *want)
{
	const char *text = json_string_value(value);

	if (text) {
		if (same_text(text, want))
			return true;
		printf("# expected %s, but it is \"%s\"\n", line, text);
		return false;
	}
	if (!json_is_integer(value)) {
		printf("# expected %s, but the export has no such number\n", line);
		return false;
	}
	if (holds(json_integer_value(value), op, atoll(want)))
		return true;
	printf("# expected %s, but it is %lld\n", line, (long long)json_integer_value(value));
	return false;
}

static bool check_stack(const char *line, json_t *proc, char *const *word, const char *op,
			const char *want)
{
	const char *kind = strcmp(word[0], "region") ? "heap" : "mapping";
	long long is = sum_of_stacks(proc, kind, word[1], word[2]);

	if (holds(is, op, atoll(want)))
		return true;
	printf("# expected %s, but it is %lld\n", line, is);
	return false;
}

static bool check_error(const char *line, json_t *proc, const char *kind, const char *op,
			const char *want)
{
	json_t *error;
	long long is = 0;
	size_t i;

	json_array_foreach(json_object_get(proc, "errors"), i, error)
		if (!strcmp(json_string_value(json_object_get(error, "kind")), kind))
			is += json_integer_value(json_object_get(error, "count"));
	if (holds(is, op, atoll(want)))
		return true;
	printf("# expected %s, but it is %lld\n", line, is);
	return false;
}

/* KEY [OP] VALUE · stack FUNCTION KEY [OP] VALUE · region FUNCTION KEY [OP] VALUE ·
 * error KIND [OP] VALUE; KEY, stack, region and error may begin with "N:", the
 * index of the process. */
static bool check_line(const char *line, json_t *processes)
{
	char *copy = xstrdup(line), *rest = copy, *word[6] = { NULL }, *w, *colon;
	const char *op = "==", *want;
	size_t n = 0, index = 0;
	json_t *proc;
	bool good;

	while ((w = strsep(&rest, " ")) && n < ARRAY_SIZE(word))
		if (*w)
			word[n++] = w;
	if (n < 2) {
		printf("# cannot read expectation: %s\n", line);
		free(copy);
		return false;
	}
	want = word[--n];
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		if (!strcmp(word[n - 1], ops[i])) {
			op = ops[i];
			n--;
			break;
		}
	if ((colon = strchr(word[0], ':'))) {
		index = strtoul(word[0], NULL, 10);
		word[0] = colon + 1;
	}
	proc = json_array_get(processes, index);
	if (!proc)
		printf("# expected %s, but the export has %zu processes\n", line,
		       json_array_size(processes));
	good = proc && (n == 3 && (!strcmp(word[0], "stack") || !strcmp(word[0], "region")) ?
			check_stack(line, proc, word, op, want) :
			n == 2 && !strcmp(word[0], "error") ?
			check_error(line, proc, word[1], op, want) :
			check_value(line, member(proc, word[0]), op, want));
	free(copy);
	return good;
}

int main(int argc, char **argv)
{
	char line[1024];
	json_error_t error;
	json_t *root;
	unsigned lines = 0, bad = 0;
	FILE *in;

	if (argc != 3)
		return 2;
	in = fopen(argv[1], "r");
	if (!in) {
		printf("# the program wrote no expectations: %s\n", strerror(errno));
		return 2;
	}
	root = json_load_file(argv[2], 0, &error);
	if (!root) {
		printf("# %s:%d: %s\n", argv[2], error.line, error.text);
		return 2;
	}
	while (fgets(line, sizeof line, in)) {
		line[strcspn(line, "\n")] = '\0';
		lines++;
		bad += !check_line(line, json_object_get(root, "processes"));
	}
	fclose(in);
	json_decref(root);
	if (!lines)
		printf("# the program wrote no expectations\n");
	return !lines || bad;
}
