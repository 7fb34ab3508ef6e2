/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of each format, as the system's own documentation or output has them, and what
 * a reader of them knows.  Part of make-log.c. */

enum release { BLOCK, DOUBLE, NIL, UNKNOWN };

static unsigned pc_of(const struct site *site)
{
	return code_base() + site->pc;
}

static void see_allocated(bool is_whole, const struct site *site, uint64_t size, uint64_t addr)
{
	if (!is_whole)
		return;
	if (addr)
		see_alloc(addr, size, site);
	else
		seen.failed++;
}

/* -- mbed ------------------------------------------------------------------ */

static void mbed_alloc(const struct site *site, uint64_t count, uint64_t each, uint64_t addr)
{
	add("#%c:", count ? 'c' : 'm');
	add_address(addr);
	add(";0x%x-", pc_of(site));
	if (count)
		add("%llu;", (unsigned long long)count);
	add("%llu", (unsigned long long)each);
	see_allocated(put_line(true), site, (count ? count : 1) * each, addr);
}

static void mbed_free(const struct site *site, uint64_t addr, enum release kind)
{
	add("#f:0x0;0x%x-", pc_of(site));
	add_address(addr);
	line.address_is_last = true;
	if (put_line(true))
		see_free(addr, kind == DOUBLE);
}

static void mbed_realloc(const struct site *site, const struct block *old, uint64_t size,
			 uint64_t addr)
{
	add("#r:");
	add_address(addr);
	add(";0x%x-0x%llx;%llu", pc_of(site), (unsigned long long)old->addr,
	    (unsigned long long)size);
	if (!put_line(true))
		return;
	if (addr)
		see_free(old->addr, false);
	see_allocated(true, site, size, addr);
}

/* -- micro:bit ------------------------------------------------------------- */

static const char *microbit_prefix(void)
{
	return variant % 3 == 1 ? "microbit_" : variant % 3 == 2 ? "device_" : "";
}

static void microbit_heap(void)
{
	uint64_t nfree = 0;

	add("HEAP 0: ");
	put_line(true);
	add("heap_start : 0x%llx", (unsigned long long)heap.start);
	put_line(true);
	add("heap_end   : 0x%llx", (unsigned long long)(heap.start + heap.size));
	put_line(true);
	add("heap_size  : %llu", (unsigned long long)heap.size);
	put_line(true);
	if (!heap.n)
		add("[F:%llu] ", (unsigned long long)(nfree = heap.size));
	for (size_t i = 0; i < heap.n; i++) {
		if (heap.block[i].is_free)
			nfree += heap.block[i].size;
		add("[%c:%llu] ", heap.block[i].is_free ? 'F' : 'U',
		    (unsigned long long)heap.block[i].size);
		if (i % 21 == 20)
			put_line(true);
	}
	put_line(true);
	if (nfree == heap.size)
		noted.resets++;
	add("mb_total_free : %llu", (unsigned long long)nfree);
	put_line(true);
	add("mb_total_used : %llu", (unsigned long long)(heap.size - nfree));
	put_line(true);
}

static void microbit_alloc(const struct site *site, uint64_t size, uint64_t addr)
{
	add("%smalloc: ", microbit_prefix());
	if (!addr) {
		add("OUT OF MEMORY");
		if (variant % 2)
			add(" [%llu]", (unsigned long long)size);
		put_line(true);
		seen.failed++;
		/* An empty one would look like a start. */
		if (any(4) == 0 && heap.n > 1)
			microbit_heap();
		return;
	}
	add("ALLOCATED: %llu [", (unsigned long long)size);
	add_address(addr);
	add("]");
	see_allocated(put_line(true), site, size, addr);
}

static void microbit_free(uint64_t addr, enum release kind)
{
	add("%sfree:   ", microbit_prefix());
	if (addr)
		add_address(addr);
	else
		add("0");
	line.address_is_last = true;
	if (put_line(true))
		see_free(addr, kind == DOUBLE);
}

