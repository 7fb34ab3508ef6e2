/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading suppressions, line by line. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/msg.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "model/event.h"
#include "suppress-internal.h"

#define ALL_LEAKS ((1u << LEAK_KINDS) - 1)

struct reader {
	struct suppressions *s;
	const char *name;
	const char *at, *end; /* what is still to be read */
	unsigned line;
	char *text;           /* the present line, without blanks at its ends */
	bool bad;
};

static PRINTF_LIKE(2, 3) int complain(struct reader *r, const char *fmt, ...)
{
	struct strbuf sb = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&sb, fmt, ap);
	va_end(ap);
	msg_error("%s:%u: %s", r->name, r->line, sb.s);
	strbuf_release(&sb);
	r->bad = true;
	return -1;
}

/* The next line that is neither empty nor a comment.  False: there is none. */
static bool next_line(struct reader *r)
{
	while (r->at < r->end) {
		const char *start = r->at, *stop = memchr(start, '\n', (size_t)(r->end - start));

		stop = stop ? stop : r->end;
		r->at = stop < r->end ? stop + 1 : r->end;
		r->line++;
		while (start < stop && (isspace((unsigned char)*start) || !*start))
			start++;
		while (start < stop && (isspace((unsigned char)stop[-1]) || !stop[-1]))
			stop--;
		if (start == stop || *start == '#')
			continue;
		free(r->text);
		r->text = xstrndup(start, (size_t)(stop - start));
		return true;
	}
	return false;
}

static bool skip(const char **s, const char *prefix)
{
	size_t n = strlen(prefix);

	if (strncmp(*s, prefix, n))
		return false;
	*s += n;
	return true;
}

/* -- LeakSanitizer's ---------------------------------------------------------------- */

/* Anywhere in the text, unless ^ and $ say otherwise. */
static char *as_glob(const char *pattern)
{
	struct strbuf sb = STRBUF_INIT;
	size_t n = strlen(pattern);
	bool from_start = *pattern == '^', to_end = n && pattern[n - 1] == '$';

	if (!from_start)
		strbuf_addc(&sb, '*');
	if (n > (size_t)(from_start + to_end))
		strbuf_add(&sb, pattern + from_start, n - from_start - to_end);
	if (!to_end)
		strbuf_addc(&sb, '*');
	return strbuf_detach(&sb);
}

/* Other sanitizers' kinds may stand in the same file: those of ThreadSanitizer
 * and AddressSanitizer, and the checks of UndefinedBehaviorSanitizer, of which
 * most have a dash. */
static bool is_other_kind(const char *text)
{
	static const char *const kinds[] = { "race", "thread", "mutex", "signal", "deadlock",
					     "alignment", "bool", "bounds", "enum", "function",
					     "null", "return", "undefined", "unreachable", "vptr" };
	size_t n = strcspn(text, ":");

	if (!text[n] || !text[n + 1])
		return false;
	if (strcspn(text, "-_") < n)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strlen(kinds[i]) == n && !strncmp(kinds[i], text, n))
			return true;
	return false;
}

static void read_sanitizer(struct reader *r)
{
	do {
		const char *rest = r->text;

		if (skip(&rest, "leak:") && *rest) {
			struct suppress_rule rule = { .name = xstrdup(r->text), .kinds = ALL_LEAKS,
						      .anywhere = as_glob(rest) };

			vec_push(&r->s->rules, rule);
		} else if (is_other_kind(r->text)) {
			msg_verbose("%s:%u: '%s' is not about leaks", r->name, r->line, r->text);
		} else {
			complain(r, "'%s' is no suppression like leak:PATTERN", r->text);
		}
	} while (next_line(r));
}

/* -- Valgrind's ----------------------------------------------------------------------- */

/* "Memcheck,Helgrind:Leak": which of our kinds are meant. */
static int read_what(struct reader *r, struct suppress_rule *rule)
{
	const char *colon = strchr(r->text, ':');
	bool ours = false;

	if (!colon || colon == r->text || !colon[1])
		return complain(r, "'%s' is not like Memcheck:Leak", r->text);
	for (const char *tool = r->text; tool < colon;) {
		size_t n = strcspn(tool, ",:");

		ours |= n == strlen("Memcheck") && !strncmp(tool, "Memcheck", n);
		tool += n + 1;
	}
	if (ours && !strcmp(colon + 1, "Leak"))
		rule->kinds = ALL_LEAKS;
	else if (ours && !strcmp(colon + 1, "Free"))
		rule->kinds = 1u << SUPPRESS_FREE;
	return 0;
}

