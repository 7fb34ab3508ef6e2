// SPDX-License-Identifier: GPL-2.0-or-later
// Functions of many shapes, stopped in the middle.  At each int3 the first
// register holds the call chain, innermost first, as unwind-shapes.c explains.
#include <alloca.h>
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#ifdef __clang__
#define NOINLINE extern "C" __attribute__((noinline))
#else
#define NOINLINE extern "C" __attribute__((noinline, noclone))
#endif

#define TRAP(chain) __asm__ volatile("int3" : : "a"(chain) : "memory")
/* What follows a call keeps it from being a jump. */
#define DONE __asm__ volatile("" ::: "memory")

static volatile int zero;
static volatile char *volatile sink;

NOINLINE void plain_leaf(void) { TRAP("plain_leaf<plain_mid<plain_top<main"); }
NOINLINE void plain_mid(int a, int b) { plain_leaf(); zero = a - a + b - b; }
NOINLINE void plain_top(void) { plain_mid(zero, 2); DONE; }

NOINLINE void alloca_leaf(void) { TRAP("alloca_leaf<alloca_top<main"); }
NOINLINE void alloca_top(int n)
{
	char *p = (char *)alloca((size_t)n);

	sink = p;
	p[0] = 1;
	alloca_leaf();
	sink = nullptr;
}

NOINLINE void aligned_leaf(void) { TRAP("aligned_leaf<aligned_both<aligned_top<main"); }
NOINLINE void aligned_both(int n)
{
	alignas(128) char big[256];
	char *p = (char *)alloca((size_t)n);

	big[n] = 0;
	sink = big;
	sink = p;
	aligned_leaf();
	sink = nullptr;
}
NOINLINE __attribute__((force_align_arg_pointer)) void aligned_top(int a, int b)
{
	alignas(64) char big[64];

	sink = big;
	aligned_both(64 + a + b);
	sink = nullptr;
}

NOINLINE int deep(int n)
{
	char some[40];

	sink = some;
	some[0] = (char)n;
	if (n == 1)
		TRAP("deep*500<main");
	else
		n += deep(n - 1);
	return n + some[0];
}

NOINLINE void tail_target(void) { TRAP("tail_target<~<main" /* not every compiler jumps */); }
NOINLINE void tail_jumper(void) { __asm__ volatile("" ::: "memory"); tail_target(); }

static jmp_buf out;
NOINLINE __attribute__((noreturn)) void never_returns(void)
{
	TRAP("never_returns<noreturn_caller<main");
	longjmp(out, 1);
}
NOINLINE __attribute__((noreturn)) void noreturn_caller(void) { never_returns(); }

static const char *chain;
static int recover;
static jmp_buf back;
static void *volatile volatile_8 = (void *)8; /* compilers make a trap of a plain null */
NOINLINE void handler_leaf(void) { TRAP(chain); }
NOINLINE void handler(int sig)
{
	(void)sig;
	handler_leaf();
	if (recover)
		siglongjmp(back, 1);
	DONE;
}
NOINLINE void signal_sync(void)
{
	*(volatile int *)volatile_8 = 1;
	DONE;
}
NOINLINE void signal_null(void)
{
	void (*volatile null)(void) = nullptr;

	null();
	DONE;
}
NOINLINE void signal_async(void) { kill(getpid(), SIGUSR1); DONE; }

static void signals(int flags)
{
	struct sigaction sa = {};

	sa.sa_handler = handler;
	sa.sa_flags = flags | SA_NODEFER;
	sigaction(SIGUSR1, &sa, nullptr);
	sigaction(SIGSEGV, &sa, nullptr);
	chain = "handler_leaf<handler<?<~<signal_async<~<main";
	recover = 0;
	signal_async();
	recover = 1;
	chain = "handler_leaf<handler<?<signal_sync<~<main";
	if (!sigsetjmp(back, 1))
		signal_sync();
	chain = "handler_leaf<handler<?<?<signal_null<~<main";
	if (!sigsetjmp(back, 1))
		signal_null();
}
NOINLINE void signal_plain(void) { signals(0); DONE; }
NOINLINE void signal_info(void) { signals(SA_SIGINFO); DONE; }
NOINLINE void signal_stack(void)
{
	static char room[65536];
	stack_t ss = {};

	ss.ss_sp = room;
	ss.ss_size = sizeof room;
	sigaltstack(&ss, nullptr);
	signals(SA_ONSTACK);
	DONE;
}

