/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/msg.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "elf/elf_file.h"
#include "trace/probes.h"

/* A new allocator is one row here.  Where several symbols name one address,
 * the first row wins. */
#define ALLOC(sym, sz, ...) { .symbol = sym, .op = OP_ALLOC, .size_arg = sz, __VA_ARGS__ }
#define REALLOC(sym, p, sz, ...) \
	{ .symbol = sym, .op = OP_REALLOC, .ptr_arg = p, .size_arg = sz, __VA_ARGS__ }
#define RELEASE(sym, p, ...) { .symbol = sym, .op = OP_RELEASE, .ptr_arg = p, __VA_ARGS__ }
/* How much it asks for only the result tells. */
#define STRING(sym, ...) { .symbol = sym, .op = OP_ALLOC, .flags = PROBE_STRING, __VA_ARGS__ }
#define USABLE(sym) { .symbol = sym, .ptr_arg = 1, .flags = PROBE_USABLE }
#define NEW(sym, fam) ALLOC(sym, 1, .family = fam, .flags = PROBE_CPP | PROBE_FORWARDS)
/* The aligned forms round the size up, so their bodies do not just forward. */
#define NEW_ALIGNED(sym, fam) ALLOC(sym, 1, .align_arg = 2, .family = fam, .flags = PROBE_CPP)
#define DELETE(sym, fam) RELEASE(sym, 1, .family = fam, .flags = PROBE_CPP)
#define DELETE_SIZED(sym, fam) \
	RELEASE(sym, 1, .size_arg = 2, .family = fam, .flags = PROBE_CPP)
#define TC_DELETE(sym, fam)                                             \
	RELEASE(sym, 1, .family = fam),                                 \
	RELEASE(sym "_nothrow", 1, .family = fam),                      \
	RELEASE(sym "_sized", 1, .size_arg = 2, .family = fam),         \
	RELEASE(sym "_aligned", 1, .family = fam),                      \
	RELEASE(sym "_sized_aligned", 1, .size_arg = 2, .family = fam), \
	RELEASE(sym "_aligned_nothrow", 1, .family = fam)
/* mimalloc's are documented to be released by mi_free(). */
#define MI_NEW(sym, sz, ...) ALLOC(sym, sz, .flags = PROBE_NEW, __VA_ARGS__)
#define MI_NEW_REALLOC(sym, p, sz, ...) REALLOC(sym, p, sz, .flags = PROBE_NEW, __VA_ARGS__)
/* size_t is mangled as m on 64-bit ABIs and as j on 32-bit ones. */
#define NEW_ALL(letter)                                                  \
	NEW("_Znw" letter, FAMILY_NEW),                                  \
	NEW("_Zna" letter, FAMILY_NEW_ARRAY),                            \
	NEW("_Znw" letter "RKSt9nothrow_t", FAMILY_NEW),                 \
	NEW("_Zna" letter "RKSt9nothrow_t", FAMILY_NEW_ARRAY),           \
	NEW_ALIGNED("_Znw" letter "St11align_val_t", FAMILY_NEW),                \
	NEW_ALIGNED("_Zna" letter "St11align_val_t", FAMILY_NEW_ARRAY),          \
	NEW_ALIGNED("_Znw" letter "St11align_val_tRKSt9nothrow_t", FAMILY_NEW),  \
	NEW_ALIGNED("_Zna" letter "St11align_val_tRKSt9nothrow_t", FAMILY_NEW_ARRAY), \
	DELETE_SIZED("_ZdlPv" letter, FAMILY_NEW),                             \
	DELETE_SIZED("_ZdaPv" letter, FAMILY_NEW_ARRAY),                       \
	DELETE_SIZED("_ZdlPv" letter "St11align_val_t", FAMILY_NEW),           \
	DELETE_SIZED("_ZdaPv" letter "St11align_val_t", FAMILY_NEW_ARRAY)

