/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maps, modules, and objects read from memory: this process is the tracee. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "elf/modules.h"
#include "code-address.h"

static int mem_fd;

static ssize_t read_self(void *arg, taddr_t addr, void *buf, size_t len)
{
	ssize_t n = pread(mem_fd, buf, len, (off_t)addr);

	(void)arg;
	return n < 0 ? -errno : n;
}

static const struct mem_reader self = { read_self, NULL };

/* -- maps ------------------------------------------------------------------- */

static void test_maps_text(void **state)
{
	char text[] =
		"00400000-00452000 r-xp 00001000 08:02 173521      /usr/bin/a b  c\n"
		"00651000-00652000 rw-s 00051000 fd:10 173521 /x\\012y (deleted)\n"
		"this is no line\n"
		"00652000-00655000 rw-p 00000000 00:00 0 \n"
		"00100000-00101000 rw-p 00000000 00:00 0 \n"
		"7ffd-7ffc r--p 00000000 00:00 0\n"
		"f7700000-f7701000 ---p 00000000 00:00 0                          [vdso]\n"
		"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]";
	struct maps m = {0};
	const struct map_line *l;

	(void)state;
	assert_int_equal(maps_parse(&m, text), 0);
	assert_int_equal(m.lines.n, 5);
	l = m.lines.v;
	assert_int_equal(l[0].start, 0x400000);
	assert_int_equal(l[0].end, 0x452000);
	assert_int_equal(l[0].offset, 0x1000);
	assert_int_equal(l[0].dev, makedev(8, 2));
	assert_int_equal(l[0].ino, 173521);
	assert_true(l[0].r && !l[0].w && l[0].x && !l[0].shared && !l[0].deleted);
	assert_string_equal(l[0].path, "/usr/bin/a b  c");
	assert_true(l[1].shared && l[1].deleted && l[1].w && !l[1].x);
	assert_int_equal(l[1].dev, makedev(0xfd, 0x10));
	assert_string_equal(l[1].path, "/x\ny");
	assert_string_equal(l[2].path, "");
	assert_string_equal(l[3].path, "[vdso]");
	assert_true(l[4].start == 0xffffffffff600000);
	assert_ptr_equal(maps_find(&m, 0x400000), &l[0]);
	assert_ptr_equal(maps_find(&m, 0x654fff), &l[2]);
	assert_null(maps_find(&m, 0x655000));
	assert_null(maps_find(&m, 0));
	maps_release(&m);
}

static void test_maps_self(void **state)
{
	struct maps m;
	const struct map_line *l;

	(void)state;
	assert_int_equal(maps_read(&m, getpid()), 0);
	l = maps_find(&m, (uintptr_t)test_maps_self);
	assert_non_null(l);
	assert_true(l->x && l->path[0] == '/');
	maps_release(&m);
	assert_int_equal(maps_read(&m, 0x7ffffff0), -ESRCH);
}

/* -- modules ------------------------------------------------------------------ */

struct seen {
	unsigned added, gone;
	char last_added[256], last_gone[256];
};

static void on_added(void *arg, struct module *m)
{
	struct seen *s = arg;

	s->added++;
	snprintf(s->last_added, sizeof s->last_added, "%s", m->path);
}

static void on_gone(void *arg, struct module *m)
{
	struct seen *s = arg;

	s->gone++;
	snprintf(s->last_gone, sizeof s->last_gone, "%s", m->path);
}

static struct seen update(struct modules *ms)
{
	struct seen s = {0};
	struct maps m;

	assert_int_equal(maps_read(&m, ms->pid), 0);
	modules_update(ms, &m, on_added, on_gone, &s);
	maps_release(&m);
	for (size_t i = 1; i < ms->v.n; i++) {
		const struct module *a = ms->v.v[i - 1], *b = ms->v.v[i];

		assert_true(a->start < b->start);
		/* In a gap of ld.so's there may be the vdso. */
		assert_true(a->end <= b->start || (b->is_vdso && b->end <= a->end));
	}
	return s;
}

/* A file that a program only looks at is none of its modules. */
static void test_mapped_as_data(void **state)
{
	struct modules ms;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	void *p;
	struct seen s;

	(void)state;
	modules_init(&ms, getpid(), &self);
	update(&ms);
	assert_true(fd >= 0);
	p = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	s = update(&ms);
	assert_int_equal(s.added + s.gone, 0);
	munmap(p, 65536);
	close(fd);
	modules_release(&ms);
}

