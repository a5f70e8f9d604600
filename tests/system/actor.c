/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest with a VF of its own, good or bad: actor URI ROLE [SECONDS [KERNELS]]. Prints "ready"
 * once it is at it, and one line of JSON when it ends; "work" at SIGUSR1, too. SIGTERM ends those
 * that would go on for ever.
 *
 *   work        launches vector_add of KERNELS/vector_add.co and checks every result; after a reset
 *               that was announced it recovers and goes on
 *   slow        the same, ten times a second
 *   busy        kernels that end, one behind the other, on all compute units
 *   endless     a kernel that never ends, on all compute units
 *   doorbells   rings all its doorbells as fast as it can
 *   messages    sends mailbox messages as fast as it can
 *   faults      SDMA writes where nothing is mapped, and the processor beyond the frame buffer
 *   garbage     puts random words on its rings
 *   exclusive   asks for exclusive access and keeps it
 *   again       asks for it, keeps it for a while, gives it back, and asks again
 *   interrupts  fences with interrupts, nothing else
 *   deaf        brings its VF up and never looks at it again
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <gv/hw_spec.h>
#include <gv/layouts.h>
#include <gv/mailbox.h>
#include <gv/packets.h>
#include <gv/vf_guest.h>

#define ITEMS 65536u

static struct gv_err err;
static volatile sig_atomic_t ended, asked;

struct actor {
	struct gv_bus *bus;
	struct gv_guest *guest;
	uint64_t end_ns; /* UINT64_MAX: SIGTERM */
	const char *role, *kernels;
	uint64_t begin_ns;
	unsigned pause_ms;
	uint64_t done, wrong, resets;
};

static void on_term(int sig)
{
	(void)sig;
	ended = 1;
}

static void on_ask(int sig)
{
	(void)sig;
	asked = 1;
}

static bool goes_on(const struct actor *a)
{
	return !ended && gv_now_ns() < a->end_ns;
}

static int fail(const char *what)
{
	fprintf(stderr, "actor: %s: %s\n", what, err.text);
	return 1;
}

static void ready(void)
{
	puts("ready");
	(void)fflush(stdout);
}

static void tell(const struct actor *a)
{
	asked = 0;
	printf("{\"role\": \"%s\", \"done\": %llu, \"wrong\": %llu, \"resets\": %llu, "
	       "\"seconds\": %.4f}\n",
	       a->role, (unsigned long long)a->done, (unsigned long long)a->wrong,
	       (unsigned long long)a->resets, (double)(gv_now_ns() - a->begin_ns) / 1e9);
	(void)fflush(stdout);
}

/* ---- the good one ------------------------------------------------------------- */

struct job {
	struct gv_co *co;
	const struct gv_co_kernel *kernel;
	struct gv_guest_program *program;
	struct gv_guest_buf *buf[3];
	float *cpu[3];
};

static int make_job(struct actor *a, struct job *j)
{
	char path[512];
	int rc;

	(void)snprintf(path, sizeof(path), "%s/vector_add.co", a->kernels);
	rc = gv_co_open(path, &j->co, &err);
	if (!rc)
		rc = gv_co_find(j->co, "vector_add", &j->kernel, &err);
	if (!rc)
		rc = gv_guest_program_new(a->guest, j->co, &j->program, &err);
	for (unsigned i = 0; !rc && i < 3; i++) {
		rc = gv_guest_buf_new(a->guest, NULL, GV_GUEST_SYSTEM, ITEMS * sizeof(float),
		                      &j->buf[i], &err);
		if (!rc)
			j->cpu[i] = gv_guest_buf_cpu(j->buf[i]);
	}
	for (unsigned i = 0; !rc && i < ITEMS; i++) {
		j->cpu[0][i] = (float)i;
		j->cpu[1][i] = (float)(i % 1021);
	}
	return rc;
}

