/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of the side that traces and of both, and the words that some of them
 * choose from. */
#include <limits.h>
#include <string.h>

#include "options-internal.h"
#include "serve/server.h"

static const char *const leak_checks[] = { "no", "summary", "full" };
static const char *const leak_kinds[] = {
	[LEAK_DEFINITE] = "definite", [LEAK_INDIRECT] = "indirect", [LEAK_POSSIBLE] = "possible",
	[LEAK_REACHABLE] = "reachable", [LEAK_KINDS] = "all",
};
static const char *const scans[] = { "reachability", "references" };
static const char *const on_signals[] = { "USR1:scan", "USR2:scan", "USR1:mark", "USR2:mark" };

static const char *const yes_no[] = { "yes", "no" };

static const char *const disconnects[] = {
	[DISCONNECT_GO_ON] = "go-on", [DISCONNECT_STOP] = "stop", [DISCONNECT_DETACH] = "detach",
};
static const char *const traces[] = { "mbed", "glibc" };
static const char *const when_full[] = { [FULL_WAIT] = "wait", [FULL_DROP] = "drop" };

const char *option_word(enum option_word word, size_t i)
{
	switch (word) {
	case WORD_LEAK_CHECK:
		return i < ARRAY_SIZE(leak_checks) ? leak_checks[i] : NULL;
	case WORD_LEAK_KIND:
		return i < ARRAY_SIZE(leak_kinds) ? leak_kinds[i] : NULL;
	case WORD_SCAN:
		return i < ARRAY_SIZE(scans) ? scans[i] : NULL;
	case WORD_ON_SIGNAL:
		return i < ARRAY_SIZE(on_signals) ? on_signals[i] : NULL;
	case WORD_YES_NO:
		return i < ARRAY_SIZE(yes_no) ? yes_no[i] : NULL;
	case WORD_DISCONNECT:
		return i < ARRAY_SIZE(disconnects) ? disconnects[i] : NULL;
	case WORD_FULL:
		return i < ARRAY_SIZE(when_full) ? when_full[i] : NULL;
	case WORD_TRACE:
		return i < ARRAY_SIZE(traces) ? traces[i] : NULL;
	default:
		return host_option_word(word, i);
	}
}

