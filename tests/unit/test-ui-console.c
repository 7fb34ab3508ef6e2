/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The console: how lines are split, what blocks it knows, and what it asks of a
 * tracer, for which a few functions here stand in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "../../src/ui/console/console.h"
#include "events.h"

/* -- lines ---------------------------------------------------------------------- */

/* The words with | behind each, then >FILE or >>FILE; or what is wrong. */
static void splits(const char *text, const char *want)
{
	struct strbuf sb = STRBUF_INIT;
	struct command_line l;
	const char *why = NULL;
	int err = command_line_split(&l, text, &why);

	for (size_t i = 0; !err && i < l.words.n; i++)
		strbuf_addf(&sb, "%s|", l.words.v[i]);
	if (!err && l.file)
		strbuf_addf(&sb, "%s%s", l.append ? ">>" : ">", l.file);
	if (!err)
		assert_null(l.words.v[l.words.n]);
	assert_string_equal(err ? why : sb.s ? sb.s : "", want);
	command_line_release(&l);
	strbuf_release(&sb);
}

static void lines(void **state)
{
	(void)state;
	splits("", "");
	splits("   \t\r", "");
	splits("# dump", "");
	splits("dump", "dump|");
	splits("  dump  usage\t12 ", "dump|usage|12|");
	splits("dump # all of it", "dump|");
	splits("dump a#b", "dump|a#b|");
	splits("dump >file", "dump|>file");
	splits("dump>file", "dump|>file");
	splits("dump > file -l", "dump|-l|>file");
	splits("dump >>file", "dump|>>file");
	splits("dump >\"a b\"", "dump|>a b");
	splits("set searchpath \"/a b:/c\"", "set|searchpath|/a b:/c|");
	splits("x 'a\\ \"b' c\\ d \"e\\\"f\"", "x|a\\ \"b|c d|e\"f|");
	splits("x '' y", "x||y|");
	splits("x a'b c'd", "x|ab cd|");
	splits("x '>'y", "x|>y|");
	splits("x \\", "x|\\|");
	splits("dump >", "no file is named behind >");
	splits("dump >a >b", "there are two files to write to");
	splits("dump \"a", "a quote is not closed");
	splits("dump >'a", "a quote is not closed");
}

/* -- blocks ----------------------------------------------------------------------- */

struct session {
	struct feed feed;
	struct blocks *blocks;
};

static void tell(struct session *s, struct event ev)
{
	struct event_sink *sink = blocks_sink(s->blocks);

	if (!ev.pid)
		ev.pid = s->feed.pid;
	if (!ev.tid)
		ev.tid = ev.pid;
	ev.time_ns = s->feed.now;
	sink->emit(sink, &ev);
}

#define TELL(s, ...) tell(s, (struct event){ __VA_ARGS__ })
#define PROC(s, of, ...) TELL(s, .type = EV_PROC, .pid = (of), .u.proc = { \
			      .exe = "/prog", .word = 8, .abi = "x86-64", __VA_ARGS__ })
#define ALLOC(s, at, bytes, of) \
	TELL(s, .type = EV_ALLOC, .u.alloc = { .addr = (at), .size = (bytes), .stack = (of) })

static void session_begin(struct session *s)
{
	static const taddr_t one[] = { 0x1010, 0x1020 }, two[] = { 0x1030 };
	static const uint32_t modules[] = { 1, 1 };

	*s = (struct session){ .feed = { .heap = heap_new(), .pid = 7, .now = 1000 * MS } };
	s->blocks = blocks_new(heap_sink(s->feed.heap));
	PROC(s, 7, .how = PROC_LAUNCHED);
	feed_module(&s->feed, 1, 0x1000, "/prog");
	feed_probe(&s->feed, 1, OP_ALLOC, "malloc");
	feed_stack_end(&s->feed, 1, 1, STACK_COMPLETE, 2, one, modules);
	feed_stack_end(&s->feed, 2, 1, STACK_COMPLETE, 1, two, modules);
}

static void session_end(struct session *s)
{
	blocks_free(s->blocks);
	heap_free(s->feed.heap);
}

/* "ADDR+SIZE …" in hexadecimal and decimal. */
static void has_blocks(const struct session *s, pid_t pid, const char *want)
{
	struct strbuf sb = STRBUF_INIT;
	struct known_block *list;
	size_t n = blocks_of(s->blocks, pid, &list);

	for (size_t i = 0; i < n; i++)
		strbuf_addf(&sb, "%s%llx+%llu", i ? " " : "", (unsigned long long)list[i].addr,
			    (unsigned long long)list[i].size);
	assert_string_equal(sb.s ? sb.s : "", want);
	strbuf_release(&sb);
	free(list);
}