/* Its runtime allocates, copies and frees. */
static void microbit_realloc(const struct site *site, const struct block *old, uint64_t size,
			     uint64_t addr)
{
	microbit_alloc(site, size, addr);
	if (addr)
		microbit_free(old->addr, BLOCK);
}

/* -- Azure Sphere ---------------------------------------------------------- */

/* variant % 3: the older library; the newer; the newer, not verbose. */
enum { AZ_THRESHOLD = 3000 };
static long long az_allocated;

static const char *az_prefix(void)
{
	return variant % 3 ? "Heap-Tracker: " : "Heap-Tracker lib: ";
}

static void az_begin(void)
{
	add("%s", az_prefix());
}

/* True: it ends the line. */
static bool az_status(void)
{
	if (az_allocated > AZ_THRESHOLD)
		add("WARNING: heap_allocated (%lld bytes) is above heap_threshold (%d bytes)",
		    az_allocated, AZ_THRESHOLD);
	else if (variant % 3 != 2)
		add("SUCCESS: heap_allocated (%lld bytes) - delta with heap_threshold(%lld bytes)",
		    az_allocated, AZ_THRESHOLD - az_allocated);
	else
		return false;
	return true;
}

static bool az_put(void)
{
	bool has_end = az_status();

	return put_line(has_end);
}

static void az_result(uint64_t addr)
{
	add(")=");
	if (addr)
		add_address(addr);
	else
		add("%s", variant % 2 ? "(nil)" : "0");
	add("... ");
}

static void az_alloc(const struct site *site, uint64_t count, uint64_t each, uint64_t addr)
{
	uint64_t size = (count ? count : 1) * each;

	az_begin();
	if (count)
		add("calloc(%llu,%llu", (unsigned long long)count, (unsigned long long)each);
	else if (site == &sites[2])
		add("aligned_alloc(16,%llu", (unsigned long long)each);
	else
		add("malloc(%llu", (unsigned long long)each);
	az_result(addr);
	if (addr)
		az_allocated += (long long)size;
	see_allocated(az_put(), site, size, addr);
}

static void az_untracked(uint64_t addr)
{
	line.address_end = 0;
	add("%sWARNING: free(0x%llx) was called for a non-tracked pointer.", az_prefix(),
	    (unsigned long long)addr);
	put_line(true);
}

static void az_free(uint64_t addr, uint64_t size, enum release kind)
{
	bool is_whole;

	az_begin();
	add(variant % 3 ? "free(" : "_free(");
	if (addr)
		add_address(addr);
	else
		add("(nil)");
	if (variant % 3 == 0)
		add(",%llu", (unsigned long long)size);
	add(")... ");
	if (kind == BLOCK || (kind == DOUBLE && variant % 3 == 0))
		az_allocated -= (long long)size;
	if (variant % 3 && (kind == DOUBLE || kind == UNKNOWN)) {
		az_untracked(addr);
		see_free(addr, kind == DOUBLE);
		if (az_status())
			put_line(true);
		return;
	}
	is_whole = az_put();
	if (is_whole)
		see_free(addr, kind == DOUBLE);
}

static void az_realloc(const struct site *site, const struct block *old, uint64_t size,
		       uint64_t addr)
{
	az_begin();
	if (variant % 3)
		add("realloc(0x%llx, %llu", (unsigned long long)old->addr,
		    (unsigned long long)size);
	else
		add("_realloc(0x%llx,%llu,%llu", (unsigned long long)old->addr,
		    (unsigned long long)old->size, (unsigned long long)size);
	az_result(addr);
	if (addr)
		az_allocated += (long long)size - (long long)old->size;
	if (!az_put())
		return;
	if (addr)
		see_free(old->addr, false);
	see_allocated(true, site, size, addr);
}

/* -- the tracking utilities for ESP-IDF: failed requests, then lists ---------- */