static void drop_job(struct job *j)
{
	for (unsigned i = 0; i < 3; i++)
		gv_guest_buf_free(j->buf[i]);
	gv_guest_program_free(j->program);
	gv_co_free(j->co);
}

static int launch(struct actor *a, struct job *j)
{
	struct {
		uint64_t a, b, c;
		uint32_t n;
	} args = {gv_guest_buf_va(j->buf[0]), gv_guest_buf_va(j->buf[1]),
	          gv_guest_buf_va(j->buf[2]), ITEMS};
	struct gv_guest_launch l = {
	        .grid = {ITEMS}, .block = {256}, .kernarg = &args, .kernarg_bytes = 28};
	struct gv_guest_queue *q = gv_guest_compute(a->guest, 0);
	uint64_t seq = 0;
	int rc;

	memset(j->cpu[2], 0, ITEMS * sizeof(float));
	rc = gv_guest_launch(q, j->program, j->kernel, &l, &seq, &err);
	return rc ? rc : gv_guest_wait(q, seq, gv_now_ns() + 30 * GV_S, &err);
}

static void check(struct actor *a, const struct job *j)
{
	for (unsigned i = 0; i < ITEMS; i++)
		if (j->cpu[2][i] != (float)i + (float)(i % 1021)) {
			a->wrong++;
			return;
		}
}

static int work(struct actor *a)
{
	struct job j = {.co = NULL};
	int rc = make_job(a, &j);

	if (rc)
		return fail("job");
	ready();
	while (!rc && goes_on(a)) {
		rc = launch(a, &j);
		if (!rc) {
			check(a, &j);
			a->done++;
			if (asked)
				tell(a);
			if (a->pause_ms)
				(void)usleep(a->pause_ms * 1000);
			continue;
		}
		fprintf(stderr, "actor: launch: %s\n", err.text);
		a->resets++;
		rc = gv_guest_recover(a->guest, &err);
	}
	drop_job(&j);
	return rc ? fail("recover") : 0;
}

static int slow(struct actor *a)
{
	a->pause_ms = 100;
	return work(a);
}

/* ---- the bad ones --------------------------------------------------------------- */

/* On all compute units; waits until @a ends or is reset. */
static int occupy(struct actor *a, const uint32_t *code, size_t bytes)
{
	static const struct gv_co_kernel kernel = {
	        .name = "raw",
	        .rsrc1 = 0xaf0041, /* 8 VGPRs, 16 SGPRs, IEEE and DX10 clamp */
	        .rsrc2 = 2 << COMPUTE_PGM_RSRC2__USER_SGPR__LO,
	};
	const struct gv_guest_launch l = {.grid = {64 * 4096}, .block = {64}};
	struct gv_guest_program *program = NULL;
	int rc = gv_guest_program_raw(a->guest, code, bytes, &program, &err);
	uint64_t seq[2] = {0};

	for (unsigned i = 0; !rc && i < 2; i++)
		rc = gv_guest_launch(gv_guest_compute(a->guest, i), program, &kernel, &l, &seq[i],
		                     &err);
	if (rc)
		return fail("kernel");
	ready();
	while (!ended && rc != -ECONNRESET) {
		struct gv_guest_queue *q = gv_guest_compute(a->guest, a->done % 2);

		rc = gv_guest_wait(q, seq[a->done % 2], gv_now_ns() + 50 * GV_MS, &err);
		if (!rc) /* there is always another one in the other queue */
			rc = gv_guest_launch(q, program, &kernel, &l, &seq[a->done++ % 2], &err);
	}
	return 0;
}

static int busy(struct actor *a)
{
	/* s_movk_i32 s8, 0x7fff; s_nop; s_sub_u32 s8, s8, 1; s_cmp_lg_u32 s8, 0;
	 * s_cbranch_scc1 to s_nop; s_endpgm */
	static const uint32_t code[64] = {0xb0087fff, 0xbf800000, 0x80888108,
	                                  0xbf078008, 0xbf85fffc, 0xbf810000};

	return occupy(a, code, sizeof(code));
}

