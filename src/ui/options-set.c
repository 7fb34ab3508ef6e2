/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What options do that differ in the field they set only (struct option_field). */
#include <errno.h>

#include "base/msg.h"
#include "base/strbuf.h"
#include "options-internal.h"

int options_wrong(const char *fmt, ...)
{
	struct strbuf sb = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&sb, fmt, ap);
	va_end(ap);
	msg_error("%s; try '%s --help'", sb.s, msg_program());
	strbuf_release(&sb);
	return -1;
}

int option_pick(const struct option_row *row, const char *arg, size_t n)
{
	struct strbuf all = STRBUF_INIT, like = STRBUF_INIT;
	unsigned hits = 0;
	int found = -1;
	const char *w;

	for (size_t i = 0; (w = option_word(row->word, i)); i++) {
		strbuf_addf(&all, "%s%s", i ? ", " : "", w);
		if (strncmp(w, arg, n))
			continue;
		strbuf_addf(&like, "%s%s", hits++ ? ", " : "", w);
		found = (int)i;
		if (strlen(w) == n) {
			hits = 1;
			break;
		}
	}
	if (!n || !hits)
		found = options_wrong("--%s: '%.*s' is none of %s", row->name, (int)n, arg, all.s);
	else if (hits > 1)
		found = options_wrong("--%s: '%.*s' may be any of %s", row->name, (int)n, arg, like.s);
	strbuf_release(&all);
	strbuf_release(&like);
	return found;
}

int option_number(const struct option_row *row, const char *arg, unsigned long min,
		  unsigned long max, unsigned long *out)
{
	char *end = NULL;
	unsigned long v = 0;

	errno = 0;
	if (*arg >= '0' && *arg <= '9')
		v = strtoul(arg, &end, 10);
	if (!end || *end || errno || v < min || v > max)
		return options_wrong("--%s: '%s' is not a number from %lu to %lu", row->name, arg,
				     min, max);
	*out = v;
	return 0;
}

static void *field_of(struct options *o, const struct option_row *row)
{
	return (char *)o + row->field.at;
}

/* Flags, enumerations and numbers are of these sizes. */
static int store(struct options *o, const struct option_row *row, unsigned long v)
{
	void *at = field_of(o, row);

	if (row->field.size == sizeof(bool))
		*(bool *)at = v;
	else if (row->field.size == sizeof(uint32_t))
		memcpy(at, &(uint32_t){ (uint32_t)v }, sizeof(uint32_t));
	else if (row->field.size == sizeof(uint64_t))
		memcpy(at, &(uint64_t){ v }, sizeof(uint64_t));
	else
		BUG("--%s sets %zu bytes", row->name, row->field.size);
	return 0;
}

int set_flag(struct options *o, const struct option_row *row, const char *arg)
{
	(void)arg;
	return store(o, row, true);
}

int clear_flag(struct options *o, const struct option_row *row, const char *arg)
{
	(void)arg;
	return store(o, row, false);
}

int set_value(struct options *o, const struct option_row *row, const char *arg)
{
	(void)arg;
	return store(o, row, row->field.value);
}

int set_number(struct options *o, const struct option_row *row, const char *arg)
{
	unsigned long v;

	if (option_number(row, arg, row->field.value, row->field.max, &v))
		return -1;
	return store(o, row, v);
}

int set_word(struct options *o, const struct option_row *row, const char *arg)
{
	int i = option_pick(row, arg, strlen(arg));

	return i < 0 ? -1 : store(o, row, (unsigned long)i);
}

int set_string(struct options *o, const struct option_row *row, const char *arg)
{
	if (!*arg)
		return options_wrong("--%s needs %s", row->name, row->arg);
	*(const char **)field_of(o, row) = arg;
	return 0;
}

int add_string(struct options *o, const struct option_row *row, const char *arg)
{
	struct strings *list = field_of(o, row);

	if (!*arg)
		return options_wrong("--%s needs %s", row->name, row->arg);
	vec_push(list, xstrdup(arg));
	return 0;
}

/* 10, 10s, 500ms, 5m, 2h. */
int set_time(struct options *o, const struct option_row *row, const char *arg)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = { { "", 1000000000 }, { "s", 1000000000 }, { "ms", 1000000 },
		      { "m", 60000000000 }, { "h", 3600000000000 } };
	char *end = NULL;
	unsigned long v = *arg >= '0' && *arg <= '9' ? strtoul(arg, &end, 10) : 0;

	for (size_t i = 0; end && v && v <= 1000000 && i < ARRAY_SIZE(units); i++)
		if (!strcmp(end, units[i].unit)) {
			*(uint64_t *)field_of(o, row) = v * units[i].ns;
			return 0;
		}
	return options_wrong("--%s: '%s' is no time like 30, 30s, 500ms, 5m or 1h", row->name, arg);
}

/* One byte in hexadecimal, with or without 0x, as valgrind takes it. */
int set_fill(struct options *o, const struct option_row *row, const char *arg)
{
	const char *digits = strncmp(arg, "0x", 2) && strncmp(arg, "0X", 2) ? arg : arg + 2;
	size_t n = strspn(digits, "0123456789abcdefABCDEF");
	struct fill_opt *fill = field_of(o, row);

	if (!n || digits[n] || strtoul(digits, NULL, 16) > 0xff)
		return options_wrong("--%s: '%s' is no byte in hexadecimal, 00 to ff", row->name, arg);
	*fill = (struct fill_opt){ true, (uint8_t)strtoul(digits, NULL, 16) };
	return 0;
}
