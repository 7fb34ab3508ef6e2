/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages to the user.  Every line begins with "mtrace: " (the name the
 * program was installed as) and leaves in one write(2), so that it never
 * mixes with the output of the program we trace. */
#ifndef MTRACE_BASE_MSG_H
#define MTRACE_BASE_MSG_H

#include <stdarg.h>
#include "base/types.h"

/* Exit codes of our own errors, as env(1), timeout(1) and nohup(1) have them. */
enum { EXIT_OURS = 125, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

/* How much is said.  QUIET: only what is wrong. */
enum msg_level { MSG_QUIET = -1, MSG_NORMAL = 0, MSG_VERBOSE = 1, MSG_DEBUG = 2 };

/* Name that messages begin with; kept by reference.  Default: "mtrace". */
void msg_set_program(const char *name);
const char *msg_program(void);
void msg_set_level(enum msg_level level);
enum msg_level msg_level(void);
/* Where messages go; default 2.  Kept open, close-on-exec is the caller's. */
void msg_set_fd(int fd);
int msg_fd(void);

/* Escape sequences in what msg_begin() says; default: none. */
void msg_set_color(bool on);

/* The line that tells that tracing begins, dim where there is colour; nothing
 * with -q.  Here and below control characters in names are made harmless. */
void msg_begin(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* A line about what goes on; nothing with -q. */
void msg_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* The same, only with -v. */
void msg_verbose(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* The same, only with -D. */
void msg_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Something is not as it should be, and we go on.  Shown with -q too. */
void msg_warn(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Something failed.  Returns -1, so that `return msg_error(…);` reads well. */
int msg_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
void msg_vwarn(const char *fmt, va_list ap);

/* What die() and BUG() must do before the process ends: take the breakpoints
 * out and detach.  Run once; a second die() inside it exits at once. */
void msg_set_cleanup(void (*cleanup)(void));

/* Says why, runs the cleanup, exits with EXIT_OURS. */
_Noreturn void die(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* An invariant of ours is broken: says where, cleans up, aborts. */
#define BUG(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void bug_at(const char *file, int line, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