static int endless(struct actor *a)
{
	/* s_branch to itself; s_endpgm */
	static const uint32_t code[64] = {0xbf82ffff, 0xbf810000};

	return occupy(a, code, sizeof(code));
}

static int doorbells(struct actor *a)
{
	ready();
	for (uint64_t n = 0; goes_on(a); n++)
		for (uint32_t byte = 0; byte < 8192; byte += 8)
			gv_doorbell64(a->bus, byte, n), a->done++;
	return 0;
}

static void send(struct actor *a, uint32_t code)
{
	gv_wr8(a->bus, BIF_BX_PF0_MAILBOX_CONTROL__BYTE, 0);
	gv_wr32(a->bus, BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW0__BYTE, code);
	gv_wr8(a->bus, BIF_BX_PF0_MAILBOX_CONTROL__BYTE,
	       (uint8_t)GV_PUT(BIF_BX_PF0_MAILBOX_CONTROL, TRN_MSG_VALID, 1));
	a->done++;
}

static int messages(struct actor *a)
{
	ready();
	while (goes_on(a))
		send(a, GV_MBOX_LOG_VF_ERROR);
	return 0;
}

static int faults(struct actor *a)
{
	struct gv_guest_queue *q = gv_guest_sdma(a->guest, 0);
	uint64_t seq, bad = 0x700000000ull;
	struct gv_guest_info info;
	uint32_t word;

	gv_guest_get_info(a->guest, &info);
	ready();
	while (goes_on(a)) {
		(void)gv_guest_sdma_fill(q, gv_guest_default_vm(a->guest), bad, 1, 4096, &seq,
		                         &err);
		for (unsigned i = 0; i < 64; i++)
			(void)gv_bus_read(a->bus, GV_REGION_VRAM, info.fb_bytes + i * 4096ull,
			                  &word, sizeof(word));
		a->done++;
	}
	return 0;
}

static int garbage(struct actor *a)
{
	uint32_t words[256], x = 2463534242u;
	uint64_t seq;

	ready();
	while (goes_on(a)) {
		for (size_t i = 0; i < GV_ARRAY_LEN(words); i++) {
			x ^= x << 13;
			x ^= x >> 17;
			x ^= x << 5;
			words[i] = x;
		}
		(void)gv_guest_submit(gv_guest_compute(a->guest, a->done % 2), words,
		                      GV_ARRAY_LEN(words), &seq, &err);
		(void)gv_guest_submit(gv_guest_sdma(a->guest, a->done % 2), words,
		                      GV_ARRAY_LEN(words), &seq, &err);
		a->done++;
	}
	return 0;
}

static void ask_for_exclusive_access(struct actor *a)
{
	for (unsigned i = 0; i < 1000 && goes_on(a); i++) {
		if (!(i % 100))
			send(a, GV_MBOX_REQ_GPU_INIT_ACCESS);
		if (gv_rd32(a->bus, BIF_BX_PF0_MAILBOX_MSGBUF_RCV_DW0__BYTE) ==
		    GV_MBOX_READY_TO_ACCESS_GPU)
			break;
		(void)usleep(5000);
	}
}

static int exclusive(struct actor *a)
{
	ask_for_exclusive_access(a);
	ready();
	while (goes_on(a))
		(void)usleep(10000);
	return 0;
}

/* Done: how often it had it. */
static int again(struct actor *a)
{
	uint64_t times = 0;

	ask_for_exclusive_access(a);
	ready();
	for (; goes_on(a); ask_for_exclusive_access(a)) {
		times++;
		(void)usleep(100000);
		gv_wr8(a->bus, BIF_BX_PF0_MAILBOX_CONTROL__BYTE + 1,
		       (uint8_t)(GV_PUT(BIF_BX_PF0_MAILBOX_CONTROL, RCV_MSG_ACK, 1) >> 8));
		send(a, GV_MBOX_REL_GPU_INIT_ACCESS);
		(void)usleep(20000);
	}
	a->done = times;
	return 0;
}