static const struct option_row table[] = {
	{ 'p', "pid", "PID", WORD_PID, GROUP_WHAT,
	  "attach to a running process; may be repeated and\ngo together with a command",
	  set_pid, NO_FIELD },
	{ 'f', "follow-fork", NULL, WORD_NONE, GROUP_WHAT,
	  "trace the children of fork, vfork and clone too", set_flag, FIELD(trace.follow_fork) },
	{ 'e', "follow-exec", NULL, WORD_NONE, GROUP_WHAT,
	  "go on when a process executes another program\n(the default)",
	  set_flag, FIELD(trace.follow_exec) },
	{ 0, "no-follow-exec", NULL, WORD_NONE, GROUP_WHAT,
	  "let a process go when it executes another program",
	  clear_flag, FIELD(trace.follow_exec) },
	{ 'u', "user", "NAME", WORD_USER, GROUP_WHAT, "run the command as that user",
	  set_string, FIELD(trace.user) },
	{ 'E', "env", "NAME[=VALUE]", WORD_ANY, GROUP_WHAT,
	  "set, or without VALUE remove, a variable of the\ncommand's environment",
	  add_env, FIELD(env) },
	{ 0, "detach-on-exit", NULL, WORD_NONE, GROUP_WHAT,
	  "when tracing is ended, let a launched command run on",
	  set_flag, FIELD(trace.detach_on_exit) },
	{ 't', "trace", NULL, WORD_TRACE, GROUP_WHAT,
	  "--trace=mbed, --trace=glibc: print each call as mbed\nOS does, or mtrace(3) of glibc; without a format it\nhas no effect, for compatibility",
	  set_trace, NO_FIELD },
	{ 0, "census", NULL, WORD_NONE, GROUP_WHAT,
	  "when attaching, take in the blocks that are in use\nalready: stops the program for a moment; glibc only",
	  set_value, VALUE(trace.census, CENSUS_YES) },
	{ 0, "no-census", NULL, WORD_NONE, GROUP_WHAT, "leave them out",
	  set_value, VALUE(trace.census, CENSUS_NO) },

	{ 'd', "depth", "N", WORD_NUMBER, GROUP_CALLS, "frames of a backtrace, 1 to 1024 (default 12)",
	  set_number, NUMBER(trace.depth, 1, TRACE_MAX_DEPTH) },
	{ 'n', "nocpp", NULL, WORD_NONE, GROUP_CALLS, "leave out C++ operators new and delete",
	  set_flag, FIELD(trace.no_cpp) },
	{ 'O', "omit", "FILE", WORD_FILE, GROUP_CALLS,
	  "leave out the functions of this library or program;\nmay be repeated",
	  add_string, FIELD(trace.omit) },
	{ 0, "alloc", "SPEC", WORD_ANY, GROUP_CALLS,
	  "SPEC allocates too: SYMBOL:size=N or\nOBJECT+0xOFFSET:size=N, arguments counted from 1",
	  add_probe, VALUE(trace.probes, OP_ALLOC) },
	{ 0, "free", "SPEC", WORD_ANY, GROUP_CALLS, "SPEC releases too: SYMBOL:ptr=N",
	  add_probe, VALUE(trace.probes, OP_RELEASE) },
	{ 0, "realloc", "SPEC", WORD_ANY, GROUP_CALLS,
	  "SPEC changes sizes too: SYMBOL:ptr=N,size=N",
	  add_probe, VALUE(trace.probes, OP_REALLOC) },
	{ 'S', "sanity", NULL, WORD_NONE, GROUP_CALLS,
	  "take a backtrace of every release too", set_flag, FIELD(trace.sanity) },
	{ 0, "show-mismatched-frees", "WHETHER", WORD_YES_NO, GROUP_CALLS,
	  "no: releases that do not match the allocation (new\nand free) are no errors",
	  set_word, FIELD(trace.no_mismatched) },
	{ 0, "stop-on-error", NULL, WORD_NONE, GROUP_CALLS,
	  "leave the process stopped for a debugger at its\nfirst heap error",
	  set_flag, FIELD(trace.stop_on_error) },
	{ 0, "freelist-vol", "BYTES", WORD_NUMBER, GROUP_CALLS,
	  "remember released blocks of up to so many bytes\n(default 20000000)",
	  set_number, NUMBER(trace.freed_volume, 0, LONG_MAX) },

	{ 'a', "autoscan", NULL, WORD_NONE, GROUP_LEAKS,
	  "list leaks by stack instead of all blocks in use;\nscan attached processes, too, when they are left",
	  set_autoscan, NO_FIELD },
	{ 0, "no-autoscan", NULL, WORD_NONE, GROUP_LEAKS, "no leak scan when a launched program ends",
	  set_no_autoscan, NO_FIELD },
	{ 0, "leak-check", "WHAT", WORD_LEAK_CHECK, GROUP_LEAKS,
	  "no (as --no-autoscan), summary, or full (as -a)", set_leak_check, NO_FIELD },
	{ 0, "show-leak-kinds", "KINDS", WORD_LEAK_KIND, GROUP_LEAKS,
	  "classes to list: definite, indirect, possible,\nreachable, all (default definite,possible)",
	  set_leak_kinds, NO_FIELD },
	{ 0, "scan", "QUESTION", WORD_SCAN, GROUP_LEAKS,
	  "reachability: memcheck's classes (default);\nreferences: is a block's address anywhere at all?",
	  set_word, FIELD(trace.scan.references) },
	{ 0, "why", NULL, WORD_NONE, GROUP_LEAKS,
	  "list reachable blocks too, and what points to them;\n--why=ADDR: what points to the block there",
	  set_why, NO_FIELD },
	{ 0, "scan-mappings", NULL, WORD_NONE, GROUP_LEAKS,
	  "the program's own mmap regions can be lost, too", set_flag, FIELD(trace.scan.mappings) },
	{ 0, "list-blocks", NULL, WORD_NONE, GROUP_LEAKS, "name each block in the JSON export",
	  set_flag, FIELD(trace.scan.each_block) },
	{ 0, "scan-every", "TIME", WORD_ANY, GROUP_LEAKS,
	  "scan while the program runs, every so often:\n30, 500ms, 5m, 1h",
	  set_time, FIELD(trace.scan.every_ns) },
	{ 0, "on-signal", "SIG:ACTION", WORD_ON_SIGNAL, GROUP_LEAKS,
	  "what to do at USR1 or USR2: scan and report, or set\na mark; may be repeated",
	  set_on_signal, NO_FIELD },
	{ 0, "mark-every", "TIME", WORD_ANY, GROUP_LEAKS,
	  "number a moment every so often, to see what was\nallocated between two of them",
	  set_time, FIELD(trace.mark_every_ns) },

	{ 0, "malloc-fill", "HEX", WORD_ANY, GROUP_CHECKS,
	  "fill blocks with this byte as they are handed out",
	  set_fill, FIELD(trace.change.malloc_fill) },
	{ 0, "free-fill", "HEX", WORD_ANY, GROUP_CHECKS,
	  "fill blocks with this byte as they are released",
	  set_fill, FIELD(trace.change.free_fill) },

	{ 0, "redzone-size", "N", WORD_NUMBER, GROUP_CHECKS,
	  "make each block N bytes larger, and tell when the\nprogram writes there",
	  set_number, NUMBER(trace.change.redzone, 0, REDZONE_MAX) },
	{ 0, "inject", "RULE", WORD_ANY, GROUP_CHECKS,
	  "make requests fail: malloc:fail[:when=N[+STEP]]\n[:min-size=BYTES][:caller=REGEX]; or those of one\ncaller after the other, run after run: sweep",
	  add_injection, NO_FIELD },

	{ 0, "calls", NULL, WORD_NONE, GROUP_REPORT, "print each call as it happens",
	  set_flag, FIELD(trace.calls) },
	{ 0, "heapmap", NULL, WORD_NONE, GROUP_REPORT,
	  "draw where blocks lie in the heap at the end, and\nwhat is free between them",
	  set_flag, FIELD(trace.heaps) },

	{ 'l', "logfile", "FILE", WORD_FILE, GROUP_LOG,
	  "write the events to FILE, and report from them\nlater; without a command or process: read it", set_string,
	  FIELD(logfile) },
	{ 0, "no-compress", NULL, WORD_NONE, GROUP_LOG, "write the log as it is, for other readers",
	  set_flag, FIELD(no_compress) },
	{ 'r', "remote", "ADDR", WORD_ANY, GROUP_LOG,
	  "report on another machine: serve at ADDR; without a\ncommand or process: connect to it.  HOST[:PORT], *\nor :PORT for all, ./NAME or /NAME a UNIX socket",
	  set_string, FIELD(remote) },
	{ 'P', "port", "N", WORD_NUMBER, GROUP_LOG, "TCP port of --remote (default 4576)",
	  set_number, NUMBER(port, 1, 65535) },
	{ 'w', "wait", NULL, WORD_NONE, GROUP_LOG, "serving, begin when a client is there",
	  set_flag, FIELD(wait) },
	{ 0, "token-file", "FILE", WORD_FILE, GROUP_LOG,
	  "the first line of FILE is a secret that server and\nclient must share", set_string, FIELD(token_file) },
	{ 0, "insecure", NULL, WORD_NONE, GROUP_LOG,
	  "serve other machines without a token: who can reach\nit may read the program's memory, and kill it",
	  set_flag, FIELD(insecure) },
	{ 0, "on-disconnect", "WHAT", WORD_DISCONNECT, GROUP_LOG,
	  "without any client more: go-on (default), stop\nobserving until one is back, or detach",
	  set_word, FIELD(on_disconnect) },
	{ 0, "when-full", "WHAT", WORD_FULL, GROUP_LOG,
	  "whoever takes them is too slow: wait (default), or\ndrop events and tell the figures later",
	  set_word, FIELD(when_full) },
	{ 0, "max-blocks", "N", WORD_NUMBER, GROUP_LOG,
	  "keep track of N blocks of a process at most; others\nare counted as unknown",
	  set_number, NUMBER(trace.max_blocks, 1, LONG_MAX) },

	{ 'F', "config", "FILE", WORD_FILE, GROUP_OTHER,
	  "read FILE instead of the default configuration file;\nmay be repeated",
	  add_string, FIELD(config) },
	{ 'v', "verbose", NULL, WORD_NONE, GROUP_OTHER, "say more; may be repeated",
	  set_verbose, NO_FIELD },
	{ 'q', "quiet", NULL, WORD_NONE, GROUP_OTHER, "say only what is wrong",
	  set_flag, FIELD(quiet) },
	{ 'D', "debug", NULL, WORD_NONE, GROUP_OTHER, "say what the tracer does",
	  set_flag, FIELD(debug) },
	{ 'h', "help", NULL, WORD_NONE, GROUP_OTHER, "show this text",
	  set_value, VALUE(answer, ANSWER_HELP) },
	{ 'V', "version", NULL, WORD_NONE, GROUP_OTHER, "show the version and how it was built",
	  set_value, VALUE(answer, ANSWER_VERSION) },
	{ 0, "list-options", NULL, WORD_NONE, GROUP_HIDDEN, "for completion and tests",
	  set_value, VALUE(answer, ANSWER_LIST) },
	{ 0, "list-commands", NULL, WORD_NONE, GROUP_HIDDEN, "for tests",
	  set_value, VALUE(answer, ANSWER_COMMANDS) },
};