static void esp_failed(const struct site *site, const char *operation, uint64_t size)
{
	add("Capturing memory snapshot for region: MALLOC_CAP_8BIT ");
	put_line(true);
	add("Failed to allocate %llu bytes for heap_caps_%s in %s at %s:%u",
	    (unsigned long long)size, operation, site->function, site->file, site->line);
	put_line(true);
	seen.failed++;
	add("Heap summary for capabilities 0x00000004:");
	put_line(true);
	add("  Totals:");
	put_line(true);
	add("    free 120 allocated %llu min_free 4 largest_free_block 64",
	    (unsigned long long)heap.size - 120);
	put_line(true);
}

static void esp_list(const struct block *b)
{
	struct block *old = find_open(b->addr);

	add("Memory allocated at ");
	add_address(b->addr);
	add(", caps 0x1800, size %llu bytes, in %s, line %u, function %s, variable %s",
	    (unsigned long long)b->size, b->site->file, b->site->line, b->site->function,
	    b->site->variable);
	if (put_line(true) && !old)
		see_alloc(b->addr, b->size, b->site);
}

/* -- ESP-IDF's heap tracing ------------------------------------------------ */

static struct traced {
	struct block b;
	const struct site *freed_by;
} *traced;
static size_t ntraced;

static void trace_alloc(const struct site *site, uint64_t size, uint64_t addr)
{
	if (!addr)
		return;
	traced = realloc(traced, (ntraced + 1) * sizeof *traced);
	if (!traced)
		abort();
	traced[ntraced++] = (struct traced){ { addr, size, site }, NULL };
}

static void trace_free(uint64_t addr, const struct site *site)
{
	for (size_t i = ntraced; i--;)
		if (traced[i].b.addr == addr && !traced[i].freed_by) {
			traced[i].freed_by = site;
			return;
		}
}

static void trace_dump_one(size_t i)
{
	const struct block *b = &traced[i].b;
	bool is_whole;

	add("%6llu bytes (@ ", (unsigned long long)b->size);
	add_address(b->addr);
	add("%s) allocated CPU %d ccount 0x%08x caller 0x%x:%s",
	    i % 7 == 6 ? ",    PSRAM" : ", Internal", (int)(i % 2), (unsigned)i * 4096,
	    pc_of(b->site), i % 3 ? "0x400d2811" : "");
	line.is_needed = true;
	is_whole = put_line(true);
	see_allocated(is_whole, b->site, b->size, b->addr);
	if (!traced[i].freed_by)
		return;
	add("freed by 0x%x:0x400d2811", pc_of(traced[i].freed_by));
	put_line(true);
	if (is_whole)
		see_free(b->addr, false);
}

static void trace_dump(void)
{
	if (no_end)
		put_end();
	no_end = false;
	add("====== Heap Trace: %zu records (%zu capacity) ======", ntraced, ntraced + 100);
	put_line(true);
	for (size_t i = 0; i < ntraced; i++)
		trace_dump_one(i);
	if (no_end)
		put_end();
	no_end = false;
	add("====== Heap Trace Summary ======");
	put_line(true);
	add("Mode: Heap Trace All");
	put_line(true);
	add("12345 bytes alive in trace (%zu/%zu allocations)", nopen, ntraced);
	put_line(true);
	add("records: %zu (%zu capacity, %zu high water mark)", ntraced, ntraced + 100, ntraced);
	put_line(true);
	add("total allocations: %zu", ntraced);
	put_line(true);
	add("================================");
	put_line(true);
}

/* -- glibc ----------------------------------------------------------------- */

static void glibc_where(const struct site *site)
{
	if (variant % 2)
		add("@ ./my prog:(%s+0x%x)[0x%x] ", site->function, site->pc & 0xff, pc_of(site));
	else
		add("@ ./my prog:[0x%x] ", pc_of(site));
}

static bool glibc_line(const struct site *site, char op, uint64_t addr, uint64_t size)
{
	glibc_where(site);
	add("%c ", op);
	if (addr)
		add_address(addr);
	else
		add("(nil)");
	line.address_is_last = op == '<' || op == '-';
	if (!line.address_is_last)
		add(" 0x%llx", (unsigned long long)size);
	return put_line(true);
}