static void blocks(void **state)
{
	struct known_block b;
	struct session s;

	(void)state;
	session_begin(&s);
	ALLOC(&s, 0x200, 20, 1);
	ALLOC(&s, 0x100, 10, 2);
	ALLOC(&s, 0x300, 30, 1);
	has_blocks(&s, 7, "100+10 200+20 300+30");
	has_blocks(&s, 8, "");
	TELL(&s, .type = EV_RELEASE, .u.release = { .addr = 0x200, .size = 20, .stack = 1 });
	has_blocks(&s, 7, "100+10 300+30");
	TELL(&s, .type = EV_RELEASE_UNDO, .u.release = { .addr = 0x200, .size = 20, .stack = 1 });
	has_blocks(&s, 7, "100+10 200+20 300+30");
	assert_true(blocks_find(s.blocks, 7, 0x213, &b));
	assert_int_equal(b.addr, 0x200);
	assert_false(blocks_find(s.blocks, 7, 0x214, &b));
	assert_false(blocks_find(s.blocks, 8, 0x213, &b));
	/* A realloc moves it; another thread gets the old address in between. */
	TELL(&s, .type = EV_REALLOC_BEGIN, .u.release = { .addr = 0x100, .size = 10, .stack = 2 });
	has_blocks(&s, 7, "100+10 200+20 300+30");
	TELL(&s, .type = EV_ALLOC, .tid = 9, .u.alloc = { .addr = 0x100, .size = 11, .stack = 1 });
	TELL(&s, .type = EV_REALLOC, .u.realloc = { .old_addr = 0x100, .old_size = 10, .old_stack = 2,
						   .addr = 0x400, .size = 40, .stack = 2 });
	has_blocks(&s, 7, "100+11 200+20 300+30 400+40");
	/* One that failed. */
	TELL(&s, .type = EV_REALLOC_BEGIN, .u.release = { .addr = 0x400, .size = 40, .stack = 2 });
	TELL(&s, .type = EV_REALLOC, .u.realloc = { .old_addr = 0x400, .old_size = 40, .old_stack = 2,
						   .size = 1 << 20, .failed = true });
	has_blocks(&s, 7, "100+11 200+20 300+30 400+40");
	/* A child has what its parent had; its exec ends that. */
	PROC(&s, 8, .how = PROC_FORKED, .ppid = 7);
	TELL(&s, .type = EV_RELEASE, .pid = 8, .u.release = { .addr = 0x100, .size = 11, .stack = 1 });
	has_blocks(&s, 8, "200+20 300+30 400+40");
	has_blocks(&s, 7, "100+11 200+20 300+30 400+40");
	PROC(&s, 8, .how = PROC_EXECED, .ppid = 7);
	has_blocks(&s, 8, "");
	session_end(&s);
}

/* What is asked for again keeps its age; what is not told is forgotten. */
static void blocks_again(void **state)
{
	struct known_block b;
	struct session s;

	(void)state;
	session_begin(&s);
	ALLOC(&s, 0x100, 10, 1);
	ALLOC(&s, 0x200, 20, 1);
	s.feed.now += MS;
	blocks_begin(s.blocks, 7);
	TELL(&s, .type = EV_BLOCK, .u.alloc = { .addr = 0x100, .size = 10, .stack = 1 });
	TELL(&s, .type = EV_BLOCK, .u.alloc = { .addr = 0x500, .size = 50, .stack = 2, .mark = 3 });
	ALLOC(&s, 0x600, 60, 2);
	blocks_end(s.blocks, 7);
	has_blocks(&s, 7, "100+10 500+50 600+60");
	assert_true(blocks_find(s.blocks, 7, 0x100, &b));
	assert_int_equal(b.born_ns, 1000 * MS);
	assert_true(blocks_find(s.blocks, 7, 0x500, &b));
	assert_int_equal(b.born_ns, 0);
	assert_int_equal(b.mark, 3);
	blocks_forget(s.blocks);
	has_blocks(&s, 7, "");
	session_end(&s);
}

/* -- a tracer that is none ------------------------------------------------------------ */

struct client {
	struct session *session;
	struct strbuf asked;   /* "SCAN pid=7 a=2\n" */
	uint32_t marks;
	bool lost, interrupted;
};

static const uint8_t memory[] = "a secret";

struct client *client_open(const struct client_opts *o)
{
	(void)o;
	return NULL;
}

void client_close(struct client *c)
{
	(void)c;
}

const struct wire_hello *client_hello(const struct client *c)
{
	(void)c;
	return NULL;
}

const char *client_refused_control(const struct client *c)
{
	(void)c;
	return NULL;
}

int client_fd(const struct client *c)
{
	(void)c;
	return -1;
}

