/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs built with a sanitizer, whose allocator checks more than others do. */
#ifndef TRACE_SANITIZER_H
#define TRACE_SANITIZER_H

#include "elf/elf_file.h"

/* Which one is in the program: "AddressSanitizer"; NULL: none. */
const char *sanitizer_of(struct elf_file *exe);
/* Does it look for leaks at the end, which fails under a tracer? */
bool sanitizer_checks_leaks(const char *sanitizer);
/* What --inject and --redzone-size have to say to it, after which nothing is to
 * run: the program at `path` is refused.  0, or -1 after a message. */
struct change_opts;
int sanitizer_refuse(const char *path, const char *name, const struct change_opts *o);

#endif