/* What ld.so has loaded must be found, with the same bias. */
static int check_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct modules *ms = arg;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		struct module *m;

		if (ph->p_type != PT_LOAD || !ph->p_memsz)
			continue;
		m = modules_find(ms, info->dlpi_addr + ph->p_vaddr + ph->p_memsz - 1);
		assert_non_null(m);
		assert_ptr_equal(m, modules_find(ms, info->dlpi_addr + ph->p_vaddr));
		assert_non_null(m->file);
		assert_int_equal(m->bias, info->dlpi_addr);
		if (ph->p_flags & PF_X)
			assert_true(info->dlpi_addr + ph->p_vaddr >= m->text_start &&
				    info->dlpi_addr + ph->p_vaddr < m->text_end);
	}
	return 0;
}

static void test_all_objects(void **state)
{
	struct modules ms, copy;
	struct seen s;

	(void)state;
	modules_init(&ms, getpid(), &self);
	s = update(&ms);
	assert_true(s.added >= 2);
	assert_int_equal(s.gone, 0);
	assert_int_equal(s.added, ms.v.n);
	dl_iterate_phdr(check_object, &ms);
	assert_null(modules_find(&ms, 0));
	assert_null(modules_find(&ms, (uintptr_t)&ms)); /* the stack */

	s = update(&ms);
	assert_int_equal(s.added + s.gone, 0);
	modules_copy(&copy, &ms, getpid(), &self);
	assert_int_equal(copy.v.n, ms.v.n);
	assert_int_equal(copy.v.v[0]->id, ms.v.v[0]->id);
	modules_release(&ms);
	dl_iterate_phdr(check_object, &copy);
	modules_release(&copy);
}

struct copy {
	void *area, *loaded; /* the area holds them: a page of the file, the copy */
	size_t size;
	uintptr_t bias;
};

/* Loads libc once more as ld.so would, with the file's first page right below. */
static int load_copy(struct dl_phdr_info *info, size_t size, void *arg)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	struct copy *c = arg;
	uintptr_t end = 0;
	int fd;

	(void)size;
	if (!strstr(info->dlpi_name, "/libc."))
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD)
			end = info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
	c->size = end + 2 * page;
	c->area = mmap(NULL, c->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(c->area, MAP_FAILED);
	c->loaded = (char *)c->area + page;
	c->bias = (uintptr_t)c->loaded;
	fd = open(info->dlpi_name, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	mmap(c->area, page, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		uintptr_t skip = ph->p_vaddr % page;
		int prot = (ph->p_flags & PF_R ? PROT_READ : 0) | (ph->p_flags & PF_X ? PROT_EXEC : 0);

		if (ph->p_type == PT_LOAD)
			assert_ptr_not_equal(mmap((void *)(c->bias + ph->p_vaddr - skip),
						  ph->p_filesz + skip, prot, MAP_PRIVATE | MAP_FIXED,
						  fd, (off_t)(ph->p_offset - skip)), MAP_FAILED);
	}
	close(fd);
	return 1;
}

static void test_data_below(void **state)
{
	struct copy c = {0};
	struct modules ms;
	struct module *m;

	(void)state;
	if (!dl_iterate_phdr(load_copy, &c)) {
		print_message("SKIP: no libc.so among the objects of this process\n");
		skip();
	}
	modules_init(&ms, getpid(), &self);
	update(&ms);
	m = modules_find(&ms, (uintptr_t)c.loaded);
	assert_non_null(m);
	assert_int_equal(m->start, c.bias);
	assert_int_equal(m->bias, c.bias);
	assert_null(modules_find(&ms, (uintptr_t)c.area));
	dl_iterate_phdr(check_object, &ms);
	modules_release(&ms);
	munmap(c.area, c.size);
}

static void *open_some_library(void)
{
	static const char *const names[] = { "libBrokenLocale.so.1", "libanl.so.1", "libutil.so.1",
					     "libnss_files.so.2" };
	void *h = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(names) && !h; i++)
		if (!dlopen(names[i], RTLD_NOW | RTLD_NOLOAD))
			h = dlopen(names[i], RTLD_NOW);
	return h;
}