int client_take(struct client *c)
{
	return c->lost ? -1 : 1;
}

static void scan(struct session *s)
{
	TELL(s, .type = EV_SCAN_BEGIN);
	TELL(s, .type = EV_LEAK, .u.leak = { .stack = 1, .kind = LEAK_DEFINITE, .blocks = 2,
					     .bytes = 30, .largest = 0x200, .largest_size = 20 });
	TELL(s, .type = EV_LEAK_BLOCK, .u.leak = { .stack = 1, .kind = LEAK_DEFINITE, .blocks = 1,
						   .bytes = 10, .largest = 0x100, .largest_size = 10 });
	TELL(s, .type = EV_LEAK_BLOCK, .u.leak = { .stack = 1, .kind = LEAK_DEFINITE, .blocks = 1,
						   .bytes = 20, .largest = 0x200, .largest_size = 20 });
	TELL(s, .type = EV_SCAN, .u.scan = { .blocks = 2 });
}

/* 0x100 is older than the first mark, 0x200 is not. */
static void tell_blocks(struct session *s)
{
	TELL(s, .type = EV_BLOCK, .u.alloc = { .addr = 0x100, .size = 10, .stack = 1 });
	TELL(s, .type = EV_BLOCK, .u.alloc = { .addr = 0x200, .size = 20, .stack = 1, .mark = 1 });
}

int client_ask(struct client *c, struct request *q, struct answer *a, volatile const int *stop)
{
	static const char *const names[] = {
		[REQUEST_INFO] = "INFO", [REQUEST_SCAN] = "SCAN", [REQUEST_WHY] = "WHY",
		[REQUEST_READ] = "READ", [REQUEST_STOP] = "STOP", [REQUEST_START] = "START",
		[REQUEST_DEPTH] = "DEPTH", [REQUEST_MARK] = "MARK", [REQUEST_RESET] = "RESET",
		[REQUEST_DETACH] = "DETACH", [REQUEST_KILL] = "KILL", [REQUEST_BLOCKS] = "BLOCKS",
	};

	assert_ptr_equal(stop, &console_interrupted);
	strbuf_addf(&c->asked, "%s pid=%d a=%llx\n", names[q->kind], (int)q->pid,
		    (unsigned long long)q->a);
	*a = (struct answer){ .id = q->id };
	if (c->lost)
		return -1;
	if (c->interrupted) {
		assert_int_equal(*stop, 0);
		raise(SIGINT);
		assert_int_not_equal(*stop, 0);
		return -EINTR;
	}
	if (q->kind == REQUEST_SCAN)
		scan(c->session);
	if (q->kind == REQUEST_MARK)
		TELL(c->session, .type = EV_MARK, .u.mark = { ++c->marks });
	if (q->kind == REQUEST_BLOCKS)
		tell_blocks(c->session);
	if (q->kind == REQUEST_READ) {
		a->data = memory;
		a->ndata = sizeof memory - 1;
	}
	if (q->kind == REQUEST_INFO)
		a->text = "serving /prog\nand \033[7mmore";
	if (q->kind == REQUEST_DEPTH && q->a > 100) {
		a->error = EINVAL;
		a->text = "too deep for this one";
	}
	return 0;
}

/* -- what is asked ------------------------------------------------------------------------ */

struct told {
	struct strbuf out, asked;
	int status;
};

static void read_back(FILE *f, struct strbuf *to)
{
	char buffer[4096];
	size_t n;

	rewind(f);
	while ((n = fread(buffer, 1, sizeof buffer, f)))
		strbuf_add(to, buffer, n);
	fclose(f);
}

enum tracer { NONE, ANSWERS, LOST, INTERRUPTED };

/* Both outputs go to a file while the commands run. */
static void commands(const char *text, enum tracer tracer, struct told *told)
{
	struct report_opts report = REPORT_OPTS_INIT;
	char script[] = "/tmp/console-XXXXXX";
	int fd = mkstemp(script), saved[2] = { dup(1), dup(2) };
	struct client client = { .lost = tracer == LOST, .interrupted = tracer == INTERRUPTED };
	struct session s;
	FILE *out = tmpfile();

	assert_true(fd >= 0 && out);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	session_begin(&s);
	ALLOC(&s, 0x100, 10, 1);
	ALLOC(&s, 0x200, 20, 1);
	client.session = &s;
	*told = (struct told){ .status = 0 };
	fflush(stdout);
	dup2(fileno(out), 1);
	dup2(fileno(out), 2);
	told->status = console_run(&(struct console_opts){ .heap = s.feed.heap, .blocks = s.blocks,
							   .client = tracer ? &client : NULL,
							   .report = &report, .script = script });
	dup2(saved[0], 1);
	dup2(saved[1], 2);
	close(saved[0]);
	close(saved[1]);
	read_back(out, &told->out);
	told->asked = client.asked;
	unlink(script);
	session_end(&s);
}