static int read_kinds(struct reader *r, struct suppress_rule *rule, const char *list)
{
	static const char *const names[] = {
		[LEAK_DEFINITE] = "definite", [LEAK_INDIRECT] = "indirect",
		[LEAK_POSSIBLE] = "possible", [LEAK_REACHABLE] = "reachable",
		[LEAK_KINDS] = "all", [LEAK_KINDS + 1] = "none",
	};

	rule->kinds = 0;
	for (; *list; list += *list == ',') {
		size_t n, i;

		list += strspn(list, " \t");
		n = strcspn(list, ", \t");
		for (i = 0; i < ARRAY_SIZE(names); i++)
			if (strlen(names[i]) == n && !strncmp(names[i], list, n))
				break;
		if (i == ARRAY_SIZE(names))
			return complain(r, "'%.*s' is no kind of leak", (int)n, list);
		if (i < LEAK_KINDS)
			rule->kinds |= 1u << i;
		else if (i == LEAK_KINDS)
			rule->kinds = ALL_LEAKS;
		list += n;
		list += strspn(list, " \t");
	}
	return 0;
}

static int read_item(struct reader *r, struct suppress_rule *rule)
{
	struct suppress_item item = { ITEM_DOTS, NULL };
	const char *rest = r->text;

	if (!strcmp(rest, "...")) {
		vec_push(&rule->items, item);
		return 0;
	}
	if (skip(&rest, "fun:"))
		item.kind = ITEM_FUN;
	else if (skip(&rest, "obj:"))
		item.kind = ITEM_OBJ;
	else if (skip(&rest, "src:"))
		item.kind = ITEM_SRC;
	else
		return complain(r, "'%s' is none of fun:, obj:, src: and ...", r->text);
	if (!*rest)
		return complain(r, "'%s' names nothing", r->text);
	item.pattern = xstrdup(rest);
	vec_push(&rule->items, item);
	return 0;
}

static void skip_to_brace(struct reader *r)
{
	while (strcmp(r->text, "}") && next_line(r))
		;
}

/* A line inside the braces must be there. */
static bool inner_line(struct reader *r)
{
	if (!next_line(r)) {
		complain(r, "a '}' is missing");
		return false;
	}
	if (!strcmp(r->text, "}")) {
		complain(r, "'}' comes too early");
		return false;
	}
	return true;
}

/* What stands behind the kind of error. */
static int read_line(struct reader *r, struct suppress_rule *rule)
{
	const char *rest = r->text;

	if (rule->kinds & ALL_LEAKS && !rule->items.n && skip(&rest, "match-leak-kinds:"))
		return read_kinds(r, rule, rest);
	return read_item(r, rule);
}

static int read_block(struct reader *r, struct suppress_rule *rule)
{
	if (!inner_line(r))
		return -1;
	rule->name = xstrdup(r->text);
	if (!inner_line(r) || read_what(r, rule))
		return -1;
	while (next_line(r) && strcmp(r->text, "}"))
		/* What other kinds of error have is not known. */
		if (rule->kinds && read_line(r, rule))
			return -1;
	if (strcmp(r->text, "}"))
		return complain(r, "a '}' is missing");
	if (rule->kinds && !rule->items.n)
		return complain(r, "'%s' names no frame", rule->name);
	return 0;
}

static void read_valgrind(struct reader *r)
{
	do {
		struct suppress_rule rule = { 0 };

		if (strcmp(r->text, "{")) {
			complain(r, "a '{' should stand instead of '%s'", r->text);
			return;
		}
		if (!read_block(r, &rule) && rule.kinds) {
			vec_push(&r->s->rules, rule);
		} else {
			suppress_rule_release(&rule);
			skip_to_brace(r);
		}
	} while (next_line(r));
}

int suppressions_parse(struct suppressions *s, const char *name, const char *text, size_t n)
{
	struct reader r = { .s = s, .name = name, .at = text, .end = text + n };

	if (next_line(&r)) {
		if (!strcmp(r.text, "{"))
			read_valgrind(&r);
		else
			read_sanitizer(&r);
	}
	free(r.text);
	return r.bad ? -1 : 0;
}

int suppressions_read(struct suppressions *s, const char *path)
{
	struct strbuf sb = STRBUF_INIT;
	FILE *f = fopen(path, "re");
	char buf[4096];
	size_t n;
	int err = 0;

	if (!f)
		return msg_error("cannot read suppressions %s: %s", path, strerror(errno));
	while ((n = fread(buf, 1, sizeof buf, f)))
		strbuf_add(&sb, buf, n);
	if (ferror(f))
		err = msg_error("cannot read suppressions %s: %s", path, strerror(errno));
	else if (sb.n)
		err = suppressions_parse(s, path, sb.s, sb.n);
	strbuf_release(&sb);
	fclose(f);
	return err;
}
