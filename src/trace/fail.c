/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/msg.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "trace/argument.h"
#include "trace/fail.h"
#include "trace/recorder.h"

struct failing {
	const struct change_opts *opts;
	uint64_t seen[FAIL_RULES_MAX];    /* requests that each rule is about */
	struct u64map frames[FAIL_RULES_MAX]; /* space and pc → 1: the regex matches, 0 */
	uint64_t failed, granted;
};

struct failing *failing_new(const struct change_opts *o)
{
	struct failing *f;

	if (!o->fail.n)
		return NULL;
	f = xcalloc(1, sizeof *f);
	f->opts = o;
	return f;
}

void failing_free(struct failing *f)
{
	for (size_t i = 0; f && i < FAIL_RULES_MAX; i++)
		u64map_release(&f->frames[i]);
	free(f);
}

/* -- which ------------------------------------------------------------------------- */

/* A function of the program's own need not be prepared for an absurd size, and
 * jemalloc forbids xallocx() one.  A request of no bytes may be a release. */
static bool may_fail(const struct call *c)
{
	const struct probe *pr = c->site->probe;

	return c->size && pr->family != FAMILY_MAP && pr->family != FAMILY_CUSTOM &&
	       pr->kind != KIND_XALLOCX && (pr->op == OP_ALLOC || pr->op == OP_REALLOC);
}

static bool matches(const regex_t *re, const char *text)
{
	return text && !regexec(re, text, 0, NULL, 0);
}

static bool frame_matches(struct proc *p, const regex_t *re, taddr_t pc, bool exact)
{
	struct module *m = modules_find(&p->modules, pc);
	struct elf_symbol sym;
	bool hit;
	char *nice;

	if (!m)
		return false;
	if (matches(re, last_part(m->path)))
		return true;
	if (!m->file || !elf_file_function_at(m->file, pc - !exact - m->bias, &sym))
		return false;
	nice = elf_demangle(sym.name);
	hit = matches(re, sym.name) || matches(re, nice);
	free(nice);
	return hit;
}

/* Looking up names takes long; there are few different frames. */
static bool has_caller(struct proc *p, struct u64map *known, const regex_t *re,
		       const struct backtrace *bt)
{
	for (uint32_t i = 0; i < bt->n; i++) {
		uint64_t key = (uint64_t)p->space << 48 ^ bt->pc[i] << 1 ^ (uint64_t)bt->exact[i];
		uint64_t *v = u64map_get(known, key);
		bool hit = v ? *v : frame_matches(p, re, bt->pc[i], bt->exact[i]);

		if (!v)
			u64map_set(known, key, hit);
		if (hit)
			return true;
	}
	return false;
}

static bool is_turn(const struct fail_rule *r, uint64_t n)
{
	if (!r->first)
		return true;
	return r->step ? n >= r->first && (n - r->first) % r->step == 0 : n == r->first;
}

/* -- how ----------------------------------------------------------------------------- */

/* More than any allocator has, and rounding up to an alignment does not make it
 * wrap around: half of the address space. */
static uint64_t impossible(const struct abi *abi)
{
	return (uint64_t)1 << (8 * abi->word - 1);
}

static void make_impossible(struct task *t, struct call *c)
{
	const struct probe *pr = c->site->probe;

	c->failing = !argument_set(t, pr->size_arg, impossible(t->proc->abi)) &&
		     !(pr->count_arg && argument_set(t, pr->count_arg, 1));
	t->proc->session->failing->failed += c->failing;
}

void fail_request(struct task *t, struct call *c, const struct backtrace *bt)
{
	struct failing *f = t->proc->session->failing;
	bool now = false;

	if (!f || t->proc->sanitized || !c->ret || !may_fail(c))
		return;
	for (size_t i = 0; i < f->opts->fail.n; i++) {
		const struct fail_rule *r = &f->opts->fail.v[i];

		if (c->size < r->min_size ||
		    (r->caller && !has_caller(t->proc, &f->frames[i], &r->regex, bt)))
			continue;
		c->counted |= (uint8_t)(1u << i);
		now |= is_turn(r, ++f->seen[i]);
	}
	if (now)
		make_impossible(t, c);
}

void fail_tell(struct session *s, const struct call *c)
{
	const struct change_opts *o = &s->opts->change;
	struct product product = call_product(c);

	if (c->counted && o->on_request)
		o->on_request(o->arg, s->failing->seen[0], c->stack, c->size, &product, c->failing);
}

static void put_back(struct task *t, const struct call *c)
{
	const struct probe *pr = c->site->probe;

	argument_put_back(t, c->sp, pr->size_arg, impossible(t->proc->abi), c->arg[pr->size_arg - 1]);
	if (pr->count_arg)
		argument_put_back(t, c->sp, pr->count_arg, 1, c->arg[pr->count_arg - 1]);
}

void fail_returned(struct task *t, const struct call *c, bool failed)
{
	if (!c->failing)
		return;
	t->proc->session->failing->granted += !failed;
	put_back(t, c);
}