static const struct probe builtin[] = {
	ALLOC("malloc", 1),
	RELEASE("free", 1),
	ALLOC("calloc", 2, .count_arg = 1, .flags = PROBE_ZEROES),
	REALLOC("realloc", 1, 2),
	REALLOC("reallocarray", 1, 3, .count_arg = 2),
	ALLOC("posix_memalign", 3, .kind = KIND_OUT, .align_arg = 2, .out_arg = 1),
	ALLOC("aligned_alloc", 2, .align_arg = 1),
	ALLOC("memalign", 2, .align_arg = 1),
	ALLOC("valloc", 1),
	ALLOC("pvalloc", 1),
	RELEASE("cfree", 1),
	RELEASE("free_sized", 1, .size_arg = 2),
	RELEASE("free_aligned_sized", 1, .size_arg = 3),

	{ .symbol = "mmap", .op = OP_MAP, .kind = KIND_MMAP, .family = FAMILY_MAP, .ptr_arg = 1, .size_arg = 2 },
	{ .symbol = "mmap64", .op = OP_MAP, .kind = KIND_MMAP, .family = FAMILY_MAP, .ptr_arg = 1, .size_arg = 2 },
	{ .symbol = "munmap", .op = OP_UNMAP, .family = FAMILY_MAP, .ptr_arg = 1, .size_arg = 2 },
	{ .symbol = "mremap", .op = OP_REMAP, .kind = KIND_MMAP, .family = FAMILY_MAP, .ptr_arg = 1, .size_arg = 3, .count_arg = 0 },
	{ .symbol = "brk", .op = OP_BRK, .kind = KIND_BRK, .family = FAMILY_MAP, .ptr_arg = 1 },
	{ .symbol = "sbrk", .op = OP_BRK, .kind = KIND_SBRK, .family = FAMILY_MAP, .size_arg = 1 },

	NEW_ALL("m"),
	NEW_ALL("j"),
	DELETE("_ZdlPv", FAMILY_NEW),
	DELETE("_ZdaPv", FAMILY_NEW_ARRAY),
	DELETE("_ZdlPvRKSt9nothrow_t", FAMILY_NEW),
	DELETE("_ZdaPvRKSt9nothrow_t", FAMILY_NEW_ARRAY),
	DELETE("_ZdlPvSt11align_val_t", FAMILY_NEW),
	DELETE("_ZdaPvSt11align_val_t", FAMILY_NEW_ARRAY),
	DELETE("_ZdlPvSt11align_val_tRKSt9nothrow_t", FAMILY_NEW),
	DELETE("_ZdaPvSt11align_val_tRKSt9nothrow_t", FAMILY_NEW_ARRAY),

	{ .symbol = "__cxa_allocate_exception", .flags = PROBE_THROWS },

	/* jemalloc, jemalloc(3) */
	ALLOC("mallocx", 1, .mallocx_arg = 2),
	REALLOC("rallocx", 1, 2, .mallocx_arg = 3),
	REALLOC("xallocx", 1, 2, .kind = KIND_XALLOCX, .mallocx_arg = 4),
	RELEASE("dallocx", 1),
	RELEASE("sdallocx", 1, .size_arg = 2),

	/* mimalloc, mimalloc.h */
	ALLOC("mi_malloc", 1),
	RELEASE("mi_free", 1),
	ALLOC("mi_calloc", 2, .count_arg = 1, .flags = PROBE_ZEROES),
	REALLOC("mi_realloc", 1, 2),
	ALLOC("mi_zalloc", 1, .flags = PROBE_ZEROES),
	ALLOC("mi_malloc_small", 1),
	ALLOC("mi_zalloc_small", 1, .flags = PROBE_ZEROES),
	ALLOC("mi_mallocn", 2, .count_arg = 1),
	REALLOC("mi_reallocn", 1, 3, .count_arg = 2),
	REALLOC("mi_reallocarray", 1, 3, .count_arg = 2),
	REALLOC("mi_reallocf", 1, 2, .kind = KIND_FREES_OLD),
	REALLOC("mi_rezalloc", 1, 2, .flags = PROBE_ZEROES),
	REALLOC("mi_recalloc", 1, 3, .count_arg = 2, .flags = PROBE_ZEROES),
	ALLOC("mi_malloc_aligned", 1, .align_arg = 2),
	ALLOC("mi_malloc_aligned_at", 1, .align_arg = 2),
	ALLOC("mi_zalloc_aligned", 1, .align_arg = 2, .flags = PROBE_ZEROES),
	ALLOC("mi_zalloc_aligned_at", 1, .align_arg = 2, .flags = PROBE_ZEROES),
	ALLOC("mi_calloc_aligned", 2, .count_arg = 1, .align_arg = 3, .flags = PROBE_ZEROES),
	ALLOC("mi_calloc_aligned_at", 2, .count_arg = 1, .align_arg = 3, .flags = PROBE_ZEROES),
	REALLOC("mi_expand", 1, 2), /* in place, or NULL */
	REALLOC("mi_realloc_aligned", 1, 2, .align_arg = 3),
	REALLOC("mi_realloc_aligned_at", 1, 2, .align_arg = 3),
	REALLOC("mi_rezalloc_aligned", 1, 2, .align_arg = 3, .flags = PROBE_ZEROES),
	REALLOC("mi_rezalloc_aligned_at", 1, 2, .align_arg = 3, .flags = PROBE_ZEROES),
	REALLOC("mi_recalloc_aligned", 1, 3, .count_arg = 2, .align_arg = 4, .flags = PROBE_ZEROES),
	REALLOC("mi_recalloc_aligned_at", 1, 3, .count_arg = 2, .align_arg = 4, .flags = PROBE_ZEROES),
	REALLOC("mi_aligned_recalloc", 1, 3, .count_arg = 2, .align_arg = 4, .flags = PROBE_ZEROES),
	REALLOC("mi_aligned_offset_recalloc", 1, 3, .count_arg = 2, .align_arg = 4, .flags = PROBE_ZEROES),
	ALLOC("mi_posix_memalign", 3, .kind = KIND_OUT, .align_arg = 2, .out_arg = 1),
	ALLOC("mi_memalign", 2, .align_arg = 1),
	ALLOC("mi_aligned_alloc", 2, .align_arg = 1),
	ALLOC("mi_valloc", 1),
	ALLOC("mi_pvalloc", 1),
	RELEASE("mi_cfree", 1),
	RELEASE("mi_free_size", 1),
	RELEASE("mi_free_aligned", 1),
	RELEASE("mi_free_size_aligned", 1),
	ALLOC("mi_heap_malloc", 2),
	ALLOC("mi_heap_zalloc", 2, .flags = PROBE_ZEROES),
	STRING("mi_strdup"),
	STRING("mi_strndup"),
	STRING("mi_mbsdup"),
	STRING("mi_realpath"),
	STRING("mi_dupenv_s", .kind = KIND_OUT, .out_arg = 1),
	ALLOC("mi_heap_calloc", 3, .count_arg = 2, .flags = PROBE_ZEROES),
	ALLOC("mi_heap_mallocn", 3, .count_arg = 2),
	ALLOC("mi_heap_malloc_small", 2),
	REALLOC("mi_heap_realloc", 2, 3),
	REALLOC("mi_heap_reallocn", 2, 4, .count_arg = 3),
	REALLOC("mi_heap_reallocf", 2, 3, .kind = KIND_FREES_OLD),
	REALLOC("mi_heap_rezalloc", 2, 3, .flags = PROBE_ZEROES),
	REALLOC("mi_heap_recalloc", 2, 4, .count_arg = 3, .flags = PROBE_ZEROES),
	ALLOC("mi_heap_malloc_aligned", 2, .align_arg = 3),
	ALLOC("mi_heap_malloc_aligned_at", 2, .align_arg = 3),
	ALLOC("mi_heap_zalloc_aligned", 2, .align_arg = 3, .flags = PROBE_ZEROES),
	ALLOC("mi_heap_zalloc_aligned_at", 2, .align_arg = 3, .flags = PROBE_ZEROES),
	ALLOC("mi_heap_calloc_aligned", 3, .count_arg = 2, .align_arg = 4, .flags = PROBE_ZEROES),
	ALLOC("mi_heap_calloc_aligned_at", 3, .count_arg = 2, .align_arg = 4, .flags = PROBE_ZEROES),
	REALLOC("mi_heap_realloc_aligned", 2, 3, .align_arg = 4),
	REALLOC("mi_heap_realloc_aligned_at", 2, 3, .align_arg = 4),
	REALLOC("mi_heap_rezalloc_aligned", 2, 3, .align_arg = 4, .flags = PROBE_ZEROES),
	REALLOC("mi_heap_rezalloc_aligned_at", 2, 3, .align_arg = 4, .flags = PROBE_ZEROES),
	REALLOC("mi_heap_recalloc_aligned", 2, 4, .count_arg = 3, .align_arg = 5, .flags = PROBE_ZEROES),
	REALLOC("mi_heap_recalloc_aligned_at", 2, 4, .count_arg = 3, .align_arg = 5, .flags = PROBE_ZEROES),
	STRING("mi_heap_strdup"),
	STRING("mi_heap_strndup"),
	STRING("mi_heap_realpath"),
	MI_NEW("mi_heap_alloc_new", 2),
	MI_NEW("mi_heap_alloc_new_n", 3, .count_arg = 2),
	MI_NEW("mi_new", 1),
	MI_NEW("mi_new_n", 2, .count_arg = 1),
	MI_NEW("mi_new_nothrow", 1),
	MI_NEW("mi_new_aligned", 1, .align_arg = 2),
	MI_NEW("mi_new_aligned_nothrow", 1, .align_arg = 2),
	MI_NEW_REALLOC("mi_new_realloc", 1, 2),
	MI_NEW_REALLOC("mi_new_reallocn", 1, 3, .count_arg = 2),

	/* tcmalloc, gperftools/tcmalloc.h */
	ALLOC("tc_malloc", 1),
	RELEASE("tc_free", 1),
	RELEASE("tc_free_sized", 1, .size_arg = 2),
	RELEASE("tc_cfree", 1),
	ALLOC("tc_calloc", 2, .count_arg = 1, .flags = PROBE_ZEROES),
	REALLOC("tc_realloc", 1, 2),
	ALLOC("tc_memalign", 2, .align_arg = 1),
	ALLOC("tc_posix_memalign", 3, .kind = KIND_OUT, .align_arg = 2, .out_arg = 1),
	ALLOC("tc_valloc", 1),
	ALLOC("tc_pvalloc", 1),
	ALLOC("tc_malloc_skip_new_handler", 1),
	ALLOC("tc_new", 1, .family = FAMILY_NEW),
	ALLOC("tc_new_nothrow", 1, .family = FAMILY_NEW),
	ALLOC("tc_newarray", 1, .family = FAMILY_NEW_ARRAY),
	ALLOC("tc_newarray_nothrow", 1, .family = FAMILY_NEW_ARRAY),
	ALLOC("tc_new_aligned", 1, .align_arg = 2, .family = FAMILY_NEW),
	ALLOC("tc_newarray_aligned", 1, .align_arg = 2, .family = FAMILY_NEW_ARRAY),
	ALLOC("tc_new_aligned_nothrow", 1, .align_arg = 2, .family = FAMILY_NEW),
	ALLOC("tc_newarray_aligned_nothrow", 1, .align_arg = 2, .family = FAMILY_NEW_ARRAY),
	TC_DELETE("tc_delete", FAMILY_NEW),
	TC_DELETE("tc_deletearray", FAMILY_NEW_ARRAY),

	/* The C libraries' own names for the same functions: static programs
	 * and musl's linker use them. */
	ALLOC("__libc_malloc", 1),
	RELEASE("__libc_free", 1),
	ALLOC("__libc_calloc", 2, .count_arg = 1, .flags = PROBE_ZEROES),
	REALLOC("__libc_realloc", 1, 2),
	ALLOC("__libc_memalign", 2, .align_arg = 1),
	ALLOC("__simple_malloc", 1),

	/* Rust: alloc::alloc */
	ALLOC("__rust_alloc", 1, .align_arg = 2, .flags = PROBE_RUST),
	ALLOC("__rust_alloc_zeroed", 1, .align_arg = 2, .flags = PROBE_RUST | PROBE_ZEROES),
	REALLOC("__rust_realloc", 1, 4, .align_arg = 3, .old_size_arg = 2,
		.flags = PROBE_RUST),
	RELEASE("__rust_dealloc", 1, .size_arg = 2, .flags = PROBE_RUST),
	{ .symbol = "__rdl_alloc", .flags = PROBE_RUST_DEFAULT },

	/* malloc_usable_size(3) and what others call it */
	USABLE("malloc_usable_size"),
	USABLE("sallocx"),
	USABLE("mi_usable_size"),
	USABLE("mi_malloc_size"),
	USABLE("mi_malloc_usable_size"),
	USABLE("tc_malloc_size"),
	USABLE("malloc_size"),
	USABLE("MallocExtension_GetAllocatedSize"),
	{ .symbol = "nallocx", .size_arg = 1, .flags = PROBE_USABLE },
	{ .symbol = "tc_nallocx", .size_arg = 1, .flags = PROBE_USABLE },
	{ .symbol = "mi_good_size", .size_arg = 1, .flags = PROBE_USABLE },
	{ .symbol = "mi_malloc_good_size", .size_arg = 1, .flags = PROBE_USABLE },

	ALLOC("(before attach)", 0, .name = "before attach", .family = FAMILY_CUSTOM,
	      .flags = PROBE_OLDER),
};