static void test_dlopen(void **state)
{
	struct modules ms;
	struct seen s;
	uint32_t generation;
	void *h;

	(void)state;
	modules_init(&ms, getpid(), &self);
	update(&ms);
	generation = ms.generation;
	h = open_some_library();
	if (!h) {
		modules_release(&ms);
		skip();
	}
	s = update(&ms);
	assert_int_equal(s.added, 1);
	assert_int_equal(s.gone, 0);
	dl_iterate_phdr(check_object, &ms);
	assert_int_equal(ms.generation, generation);

	dlclose(h);
	s = update(&ms);
	assert_int_equal(s.added, 0);
	assert_int_equal(s.gone, 1);
	assert_int_equal(ms.generation, generation + 1);
	assert_non_null(strstr(s.last_gone, ".so"));
	modules_release(&ms);
}

/* -- from memory ---------------------------------------------------------------- */

static unsigned found;
static taddr_t found_at;

static void on_symbol(void *arg, size_t index, const struct elf_symbol *s)
{
	(void)arg;
	(void)index;
	found++;
	found_at = s->value;
}

static void test_vdso(void **state)
{
	static const char *const names[] = { "__vdso_clock_gettime", "__kernel_clock_gettime",
					     "clock_gettime" };
	taddr_t at = getauxval(AT_SYSINFO_EHDR);
	struct modules ms;
	struct module *m;

	(void)state;
	if (!at)
		skip();
	modules_init(&ms, getpid(), &self);
	update(&ms);
	m = modules_find(&ms, at);
	assert_non_null(m);
	assert_true(m->is_vdso);
	assert_string_equal(m->path, "[vdso]");
	assert_non_null(m->file);
	found = 0;
	elf_file_find_functions(m->file, names, 3, SYMS_OWN, on_symbol, NULL);
	assert_true(found >= 1);
	modules_release(&ms);
}

/* Not through a function that a sanitizer replaces. */
static void *libc_symbol(const char *name)
{
	Dl_info info;

	assert_true(dladdr((void *)(uintptr_t)getppid, &info));
	return dlsym(dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD), name);
}

static void test_libc_from_memory(void **state)
{
	static const char *const names[] = { "malloc" };
	void *at = libc_symbol("malloc");
	struct modules ms;
	struct module *m;
	struct elf_file *f;
	struct elf_symbol s;
	char code[16];
#ifdef __arm__
	struct exidx_entry row;
#endif
	const uint8_t *id;
	uint8_t buf[64];
	size_t n;

	(void)state;
	modules_init(&ms, getpid(), &self);
	update(&ms);
	m = modules_find(&ms, (uintptr_t)at);
	assert_non_null(m);
	f = elf_file_from_memory(&self, m->start, m->end - m->start, "libc");
	assert_non_null(f);
	assert_ptr_not_equal(f, m->file);
	id = elf_file_build_id(m->file, &n);
	assert_int_equal(elf_memory_build_id(&self, m->start, buf, sizeof buf), n);
	assert_memory_equal(buf, id, n);
	found = 0;
	elf_file_find_functions(f, names, 1, SYMS_OWN, on_symbol, NULL);
	assert_int_equal(found, 1);
	assert_int_equal(found_at + m->bias, code_address(at));
	assert_true(elf_file_function_at(f, found_at, &s));
	assert_string_equal(s.name, "malloc");
#ifdef __arm__ /* has another table */
	assert_int_not_equal(elf_file_exidx(f, found_at, &row), EXIDX_NONE);
#else
	assert_non_null(elf_file_cfi(f, CFI_EH_FRAME));
#endif
	assert_int_equal(elf_file_image(f, found_at, code, sizeof code), sizeof code);
	assert_memory_equal(code, (void *)code_address(at), sizeof code);
	elf_file_unref(f);
	modules_release(&ms);
}

/* -- tables of objects in memory ----------------------------------------------------- */

static bool is_table(ElfW(Sxword) tag)
{
	return tag == DT_HASH || tag == DT_STRTAB || tag == DT_SYMTAB || tag == DT_RELA ||
	       tag == DT_REL || tag == DT_JMPREL || tag == DT_VERSYM || tag == DT_GNU_HASH;
}

