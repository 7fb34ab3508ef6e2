/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the console's files share.  Each command is a file, led by its row of the
 * table, from which help, completion and the manual page's check are made. */
#ifndef MTRACE_UI_CONSOLE_INTERNAL_H
#define MTRACE_UI_CONSOLE_INTERNAL_H

#include "base/strbuf.h"
#include "base/vec.h"
#include "ui/console.h"

/* What a word after a command may be, for completion. */
enum command_words {
	WORDS_PID = 1,
	WORDS_SORT_KEY = 2,
	WORDS_FILE = 4,
	WORDS_COMMAND = 8,
};

struct console;

struct command {
	const char *name;
	const char *args;      /* "[SORT] [-l] [PID] [>FILE]", or "" */
	unsigned words;        /* enum command_words */
	const char *const *choices; /* NULL-terminated words to choose from; NULL: none */
	const char *help;      /* one line */
	const char *more;      /* lines, each ended; "" */
	/* argv[0] is the command's name as it was typed, argv[argc] is NULL.  0, or
	 * -1 after a message. */
	int (*run)(struct console *c, int argc, char **argv);
	bool again;            /* what it prints is in another order in a pager */
};

/* The i-th command, by name; NULL behind the last. */
const struct command *command_at(size_t i);
/* By name or a beginning that no other command has.  NULL after a message. */
const struct command *command_find(struct console *c, const char *name);
/* The index of the word of `choices` that `arg` is, or begins unambiguously; -1
 * after a message that lists them, in which `what` names them. */
int command_choose(struct console *c, const char *what, const char *const *choices, const char *arg);
/* Which of n names `arg` is or begins: its index, -1: none, -2: several. */
int command_match(const char *arg, const char *(*name)(const void *of, size_t i), const void *of);

extern const struct command command_block, command_detach, command_diff, command_dump,
	command_errors, command_export, command_heapinfo, command_heapmap, command_help, command_kill, command_leaks, command_list,
	command_mark, command_proclist, command_quit, command_reset, command_scan, command_set,
	command_show, command_stack, command_start, command_status, command_stop, command_top,
	command_wait, command_why;

/* -- the line (split.c) --------------------------------------------------------------- */

struct command_line {
	VEC(char *) words;     /* NULL follows */
	char *file;            /* behind > or >>; NULL: none */
	bool append;
};

/* Splits at blanks.  "…" and '…' keep them, \ the next character, outside '…'; a
 * word that begins with # begins a comment.  0, or -1 with *why in words. */
int command_line_split(struct command_line *l, const char *text, const char **why);
void command_line_release(struct command_line *l);

/* -- the console ----------------------------------------------------------------------- */

struct input {
	int fd;                /* -1: ended */
	const char *name;      /* of a script, for messages; NULL */
	unsigned line;
	VEC(char) bytes;       /* read, and not used up */
	bool prompts;          /* a terminal */
	bool stopped;          /* Ctrl-C ends a script */
};

struct console {
	const struct console_opts *o;
	struct client *client; /* NULL: none, or its tracing is over */
	struct report_opts report;
	struct strings searchpath; /* `set searchpath`; NULL follows */
	enum report_piece listing; /* what numbers are of */
	const struct report_sort *listing_sort;
	pid_t listing_pid;     /* 0: all processes were listed */
	uint32_t scan_mark;    /* set after the last scan; 0: none */
	bool quit, failed;
	struct input input;
	uint32_t requests;
	bool held;             /* the program stands at its entry, for all we know */
	/* of the command that runs */
	struct strbuf out;     /* what it prints; shown when it ends */
	const char *file;      /* … there; NULL: standard output … */
	bool paged;            /* … through a pager */
};

/* Beside console_interrupted, and until somebody looks: */
extern volatile int console_ending; /* the signal that asks us to end */
extern volatile int console_resumed; /* we were stopped for a while */
extern volatile int console_resized; /* the terminal has another size */

/* A message about the command that runs.  −1. */
PRINTF_LIKE(2, 3) int console_error(const struct console *c, const char *fmt, ...);
/* -1 after a message: the command takes other words. */
int console_usage(const struct console *c, const struct command *cmd);
/* How what is printed now should look. */
struct report_page console_page(const struct console *c);
/* A process id that was traced: 0; or -1 after a message. */
int console_pid(const struct console *c, const char *arg, pid_t *out);
/* The only word a command takes is a pid, or nothing: 0 (all).  0 or -1. */
int console_pid_only(const struct console *c, const struct command *cmd, int argc, char **argv,
		     pid_t *out);
/* 0x55d0c2a0.  0 or -1 after a message. */
int console_address(const struct console *c, const char *arg, taddr_t *out);
/* A decimal number.  0 or -1 after a message. */
int console_number(const struct console *c, const char *what, const char *arg,
		   unsigned long max, unsigned long *out);
/* The stack that has the number of the last listing.  0 or -1 after a message. */
int console_numbered(const struct console *c, const char *arg, struct report_numbered *out);
/* Is it a process that runs still?  The one, when pid is 0 and there is only one; else
 * -1 after a message. */
int console_live(const struct console *c, pid_t pid, pid_t *out);

/* Prints a piece of the report; `none` (a line) when there is nothing of it. */
int console_piece(struct console *c, const struct report_opts *opts, enum report_piece piece,
		  const char *none);
/* One of several blocks as reports take it. */
struct report_block console_block(const struct console *c, pid_t pid, const struct known_block *b);

/* Executes one line.  0, or -1 after a message. */
int console_execute(struct console *c, const char *text);

/* -- asking (ask.c) --------------------------------------------------------------------- */

/* 0, or -1 after a message: also when there is nobody to ask. */
int console_ask(struct console *c, struct request *q, struct answer *a);
/* A request that has no more to say than that it was done. */
int console_tell(struct console *c, enum request_kind kind, pid_t pid, uint64_t a);
/* Waits until fd can be read (or written), and takes what the tracer tells.  1: it
 * can; 0: it was interrupted, or the time is over (below 0: none). */
int console_wait(struct console *c, int fd, short events, int timeout_ms);
/* Takes what the tracer tells until tracing has ended, for so many seconds (0: any
 * time), or up to an interrupt. */
void console_wait_end(struct console *c, unsigned long seconds);
/* The program that is launched has come to its entry, or Ctrl-C; -1: it could not be
 * launched. */
int console_await_entry(struct console *c);
/* The open blocks are known as they are now. */
int console_fetch_blocks(struct console *c, pid_t pid);

/* -- heaps.c --------------------------------------------------------------------------------- */

typedef void heap_shower(struct console *c, const struct heapmap *m, const struct heapinfo *info,
			 const void *arg);
/* For each process that is meant (pid 0: all) and whose heap is known, as it is now.  0 or -1
 * after a message. */
int console_each_heap(struct console *c, pid_t pid, heap_shower *show, const void *arg);

/* -- in and out --------------------------------------------------------------------------- */

/* The next line; NULL: there are no more.  The caller frees. */
char *input_line(struct console *c);
/* Shows or writes what a command has printed.  0 or -1 after a message. */
int output_show(struct console *c, const struct command_line *l);
/* Is it so long that it will go through a pager? */
bool output_pages(const struct console *c);

/* What may stand instead of the word that begins at `at` in the line. */
void console_candidates(const struct console *c, const char *line, size_t at, struct strings *out);
/* May it be a file's name? */
bool console_takes_file(const char *line, size_t at);

/* readline.c; without readline these do nothing. */
bool readline_begin(struct console *c);
char *readline_line(struct console *c);
void readline_end(void);

#endif