/* -- the user's own -------------------------------------------------------- */

static int bad_spec(const char *text, const char *why)
{
	msg_error("'%s': %s; write SYMBOL:size=N, SYMBOL:ptr=N or OBJECT+0xOFFSET:…, "
		  "arguments counted from 1", text, why);
	return -EINVAL;
}

static int parse_argument(const char *text, char *item, struct user_probe *p)
{
	static const struct { const char *key; size_t at; } keys[] = {
		{ "ptr", offsetof(struct user_probe, ptr) },
		{ "size", offsetof(struct user_probe, size) },
		{ "count", offsetof(struct user_probe, count) },
		{ "align", offsetof(struct user_probe, align) },
		{ "out", offsetof(struct user_probe, out) },
	};
	char *value = strchr(item, '='), *end;
	unsigned long n;

	if (!value)
		return bad_spec(text, "an argument needs '=N'");
	*value++ = '\0';
	n = strtoul(value, &end, 10);
	if (end == value || *end || n < 1 || n > CALL_ARGS)
		return bad_spec(text, "an argument's number is 1 to 8");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(item, keys[i].key)) {
			*((uint8_t *)p + keys[i].at) = (uint8_t)n;
			return 0;
		}
	return bad_spec(text, "arguments are ptr, size, count, align and out");
}