static ElfW(Dyn) *dynamic_of(uint8_t *image)
{
	ElfW(Ehdr) *eh = (void *)image;
	ElfW(Phdr) *ph = (void *)(image + eh->e_phoff);
	ElfW(Dyn) *d = NULL;

	for (unsigned i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_DYNAMIC)
			d = (void *)(image + ph[i].p_offset);
	assert_non_null(d);
	return d;
}

/* Adds delta to the pointers of .dynamic that ld.so adds the bias to. */
static void move_tables(uint8_t *image, taddr_t delta)
{
	for (ElfW(Dyn) *d = dynamic_of(image); d->d_tag != DT_NULL; d++)
		if (is_table(d->d_tag))
			d->d_un.d_ptr += (ElfW(Addr))delta;
}

/* Some machines' ld.so leaves them as they are.  The hash table is near the start. */
static bool dynamic_is_relocated(uint8_t *image, taddr_t bias)
{
	const ElfW(Dyn) *d = dynamic_of(image);

	while (d->d_tag != DT_GNU_HASH && d->d_tag != DT_HASH && d->d_tag != DT_NULL)
		d++;
	return d->d_un.d_ptr >= bias;
}

/* libc, as if it were loaded at bias; with its pointers relocated or not. */
static void check_libc_at(const uint8_t *plain, uint64_t size, taddr_t bias, bool relocate,
			  taddr_t malloc_at)
{
	static const char *const names[] = { "malloc" };
	uint8_t *copy = malloc(size);
	struct elf_file *f;
	struct elf_symbol s;

	assert_non_null(copy);
	memcpy(copy, plain, size);
	if (relocate)
		move_tables(copy, bias);
	f = elf_file_from_image(copy, size, bias, "libc");
	free(copy);
	assert_non_null(f);
	found = 0;
	elf_file_find_functions(f, names, 1, SYMS_OWN, on_symbol, NULL);
	assert_int_equal(found, 1);
	assert_int_equal(found_at, malloc_at);
	assert_true(elf_file_function_at(f, found_at, &s));
	assert_string_equal(s.name, "malloc");
	assert_non_null(s.version);
	elf_file_unref(f);
}

/* Where libraries lie low, an address with the bias is one without it, too. */
static void test_low_bias(void **state)
{
	static const char *const names[] = { "malloc" };
	struct modules ms;
	struct module *m;
	struct elf_file *f;
	uint8_t *plain;
	const uint8_t *p;
	uint64_t size;
	taddr_t bias, at;

	(void)state;
	modules_init(&ms, getpid(), &self);
	update(&ms);
	m = modules_find(&ms, (uintptr_t)libc_symbol("malloc"));
	assert_non_null(m);
	f = elf_file_from_memory(&self, m->start, m->end - m->start, "libc");
	assert_non_null(f);
	found = 0;
	elf_file_find_functions(f, names, 1, SYMS_OWN, on_symbol, NULL);
	assert_int_equal(found, 1);
	at = found_at;
	p = elf_file_memory_image(f, &size, &bias);
	assert_non_null(p);
	plain = malloc(size);
	assert_non_null(plain);
	memcpy(plain, p, size);
	elf_file_unref(f);
	if (dynamic_is_relocated(plain, bias))
		move_tables(plain, -bias);
	for (taddr_t b = 0x10000; b < 0x400000; b *= 2) {
		check_libc_at(plain, size, b, false, at);
		check_libc_at(plain, size, b, true, at);
	}
	free(plain);
	modules_release(&ms);
}

static void test_nothing_in_memory(void **state)
{
	(void)state;
	assert_null(elf_file_from_memory(&self, 0x1000, 0x1000, "x"));
	assert_int_equal(errno, ENOEXEC);
	assert_null(elf_file_from_memory(&self, (uintptr_t)environ, 64, "x"));
	assert_int_equal(errno, ENOEXEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_maps_text),
		cmocka_unit_test(test_maps_self),
		cmocka_unit_test(test_all_objects),
		cmocka_unit_test(test_mapped_as_data),
		cmocka_unit_test(test_data_below),
		cmocka_unit_test(test_dlopen),
		cmocka_unit_test(test_vdso),
		cmocka_unit_test(test_libc_from_memory),
		cmocka_unit_test(test_low_bias),
		cmocka_unit_test(test_nothing_in_memory),
	};

	mem_fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
