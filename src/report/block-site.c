/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/hash.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "block-site.h"
#include "source.h"
#include "source-variable.h"
#include "view.h"

enum { LINES = 3 }; /* of the call, and before it */

struct block_sites {
	const struct heap *heap;
	struct symbolizer *sym;
	const struct report_opts *opts;
	struct source *source;
	struct u64map by_stack; /* → struct block_site * */
};

struct block_sites *block_sites_new(const struct heap *heap, struct symbolizer *sym,
				    const struct report_opts *opts)
{
	struct block_sites *b = xcalloc(1, sizeof *b);

	b->heap = heap;
	b->sym = sym;
	b->opts = opts;
	b->source = source_new(opts);
	return b;
}

void block_sites_free(struct block_sites *b)
{
	if (!b)
		return;
	u64map_for_each(&b->by_stack, p) {
		struct block_site *site = (void *)(uintptr_t)p->value;

		free(site->op);
		free(site->variable);
		free(site);
	}
	u64map_release(&b->by_stack);
	source_free(b->source);
	free(b);
}

/* Functions of libraries whose result is the block that was allocated in them, or is
 * put where their first argument says. */
static bool hands_out(const char *function)
{
	static const char *const functions[] = {
		"strdup", "strndup", "wcsdup", "realpath", "canonicalize_file_name", "getcwd",
		"get_current_dir_name", "opendir", "fopen", "fopen64", "fdopen", "fmemopen",
		"asprintf", "vasprintf", "getline", "getdelim", "make_unique", "make_shared",
	};

	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		if (!strcmp(functions[i], function))
			return true;
	return false;
}

/* "std::X<Foo>::Y std::make_unique<Foo, int>(int&&)": make_unique.  The caller frees. */
static char *bare_name(const char *function)
{
	const char *begin = function, *end = NULL, *c;
	int depth = 0;

	for (c = function; *c && (depth || *c != '('); c++) {
		if (*c == '<') {
			end = depth++ ? end : c;
		} else if (*c == '>') {
			depth -= depth > 0;
		} else if (!depth && (*c == ' ' || *c == ':')) {
			begin = c + 1;
			end = NULL;
		}
	}
	end = end ? end : c;
	while (begin < end && *begin == '_') /* __strdup */
		begin++;
	return xstrndup(begin, (size_t)(end - begin));
}

/* What a heap log said in words. */
static const char *told_variable(const struct block_sites *b, const struct heap_stack *s)
{
	const struct heap_module *m = s->n ? heap_module(b->heap, s->module[0]) : NULL;
	bool exact = s->exact && s->exact[0];
	const struct heap_place *place = m ? heap_place(b->heap, m->id, s->pc[0] - m->bias - !exact) : NULL;

	return place ? place->variable : NULL;
}

static void look_at_source(struct block_sites *b, struct block_site *site)
{
	const char *line[LINES];
	size_t n = source_lines(b->source, site->frame.dir, site->frame.file, site->frame.line,
				line, LINES);
	char *callee = site->inner ? bare_name(site->inner) : xstrdup(site->op);

	if (n && b->opts->source)
		site->source = line[n - 1] + strspn(line[n - 1], " \t");
	if (n && !site->variable && (!site->inner || hands_out(callee)))
		site->variable = source_variable(line, n, callee, !site->inner);
	free(callee);
}

static void look_up(struct block_sites *b, struct block_site *site, const struct heap_stack *s)
{
	const char *told = told_variable(b, s);
	struct frames frames;
	size_t i;

	frames_of(&frames, b->sym, b->heap, s, false);
	i = frames_site(&frames);
	if (i < frames.v.n) {
		site->known = true;
		site->frame = frames.v.v[i];
		site->inner = i ? frames.v.v[i - 1].function : NULL;
	}
	if (told)
		site->variable = xstrdup(told);
	if (site->known && (!i || site->inner))
		look_at_source(b, site);
	vec_release(&frames.v);
}

const struct block_site *block_site(struct block_sites *b, uint32_t stack)
{
	const struct heap_stack *s = heap_stack(b->heap, stack);
	struct block_site *site = u64map_getp(&b->by_stack, stack);
	struct strbuf op = STRBUF_INIT;

	if (site)
		return site;
	site = xcalloc(1, sizeof *site);
	view_op_name(&op, s ? heap_probe(b->heap, s->probe) : NULL);
	site->op = strbuf_detach(&op);
	if (s && s->n)
		look_up(b, site, s);
	u64map_set(&b->by_stack, stack, (uintptr_t)site);
	return site;
}