static int parse_place(const char *text, char *place, struct user_probe *p)
{
	char *plus = strrchr(place, '+'), *end;

	if (!*place)
		return bad_spec(text, "the function is missing");
	/* C++ symbols have no plus sign in their mangled form. */
	if (!plus || plus == place) {
		p->symbol = xstrdup(place);
		return 0;
	}
	*plus++ = '\0';
	p->offset = strtoull(plus, &end, 0);
	if (end == plus || *end)
		return bad_spec(text, "the offset is no number");
	p->object = xstrdup(place);
	p->name = xasprintf("%s+0x%llx", place, (unsigned long long)p->offset);
	return 0;
}

static int check_complete(const char *text, struct user_probe *p)
{
	if (p->op == OP_RELEASE && !p->ptr)
		p->ptr = 1;
	if (p->op == OP_ALLOC && !p->size)
		return bad_spec(text, "which argument is the size?");
	if (p->op == OP_REALLOC && (!p->size || !p->ptr))
		return bad_spec(text, "which arguments are ptr and size?");
	return 0;
}

int user_probe_parse(const char *text, enum alloc_op op, struct user_probe *out)
{
	struct user_probe p = { .op = op, .text = xstrdup(text) };
	char *copy = xstrdup(text), *save = NULL, *item;
	char *args = strrchr(copy, ':');
	int err;

	/* "ns::pool_get" has colons and no arguments. */
	if (args && (args == copy || args[-1] != ':'))
		*args++ = '\0';
	else
		args = NULL;
	err = parse_place(text, copy, &p);
	for (item = args ? strtok_r(args, ",", &save) : NULL; item && !err;
	     item = strtok_r(NULL, ",", &save))
		err = parse_argument(text, item, &p);
	if (!err)
		err = check_complete(text, &p);
	free(copy);
	if (err)
		user_probe_release(&p);
	else
		*out = p;
	return err;
}