void fail_take_back(struct task *t, const struct call *c)
{
	struct failing *f = t->proc->session->failing;
	const struct probe *pr = c->site ? c->site->probe : NULL;

	for (size_t i = 0; f && i < FAIL_RULES_MAX; i++)
		f->seen[i] -= c->counted >> i & 1;
	if (!c->failing)
		return;
	f->failed--;
	argument_set(t, pr->size_arg, c->arg[pr->size_arg - 1]);
	if (pr->count_arg)
		argument_set(t, pr->count_arg, c->arg[pr->count_arg - 1]);
}

void fail_summary(struct session *s)
{
	const struct failing *f = s->failing;
	struct strbuf sb = STRBUF_INIT;

	if (!f)
		return;
	strbuf_addf(&sb, "%llu request%s made to fail", (unsigned long long)f->failed,
		    f->failed == 1 ? " was" : "s were");
	if (f->granted)
		strbuf_addf(&sb, ", %llu of them granted all the same",
			    (unsigned long long)f->granted);
	if (!f->failed)
		strbuf_addf(&sb, "; --inject matched %llu", (unsigned long long)f->seen[0]);
	record_note(s, 0, true, sb.s);
	strbuf_release(&sb);
}

/* -- the option ------------------------------------------------------------------------- */

static const char *const syntax =
	"write malloc:fail[:when=N[+STEP]][:min-size=BYTES][:caller=REGEX]";

static int bad_rule(const char *text, const char *why)
{
	msg_error("--inject '%s': %s; %s", text, why, syntax);
	return -EINVAL;
}

/* Digits, and what follows them.  0: no number, or too large a one. */
static uint64_t parse_number(const char *s, const char **end)
{
	char *after = (char *)s;
	uint64_t v = 0;

	errno = 0;
	if (*s >= '0' && *s <= '9')
		v = strtoull(s, &after, 10);
	*end = after;
	return errno ? 0 : v;
}

static int parse_when(const char *text, const char *value, struct fail_rule *r)
{
	const char *end;

	r->first = parse_number(value, &end);
	if (*end == '+') {
		value = end + 1;
		r->step = *value ? parse_number(value, &end) : 1;
		if (!*value)
			end = value;
		if (!r->step)
			return bad_rule(text, "STEP is a number from 1");
	}
	return r->first && !*end ? 0 : bad_rule(text, "when= takes a number from 1");
}

static int parse_min_size(const char *text, const char *value, struct fail_rule *r)
{
	static const char units[] = "KMG";
	const char *end, *unit;

	r->min_size = parse_number(value, &end);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit && r->min_size < (uint64_t)1 << 32) {
		r->min_size <<= 10 * (unit - units + 1);
		end++;
	}
	return r->min_size && !*end ? 0 : bad_rule(text, "min-size= takes a number of bytes, from 1");
}

static int parse_caller(const char *text, const char *value, struct fail_rule *r)
{
	char why[200];
	int err = regcomp(&r->regex, value, REG_EXTENDED | REG_NOSUB);

	if (err) {
		regerror(err, &r->regex, why, sizeof why);
		return bad_rule(text, why);
	}
	r->caller = xstrdup(value);
	return *value ? 0 : bad_rule(text, "caller= takes a regular expression");
}

static int parse_item(const char *text, char *item, struct fail_rule *r)
{
	char *value = strchr(item, '=');

	if (!value)
		return bad_rule(text, "a condition has the form NAME=VALUE");
	*value++ = '\0';
	if (!strcmp(item, "when"))
		return parse_when(text, value, r);
	if (!strcmp(item, "min-size"))
		return parse_min_size(text, value, r);
	return bad_rule(text, "there is no such condition");
}

int fail_rule_parse(const char *text, struct fail_rule *out)
{
	static const char what[] = "malloc:fail", caller[] = "caller=";
	struct fail_rule r = { 0 };
	char *copy, *rest;
	int err = 0;

	if (strncmp(text, what, sizeof what - 1) || (text[sizeof what - 1] && text[sizeof what - 1] != ':'))
		return bad_rule(text, "only malloc can be made to fail");
	copy = xstrdup(text + sizeof what - 1);
	rest = *copy ? copy + 1 : NULL;
	while (rest && !err) {
		char *next;

		/* An expression may have colons, so that it ends the rule. */
		if (!strncmp(rest, caller, sizeof caller - 1)) {
			err = parse_caller(text, rest + sizeof caller - 1, &r);
			break;
		}
		next = strchr(rest, ':');
		if (next)
			*next++ = '\0';
		err = parse_item(text, rest, &r);
		rest = next;
	}
	free(copy);
	if (err)
		fail_rule_release(&r);
	else
		*out = r;
	return err;
}

void fail_rule_release(struct fail_rule *r)
{
	if (r->caller)
		regfree(&r->regex);
	free(r->caller);
	memset(r, 0, sizeof *r);
}
