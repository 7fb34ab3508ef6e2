/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/host.h"
#include "base/msg.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "trace/breakpoint.h"
#include "trace/census.h"
#include "trace/engine.h"
#include "trace/entry.h"
#include "trace/image-internal.h"
#include "trace/pause.h"
#include "trace/recorder.h"
#include "trace/rows.h"
#include "trace/sanitizer.h"
#include "trace/sigtrap.h"

static const char *const linkmap_names[] = { "_dl_debug_state" };

/* -- /proc ------------------------------------------------------------------------ */

/* An entry of the auxiliary vector, whose words are the tracee's. */
static taddr_t auxv(pid_t pid, const struct abi *abi, uint64_t type)
{
	const unsigned word = abi->word;
	char path[40];
	uint8_t b[2048];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/auxv", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, b, sizeof b);
	close(fd);
	for (ssize_t i = 0; i + 2 * (ssize_t)word <= n; i += 2 * (ssize_t)word) {
		if (abi_load(abi, b + i, word) == type)
			return abi_load(abi, b + i + word, word);
	}
	return 0;
}

static char *read_link(pid_t pid, const char *what)
{
	char path[40], target[4096];
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/%s", pid, what);
	n = readlink(path, target, sizeof target - 1);
	if (n < 0)
		return NULL;
	target[n] = '\0';
	if (n > 10 && !strcmp(target + n - 10, " (deleted)"))
		target[n - 10] = '\0';
	return xstrdup(target);
}

/* -- modules come and go --------------------------------------------------------------- */

/* The report asks for names when the process may be gone, and with it the only
 * way to a file that was replaced or lies in another mount namespace: every file
 * stays open until we end. */
static void keep_file(struct elf_file *f)
{
	static struct u64map kept;

	if (u64map_get(&kept, (uintptr_t)f))
		return;
	u64map_set(&kept, (uintptr_t)f, 1);
	elf_file_ref(f);
}

static void module_added(void *arg, struct module *m)
{
	struct proc *p = arg;

	if (m->file)
		keep_file(m->file);
	if (!m->file && !m->is_vdso && m->open_error && m->open_error != ENOEXEC)
		msg_verbose("%s: %s; its functions are not observed", m->path,
			    strerror(m->open_error));
	record_module(p, m);
	rows_want(p, m);
}

static void module_gone(void *arg, struct module *m)
{
	struct proc *p = arg;

	unwinder_forget(p->unwinder, m->start, m->end);
	u64map_release(&p->callees);
	for (size_t i = p->wrappers.n; i--;)
		if (p->wrappers.v[i].module == m)
			vec_remove(&p->wrappers, i);
	bp_forget_module(p, m);
	for (size_t i = p->sites.n; i--;) {
		struct probe_site *site = p->sites.v[i];

		if (site->module != m)
			continue;
		for (size_t k = 0; k < p->tasks.n; k++)
			calls_forget_site(p->tasks.v[k], site);
		vec_remove(&p->sites, i);
		free(site);
	}
	/* The same addresses may come to mean another library's functions. */
	p->space = recorder_new_space(p->session->recorder);
	record_module_gone(p, m);
}

static void sync_modules(struct proc *p, struct task *stopped, bool plant)
{
	struct maps maps;

	if (maps_read(&maps, p->pid))
		return;
	modules_update(&p->modules, &maps, module_added, module_gone, p);
	maps_release(&maps);
	for (size_t i = 0; i < p->modules.v.n && plant; i++) {
		struct module *m = p->modules.v.v[i];

		if (!image_planted(m))
			image_plant(p, stopped, m);
	}
	if (!plant)
		return;
	/* Jumps from one probe to the next can be followed once all are in. */
	for (size_t i = 0; i < p->sites.n; i++)
		if (p->sites.v[i]->probe->op == OP_RELEASE) {
			struct breakpoint *bp = bp_find(p, p->sites.v[i]->addr);

			if (bp)
				bp_follow_chain(p, bp);
		}
}

void image_sync(struct proc *p, struct task *stopped)
{
	p->state = PROC_TRACING;
	sync_modules(p, stopped, true);
}

/* An unwinder met a pc of no module. */
static bool refresh(void *arg)
{
	struct proc *p = arg;
	uint32_t generation = p->modules.generation;
	size_t n = p->modules.v.n;

	sync_modules(p, NULL, false);
	return n != p->modules.v.n || generation != p->modules.generation;
}

struct linkmap_search { struct proc *p; struct task *stopped; struct module *m; };

static void found_linkmap(void *arg, size_t index, const struct elf_symbol *sym)
{
	struct linkmap_search *s = arg;

	(void)index;
	if (bp_plant(s->p, s->stopped, s->m->bias + sym->code, BP_LINKMAP))
		s->p->seen_linkmap = true;
}