/* Options that are not for the side of their group. */
static const struct {
	const char *name;
	enum option_side side;
} sides[] = {
	{ "sanity", SIDE_BOTH },
	{ "no-autoscan", SIDE_TRACER },
	{ "scan", SIDE_TRACER },
	{ "scan-mappings", SIDE_TRACER },
	{ "list-blocks", SIDE_TRACER },
	{ "scan-every", SIDE_TRACER },
	{ "on-signal", SIDE_TRACER },
	{ "mark-every", SIDE_TRACER },
	{ "between", SIDE_REPORT },
	{ "suppressions", SIDE_REPORT },
	{ "gen-suppressions", SIDE_REPORT },
	{ "calls", SIDE_BOTH },
	{ "trace", SIDE_BOTH },
	{ "heapmap", SIDE_BOTH },
	{ "no-compress", SIDE_TRACER },
	{ "wait", SIDE_TRACER },
	{ "insecure", SIDE_TRACER },
	{ "on-disconnect", SIDE_TRACER },
	{ "when-full", SIDE_TRACER },
	{ "max-blocks", SIDE_TRACER },
	{ "binpath", SIDE_REPORT },
	{ "cwd", SIDE_REPORT },
};

enum option_side option_side(const struct option_row *row)
{
	for (size_t i = 0; i < ARRAY_SIZE(sides); i++)
		if (!strcmp(sides[i].name, row->name))
			return sides[i].side;
	switch (row->group) {
	case GROUP_WHAT:
	case GROUP_CALLS:
	case GROUP_CHECKS:
		return SIDE_TRACER;
	case GROUP_REPORT:
		return SIDE_REPORT;
	default:
		return SIDE_BOTH;
	}
}

const struct option_row *option_row(size_t i)
{
	return i < ARRAY_SIZE(table) ? &table[i] : host_option_row(i - ARRAY_SIZE(table));
}
