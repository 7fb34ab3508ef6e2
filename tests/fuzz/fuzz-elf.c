/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Damaged ELF files: opening, symbols, relocations, call-frame information,
 * lines, and the same bytes read as a tracee's memory.
 *
 * With clang: -fsanitize=fuzzer,address -DLIBFUZZER.  Without, main() changes
 * files (its own executable and those named) at places that a fixed seed
 * chooses, for FUZZ_SECONDS (5) seconds. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <elfutils/libdw.h>
#include "base/xalloc.h"
#include "elf/elf_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = { "malloc", "free", "main", "_Znwm", "" };

static void on_symbol(void *arg, size_t i, const struct elf_symbol *s)
{
	size_t *sum = arg;

	*sum += i + strlen(s->name) + (s->version ? strlen(s->version) : 0);
}

static bool on_reloc(void *arg, enum elf_reloc_kind kind, taddr_t slot, taddr_t addend,
		     const char *symbol)
{
	size_t *sum = arg;

	*sum += kind + slot + addend + (symbol ? strlen(symbol) : 0);
	return true;
}

static void on_frame(void *arg, const struct source_frame *s)
{
	size_t *sum = arg;

	*sum += (s->function ? strlen(s->function) : 0) + (s->file ? strlen(s->file) : 0) + s->line;
}

static void one_address(struct elf_file *f, taddr_t addr, size_t *sum)
{
	Dwarf_Frame *frame = NULL;
	struct elf_symbol s;
	struct exidx_entry e;
	uint64_t len;
	char *text;

	if (elf_file_exidx(f, addr, &e) == EXIDX_OPS)
		*sum += e.n + e.ops[e.n - 1];
	if (elf_file_code(f, addr, &len))
		*sum += len;
	if (elf_file_function_at(f, addr, &s)) {
		text = elf_demangle(s.name);
		*sum += text ? strlen(text) : 0;
		free(text);
	}
	if (elf_file_object_at(f, addr, &s))
		*sum += strlen(s.name);
	for (int which = CFI_EH_FRAME; which <= CFI_DEBUG_FRAME; which++) {
		Dwarf_CFI *cfi = elf_file_cfi(f, which);

		if (cfi && dwarf_cfi_addrframe(cfi, addr, &frame) == 0) {
			free(frame);
			frame = NULL;
		}
	}
	elf_file_lines(f, addr, on_frame, sum);
}

static void ask_everything(struct elf_file *f, size_t *sum)
{
	const struct elf_segment *seg;
	size_t n = elf_file_segments(f, &seg);
	uint8_t buf[64];

	elf_file_find_functions(f, names, ARRAY_SIZE(names), SYMS_OWN | SYMS_DEBUG, on_symbol, sum);
	elf_file_each_got(f, on_reloc, sum);
	*sum += elf_file_needs(f, "libasan");
	one_address(f, elf_file_ident(f)->entry, sum);
	for (size_t i = 0; i < n && i < 8; i++) {
		*sum += elf_file_image(f, seg[i].vaddr, buf, sizeof buf);
		if (!(seg[i].flags & 1))
			continue;
		for (unsigned k = 0; k < 8; k++)
			one_address(f, seg[i].vaddr + seg[i].memsz / 8 * k, sum);
	}
	*sum += elf_file_has_lines(f);
}

struct bytes {
	const uint8_t *p;
	size_t n;
};

/* A tracee whose memory is the file, at 0x10000. */
static ssize_t read_bytes(void *arg, taddr_t addr, void *buf, size_t len)
{
	const struct bytes *b = arg;

	if (addr < 0x10000 || addr - 0x10000 >= b->n)
		return -5;
	len = MIN(len, b->n - (addr - 0x10000));
	memcpy(buf, b->p + (addr - 0x10000), len);
	return (ssize_t)len;
}

static void as_file(const uint8_t *data, size_t size, size_t *sum)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct elf_file *f;
	char path[32];

	if (fd < 0)
		return;
	if (write(fd, data, size) == (ssize_t)size) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		f = elf_file_open(path, "/nowhere/fuzz");
		if (f)
			ask_everything(f, sum);
		elf_file_unref(f);
	}
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = { data, size };
	struct mem_reader mem = { read_bytes, &b };
	struct elf_file *f;
	size_t sum = 0;

	as_file(data, size, &sum);
	f = elf_file_from_memory(&mem, 0x10000, size, "[memory]");
	if (f)
		ask_everything(f, &sum);
	elf_file_unref(f);
	return 0;
}

#ifndef LIBFUZZER

static uint64_t seed = 20;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static uint8_t *read_whole(const char *path, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *p = NULL;

	*n = 0;
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && st.st_size < 64 << 20) {
		p = xmalloc((size_t)st.st_size + 1);
		if (read(fd, p, (size_t)st.st_size) == st.st_size)
			*n = (size_t)st.st_size;
	}
	close(fd);
	return p;
}

/* Half of the damage goes to the headers at both ends of the file. */
static size_t somewhere(size_t n)
{
	switch (next_random() % 4) {
	case 0:
		return next_random() % MIN(n, (size_t)1024);
	case 1:
		return n - 1 - next_random() % MIN(n, (size_t)3000);
	default:
		return next_random() % n;
	}
}

static void mutate(uint8_t *p, size_t n)
{
	static const uint64_t values[] = { 0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000,
					   0xffffffff, 0x7fffffffffffffff, UINT64_MAX };
	unsigned count = 1 + next_random() % 24;

	while (count--) {
		size_t at = somewhere(n), len = 1u << next_random() % 4;
		uint64_t v = next_random() % 2 ? values[next_random() % ARRAY_SIZE(values)]
					       : next_random();

		memcpy(p + at, &v, MIN(len, n - at));
	}
}

static unsigned long fuzz_file(const char *path, double seconds)
{
	struct timespec began, now;
	unsigned long runs = 0;
	size_t n;
	uint8_t *whole = read_whole(path, &n), *p = xmalloc(n + 1);

	clock_gettime(CLOCK_MONOTONIC, &began);
	do {
		size_t len = next_random() % 8 ? n : next_random() % (n + 1);

		if (!n)
			break;
		memcpy(p, whole, n);
		if (runs && len)
			mutate(p, len);
		LLVMFuzzerTestOneInput(p, runs ? len : n);
		runs++;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((double)(now.tv_sec - began.tv_sec) +
		 (double)(now.tv_nsec - began.tv_nsec) / 1e9 < seconds);
	free(whole);
	free(p);
	return runs;
}

int main(int argc, char **argv)
{
	static const char *const no_dirs[] = { NULL };
	static const struct debug_opts opts = { .dirs = no_dirs };
	const char *s = getenv("FUZZ_SECONDS"), *start = getenv("FUZZ_SEED");
	double seconds = s ? atof(s) : 5;

	if (start)
		seed = strtoull(start, NULL, 0) | 1;
	elf_set_debug_opts(&opts);
	printf("1..%d\n", MAX(argc - 1, 1));
	for (int i = 1; i < MAX(argc, 2); i++) {
		const char *path = argc > 1 ? argv[i] : "/proc/self/exe";
		unsigned long runs = fuzz_file(path, seconds / MAX(argc - 1, 1));

		printf("%sok %d - %lu damaged copies of %s\n", runs ? "" : "not ", i, runs, path);
	}
	return 0;
}

#endif
