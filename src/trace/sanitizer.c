/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/msg.h"
#include "trace/fail.h"
#include "trace/sanitizer.h"
#include "trace/trace.h"

/* gcc links the run-time library, clang has it in the program. */
static const struct {
	const char *name, *library, *inside;
	bool leaks;
} sanitizers[] = {
	{ "AddressSanitizer", "libasan.so", "__asan_init", true },
	{ "LeakSanitizer", "liblsan.so", "__lsan_init", true },
	{ "ThreadSanitizer", "libtsan.so", "__tsan_init", false },
	{ "MemorySanitizer", "libmsan.so", "__msan_init", false },
	{ "HWAddressSanitizer", "libhwasan.so", "__hwasan_init", false },
};

static void note_first(void *arg, size_t i, const struct elf_symbol *sym)
{
	size_t *first = arg;

	(void)sym;
	*first = MIN(*first, i);
}

const char *sanitizer_of(struct elf_file *exe)
{
	const char *inside[ARRAY_SIZE(sanitizers)];
	size_t first = ARRAY_SIZE(sanitizers);

	for (size_t i = 0; i < ARRAY_SIZE(sanitizers); i++) {
		if (elf_file_needs(exe, sanitizers[i].library))
			return sanitizers[i].name;
		inside[i] = sanitizers[i].inside;
	}
	elf_file_find_functions(exe, inside, ARRAY_SIZE(inside), SYMS_OWN, note_first, &first);
	return first < ARRAY_SIZE(sanitizers) ? sanitizers[first].name : NULL;
}

bool sanitizer_checks_leaks(const char *sanitizer)
{
	for (size_t i = 0; i < ARRAY_SIZE(sanitizers); i++)
		if (!strcmp(sanitizers[i].name, sanitizer))
			return sanitizers[i].leaks;
	return false;
}

int sanitizer_refuse(const char *path, const char *name, const struct change_opts *o)
{
	struct elf_file *f = o->fail.n || o->redzone ? elf_file_open(path, name) : NULL;
	const char *which = f ? sanitizer_of(f) : NULL;

	if (which && o->fail.n)
		msg_error("--inject: %s is built with %s, whose allocator ends the program instead "
			  "of failing", name, which);
	else if (which)
		msg_error("--redzone-size: %s is built with %s, which has red zones of its own", name,
			  which);
	elf_file_unref(f);
	return which ? -1 : 0;
}