void user_probe_release(struct user_probe *p)
{
	free(p->symbol);
	free(p->object);
	free(p->text);
	free(p->name);
	memset(p, 0, sizeof *p);
}

static void add_user_probe(struct probe_set *ps, const struct user_probe *u)
{
	struct probe p = {
		.symbol = u->symbol ? u->symbol : "",
		.name = u->symbol ? u->symbol : u->name,
		.op = u->op,
		.kind = u->out ? KIND_OUT : KIND_PLAIN,
		.family = FAMILY_CUSTOM,
		.ptr_arg = u->ptr,
		.size_arg = u->size,
		.count_arg = u->count,
		.align_arg = u->align,
		.out_arg = u->out,
		.flags = PROBE_USER,
	};

	vec_push(&ps->probe, p);
	vec_push(&ps->symbol, p.symbol);
	vec_push(&ps->found, 0);
}

struct probe_set *probe_set_new(const struct trace_opts *opts)
{
	struct probe_set *ps = xcalloc(1, sizeof *ps);

	ps->opts = opts;
	/* The user's rows first: they know better what a symbol does. */
	for (size_t i = 0; i < opts->probes.n; i++)
		add_user_probe(ps, &opts->probes.v[i]);
	for (size_t i = 0; i < ARRAY_SIZE(builtin); i++) {
		struct probe p = builtin[i];

		if (!opts->change.redzone && p.flags & PROBE_USABLE)
			continue;
		if (opts->no_cpp && p.flags & PROBE_CPP)
			p.flags |= PROBE_LEFT_OUT;
		vec_push(&ps->probe, p);
		vec_push(&ps->symbol, builtin[i].symbol);
		vec_push(&ps->found, 0);
		ps->nbuiltin++;
	}
	for (size_t i = 0; i < opts->omit.n; i++)
		vec_push(&ps->omitted, 0);
	ps->told = xcalloc(ps->probe.n, sizeof *ps->told);
	return ps;
}

