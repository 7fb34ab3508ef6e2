/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The export: against doc/JSON.md's schema, and value by value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "schema-fixture.h"
#include "session.h"

/* The export of a session, which ends. */
static json_t *export_as(struct feed *f, struct report_opts opts)
{
	struct strbuf sb = STRBUF_INIT;
	json_t *v;

	opts.symbols = &test_symbols;
	report_json(f->heap, &opts, &sb);
	assert_int_equal(sb.s[sb.n - 1], '\n');
	v = json_loadb(sb.s, sb.n, 0, NULL);
	assert_non_null(v);
	assert_int_equal(schema_errors(schema, v), 0);
	strbuf_release(&sb);
	heap_free(f->heap);
	return v;
}

static json_t *export_without(struct feed *f, const char *const *ignore)
{
	struct report_opts opts = REPORT_OPTS_INIT;

	opts.ignore = ignore;
	return export_as(f, opts);
}

static json_t *export(struct feed *f)
{
	return export_without(f, NULL);
}

static json_t *proc(json_t *root, size_t i)
{
	return json_array_get(json_object_get(root, "processes"), i);
}

static json_int_t number(json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	assert_true(json_is_integer(v));
	return json_integer_value(v);
}

static const char *text(json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void totals_and_stacks(void **state)
{
	struct feed f = session_leaky();
	json_t *root, *p, *stacks, *s, *frame;

	(void)state;
	feed_end(&f, END_EXITED, 3);
	root = export(&f);
	p = proc(root, 0);
	assert_int_equal(number(p, "pid"), 4711);
	assert_string_equal(text(p, "exe"), "/src/leaky");
	assert_string_equal(text(p, "how"), "launched");
	assert_string_equal(text(p, "state"), "exited");
	assert_int_equal(number(p, "exit_code"), 3);
	assert_true(json_is_null(json_object_get(p, "exit_signal")));
	assert_int_equal(number(p, "run_ns"), 20 * MS);
	assert_int_equal(number(p, "threads"), 1);
	assert_int_equal(number(p, "shutdown_releases"), 0);
	assert_int_equal(number(p, "allocs"), 53);
	assert_int_equal(number(p, "frees"), 1);
	assert_int_equal(number(p, "bytes_allocated"), 4372);
	assert_int_equal(number(p, "open_blocks"), 52);
	assert_int_equal(number(p, "open_bytes"), 4272);
	assert_int_equal(number(p, "peak_blocks"), 52);
	assert_int_equal(number(p, "peak_bytes"), 4272);
	assert_int_equal(number(json_object_get(p, "unwind"), "stacks"), 3);
	stacks = json_object_get(p, "stacks");
	assert_int_equal(json_array_size(stacks), 3);
	s = json_array_get(stacks, 0);
	assert_string_equal(text(s, "op"), "malloc");
	assert_int_equal(number(s, "open_blocks"), 50);
	assert_int_equal(number(s, "open_bytes"), 4000);
	s = json_array_get(stacks, 1);
	assert_int_equal(number(s, "open_bytes"), 256);
	assert_int_equal(number(s, "total_bytes"), 356);
	assert_int_equal(number(s, "released"), 1);
	frame = json_array_get(json_object_get(s, "frames"), 0);
	assert_string_equal(text(frame, "addr"), "0x400160");
	assert_string_equal(text(frame, "module"), "/src/leaky");
	assert_string_equal(text(frame, "offset"), "0x160");
	assert_string_equal(text(frame, "function"), "open_log");
	assert_string_equal(text(frame, "file"), "/src/leaky.c");
	assert_int_equal(number(frame, "line"), 26);
	assert_true(json_is_false(json_object_get(frame, "inlined")));
	/* Frames below main are there: open_log, main, ?, __libc_start_main, _start. */
	assert_int_equal(json_array_size(json_object_get(s, "frames")), 5);
	json_decref(root);
}

/* What the text leaves out is marked, not left out. */
static void ignored_ones_are_last(void **state)
{
	static const char *const ignore[] = { "^read_", NULL };
	struct feed f = session_leaky();
	json_t *root, *stacks, *s;

	(void)state;
	root = export_without(&f, ignore);
	stacks = json_object_get(proc(root, 0), "stacks");
	assert_int_equal(json_array_size(stacks), 3);
	assert_true(json_is_false(json_object_get(json_array_get(stacks, 0), "ignored")));
	s = json_array_get(stacks, 2);
	assert_true(json_is_true(json_object_get(s, "ignored")));
	assert_int_equal(number(s, "open_bytes"), 4000);
	json_decref(root);
}

static void every_member(void **state)
{
	struct feed f = session_start(PROC_LAUNCHED);
	json_t *root, *p, *s, *frames;

	(void)state;
	STACK(&f, 10, P_MMAP, STACK_CUT, LEAKY + 0x140);
	STACK(&f, 11, P_NEW, STACK_BROKEN, LEAKY + 0x180, SQLITE + 0x55);
	STACK(&f, 12, P_MALLOC, STACK_COMPLETE, 0x10);
	feed_map(&f, 0x100000, 8192, 10);
	feed_alloc(&f, 0x1000, 7, 11);
	feed_alloc(&f, 0x2000, 7, 0);
	feed_failed(&f, UINT64_MAX, 3);
	FEED(&f, .type = EV_NOTE, .u.note = { true, "a \xff byte" });
	feed_end(&f, END_EXECED, 0);
	feed_proc(&f, 4711, PROC_EXECED, 0, "/bin/\xfe");
	feed_map(&f, 0x100000, 8192, 10);
	feed_alloc(&f, 0x1000, 7, 11);
	feed_alloc(&f, 0x2000, 6, 0);
	feed_failed(&f, UINT64_MAX, 3);
	feed_proc(&f, 4712, PROC_FORKED, 4711, "/bin/x");
	feed_alloc(&f, 0x3000, 5, 11);
	f.pid = 4711;
	feed_end(&f, END_SIGNALED, 9);
	root = export(&f);
	p = proc(root, 0);
	assert_string_equal(text(p, "exe"), "/bin/?");
	assert_string_equal(text(p, "how"), "launched");
	assert_int_equal(number(p, "exit_signal"), 9);
	assert_int_equal(json_array_size(json_object_get(p, "images")), 1);
	assert_int_equal(number(json_array_get(json_object_get(p, "images"), 0), "allocs"), 2);
	assert_int_equal(number(json_object_get(p, "mappings"), "open_bytes"), 8192);
	assert_int_equal(number(json_object_get(p, "unwind"), "cut"), 1);
	assert_int_equal(number(json_object_get(p, "unwind"), "broken"), 1);
	assert_int_equal(json_array_size(json_object_get(p, "stacks")), 4);
	s = json_array_get(json_object_get(p, "stacks"), 0);
	assert_string_equal(text(s, "op"), "operator new[](unsigned long)");
	assert_string_equal(text(s, "end"), "broken");
	frames = json_object_get(s, "frames");
	assert_int_equal(json_array_size(frames), 3);
	assert_true(json_is_true(json_object_get(json_array_get(frames, 0), "inlined")));
	assert_string_equal(text(json_array_get(frames, 1), "function"), "fill");
	assert_string_equal(text(json_array_get(frames, 1), "addr"), "0x400180");
	s = json_array_get(json_object_get(p, "stacks"), 3);
	assert_true(number(s, "failed_max_size") == INT64_MAX);
	p = proc(root, 1);
	assert_string_equal(text(p, "state"), "running");
	assert_true(json_is_null(json_object_get(p, "exit_code")));
	assert_int_equal(number(p, "open_blocks"), 3);
	assert_int_equal(number(json_object_get(p, "inherited"), "blocks"), 2);
	assert_int_equal(number(json_object_get(p, "inherited"), "bytes"), 13);
	json_decref(root);
}

static void nothing_at_all(void **state)
{
	struct feed f = { .heap = heap_new() };
	json_t *root;

	(void)state;
	root = export(&f);
	assert_int_equal(json_array_size(json_object_get(root, "processes")), 0);
	json_decref(root);
}

static uint64_t seed;

/* Mostly small numbers, so that ids meet; sometimes extreme ones. */
static uint64_t any(void)
{
	uint64_t r = hash_u64(seed += 0x9e3779b97f4a7c15u);

	return r % 11 == 0 ? r : r % 13 == 0 ? UINT64_MAX - (r >> 60) : (r >> 32) % 9;
}

static void any_event(struct event *ev)
{
	static const taddr_t pc[] = { 1, 0x400110, UINT64_MAX, 0 };
	static const uint32_t module[] = { 1, 2, UINT32_MAX, 0 };
	static const uint8_t exact[] = { 0, 1, 0, 255 };
	uint64_t words[8];

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = any();
	memset(ev, 0, sizeof *ev);
	ev->type = (enum event_type)(any() % (EV_ERROR + 2));
	memcpy(&ev->u, words, sizeof words);
	switch (ev->type) {
	case EV_PROC:
		ev->u.proc.exe = words[4] % 2 ? "/bin/x" : NULL;
		ev->u.proc.name = NULL;
		ev->u.proc.abi = NULL;
		break;
	case EV_MODULE:
		ev->u.module.path = words[4] % 2 ? "/bin/x" : NULL;
		ev->u.module.build_id = words[5] % 2 ? exact : NULL;
		ev->u.module.build_id_len = 4;
		break;
	case EV_PROBE:
		ev->u.probe.name = words[4] % 2 ? "operator()(int)" : "(";
		ev->u.probe.symbol = words[5] % 2 ? "_Zx" : NULL;
		break;
	case EV_STACK:
		ev->u.stack.n %= 5;
		ev->u.stack.pc = pc;
		ev->u.stack.module = words[4] % 4 ? module : NULL;
		ev->u.stack.exact = words[5] % 2 ? exact : NULL;
		ev->u.stack.origin = words[6] % 2 ? exact : NULL;
		break;
	case EV_REALLOC:
		ev->u.realloc.failed = false;
		break;
	case EV_LEAK:
	case EV_LEAK_BLOCK:
		ev->u.leak.data = words[4] % 2 ? exact : NULL;
		ev->u.leak.ndata = words[4] % 2 ? sizeof exact : 0;
		break;
	case EV_SCAN:
		ev->u.scan.references = ev->u.scan.final = false;
		break;
	case EV_ERROR:
		ev->u.error.path = words[4] % 2 ? "/\033" : NULL;
		ev->u.error.data = exact;
		ev->u.error.ndata = words[4] % 3 ? sizeof exact : 0;
		break;
	case EV_NOTE:
		ev->u.note.bad = false;
		ev->u.note.text = words[4] % 2 ? "\033" : NULL;
		break;
	default:
		break;
	}
}

/* Whatever comes: no crash, and exports that keep to the schema.  pid and
 * what the wire decoder guarantees (strings, bools) aside, all is nonsense. */
static void random_events(void **state)
{
	struct report_opts opts = REPORT_OPTS_INIT;
	struct event ev;

	(void)state;
	for (int round = 0; round < 30; round++) {
		struct feed f = { .heap = heap_new() };
		char *s;

		for (int i = 0; i < 3000; i++) {
			any_event(&ev);
			f.pid = (pid_t)(any() % 5);
			f.now = any();
			feed_send(&f, &ev);
		}
		s = text_of(&f, &opts, false, true, 50);
		free(s);
		json_decref(export(&f));
	}
}

/* Each group is a stack of its own. */
static void older_blocks(void **state)
{
	struct feed f = session_start(PROC_ATTACHED);
	json_t *root, *p, *stacks, *s;

	(void)state;
	feed_probe(&f, 9, OP_ALLOC, "before attach");
	feed_census(&f, 20, 9, 10, 24, 0, 0);
	feed_census(&f, 21, 9, 3, 24, LEAKY + 0x40, MOD_LEAKY);
	feed_release(&f, 0x1000, 24, 20);
	root = export(&f);
	p = proc(root, 0);
	assert_int_equal(number(p, "open_blocks"), 12);
	assert_int_equal(number(p, "allocs"), 0);
	assert_int_equal(number(p, "frees"), 0);
	assert_int_equal(number(json_object_get(p, "before_attach"), "blocks"), 13);
	assert_int_equal(number(json_object_get(p, "before_attach"), "released_bytes"), 24);
	assert_int_equal(number(json_object_get(p, "unwind"), "stacks"), 0);
	stacks = json_object_get(p, "stacks");
	assert_int_equal(json_array_size(stacks), 2);
	s = json_array_get(stacks, 0);
	assert_true(json_is_true(json_object_get(s, "before_attach")));
	assert_true(json_is_null(json_object_get(s, "points_to")));
	assert_int_equal(number(s, "open_blocks"), 9);
	assert_int_equal(number(s, "released"), 1);
	s = json_array_get(stacks, 1);
	assert_string_equal(json_string_value(json_object_get(s, "points_to")), "leaky+0x40");
	json_decref(root);
}

static void heap_errors(void **state)
{
	struct feed f = session_leaky();
	json_t *root, *p, *errors, *e;

	(void)state;
	STACK(&f, 20, P_FREE, STACK_COMPLETE, LEAKY + 0x130, BELOW_MAIN);
	for (int i = 0; i < 3; i++)
		FEED(&f, .type = EV_ERROR,
		     .u.error = { .kind = ERROR_SIZE_MISMATCH, .addr = 0x5000, .size = 16, .given = 8,
				  .at = 20, .stack = 2 });
	FEED(&f, .type = EV_ERROR, .u.error = { .kind = ERROR_INVALID_FREE, .place = PLACE_FILE,
						.addr = 0x9000, .path = "/f", .offset = 16, .at = 20 });
	FEED(&f, .type = EV_ERROR, .u.error = { .kind = ERROR_FISHY_SIZE, .size = UINT64_MAX });
	f.now += 5 * MS;
	FEED(&f, .type = EV_PROC, .u.proc = { .how = PROC_EXECED, .exe = "/src/next", .abi = "x86-64" });
	feed_probe(&f, P_NEW, OP_ALLOC, "operator new");
	FEED(&f, .type = EV_ERROR, .u.error = { .kind = ERROR_MISALIGNED, .size = 80, .given = 3,
						.at = 3 });
	root = export(&f);
	p = proc(root, 0);
	assert_int_equal(number(p, "error_count"), 5); /* the first image's, too */
	errors = json_object_get(p, "errors");
	assert_int_equal(json_array_size(errors), 3);
	e = json_array_get(errors, 0);
	assert_string_equal(text(e, "kind"), "size_mismatch");
	assert_int_equal(number(e, "count"), 3);
	assert_string_equal(text(e, "address"), "0x5000");
	assert_int_equal(number(e, "size"), 16);
	assert_int_equal(number(e, "given"), 8);
	assert_string_equal(text(json_object_get(e, "call"), "op"), "free");
	assert_string_equal(text(json_object_get(e, "allocated"), "op"), "calloc");
	assert_true(json_is_null(json_object_get(e, "released")));
	e = json_array_get(errors, 1);
	assert_string_equal(text(e, "where"), "in the mapped file /f, at 0x10");
	assert_true(json_is_null(json_object_get(e, "size")));
	e = json_array_get(errors, 2);
	assert_string_equal(text(e, "kind"), "misaligned");
	assert_true(json_is_null(json_object_get(e, "address")));
	json_decref(root);
}

/* The check itself is no rubber stamp. */
static void schema_refuses(void **state)
{
	struct feed f = session_leaky();
	json_t *root, *p;

	(void)state;
	root = export(&f);
	p = proc(root, 0);
	json_object_set_new(p, "pid", json_string("4711"));
	assert_int_equal(schema_errors(schema, root), 1);
	json_object_set_new(p, "pid", json_integer(1));
	json_object_set_new(p, "extra", json_null());
	assert_int_equal(schema_errors(schema, root), 1);
	json_object_del(p, "extra");
	json_object_del(p, "frees");
	assert_int_equal(schema_errors(schema, root), 1);
	json_object_set_new(p, "frees", json_integer(-1));
	assert_int_equal(schema_errors(schema, root), 1);
	json_object_set_new(p, "frees", json_integer(0));
	json_object_set_new(p, "how", json_string("otherwise"));
	assert_int_equal(schema_errors(schema, root), 1);
	json_decref(root);
}

/* A block that open_log() allocated, and one of which nothing is known. */
static size_t some_blocks(void *arg, pid_t pid, struct report_block **out)
{
	const struct heap *heap = arg;
	struct report_block v[] = {
		{ pid, 0x1000, 50, 0, 2, 0, 20 * MS, -1 },
		{ pid, 0x2000, 256, 0, 0, 15 * MS, 20 * MS, -1 },
	};

	for (uint32_t i = 1; i < 10; i++) {
		const struct heap_stack *s = heap_stack(heap, i);

		if (s && s->n && s->pc[0] == 0x400160)
			v[1].stack = i;
	}
	assert_int_equal(pid, 4711);
	assert_true(v[1].stack > 0);
	*out = malloc(sizeof v);
	memcpy(*out, v, sizeof v);
	return ARRAY_SIZE(v);
}

static void single_blocks(void **state)
{
	char folder[] = "/tmp/test-report-json-XXXXXX", *path;
	const char *const source_path[] = { folder, NULL };
	struct report_opts opts = REPORT_OPTS_INIT;
	struct feed f = session_leaky();
	json_t *root, *blocks, *b;
	FILE *source;

	(void)state;
	assert_non_null(mkdtemp(folder));
	path = xasprintf("%s/leaky.c", folder);
	source = fopen(path, "w");
	assert_non_null(source);
	for (unsigned i = 1; i < 26; i++)
		fprintf(source, "%u\n", i);
	fprintf(source, "\tlog->file = malloc(256); /* said */\n");
	fclose(source);
	feed_end(&f, END_EXITED, 0);
	opts.list_blocks = opts.source = true;
	opts.source_path = source_path;
	opts.blocks = some_blocks;
	opts.blocks_arg = f.heap;
	root = export_as(&f, opts);
	blocks = json_object_get(proc(root, 0), "blocks");
	assert_int_equal(json_array_size(blocks), 2);
	b = json_array_get(blocks, 0);
	assert_string_equal(text(b, "addr"), "0x2000");
	assert_string_equal(text(b, "op"), "malloc");
	assert_string_equal(text(b, "file"), "/src/leaky.c");
	assert_int_equal(number(b, "line"), 26);
	assert_string_equal(text(b, "function"), "open_log");
	assert_string_equal(text(b, "variable"), "log->file");
	assert_string_equal(text(b, "source"), "log->file = malloc(256); /* said */");
	assert_int_equal(number(b, "age_ns"), 5 * MS);
	b = json_array_get(blocks, 1);
	assert_int_equal(number(b, "size"), 50);
	assert_int_equal(number(b, "mark"), 2);
	assert_true(json_is_null(json_object_get(b, "function")));
	assert_true(json_is_null(json_object_get(b, "variable")));
	assert_true(json_is_null(json_object_get(b, "age_ns")));
	json_decref(root);
	unlink(path);
	rmdir(folder);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(totals_and_stacks), cmocka_unit_test(ignored_ones_are_last),
		cmocka_unit_test(every_member),
		cmocka_unit_test(nothing_at_all),    cmocka_unit_test(schema_refuses),
		cmocka_unit_test(random_events),     cmocka_unit_test(older_blocks),
		cmocka_unit_test(heap_errors),	     cmocka_unit_test(single_blocks),
	};

	return cmocka_run_group_tests(tests, load_schema, drop_schema);
}