static void asks(const char *text, const char *asked, const char *line)
{
	struct told t;

	commands(text, ANSWERS, &t);
	if (strcmp(t.asked.s ? t.asked.s : "", asked))
		fail_msg("%s asks:\n%s", text, t.asked.s ? t.asked.s : "");
	if (!t.out.s ? *line : !strstr(t.out.s, line))
		fail_msg("%s prints:\n%s", text, t.out.s ? t.out.s : "");
	assert_int_equal(t.status, 0);
	strbuf_release(&t.out);
	strbuf_release(&t.asked);
}

static void fails(const char *text, enum tracer tracer, const char *line)
{
	struct told t;

	commands(text, tracer, &t);
	if (!t.out.s || !strstr(t.out.s, line))
		fail_msg("%s prints:\n%s", text, t.out.s ? t.out.s : "");
	assert_int_equal(t.status, 1);
	strbuf_release(&t.out);
	strbuf_release(&t.asked);
}

static void requests(void **state)
{
	(void)state;
	asks("stop\nstart 7\n", "STOP pid=0 a=0\nSTART pid=7 a=1\n", "");
	asks("reset\ndetach\n", "RESET pid=0 a=0\nDETACH pid=0 a=0\n", "");
	asks("kill\n", "KILL pid=7 a=0\n", "");
	asks("set depth 20\n", "DEPTH pid=0 a=14\n", "");
	asks("show info\n", "INFO pid=0 a=0\n", "serving /prog\nand ?[7mmore\n");
	asks("mark\nmark\n", "MARK pid=0 a=0\nMARK pid=0 a=0\n", "mark 2\n");
	asks("list\n", "BLOCKS pid=0 a=0\n", "30 bytes in 2 blocks\n");
	asks("block 0x105\n", "BLOCKS pid=0 a=0\nREAD pid=7 a=100\n",
	     "61 20 73 65 63 72 65 74");
	asks("scan\nwhy 1\n", "SCAN pid=0 a=0\nMARK pid=0 a=0\nWHY pid=7 a=200\n",
	     "definitely lost    30 bytes in 2 blocks");
	asks("scan\nscan new 7\n",
	     "SCAN pid=0 a=0\nMARK pid=0 a=0\nSCAN pid=7 a=2\nBLOCKS pid=7 a=0\nMARK pid=0 a=0\n",
	     "0x000000000200    20");
	asks("quit\nstop\n", "", "");
}

/* What was there at the last scan is not new. */
static void scan_new(void **state)
{
	struct told t;

	(void)state;
	commands("scan new\nscan new\n", ANSWERS, &t);
	assert_int_equal(t.status, 0);
	assert_non_null(strstr(t.out.s, "0x000000000100"));
	assert_null(strstr(strstr(t.out.s, "0x000000000100") + 1, "0x000000000100"));
	strbuf_release(&t.out);
	strbuf_release(&t.asked);
}

static void refused(void **state)
{
	(void)state;
	fails("scan\n", NONE, ":1: nothing is traced here: this is a log\n");
	fails("\nkill\n", NONE, ":2: nothing is traced here: this is a log\n");
	fails("set depth 200\n", ANSWERS, ":1: too deep for this one\n");
	fails("set depth 0\n", ANSWERS, "at least one frame");
	fails("stop 9\n", ANSWERS, "no process 9 here");
	fails("stop\nstop\n", LOST, ":2: tracing has ended");
	fails("why 9\n", ANSWERS, "no stack has the number 9");
	fails("block 0x999\n", ANSWERS, "no open block covers 0x999");
	fails("block 12\n", ANSWERS, "'12' is no address");
	fails("diff 1 2\n", ANSWERS, "there is no mark 1");
	fails("diff 0 0\n", ANSWERS, "mark 0 is not before 0");
}

/* Ctrl-C ends a command, and the script it is from. */
static void interrupted(void **state)
{
	struct told t;

	(void)state;
	commands("stop\nstart\n", INTERRUPTED, &t);
	assert_int_equal(t.status, 1);
	assert_string_equal(t.asked.s, "STOP pid=0 a=0\n");
	assert_non_null(strstr(t.out.s, ":1: interrupted\n"));
	strbuf_release(&t.out);
	strbuf_release(&t.asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(blocks),
		cmocka_unit_test(blocks_again),
		cmocka_unit_test(requests),
		cmocka_unit_test(scan_new),
		cmocka_unit_test(refused),
		cmocka_unit_test(interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
