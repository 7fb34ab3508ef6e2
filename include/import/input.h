/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a heap log comes from: a file, which may grow, a pipe, or a serial line. */
#ifndef MTRACE_IMPORT_INPUT_H
#define MTRACE_IMPORT_INPUT_H

#include "base/types.h"

#define INPUT_BAUD 115200

struct import_input;

struct input_opts {
	const char *path;      /* "-": standard input */
	unsigned long baud;    /* of a serial line */
	bool follow;           /* a file is read on as it grows */
};

/* A terminal device is made raw; what it was is restored at the end.  NULL after a
 * message. */
struct import_input *input_open(const struct input_opts *o);
void input_close(struct import_input *);
/* A serial line, or a terminal. */
bool input_is_line(const struct import_input *);
/* "boot.log", "ttyACM0", "the standard input"; the whole path. */
const char *input_name(const struct import_input *);
const char *input_path(const struct import_input *);
/* To poll(2); −1: a file that grows, to look at now and then. */
int input_fd(const struct import_input *);
/* Bytes; 0: that was all (of a line: the device is gone); -EAGAIN: nothing more as yet;
 * -ESTALE: the file begins anew, read on; or another -errno. */
ssize_t input_read(struct import_input *, void *buf, size_t n);
/* Is it a speed that lines have?  The i-th of them, 0 behind the last. */
bool input_knows_baud(unsigned long baud);
unsigned long input_baud(size_t i);

#endif