/* Stepped through from here to the next int3, with what PLT, lazy binding and
 * vdso there are on the way. */
NOINLINE void plt_caller(void)
{
	TRAP("!~<plt_caller<main");
	sink = getenv("nothing");
	sink = getenv("nothing");
	TRAP("plt_caller<main");
}
/* i386's vdso has no call-frame information for its C functions. */
static const char *const vdso_chain =
	sizeof(void *) == 8 ? "!~<vdso_caller<main" : "!~";
NOINLINE void vdso_caller(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	TRAP(vdso_chain);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	TRAP("vdso_caller<main");
}

struct guard {
	~guard() noexcept;
};
extern "C" void guard_leaf(void);
NOINLINE void guard_leaf(void) { TRAP("guard_leaf<~<thrower_outer<catcher<main"); }
__attribute__((noinline)) guard::~guard() noexcept { guard_leaf(); DONE; }
NOINLINE void thrower(void) { throw 42; }
NOINLINE void thrower_outer(void)
{
	guard g;

	thrower();
}
NOINLINE void catcher(void)
{
	try {
		thrower_outer();
	} catch (int n) {
		zero = n - 42;
		TRAP("catcher<main");
	}
}
/* While libgcc installs the landing pad's context, the frame it returns from
 * already has the new return address and saved registers: no unwinder gets
 * across these few instructions. */
NOINLINE void stepped_catcher(void)
{
	TRAP("!~");
	try {
		thrower();
	} catch (int n) {
		zero = n - 42;
	}
	TRAP("stepped_catcher<main");
}

static ucontext_t here, there;
NOINLINE void coroutine_leaf(void) { TRAP("coroutine_leaf<coroutine<~."); }
NOINLINE void coroutine(int a) { coroutine_leaf(); zero = a - a; }
NOINLINE void coroutines(void)
{
	static char room[65536];

	getcontext(&there);
	there.uc_stack.ss_sp = room;
	there.uc_stack.ss_size = sizeof room;
	there.uc_link = &here;
	makecontext(&there, (void (*)(void))coroutine, 1, 7);
	swapcontext(&here, &there);
}

NOINLINE void thread_leaf(void) { TRAP("thread_leaf<thread<~."); }
NOINLINE void *thread(void *arg) { thread_leaf(); DONE; return arg; }
NOINLINE void threads(void)
{
	pthread_t t;

	pthread_create(&t, nullptr, thread, nullptr);
	pthread_join(t, nullptr);
}

NOINLINE void jit_leaf(void) { TRAP("jit_leaf<?<jit_caller<main"); }
NOINLINE void jit_caller(void)
{
	/* push bp; mov sp,bp; call the argument; pop bp; ret */
	static const unsigned char code64[] = { 0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3 };
	static const unsigned char code32[] = { 0x55, 0x89, 0xe5, 0xff, 0x55, 0x08, 0x5d, 0xc3 };
	void *p = mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return;
	memcpy(p, sizeof p == 8 ? code64 : code32, sizeof code64);
	((void (*)(void (*)(void)))p)(jit_leaf);
	DONE;
}

int main()
{
	plain_top();
	alloca_top(100 + zero);
	aligned_top(zero, zero);
	deep(500);
	tail_jumper();
	if (!setjmp(out))
		noreturn_caller();
	signal_plain();
	signal_info();
	signal_stack();
	plt_caller();
	vdso_caller();
	catcher();
	stepped_catcher();
	coroutines();
	threads();
	jit_caller();
	TRAP("main<~.");
	return 0;
}