static void glibc_realloc(const struct site *site, const struct block *old, uint64_t size,
			  uint64_t addr)
{
	if (!addr) {
		if (glibc_line(site, '!', old->addr, size))
			seen.failed++;
		return;
	}
	if (glibc_line(site, '<', old->addr, 0))
		see_free(old->addr, false);
	see_allocated(glibc_line(site, '>', addr, size), site, size, addr);
}

/* -- all of them ----------------------------------------------------------- */

static void log_start(void)
{
	if (format == MICROBIT) {
		if (no_end)
			put_end();
		no_end = false;
		microbit_heap();
	} else if (format == GLIBC) {
		add("= Start");
		put_line(true);
	}
}

static void log_alloc(const struct site *site, uint64_t count, uint64_t each, uint64_t addr)
{
	uint64_t size = (count ? count : 1) * each;

	switch (format) {
	case MBED: mbed_alloc(site, count, each, addr); break;
	case MICROBIT: microbit_alloc(site, size, addr); break;
	case AZSPHERE: az_alloc(site, count, each, addr); break;
	case ESP_HEAPTRACE: trace_alloc(site, size, addr); break;
	case GLIBC: see_allocated(glibc_line(site, '+', addr, size), site, size, addr); break;
	case ESP:
		if (!addr)
			esp_failed(site, count ? "calloc" : "malloc", size);
		break;
	case FORMATS: break;
	}
}

static void log_free(const struct site *site, uint64_t addr, uint64_t size, enum release kind)
{
	switch (format) {
	case MBED: mbed_free(site, addr, kind); break;
	case MICROBIT: microbit_free(addr, kind); break;
	case AZSPHERE: az_free(addr, size, kind); break;
	case ESP_HEAPTRACE: trace_free(addr, site); break;
	case GLIBC: /* says nothing of free(NULL) */
		if (addr && glibc_line(site, '-', addr, 0))
			see_free(addr, kind == DOUBLE);
		break;
	case ESP: case FORMATS: break;
	}
}

static void log_realloc(const struct site *site, const struct block *old, uint64_t size,
			uint64_t addr)
{
	switch (format) {
	case MBED: mbed_realloc(site, old, size, addr); break;
	case MICROBIT: microbit_realloc(site, old, size, addr); break;
	case AZSPHERE: az_realloc(site, old, size, addr); break;
	case ESP_HEAPTRACE:
		trace_alloc(site, size, addr);
		if (addr)
			trace_free(old->addr, site);
		break;
	case GLIBC: glibc_realloc(site, old, size, addr); break;
	case ESP:
		if (!addr)
			esp_failed(site, "realloc", size);
		break;
	case FORMATS: break;
	}
}

static void log_end(const struct block *live, size_t nlive)
{
	if (format == ESP_HEAPTRACE)
		trace_dump();
	for (int twice = 0; format == ESP && twice < 2; twice++)
		for (size_t i = 0; i < nlive; i++)
			esp_list(&live[i]);
	if (format == GLIBC && !mode.cut) {
		add("= End");
		put_line(true);
	}
}

/* A line that ends in a call, to which nothing more comes. */
static void log_cut(const struct site *site)
{
	switch (format) {
	case MBED: add("#m:0x200032"); break;
	case MICROBIT: add("%smalloc: ALLOCATED: 12 [0x20", microbit_prefix()); break;
	case ESP: add("Memory allocated at 0x3ffb0010, caps 0x18"); break;
	case ESP_HEAPTRACE: add("    12 bytes (@ 0x3ffb0010, Int"); break;
	case GLIBC: glibc_where(site); add("+ 0x5616"); break;
	case AZSPHERE:
		az_begin();
		add("malloc(77)=0x%llx... ", (unsigned long long)(heap.start + heap.size + 64));
		see_alloc(heap.start + heap.size + 64, 77, site);
		return;
	case FORMATS: break;
	}
	noted.damaged++;
}

static void write_site(FILE *out, const struct site *site)
{
	if (format == ESP)
		fprintf(out, "%s:%u:%s", site->file, site->line, site->function);
	else
		fprintf(out, "0x%x", pc_of(site));
}
