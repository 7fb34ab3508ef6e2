/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Holds a JSON value against the schema in doc/JSON.md: just the keywords that
 * page says it uses, and anything else in the schema is an error. */
#ifndef MTRACE_TESTS_JSON_SCHEMA_H
#define MTRACE_TESTS_JSON_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"

struct schema {
	json_t *root;
	int errors;
};

static inline void schema_complain(struct schema *s, const char *path, const char *what)
{
	s->errors++;
	printf("# %s: %s\n", *path ? path : "/", what);
}

static inline const char *schema_type_name(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT: return "object";
	case JSON_ARRAY:  return "array";
	case JSON_STRING: return "string";
	case JSON_INTEGER: return "integer";
	case JSON_REAL:   return "number";
	case JSON_NULL:   return "null";
	default:          return "boolean";
	}
}

static inline bool schema_type(const json_t *type, const json_t *v)
{
	json_t *one;
	size_t i;

	if (json_is_string(type))
		return !strcmp(json_string_value(type), schema_type_name(v));
	json_array_foreach(type, i, one)
		if (schema_type(one, v))
			return true;
	return false;
}

static inline bool schema_enum(const json_t *list, json_t *v)
{
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
		if (json_equal(one, v))
			return true;
	return false;
}

static inline void schema_check(struct schema *s, json_t *rule, json_t *v, const char *path);

static inline void schema_members(struct schema *s, json_t *rule, json_t *v, const char *path)
{
	json_t *properties = json_object_get(rule, "properties"), *sub, *required;
	char below[512], what[256];
	const char *key;
	json_t *value;
	size_t i;

	if (!json_is_object(v))
		return; /* "type" says whether it may be null */
	json_array_foreach(json_object_get(rule, "required"), i, required)
		if (!json_object_get(v, json_string_value(required))) {
			snprintf(what, sizeof what, "no \"%s\"", json_string_value(required));
			schema_complain(s, path, what);
		}
	json_object_foreach(v, key, value) {
		snprintf(below, sizeof below, "%s/%s", path, key);
		sub = json_object_get(properties, key);
		if (sub)
			schema_check(s, sub, value, below);
		else if (json_is_false(json_object_get(rule, "additionalProperties")))
			schema_complain(s, below, "not in the schema");
	}
}

static inline void schema_reference(struct schema *s, json_t *ref, json_t *v, const char *path)
{
	static const char prefix[] = "#/definitions/";
	const char *name = json_string_value(ref);
	json_t *rule = NULL;

	if (name && !strncmp(name, prefix, sizeof prefix - 1))
		rule = json_object_get(json_object_get(s->root, "definitions"),
				       name + sizeof prefix - 1);
	if (rule)
		schema_check(s, rule, v, path);
	else
		schema_complain(s, path, "the schema refers to nothing");
}

/* One keyword of a rule.  True: the value obeys. */
static inline bool schema_keyword(struct schema *s, const char *keyword, json_t *rule,
				  json_t *argument, json_t *v, const char *path)
{
	char below[512];
	json_t *item;
	size_t i;

	if (!strcmp(keyword, "type"))
		return schema_type(argument, v);
	if (!strcmp(keyword, "enum"))
		return schema_enum(argument, v);
	if (!strcmp(keyword, "minimum"))
		return !json_is_integer(v) || json_integer_value(v) >= json_integer_value(argument);
	if (!strcmp(keyword, "pattern")) /* "^0x": a prefix */
		return !json_is_string(v) ||
		       !strncmp(json_string_value(v), json_string_value(argument) + 1,
				json_string_length(argument) - 1);
	if (!strcmp(keyword, "$ref"))
		schema_reference(s, argument, v, path);
	else if (!strcmp(keyword, "properties") && json_is_object(v))
		schema_members(s, rule, v, path);
	else if (!strcmp(keyword, "items"))
		json_array_foreach(v, i, item) {
			snprintf(below, sizeof below, "%s/%zu", path, i);
			schema_check(s, argument, item, below);
		}
	else
		return !strcmp(keyword, "required") || !strcmp(keyword, "properties") ||
		       !strcmp(keyword, "additionalProperties") || !strcmp(keyword, "definitions");
	return true;
}

static inline void schema_check(struct schema *s, json_t *rule, json_t *v, const char *path)
{
	const char *keyword;
	json_t *argument;
	char what[128];

	json_object_foreach(rule, keyword, argument)
		if (!schema_keyword(s, keyword, rule, argument, v, path)) {
			snprintf(what, sizeof what, "breaks \"%s\", it is of type %s", keyword,
				 schema_type_name(v));
			schema_complain(s, path, what);
		}
}

/* The fenced block of a Markdown file that says it is the schema. */
static inline json_t *schema_load(const char *markdown)
{
	static const char fence[] = "\n```json schema\n";
	struct strbuf sb = STRBUF_INIT;
	FILE *f = fopen(markdown, "re");
	char buf[4096], *start, *end;
	json_t *root = NULL;
	size_t n;

	if (!f)
		return NULL;
	while ((n = fread(buf, 1, sizeof buf, f)))
		strbuf_add(&sb, buf, n);
	fclose(f);
	start = sb.s ? strstr(sb.s, fence) : NULL;
	if (start) {
		start += sizeof fence - 1;
		end = strstr(start, "\n```");
		root = json_loadb(start, end ? (size_t)(end - start) : strlen(start), 0, NULL);
	}
	strbuf_release(&sb);
	return root;
}

/* How often v breaks the schema; each time is printed. */
static inline int schema_errors(json_t *root, json_t *v)
{
	struct schema s = { root, 0 };

	schema_check(&s, root, v, "");
	return s.errors;
}

#endif