static void plant_linkmap(struct proc *p, struct task *stopped, struct module *m)
{
	struct linkmap_search s = { p, stopped, m };

	if (m && m->file)
		elf_file_find_functions(m->file, linkmap_names, 1, SYMS_OWN, found_linkmap, &s);
}

/* -- begin and end ------------------------------------------------------------------------ */

/* The class and machine of the running program; x32 and foreign ones are
 * refused. */
static int choose_abi(struct proc *p)
{
	char path[40];
	uint8_t e[20];
	unsigned machine;
	int fd;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/exe", p->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, e, sizeof e);
	close(fd);
	if (n != sizeof e || memcmp(e, ELFMAG, SELFMAG))
		return -ENOEXEC;
	machine = e[EI_DATA] == ELFDATA2MSB ? (unsigned)e[18] << 8 | e[19] :
					      (unsigned)e[19] << 8 | e[18];
	p->abi = abi_lookup(machine, e[EI_CLASS], e[EI_DATA]);
	if (p->abi && host_supports(p->abi))
		return 0;
	msg_warn("%s (%d) is %s; it runs on untraced", p->exe ? p->exe : "?", p->pid,
		 machine == EM_X86_64 && e[EI_CLASS] == ELFCLASS32 ? "an x32 program, which is not supported" :
		 "for a machine that is not supported");
	p->abi = NULL;
	return -ENOEXEC;
}

static bool is_ptrace(void *arg, enum elf_reloc_kind kind, taddr_t slot, taddr_t addend,
		      const char *symbol)
{
	bool *found = arg;

	(void)slot;
	(void)addend;
	*found |= kind == RELOC_SYMBOL && symbol && !strcmp(symbol, "ptrace");
	return !*found;
}

/* What cannot work the usual way gets a hint instead of a mystery. */
static void hint(struct proc *p, struct module *exe)
{
	bool traces = false;
	const char *sanitizer;

	if (!exe || !exe->file)
		return;
	sanitizer = sanitizer_of(exe->file);
	p->sanitized = sanitizer != NULL;
	if (sanitizer && p->session->failing)
		msg_warn("%s (%d) is built with %s, whose allocator ends the program instead of "
			 "failing: none of its requests is made to fail", p->name, p->pid, sanitizer);
	if (sanitizer && sanitizer_checks_leaks(sanitizer))
		msg_info("%s is a sanitizer build; its leak checker does not work under a tracer: "
			 "run with ASAN_OPTIONS=detect_leaks=0", p->name);
	elf_file_each_got(exe->file, is_ptrace, &traces);
	if (traces)
		msg_info("%s traces other programs itself, which fails for those that are traced "
			 "already%s", p->name,
			 p->session->opts->follow_fork ? ": leave -f out" : "");
}

int image_begin(struct proc *p, struct task *stopped, bool fresh, pid_t ppid)
{
	struct recorder *r = p->session->recorder;
	int err;

	free(p->exe);
	p->exe = read_link(p->pid, "exe");
	if (!p->name)
		p->name = xstrdup(p->exe ? last_part(p->exe) : "?");
	err = choose_abi(p);
	record_proc(p, ppid);
	if (err) {
		p->state = PROC_IGNORED;
		return err;
	}
	memory_open(&p->mem, p->pid);
	p->linker = auxv(p->pid, p->abi, AT_BASE);
	p->entry = auxv(p->pid, p->abi, AT_ENTRY);
	p->state = PROC_STARTING;
	p->space = recorder_new_space(r);
	p->open = openset_new();
	p->freed = freed_new(p->session->opts->freed_volume, FREED_MAX);
	p->own_break = false;
	p->exiting = p->scanned = false;
	/* -O hides the allocations of what it leaves out. */
	p->table_complete = fresh && !p->session->opts->omit.n;
	p->brk_end = 0;
	p->syscall_insn = 0;
	p->no_inject = false;
	p->shadow_stack = false;
	modules_init(&p->modules, p->pid, &p->reader);
	p->unwinder = unwinder_new(p->abi, &p->modules, &p->reader, refresh, p);
	unwinder_keep_rest(p->unwinder, p->session->opts->stack_rest);
	unwinder_use_given(p->unwinder, p->session->given);
	p->code_mask_known = false; /* of a task that is attached to, no register can be read yet */
	sigtrap_begin(p);
	sync_modules(p, stopped, false);
	p->modules_at_exec = p->modules.v.n;
	if (!fresh)
		sigtrap_learn(p);
	plant_linkmap(p, stopped, p->linker ? modules_find(&p->modules, p->linker) : NULL);
	plant_linkmap(p, stopped, modules_find(&p->modules, p->entry));
	hint(p, modules_find(&p->modules, p->entry));
	if (!fresh) {
		image_sync(p, stopped);
		return 0;
	}
	/* Without a linker, or one we cannot follow: at the entry point. */
	if (!p->linker || !p->seen_linkmap || entry_awaited(p))
		bp_plant(p, stopped, p->entry, BP_START);
	/* Its libraries' constructors will have run by then. */
	if (p->linker && !p->seen_linkmap)
		p->table_complete = false;
	return 0;
}