void probe_set_free(struct probe_set *ps)
{
	if (!ps)
		return;
	vec_release(&ps->probe);
	vec_release(&ps->symbol);
	vec_release(&ps->found);
	vec_release(&ps->omitted);
	vec_release(&ps->resolving);
	free(ps->told);
	free(ps);
}

bool probe_set_omits(struct probe_set *ps, const char *path)
{
	bool omit = false;

	for (size_t i = 0; i < ps->opts->omit.n; i++) {
		const char *o = ps->opts->omit.v[i];

		if (strcmp(o, strchr(o, '/') ? path : last_part(path)))
			continue;
		ps->omitted.v[i]++;
		omit = true;
	}
	return omit;
}

void probe_set_complaints(struct probe_set *ps, void (*fn)(void *, const char *), void *arg)
{
	static const char *const option[] = { "--alloc", "--realloc", "--free" };

	for (size_t i = 0; i < ps->opts->probes.n; i++) {
		const struct user_probe *u = &ps->opts->probes.v[i];
		struct strbuf sb = STRBUF_INIT;

		if (ps->found.v[i])
			continue;
		strbuf_addf(&sb, "%s '%s' matched nothing; ", option[u->op], u->text);
		strbuf_adds(&sb, u->symbol ?
			"is the name as nm -C -D or nm shows it, mangled? A static function of a stripped file needs OBJECT+OFFSET" :
			"is the object mapped, and the offset inside its code?");
		fn(arg, sb.s);
		strbuf_release(&sb);
	}
	for (size_t i = 0; i < ps->omitted.n; i++)
		if (!ps->omitted.v[i]) {
			char *line = xasprintf("-O %s matched no object; give the name or the path as /proc/PID/maps shows it",
					       ps->opts->omit.v[i]);

			fn(arg, line);
			free(line);
		}
}