static int interrupts(struct actor *a)
{
	const uint32_t nop = GV_PM4_NOP1;
	uint64_t seq = 0;

	ready();
	while (goes_on(a)) {
		for (unsigned i = 0; i < 2; i++)
			if (!gv_guest_submit(gv_guest_compute(a->guest, i), &nop, 1, &seq, &err))
				a->done++;
		(void)gv_guest_service(a->guest, gv_now_ns()); /* else its ring is full */
	}
	return 0;
}

static int deaf(struct actor *a)
{
	ready();
	while (goes_on(a))
		(void)usleep(10000);
	return 0;
}

/* Of those whose queues stop by their own doing: they go on storming instead of waiting for them.
 */
#define SHORT_NS (200 * GV_MS)

static const struct role {
	const char *name;
	int (*run)(struct actor *a);
	bool good;
	bool raw; /* the VF is not brought up */
	uint64_t timeout_ns;
} roles[] = {
        {"work", work, true, false, 30 * GV_S},
        {"slow", slow, true, false, 30 * GV_S},
        {"busy", busy, false, false, 30 * GV_S},
        {"endless", endless, false, false, 30 * GV_S},
        {"doorbells", doorbells, false, false, 30 * GV_S},
        {"messages", messages, false, true, 0},
        {"faults", faults, false, false, SHORT_NS},
        {"garbage", garbage, false, false, SHORT_NS},
        {"exclusive", exclusive, false, true, 0},
        {"again", again, false, true, 0},
        {"interrupts", interrupts, false, false, SHORT_NS},
        {"deaf", deaf, false, false, 30 * GV_S},
};

static const struct role *find_role(const char *name)
{
	for (size_t i = 0; i < GV_ARRAY_LEN(roles); i++)
		if (!strcmp(name, roles[i].name))
			return &roles[i];
	return NULL;
}

/* Short waits hold while a guest comes up, too, where processors may be few: that, and nothing
 * else, is tried again. */
static int open_guest(struct actor *a, const struct role *r)
{
	const struct gv_guest_cfg cfg = {.timeout_ns = r->timeout_ns};
	int rc = -ETIMEDOUT;

	for (unsigned n = 0; rc == -ETIMEDOUT && n < (r->timeout_ns == SHORT_NS ? 10 : 1); n++)
		rc = gv_guest_open(a->bus, &cfg, &a->guest, &err);
	return rc;
}

static int play(struct actor *a, const char *uri, const struct role *r)
{
	int rc = gv_bus_open(uri, NULL, NULL, &a->bus, &err);

	if (!rc && !r->raw)
		rc = open_guest(a, r);
	if (rc)
		return fail("open");
	a->role = r->name;
	a->begin_ns = gv_now_ns();
	if (a->end_ns != UINT64_MAX)
		a->end_ns += a->begin_ns;
	rc = r->run(a);
	tell(a);
	if (!r->good)
		_exit(rc); /* a bad one does not say goodbye */
	return rc;
}

int main(int argc, char **argv)
{
	const struct role *r = argc > 2 ? find_role(argv[2]) : NULL;
	struct actor a = {.end_ns = UINT64_MAX};
	int rc;

	if (!r || argc > 5)
		return 2;
	if (argc > 3 && atof(argv[3]) > 0)
		a.end_ns = (uint64_t)(atof(argv[3]) * 1e9);
	a.kernels = argc > 4 ? argv[4] : ".";
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that is killed leaves no storm behind */
	(void)signal(SIGTERM, on_term);
	(void)signal(SIGUSR1, on_ask);
	(void)signal(SIGPIPE, SIG_IGN);
	rc = play(&a, argv[1], r);
	a.guest = gv_guest_close(a.guest);
	a.bus = gv_bus_close(a.bus);
	return rc;
}