void image_end(struct proc *p)
{
	for (size_t i = 0; i < p->tasks.n; i++) {
		struct task *t = p->tasks.v[i];

		while (t->calls.n) /* no lifting: the memory is not ours any more */
			t->calls.n--;
		t->last.what = LAST_NONE;
		t->mask_frames.n = 0;
		t->stack_lo = t->stack_hi = 0;
		t->stepping = NULL;
	}
	census_forget(p);
	pause_forget(p);
	bp_forget_all(p);
	unwinder_free(p->unwinder);
	p->unwinder = NULL;
	modules_release(&p->modules);
	memory_close(&p->mem);
	openset_free(p->open);
	p->open = NULL;
	freed_free(p->freed);
	p->freed = NULL;
	u64map_release(&p->looked);
	regions_cut(p->mapped, 0, UINT64_MAX, NULL, NULL);
	p->ended_stacks.n = 0;
	for (size_t i = 0; i < p->sites.n; i++)
		free(p->sites.v[i]);
	p->sites.n = 0;
	p->wrappers.n = 0;
	u64map_release(&p->callees);
	free(p->name);
	p->name = NULL;
	p->sanitized = false;
	u64map_release(&p->zones);
	memset(&p->redzone, 0, sizeof p->redzone);
	p->ended_told = false;
	p->seen_linkmap = false;
	p->entry_bp = NULL;
	p->probes_found = 0;
	p->told_stepping = false;
	p->hides_blocks = false;
	memset(p->handler_mask, 0, sizeof p->handler_mask);
}

void image_copy(struct proc *c, struct proc *parent)
{
	c->abi = parent->abi;
	c->linker = parent->linker;
	c->entry = parent->entry;
	c->brk_end = parent->brk_end;
	c->state = parent->state;
	c->exe = xstrdup(parent->exe ? parent->exe : "?");
	c->name = xstrdup(parent->name);
	memory_open(&c->mem, c->pid);
	c->space = parent->space;
	c->open = openset_clone(parent->open);
	c->freed = freed_copy(parent->freed);
	regions_free(c->mapped);
	c->mapped = regions_copy(parent->mapped);
	c->own_break = parent->own_break;
	c->sanitized = parent->sanitized;
	c->redzone = parent->redzone;
	u64map_for_each(&parent->zones, z)
		u64map_set(&c->zones, z->key, z->value);
	c->table_complete = parent->table_complete;
	pause_copy(c, parent);
	c->from_launch = parent->from_launch;
	c->syscall_insn = parent->syscall_insn;
	c->no_inject = parent->no_inject;
	c->seen_linkmap = parent->seen_linkmap;
	c->hides_blocks = parent->hides_blocks;
	c->trap = parent->trap;
	memcpy(c->handler_mask, parent->handler_mask, sizeof c->handler_mask);
	c->probes_found = parent->probes_found;
	modules_copy(&c->modules, &parent->modules, c->pid, &c->reader);
	for (size_t i = 0; i < c->modules.v.n; i++)
		c->modules.v.v[i]->user = parent->modules.v.v[i]->user;
	c->unwinder = unwinder_new(c->abi, &c->modules, &c->reader, refresh, c);
	unwinder_keep_rest(c->unwinder, c->session->opts->stack_rest);
	unwinder_use_given(c->unwinder, c->session->given);
	bp_copy_table(parent, c);
	for (size_t i = 0; i < parent->sites.n; i++) {
		struct probe_site *site = xmemdup(parent->sites.v[i], sizeof *site);
		struct breakpoint *bp = bp_find(c, site->addr);

		site->module = modules_find(&c->modules, site->addr);
		vec_push(&c->sites, site);
		if (bp)
			bp->site = site;
	}
	for (size_t i = 0; i < parent->wrappers.n; i++) {
		struct range_probe w = parent->wrappers.v[i];

		w.module = modules_find(&c->modules, w.start);
		vec_push(&c->wrappers, w);
	}
	u64map_for_each(&parent->dirty_pages, s)
		u64map_set(&c->dirty_pages, s->key, s->value);
}
